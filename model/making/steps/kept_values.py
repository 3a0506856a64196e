"""What a fitted model keeps of the values that its inputs had when it was fitted."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.contract.expressions import write_column
from model.contract.fields.base import UNKNOWN_CELLS
from model.contract.texts import fold_text
from model.making.options import write_constant, write_derivation, write_filling
from model.making.steps.fitted_steps import (
    MADE_BY_STEPS,
    find_categories,
    find_missing_in_training,
    find_parts,
    is_cross_fitted,
    name_outputs,
    unwrap_estimator,
    unwrap_target,
)
from model.making.steps.moved_splits import find_moved_split, has_shares
from model.making.steps.trees import list_trees

LEAST_VALUES = 5
"""An input counts where the model keeps as many values of it."""

_FOREIGN = 0.6
"""The share of them outside the data's range from which the data are not its own: a sample of the
rows leaves less outside, also of boosted trees, which split at the rarest values."""
_LEAST_ROWS = 100
"""Rows of the data below which their range says little of that of the fit."""
_MOST_DISTINCT = 30
"""Values of an input up to which any sample of the rows has nearly all of them."""
_SINGLE = 0.25
"""The share of values with one row each above which other rows of the same data have others, as
where a column is 0 but for a few amounts."""
_OTHER = 0.8
"""The share of kept values from which they are those of other data."""
_ROUNDED = 1e-6
_NOTHING = UNKNOWN_CELLS | {"missing", "unknown", "unk", "not available"}
"""Words that people write where nothing was."""
_MOST_COMPARED = 20
"""Values that an expression compares; for more a file is shorter."""


def list_kept_values(fitted: Any) -> dict[int, Float64Array]:
    """List the values that a model keeps, by the number of the input, each of shape (values,).

    These are its training rows, support vectors or centres, or the thresholds of its trees; none of
    a class of its author's own, which may change its inputs before it keeps them.
    """
    if _is_own(fitted):
        return {}
    if (rows := find_kept_rows(fitted, "cluster_centers_")) is not None:
        return dict(enumerate(rows.T.astype(float)))
    trees = list(list_trees(fitted))
    if not trees:
        return {}
    column, threshold, left, *_ = (np.concatenate(arrays) for arrays in zip(*trees, strict=True))
    splits = (left >= 0) & np.isfinite(threshold)
    column, threshold = column[splits], threshold[splits]
    return {int(number): threshold[column == number] for number in np.unique(column)}


def find_kept_rows(fitted: Any, *others: str) -> NDArray[Any] | None:
    """Find the training rows or support vectors that a model keeps, shape (rows, inputs).

    ``others`` are further attributes to look for; None where it has none, or a class of its
    author's own.
    """
    names = () if _is_own(fitted) else ("_fit_X", "support_vectors_", *others)
    found = (getattr(fitted, name, None) for name in names)
    return next((kept for kept in found if isinstance(kept, np.ndarray) and kept.ndim == 2), None)


def _is_own(fitted: Any) -> bool:
    return type(fitted).__module__.partition(".")[0] not in ("model", "sklearn")


def describe_foreign_input(
    fitted: Any, rows: Any, class_shares: Sequence[float] | None = ()
) -> str:
    """Say which input had other numbers when a model was fitted; "" where none had, or none tells.

    Each split of a tree has rows on both sides in the data of the fit, so its threshold is in
    their range. What was done to an input by hand shows there, also where the answers hardly do.

    Args:
        fitted: the model.
        rows: the data as it takes them, (rows, inputs).
        class_shares: how frequent each class is in them; none where the answer is a number. None
            where rows were left out, as those that lack a value: their shares tell nothing.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            fitted = unwrap_target(fitted)
            columns = names = list(getattr(rows, "columns", ()))
            seen = ""
            if isinstance(fitted, Pipeline):
                if is_cross_fitted(fitted):
                    return ""
                changed = fitted[:-1].transform(rows)
                names = name_outputs(fitted[:-1], names, changed)
                rows, fitted, seen = changed, unwrap_estimator(fitted[-1]), MADE_BY_STEPS
            matrix = np.asarray(rows, dtype=float)
    except Exception:  # it takes no numbers, or texts alone
        return ""
    found = _find_foreign(fitted, matrix, class_shares)
    if found is None:
        return ""
    number, how = found
    name = names[number] if number < len(names) else f"input {number + 1}"
    return (
        f"When it was fitted, {name}{seen} {how} Either these are not its data, or a step before "
        "the fit changed it: add the file of that step, or say what it does"
        f"{advise_derivation(name, columns)}."
    )


