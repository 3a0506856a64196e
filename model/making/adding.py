"""Add a model: from a person's file and data to a folder that can be served."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import InvalidOperation
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError

from model.contract.arrays import Float64Array
from model.contract.errors import ModelError
from model.contract.fields import Value
from model.contract.manifest import TrainingData
from model.contract.texts import text_codes
from model.making.assembly.assembling import (
    AssembledModel,
    assemble_model,
    read_truths,
    refuse_wrong,
)
from model.making.assembly.gate import Finding, check_outputs, make_coded_subject
from model.making.assembly.given import GivenData, read_given
from model.making.assembly.proving import NO_TARGET
from model.making.columns.describing import DataColumn, infer_columns, takes_numbers
from model.making.columns.unasked import leave_out_columns
from model.making.data.data_files import hash_data
from model.making.data.number_texts import read_number_columns
from model.making.errors import AddError
from model.making.kinds.output_kind import OutputKind
from model.making.measuring.arranging import arrange_fields, describe_arrangement
from model.making.measuring.baselines import compare_with_baselines
from model.making.measuring.evaluating import evaluate_model, index_data
from model.making.measuring.fillings import advise_filling
from model.making.measuring.indexing import (
    compute_importance,
    encode_reference,
)
from model.making.options import AddNote, AddOptions, AskPerson, Progress
from model.making.pictures.adding import PICTURE_STAGES, make_picture_folder
from model.making.pictures.opening import is_for_pictures, write_table_network
from model.making.rows.dataset import (
    build_dataset,
    compose_texts,
    describe_optional_fields,
    require_one_field,
    tighten_bounds,
)
from model.making.rows.prepared import PreparedModel
from model.making.sources.derived_sources import DerivedSource
from model.making.sources.model_sources import ModelSource
from model.making.writing.cards import write_card
from model.making.writing.examples import (
    choose_examples,
    describe_published,
    round_typical_values,
)
from model.making.writing.folder_cards import read_folder_card, take_examples
from model.making.writing.manifests import answer_golden_rows, write_manifest
from model.making.writing.placing import choose_folder, replace_folder
from model.making.writing.redrafting import DRAFT, merge_cards, remember_options
from model.making.writing.report import format_report
from model.making.writing.summary import AddedModel, describe_speed, summarize
from model.monitoring.stability import count_fields
from model.serving.loading import load_model

STAGES = (
    "reading",
    "putting together and proving",
    "looking at the columns",
    "compiling and comparing",
    "ranking the facts",
    "indexing similar rows",
    "measuring on held-out rows",
    "fitting plain models beside it",
    "writing and checking",
)
"""The steps in their order; a progress bar counts them."""
_OLD_CARD = "card.old.toml"


def list_stages(options: AddOptions) -> tuple[str, ...]:
    """List the steps that adding such a model takes."""
    return PICTURE_STAGES if is_for_pictures(options) else STAGES


def add_from_files(
    options: AddOptions,
    root: Path,
    report: Progress,
    ask: AskPerson,
    keep_card: bool = False,
) -> AddedModel:
    """Make a model's folder under ``root``; if that fails, nothing is left behind.

    A model that is replaced stays until the new one is in its place. If the process is killed
    between the two, the next run with the same name puts the old one back.

    Args:
        options: what to make it from.
        root: the folder in which the models' folders stand.
        report: called with each step of ``list_stages`` as it begins, and now and then in between
            with how far it is.
        ask: called where one of several assemblies was taken, or something is to be installed.
        keep_card: whether what was written into the card of a replaced model stays.

    Raises:
        NotProvedError: if the data do not prove that the model would answer rightly.
        AddError: if the model cannot be added; says why and what to do.
    """
    folder = choose_folder(options, root)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary) / folder.name
        work.mkdir()
        try:
            if is_for_pictures(options):
                added = make_picture_folder(options, folder, work, report, ask)
            else:
                given, made = write_table_network(options, Path(temporary), ask, report)
                with text_codes():
                    added = _make_folder(given, folder, work, report, ask)
                added = replace(added, notes=(*filter(None, [made]), *added.notes))
                remember_options(options, folder, work)
                shutil.copy(work / "card.toml", work / DRAFT)
                if keep_card:
                    added = replace(added, conflicts=_keep_written(folder, work))
                elif _put_aside(folder, work):
                    note = (
                        f"The card that was replaced is kept as {_OLD_CARD}. `model draft` makes a "
                        "model again and keeps what was written into its card."
                    )
                    added = replace(added, notes=(*added.notes, note))
            speed = describe_speed(load_model(work))
        except InvalidOperation as error:
            raise AddError(
                "Its numbers are too far apart to be written: very small and very large ones. Give "
                "the data and the target in other units, or as logarithms."
            ) from error
        except (ModelError, ArithmeticError) as error:
            text = str(error).replace(str(work), str(folder))
            raise AddError(f"The drafted model does not pass its own check: {text}") from error
        except ValidationError as error:
            raise AddError(
                f"What was measured of the model cannot be kept: {error}. Look for rows of the "
                "data to which it gives no usable answer."
            ) from error
        added = replace(added, served=f"{added.served}\n{speed}")
        (work / "REPORT.md").write_text(format_report(added), encoding="utf-8")
        choose_folder(options, root)  # once more: it took minutes, and another may stand there now
        replace_folder(folder, work, Path(temporary))
    return added


def _keep_written(folder: Path, work: Path) -> tuple[tuple[str, str], ...]:
    """Write into the new card what was written into the one of the replaced model by hand."""
    old, card, new = (
        path.read_text(encoding="utf-8")
        for path in (folder / DRAFT, folder / "card.toml", work / DRAFT)
    )
    merged, conflicts = merge_cards(old, card, new)
    (work / "card.toml").write_text(merged, encoding="utf-8")
    return conflicts


def _put_aside(folder: Path, work: Path) -> bool:
    """Keep a card that was written by hand beside the one that takes its place."""
    card, drafted, old = folder / "card.toml", folder / DRAFT, folder / _OLD_CARD
    if drafted.is_file() and card.read_bytes() != drafted.read_bytes():
        old = card
    if old.is_file():
        shutil.copy(old, work / _OLD_CARD)
    return old.is_file()


def _make_folder(
    options: AddOptions, folder: Path, work: Path, report: Progress, ask: AskPerson
) -> AddedModel:
    """Make the model's files in ``work``; messages name ``folder``, where they go afterwards."""
    notes: list[str] = []
    stage = iter(STAGES)

    report(next(stage))
    folder_card = read_folder_card([path for path in options.paths if path.is_dir()])
    given = read_given(options, notes.append)

    report(next(stage))
    assembled = assemble_model(given, ask, notes.append)
    options = replace(given.options, classes=assembled.classes)
    given = replace(given, options=options)

    report(next(stage))
    source, columns, table = _look_at_columns(given, assembled, notes.append)
    given = replace(given, rows=replace(given.rows, table=table))
    if (options.order or options.risk) and not source.kind.weighs_classes:
        raise AddError(
            "--order and --risk are about classes that were learned from a target. "
            f"{source.kind.answers_text}"
        )

    report(next(stage))
    prepared = source.prepare(table, columns, work)
    notes += prepared.notes
    kind = source.kind.without_probabilities() if prepared.names_only else source.kind
    truth = _find_truth(given, kind, prepared)
    finding = (
        assembled.finding
        if assembled.finding and not prepared.names_only
        else _check_prepared(prepared, columns, kind, truth, options)
    )
    refuse_wrong(finding, options)
    held_out = given.rows.held_out
    dataset = build_dataset(prepared, columns, truth, held_out, notes.append, options.locale)
    dataset = compose_texts(tighten_bounds(dataset), kind.count_differing)
    if not options.publish_rows:
        dataset = round_typical_values(dataset)

    report(next(stage))
    reference = encode_reference(dataset.fields)
    output = kind.draft_output(dataset.truth, options)
    dataset = replace(dataset, limit=kind.make_limit(output))
    importance = compute_importance(kind, dataset.answer, dataset.matrix, reference)
    dataset = require_one_field(dataset, importance, notes.append)
    arranged = arrange_fields(kind, dataset, importance)
    dataset = arranged.dataset
    notes += [*describe_optional_fields(dataset), *describe_arrangement(arranged)]
    advice = advise_filling(dataset, kind, prepared.spare_values)

    report(next(stage))
    headline = replace(dataset, truth=kind.first(dataset.truth))
    published = bool(options.publish_rows and options.target)
    neighbors, copula = index_data(kind, arranged, headline, published, notes.append)

    report(next(stage))
    proved = finding.text if options.target or kind.has_truth else ""
    shown = " ".join(part for part in (assembled.tried, proved) if part)
    output, evaluation = evaluate_model(
        kind, arranged, output, options.coverage, shown, notes.append
    )

    report(next(stage))
    comparison = compare_with_baselines(kind, headline) if kind.has_truth else None

    report(next(stage))
    if evaluation.leaning:
        notes.append(
            f"{evaluation.leaning} Its page says so. If it answers a quantile on purpose, write "
            "into card.toml which one: `label` and `summary`."
        )
    examples = {
        **take_examples(folder_card, dataset, options.publish_rows, notes.append),
        **choose_examples(kind, dataset, output, options.publish_rows, arranged.shown),
    }
    output = replace(output, title=folder_card.title or output.title)
    similar = 0 if neighbors is None else len(neighbors.rows)
    has_texts = any(item.field.is_text for item in dataset.fields)
    notes.append(describe_published(examples, options.publish_rows, similar, has_texts))
    card = write_card(
        work / "card.toml",
        options,
        kind,
        arranged,
        output,
        examples,
        warning=" ".join(filter(None, (_warn(finding) if proved else "", evaluation.leaning))),
        tried=assembled.tried,
        summary=folder_card.summary,
    )
    typical: dict[str, Value] = {item.name: item.field.example for item in dataset.fields}
    golden: list[Mapping[str, Value]] = [typical, *(example.values for example in card.examples)]
    manifest = write_manifest(
        work,
        card,
        kind,
        prepared,
        evaluation,
        neighbors,
        copula,
        data=TrainingData(
            file=options.data.name,
            sha256=hash_data(options.data, *options.more_data),
            rows=dataset.training_rows,
            text=card.data_text,
            source=given.describe_source(kind.has_truth),
        ),
        truth=headline.truth,
        reference=typical | dict.fromkeys(dataset.texts.values(), ""),
        golden=answer_golden_rows(card, kind, evaluation, golden, dataset.predict),
        inputs=arranged.inputs,
        field_bins=count_fields(card.fields, dataset.matrix[~dataset.held_out]),
    )
    tried = assembled.tried
    added = summarize(folder, dataset, output, prepared, manifest, notes, comparison, tried)
    added = replace(added, advice=advice)
    return added if kind.has_truth else replace(added, uncompared="")


