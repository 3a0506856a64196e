"""What the rows show of a model: which are alike, and how good it is."""

from dataclasses import replace

from model.contract.manifest import Metric
from model.making.columns.drafting import DraftOutput
from model.making.kinds.output_kind import Evaluation, OutputKind
from model.making.measuring.arranging import Arrangement
from model.making.measuring.copula_fitting import fit_copula
from model.making.measuring.indexing import explain_missing_index, index_rows
from model.making.options import AddNote
from model.making.rows.dataset import Dataset
from model.serving.copula import GaussianCopula
from model.serving.neighbors import Neighbors


def index_data(
    kind: OutputKind, arranged: Arrangement, headline: Dataset, published: bool, add_note: AddNote
) -> tuple[Neighbors | None, GaussianCopula | None]:
    """Index the rows of the data.

    ``headline`` has the truth of the answer that stands first; visitors may see rows that are
    ``published``.

    Returns:
        The similar rows, where they are shown, and which rows are unlike the data; None for none.
    """
    dataset = arranged.dataset
    neighbors = index_rows(headline, arranged.importance) if published else None
    if neighbors is None and published:
        add_note(f"No similar rows are shown: {explain_missing_index(dataset)}.")
    copula = None
    if not kind.judges_rows:
        copula = fit_copula(dataset.without_texts()[~dataset.held_out], dataset.unordered)
        if copula is None and not dataset.texts:
            add_note("No answer says that its row is unlike the data: there are too few rows.")
    return neighbors, copula


def evaluate_model(
    kind: OutputKind,
    arranged: Arrangement,
    output: DraftOutput,
    coverage: float,
    proved: str,
    add_note: AddNote,
) -> tuple[DraftOutput, Evaluation]:
    """Measure how good the model is; what it answers is drafted by that, too.

    ``proved`` says how it was put together, and what asking its own data showed.
    """
    found = kind.evaluate(arranged.dataset, output, coverage, add_note)
    output = replace(output, keys={**output.keys, **found.output_keys})
    accuracy, metrics = found.accuracy, found.metrics
    if kind.has_truth and arranged.metrics and metrics:
        few: Metric = arranged.metrics[arranged.shown]
        accuracy = kind.describe_facts(few, metrics[0], arranged.shown, output)
        metrics = (*metrics, *arranged.metrics.values())
    return output, replace(
        found,
        how=" ".join(part for part in (found.how, proved) if part),
        accuracy=f"{accuracy} {found.baseline}" if found.baseline else accuracy,
        metrics=metrics,
    )
