"""Few fields first: which facts the form shows, which stand in folds, and what each state is worth.

Facts are ordered by permutation importance (Breiman, "Random forests", Machine Learning 45, 2001).
The form shows the fewest that come close to the error with all facts; the others may be left empty.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, IntArray
from model.contract.formatting import capitalize
from model.contract.manifest import Metric
from model.making.columns.drafting import DraftField
from model.making.columns.naming import split_words
from model.making.kinds.output_kind import OutputKind
from model.making.rows.dataset import Dataset

MOST_SHOWN = 8
"""Facts that a form shows at most, and that one fold has at most."""

_LEAST_SHOWN = 3
_LEAST_LOST = 0.1
"""Of the error with all facts: how much worse few facts may be."""

_COUNTS = (3, 5, MOST_SHOWN)
"""Numbers of facts whose error stands in the report."""

_REPEATS = 3
_MOST_ROWS = 500
_LEAST_HELD_OUT = 30
_LEAST_IN_GROUP = 3


@dataclass(frozen=True)
class Arrangement:
    """A form's order of the facts, with those that are shown first.

    ``dataset`` has its fields in that order, ``inputs`` are their names in the artifact's.
    ``metrics`` say how good the model is with the first facts alone, by their number; none where no
    rows were held out. ``shown`` is 0 where all facts are shown.
    """

    dataset: Dataset
    importance: list[float]
    inputs: tuple[str, ...] = ()
    shown: int = 0
    metrics: Mapping[int, Metric] = field(default_factory=dict)


def arrange_fields(kind: OutputKind, dataset: Dataset, importance: list[float]) -> Arrangement:
    """Put the facts that matter most first, and those behind them into folds.

    A form of few facts stays as it is, and one with free texts, which cannot be shuffled. The
    fields of ``dataset`` stand in the model's order, as their ``importance`` does.
    """
    count = len(dataset.fields)
    if count <= MOST_SHOWN or dataset.texts:
        return Arrangement(dataset, importance)
    rows = _choose_rows(dataset)
    effects = compute_permutation_importance(kind, dataset, rows)
    # What the form asks for always stands first.
    asked = [item.column.always_asked for item in dataset.fields]
    order = np.lexsort((-effects, ~np.array(asked)))
    dataset = _with_defaults(dataset)
    losses = [
        float(np.mean(kind.list_losses(*_answer_few(dataset, rows, order[:shown]))))
        for shown in range(1, count + 1)
    ]
    enough = (n for n, loss in enumerate(losses, 1) if loss <= (1 + _LEAST_LOST) * losses[-1])
    shown = max(min(next(enough, MOST_SHOWN), MOST_SHOWN), sum(asked), _LEAST_SHOWN)
    return _fold(kind, dataset, importance, order, shown)


def compute_permutation_importance(
    kind: OutputKind, dataset: Dataset, rows: IntArray
) -> Float64Array:
    """Return by how much the mean loss grows when each fact is shuffled, shape (fields,).

    Only ``rows`` count, by their indices, shape (rows,).
    """
    rng = np.random.default_rng(0)
    matrix, truth = dataset.matrix[rows], dataset.truth[rows]
    base = float(np.mean(kind.list_losses(dataset.answer(matrix), truth)))
    effects = np.zeros(matrix.shape[1])
    for column in range(matrix.shape[1]):
        for _ in range(_REPEATS):
            shuffled = matrix.copy()
            shuffled[:, column] = rng.permutation(shuffled[:, column])
            losses = kind.list_losses(dataset.answer(shuffled), truth)
            effects[column] += (float(np.mean(losses)) - base) / _REPEATS
    return effects


def _choose_rows(dataset: Dataset) -> IntArray:
    """Rows that the model has not seen, where there are enough of them."""
    rows = np.flatnonzero(dataset.held_out)
    if len(rows) < _LEAST_HELD_OUT:
        rows = np.arange(len(dataset.matrix))
    if len(rows) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))
    return rows


def _with_defaults(dataset: Dataset) -> Dataset:
    """The same, whose model takes NaN for every fact: the example's value, unless it knows NaN."""
    defaults, inner = np.array([_find_default(item) for item in dataset.fields]), dataset.predict

    def predict(matrix: Float32Array) -> Float64Array:
        return inner(np.where(np.isnan(matrix), defaults.astype(matrix.dtype), matrix))

    return replace(dataset, predict=predict)