def _look_at_columns(
    given: GivenData, assembled: AssembledModel, add_note: AddNote
) -> tuple[ModelSource, list[DataColumn], pd.DataFrame]:
    """Find what each column of the form is; the model on them, and the data read alike."""
    options, derivations, table = given.options, given.derivations, given.rows.table
    source, names = assembled.source, assembled.names
    derivations.require_used(names)
    derivations, derived = leave_out_columns(
        derivations,
        given.derived,
        names,
        assembled.dropped,
        frozenset(options.required).union(options.kinds, source.find_texts(names)),
        add_note,
    )
    if derivations.columns:
        source = DerivedSource(source, names, derived, derivations)
        names = list(derivations.list_given(names))
    encoded = source.find_encoded(names)
    kinds = {name: "date" for name in derivations.dates if name in names} | {**options.kinds}
    vectorized = source.find_texts(names)
    texts = encoded | vectorized | {name for name, kind in kinds.items() if not takes_numbers(kind)}
    numbers = [name for name in names if name not in texts]
    table = read_number_columns(table, numbers, options.decimal, add_note)
    columns = infer_columns(
        table,
        names,
        encoded,
        kinds,
        options.required,
        vectorized,
        options.described,
        options.locale,
    )
    target = table[options.target] if options.target else pd.Series(dtype=float)
    return source.with_target(target, options.classes), columns, table


def _find_truth(given: GivenData, kind: OutputKind, prepared: PreparedModel) -> Float64Array:
    """The true answers of all rows; its own answers where there is no target to draft a card by."""
    if given.options.target:
        return read_truths(kind, given.rows, given.options)
    truth = np.zeros(len(given.rows.table))
    answers = prepared.predict(prepared.matrix.astype(np.float32))
    truth[prepared.kept] = kind.decide(answers)
    return truth


def _check_prepared(
    prepared: PreparedModel,
    columns: Sequence[DataColumn],
    kind: OutputKind,
    truth: Float64Array,
    options: AddOptions,
) -> Finding:
    """Check a model by the codes of its fields."""
    if not options.target:
        return NO_TARGET
    numbers = {
        place: column.source.column
        for place, column in enumerate(columns)
        if not (column.source.values or column.source.is_free_text)
    }
    subject = make_coded_subject(prepared.matrix, numbers, prepared.predict)
    return check_outputs(subject, kind.split(truth[prepared.kept]), bool(kind.classes))


def _warn(finding: Finding) -> str:
    """What the page says first: nothing where the model answers as it should."""
    if finding.is_wrong:
        return f"Checked on its own data, this model looks wrong. {finding.text}"
    return "" if finding.is_sound else finding.text