def _find_foreign(
    fitted: Any, matrix: Float64Array, class_shares: Sequence[float] | None
) -> tuple[int, str] | None:
    """The number of an input that had other numbers in the fit, and how they were others."""
    every_kept = {number: np.unique(kept) for number, kept in list_kept_values(fitted).items()}
    if _is_own(fitted) or matrix.ndim != 2 or max(every_kept, default=0) >= matrix.shape[1]:
        return None
    for number, kept in every_kept.items():
        given = matrix[:, number][np.isfinite(matrix[:, number])]
        if len(kept) < LEAST_VALUES or len(given) < _LEAST_ROWS or not np.ptp(given):
            continue
        room = _ROUNDED * (abs(given).max() + np.ptp(given))
        outside = (kept < given.min() - room) | (kept > given.max() + room)
        if outside.mean() > _FOREIGN:
            return number, (
                f"was between {kept.min():.4g} and {kept.max():.4g} or wider; here it is between "
                f"{given.min():.4g} and {given.max():.4g}."
            )
    if class_shares is None or len(matrix) < _LEAST_ROWS:
        return None
    if not hasattr(fitted, "classes_") or has_shares(fitted, class_shares):
        for number, kept in every_kept.items():
            if (other := _find_other(fitted, kept, matrix[:, number])) is not None:
                return number, (
                    f"had other values: {other:.4g} is none of those here, nor between two of them."
                )
    if (split := find_moved_split(fitted, matrix, class_shares)) is None:
        return None
    return split.column, (
        f"was at most {split.threshold:.4g} in {split.fitted_share:.0%} of some rows; "
        f"here it is in {split.share:.0%} of them."
    )


def _find_other(fitted: Any, kept: Float64Array, cells: Float64Array) -> float | None:
    """A kept value that data with a few values, shape (rows,), would not have left; None if none.

    A tree splits in the middle between two values of its rows, unless it draws where.
    """
    values, counts = np.unique(cells[np.isfinite(cells)], return_counts=True)
    if not 2 <= len(values) <= _MOST_DISTINCT or (counts == 1).mean() > _SINGLE:
        return None
    possible = ((values[:, None] + values) / 2).ravel()
    if hasattr(fitted, "_fit_X") or hasattr(fitted, "support_vectors_"):
        possible = values
    elif hasattr(fitted, "cluster_centers_") or any(find_parts(fitted, _draws)):
        return None
    room = _ROUNDED * (np.abs(values).max() + np.ptp(values))
    apart = kept[np.abs(kept[:, None] - possible).min(axis=1) > room]
    return float(apart[0]) if len(apart) >= max(2, _OTHER * len(kept)) else None


def _draws(part: Any) -> bool:
    """Whether its trees split elsewhere than in the middle."""
    return hasattr(part, "roots_") or getattr(part, "splitter", "") == "random"


def advise_derivation(name: str, columns: Sequence[str]) -> str:
    """Write an option that says what was done to a column; "" where the data have no such one."""
    return f", like {write_derivation(name, '…')}" if name in columns else ""


def describe_merged_values(fitted: Any, rows: pd.DataFrame) -> str:
    """Say in which column an author's code merged rare values before the fit; "" where in none.

    An encoder that ignores what it does not know answers them as if the value were unknown, and not
    as the value that they were merged into. ``rows`` are the data of the fit as the model takes
    them.
    """
    for column, known in find_categories(fitted, list(map(str, rows.columns))).items():
        if not known or column not in rows or not all(isinstance(text, str) for text in known):
            continue
        cells = set(map(str, rows[column].dropna()))
        kept, merged = cells.intersection(known), sorted(cells.difference(known))
        spare = [text for text in known if text not in cells]
        if spare and merged:
            name = next((text for text in spare if "other" in fold_text(text)), spare[0])
            return _describe_merged(column, sorted(kept), merged, name)
    return ""


def describe_filled_values(fitted: Any, rows: pd.DataFrame) -> str:
    """Say in which columns an author's code wrote a word for missing cells; "" where in none.

    An encoder that saw missing cells knows them. One that knows a word for them instead, and
    ignores what it does not know, answers them as another value than its author's code did.
    ``rows`` are the data of the fit as the model takes them.
    """
    names = list(map(str, rows.columns))
    seen = find_missing_in_training(fitted, names)
    words: dict[str, str] = {}
    for column, known in find_categories(fitted, names).items():
        unseen = seen.get(column) in ("never", "unknown")
        if column in rows and unseen and rows[column].isna().any():
            cells = set(map(str, rows[column].dropna()))
            spare = {text for text in known if isinstance(text, str)} - cells
            nothing = [text for text in spare if fold_text(text) in _NOTHING]
            if len(nothing) == 1:
                words[column] = nothing[0]
    if not words:
        return ""
    column, text = next(iter(words.items()))
    return (
        f"Of {column} the model knows {text!r}, which no row has, and no missing cell, which rows "
        "have: your code wrote it there before the fit. Say so by "
        f"{' '.join(write_filling(*item) for item in words.items())}."
    )


def _describe_merged(column: str, kept: list[str], merged: list[str], name: str) -> str:
    cell = write_column(column)
    if 0 < len(kept) <= _MOST_COMPARED:
        is_kept = " or ".join(f"{cell} == {write_constant(text)}" for text in kept)
        advice = write_derivation(column, f"if({is_kept}, {cell}, {write_constant(name)})")
    else:
        option = write_derivation(column, f"lookup({cell}, FILE.json)")
        advice = f"{option}, with a JSON file that gives each value its own"
    wrote = f"{name!r} for what is rare" if kept else "others in their place"
    return (
        f"Of {column} the model knows {name!r}, which no row has, and does not know "
        f"{', '.join(map(repr, merged[:3]))}{' …' if merged[3:] else ''}. Either these are not its "
        f"data, or your code wrote {wrote} before the fit: say so by {advice}."
    )