def _find_default(item: DraftField) -> float:
    """The code that stands in for a fact, NaN where the model answers without it."""
    return item.field.encode(item.field.read(item.field.example)) if item.required else np.nan


def _answer_few(
    dataset: Dataset, rows: IntArray, known: IntArray
) -> tuple[Float64Array, Float64Array]:
    """Answer some rows of the data of which few facts are known; the answers, and the truth."""
    matrix = np.full((len(rows), len(dataset.fields)), np.nan)
    matrix[:, known] = dataset.matrix[np.ix_(rows, known)]
    return dataset.answer(matrix), dataset.truth[rows]


def _fold(
    kind: OutputKind, dataset: Dataset, importance: list[float], by_importance: IntArray, shown: int
) -> Arrangement:
    first, others = by_importance[:shown].tolist(), by_importance[shown:].tolist()
    groups = group_fields([dataset.fields[index] for index in others])
    by_group = list(dict.fromkeys(groups))
    folded = dict(zip(others, groups, strict=True))
    # Within a fold the data's own order is easier to find one's way in.
    behind = sorted(folded, key=lambda index: (by_group.index(folded[index]), index))
    order = [*first, *behind]
    fields = [
        _fold_field(dataset.fields[index], folded[index])
        if index in folded
        else _show_field(dataset.fields[index])
        for index in order
    ]
    back = np.argsort(order)
    inner = dataset.predict
    arranged = replace(
        dataset,
        fields=fields,
        matrix=dataset.matrix[:, order],
        predict=lambda matrix: inner(matrix[:, back]),
    )
    held_out = np.flatnonzero(dataset.held_out)
    counts = sorted({count for count in (*_COUNTS, shown) if count < len(fields)})
    return Arrangement(
        arranged,
        [importance[index] for index in order],
        tuple(item.name for item in dataset.fields),
        shown,
        {
            count: kind.measure_facts(*_answer_few(dataset, held_out, by_importance[:count]), count)
            for count in (counts if len(held_out) else ())
        },
    )


def describe_arrangement(arranged: Arrangement) -> list[str]:
    """Say which facts the form shows first, and how to ask for others, too."""
    fields = arranged.dataset.fields
    if not arranged.shown:
        return []
    columns = [item.column.source.column for item in fields]
    return [
        f"Of {len(fields)} facts the form shows {arranged.shown} first, which matter most: "
        f"{', '.join(columns[: arranged.shown])}. The others stand in folds and may be left empty. "
        f"To always ask for one, add the model again with --force and --required "
        f"{columns[arranged.shown]!r}."
    ]


def _fold_field(item: DraftField, group: str) -> DraftField:
    changes: dict[str, object] = {"required": False, "group": group}
    if item.required:
        changes["default"] = item.field.decode_typed(_find_default(item))
    return replace(item, field=item.field.model_copy(update=changes))


def _show_field(item: DraftField) -> DraftField:
    if item.required:
        return item
    return replace(item, field=item.field.model_copy(update={"first": True}))


def group_fields(fields: Sequence[DraftField]) -> list[str]:
    """Name the fold of each field, by the words that their columns begin or end with.

    Returns:
        The heading for each; "" for the fold of all that share no word. No fold has more than
        ``MOST_SHOWN`` fields.
    """
    words = [split_words(item.column.source.column) for item in fields]
    taken: dict[int, str] = {}
    while len(taken) < len(fields):
        ends = Counter(
            end
            for index, found in enumerate(words)
            if index not in taken and len(found) > 1
            for end in {("", found[0].lower()), (found[-1].lower(), "")}
        )
        (last, first), count = max(ends.items(), key=lambda item: item[1], default=(("", ""), 0))
        if count < _LEAST_IN_GROUP:
            break
        for index, found in enumerate(words):
            if index not in taken and len(found) > 1:
                begins, closes = found[0].lower() == first, found[-1].lower() == last
                if begins or closes:
                    taken[index] = first or last
    headings = []
    sizes = Counter(taken.get(index, "") for index in range(len(fields)))
    passed: Counter[str] = Counter()
    for index in range(len(fields)):
        word = taken.get(index, "")
        parts = -(-sizes[word] // MOST_SHOWN)
        place = passed[word] * parts // sizes[word]
        passed[word] += 1
        heading = capitalize(word) or ("More facts" if place else "")
        headings.append(f"{heading} ({place + 1})" if place else heading)
    return headings
