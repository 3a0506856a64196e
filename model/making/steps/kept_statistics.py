"""Whether what scalers and imputers kept of their fit belongs to the columns of the data."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from model.contract.arrays import Float64Array
from model.making.steps.fitted_steps import (
    MADE_BY_STEPS,
    is_cross_fitted,
    name_outputs,
    unwrap_target,
)
from model.making.steps.kept_values import advise_derivation

_LEAST_ROWS = 50
"""Rows below which the data tell little of those of the fit."""
_RARE = 0.1
"""The share of rows at either end that may have been left out before the fit."""
_OUTSIDE = 0.5
"""The share of rows beyond the ends of the fit above which the data are not its own: more than the
later half of the years, where it had the earlier one."""
_WIDER = 2.0
"""How many times the fit's deviation the data have without their ends, if they are not its own;
also of years."""
_ROUNDED = 1e-6
"""The share of the largest number by which the same one may differ, as in single precision."""


class _Kept(NamedTuple):
    """What a step keeps of one column; NaN stands for what it does not keep."""

    mean: float = np.nan
    deviation: float = np.nan
    median: float = np.nan
    low: float = np.nan
    high: float = np.nan


def describe_foreign_statistic(fitted: Any, rows: pd.DataFrame) -> str:
    """Say which column had other numbers when a scaler or an imputer saw it; "" where none had.

    What code did to a column by hand shows there, also before a linear model or a network, which
    keep no values. Rows that were left out before the fit hardly do. ``rows`` are the data of the
    fit as the model takes them.
    """
    if is_cross_fitted(fitted):
        return ""
    try:
        with warnings.catch_warnings(action="ignore"):
            names = list(map(str, rows.columns))
            for name, seen, cells, kept in _list_kept(fitted, rows, names):
                if how := _compare(cells[np.isfinite(cells)], kept):
                    return (
                        f"When it was fitted, {name}{seen} {how} Either these are not its data, "
                        "or rows were left out before the fit, which --where says, or a step "
                        "before it changed the column: add the file of that step, or say what it "
                        f"does{advise_derivation(name, names)}."
                    )
    except Exception:  # a step may raise anything, and then it tells nothing
        return ""
    return ""


def _list_kept(
    step: Any, rows: Any, names: Sequence[str], seen: str = ""
) -> Iterator[tuple[str, str, Float64Array, _Kept]]:
    """Each column that a step keeps something of: its name, its numbers here, and what is kept.

    After the name comes what says that steps before it made the numbers.
    """
    step = unwrap_target(step)
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            yield from _list_kept(part, rows, names, seen)
            if part is not step.steps[-1][1] and part != "passthrough":
                changed = part.transform(rows)
                rows, names = changed, name_outputs(part, list(names), changed)
                seen = MADE_BY_STEPS
    elif isinstance(step, ColumnTransformer):
        for branch, part, _ in step.transformers_:
            taken = step._transformer_to_input_indices[branch]
            if not isinstance(part, str) and len(taken):
                inside = rows.iloc[:, taken] if hasattr(rows, "iloc") else rows[:, taken]
                yield from _list_kept(part, inside, [names[place] for place in taken], seen)
    else:
        for place, kept in enumerate(_read(step)):
            cells = rows.iloc[:, place] if hasattr(rows, "iloc") else rows[:, place]
            name = names[place] if place < len(names) else f"input {place + 1}"
            cells = np.asarray(cells, dtype=float)
            known = cells != getattr(step, "missing_values", np.nan)  # an imputer skips these
            yield name, seen, cells[known], kept


def _read(step: Any) -> Iterator[_Kept]:
    """What a step keeps of each of its columns; the middle 0 is that of one that it passes on."""
    if isinstance(step, StandardScaler) and step.mean_ is not None:
        known = np.full(len(step.mean_), np.nan) if step.var_ is None else np.sqrt(step.var_)
        yield from map(_Kept, np.where(step.mean_ == 0, np.nan, step.mean_), known)
    elif isinstance(step, RobustScaler) and step.center_ is not None:
        yield from (_Kept(median=center or np.nan) for center in step.center_)
    elif isinstance(step, MinMaxScaler):
        ends = zip(step.data_min_, step.data_max_, strict=True)
        yield from (_Kept(low=low, high=high) for low, high in ends)
    elif isinstance(step, SimpleImputer) and step.strategy in ("mean", "median"):
        yield from (_Kept(**{step.strategy: float(value)}) for value in step.statistics_)


def _compare(cells: Float64Array, kept: _Kept) -> str:
    """Say how a column, shape (rows,), is another one than in the fit; "" where it may be that."""
    if len(cells) < _LEAST_ROWS or not np.ptp(cells):
        return ""
    room = _ROUNDED * np.abs(cells).max()
    low, high = np.quantile(cells, [_RARE, 1 - _RARE])
    mean, deviation = float(cells.mean()), float(cells.std())
    here = f"here eight of ten rows are between {low:.4g} and {high:.4g}."
    if not low <= kept.mean <= high and abs(kept.mean - mean) > np.fmax(deviation, kept.deviation):
        return f"was {kept.mean:.4g} on average; {here}"
    if kept.median < low - room or kept.median > high + room:
        return f"had the median {kept.median:.4g}; {here}"
    inner = float(cells[(cells >= low) & (cells <= high)].std())
    if kept.deviation and inner > _WIDER * kept.deviation:
        return (
            f"had a standard deviation of {kept.deviation:.4g}; here it is {deviation:.4g}, and "
            f"{inner:.4g} without the rows at either end."
        )
    outside = float(np.mean((cells < kept.low - room) | (cells > kept.high + room)))
    if outside > _OUTSIDE:
        return f"was between {kept.low:.4g} and {kept.high:.4g}; {here}"
    return ""
