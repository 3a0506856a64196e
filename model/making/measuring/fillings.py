"""What a model may have got for missing cells that its author's code filled before the fit."""

from collections.abc import Iterator, Mapping

import numpy as np

from model.contract.arrays import Float64Array
from model.making.columns.drafting import DraftField
from model.making.kinds.evidence import are_surely_less
from model.making.kinds.output_kind import OutputKind
from model.making.options import write_filling
from model.making.rows.dataset import Dataset

_NOTHING, _USUAL = "nothing", "the mean"


def advise_filling(dataset: Dataset, kind: OutputKind, spare: Mapping[str, str]) -> str:
    """Say how to serve what an author's code filled in by itself; "" where no field lets it.

    The usual numbers are tried on the rows that lack a fact: a model that was fitted to these rows
    with one of them knows them best with it. ``spare`` has a value that the model knows of a column
    and no row has, by column: that is it.
    """
    unproved = [
        (index, item)
        for index, item in enumerate(dataset.fields)
        if not item.required
        and item.field.default is None
        and item.missing_in_training in ("never", "unknown")
        and not (item.column.source.is_date or item.field.is_text)
    ]
    if not unproved:
        return ""
    options, found = [], []
    for index, item in unproved:
        name = item.column.source.column
        if name in spare:
            value: object = spare[name]
        else:
            what, code, is_sure = _find_filling(dataset, kind, index, item)
            if np.isnan(code):
                continue
            cells = item.column.source.values
            value = cells[int(code)] if cells else code
            if is_sure:
                found.append(f"The rows without {name} fit clearly best with {what}.")
        options.append(write_filling(name, value))
    if not options:
        return ""
    return " ".join(
        [
            "Did your code fill missing cells before the fit? Then the answers to empty fields "
            "differ from those of your code. Add the model again with --force, and with what it "
            f"wrote there, like {' '.join(options)}.",
            *found,
        ]
    )


def _find_filling(
    dataset: Dataset, kind: OutputKind, index: int, item: DraftField
) -> tuple[str, float, bool]:
    """What a column may have been filled with, its code, and whether the rows prove it.

    The code is NaN where they prove that it was not.
    """
    codes = dataset.matrix[:, index]
    holes = np.flatnonzero(np.isnan(codes))
    known = codes[~np.isnan(codes) & ~dataset.held_out]
    fills = dict(_list_fillings(known if len(known) else codes[~np.isnan(codes)], item))
    first = next(iter(fills))
    if not (len(holes) and kind.has_truth) or dataset.truth.ndim > 1:
        return first, fills[first], False
    truth = dataset.truth[holes]
    if item.missing_in_training == "unknown":
        # They may have been missing in the fit, too; of two that are as good the first is taken.
        fills = {_NOTHING: np.nan, **fills}
    tried = []
    for what, code in fills.items():
        filled = dataset.matrix[holes].copy()
        filled[:, index] = code
        tried.append((kind.list_losses(dataset.answer(filled), truth), what))
    (best, what), *others = sorted(tried, key=lambda each: float(each[0].mean()))
    differing = [losses for losses, _ in others if not np.allclose(losses, best)]
    if differing and all(are_surely_less(best, losses) for losses in differing):
        return what, fills[what], True
    return first, fills[first], False


def _list_fillings(known: Float64Array, item: DraftField) -> Iterator[tuple[str, float]]:
    values, counts = np.unique(known, return_counts=True)
    if not item.column.source.values:
        yield _USUAL, float(np.mean(known))
        yield "the median", float(np.median(known))
        yield "0", 0.0
        yield "−1", -1.0
    yield "the most frequent value", float(values[counts.argmax()])
