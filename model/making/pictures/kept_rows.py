"""What a classifier keeps of the pictures of its fit, which tells how it takes pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.contract.pictures import Picture
from model.contract.preprocessing import Preprocessing
from model.making.errors import NotProvedError
from model.making.steps.fitted_steps import unwrap_estimator
from model.making.steps.kept_values import find_kept_rows, list_kept_values

_SAME = 0.005
"""The mean difference of two rows that are one picture, as a share of the range of all: more than
is lost where a picture is written with levels of 0 to 255."""

_LEAST_NUMBERS = 100
"""Numbers below which their ends say little of the range of the fit."""

_BEYOND = 0.05
_LEAST_RANGE = 0.6
"""Shares of the range of the pictures' numbers: those of the fit may lie so far beyond it, and must
cover so much of it. Half of it has 0 to 1 of −1 to 1."""


_LEAST_SHOWN = 3
_AS_NEAR = 1.2
"""Ways count as one that give rows so many times as far from those that are kept."""


class KeptRows:
    """The rows, as the steps before the last one make them, or the thresholds of trees."""

    def __init__(self, fitted: Any) -> None:
        self.steps: list[Any] = []
        while isinstance(fitted, Pipeline):
            steps = [step for _, step in fitted.steps[:-1]]
            self.steps += [step for step in steps if hasattr(step, "transform")]
            fitted = unwrap_estimator(fitted.steps[-1][1])
        self._rows = find_kept_rows(fitted)
        numbers = self._rows
        if numbers is None:
            numbers = np.concatenate([*list_kept_values(fitted).values(), np.empty(0)])
        else:
            means = numbers.mean(axis=1)
            self._order = np.argsort(means)
            self._means = means[self._order]
        self.ends: tuple[float, float] | None = None
        """The least and the largest number, if there are enough."""
        if numbers.size >= _LEAST_NUMBERS:
            self.ends = float(numbers.min()), float(numbers.max())

    @property
    def has_rows(self) -> bool:
        """Whether whole rows are kept."""
        return self._rows is not None and self.ends is not None

    def _transform(self, inputs: NDArray[Any]) -> Float64Array:
        values = inputs.reshape(len(inputs), -1)
        for step in self.steps:
            values = step.transform(values)
        return np.asarray(values, dtype=np.float64)

    def find_same(self, inputs: NDArray[Any]) -> tuple[int, float]:
        """Count the pictures, prepared in one way, shape [N, …], that are among the rows.

        Returns:
            How many are, and how far these are from them on average, as a share of the range.
        """
        assert self._rows is not None and self.ends is not None  # noqa: S101, PT018 (has_rows)
        span = self.ends[1] - self.ends[0]
        found = []
        for row in self._transform(inputs):
            ends = row.mean() - _SAME * span, row.mean() + _SAME * span
            near = self._order[slice(*np.searchsorted(self._means, ends))]
            if len(near):
                gap = float(np.abs(self._rows[near] - row).mean(axis=1).min()) / span
                found += [gap] if gap <= _SAME else []
        return len(found), float(np.mean(found)) if found else np.inf

    def contradicts(self, inputs: NDArray[Any]) -> bool:
        """Whether pictures that are prepared in one way, shape [N, …], have another range."""
        if self.ends is None:
            return False
        values = self._transform(inputs)
        low, high = float(values.min()), float(values.max())
        room = _BEYOND * (high - low)
        within = low - room <= self.ends[0] and self.ends[1] <= high + room
        return not within or self.ends[1] - self.ends[0] < _LEAST_RANGE * (high - low)


def find_shown_ways(
    kept: KeptRows | None, ways: Sequence[Preprocessing], pictures: Sequence[Picture]
) -> tuple[list[Preprocessing], str]:
    """Find the ways to prepare pictures that give the very rows which a classifier keeps.

    Returns:
        The ways, and what the rows show, in a sentence: no ways where no row is found, and "" where
        none is kept.
    """
    if kept is None or not kept.has_rows:
        return [], ""
    found = [kept.find_same(_prepare(each, pictures)) for each in ways]
    most = max(count for count, _ in found)
    if most < _LEAST_SHOWN:
        return [], (
            f" None of {len(pictures)} pictures, prepared in {len(ways)} ways, is among those that "
            "it keeps of its fit: if it was fitted to these, your code prepares them otherwise."
        )
    nearest = min(gap for count, gap in found if 2 * count > most) + 1e-6
    shown = [
        each
        for each, (count, gap) in zip(ways, found, strict=True)
        if 2 * count > most and gap <= _AS_NEAR * nearest
    ]
    among = f"{most} of {len(pictures)} pictures are among those that it keeps of its fit"
    return shown, f" Prepared so, {among}."


def leave_out_others(
    kept: KeptRows | None, ways: Sequence[Preprocessing], pictures: Sequence[Picture]
) -> list[Preprocessing]:
    """Leave out the ways that give numbers of another range than a classifier was fitted to.

    Raises:
        NotProvedError: if all do.
    """
    if kept is None or kept.ends is None:
        return list(ways)
    fitting = [each for each in ways if not kept.contradicts(_prepare(each, pictures))]
    if fitting:
        return fitting
    low, high = kept.ends
    likely = "--scale 0.5,0.25 makes −2 to 2 of them"
    if low >= 0 and not kept.steps:  # levels that were divided by a number
        largest = max(float(ways[0].fit(picture.image).max()) for picture in pictures)
        likely = f"perhaps --scale 0,{largest / 255 / high:.3g}"
    raise NotProvedError(
        f"When it was fitted, its numbers were between {low:.4g} and {high:.4g} or wider, and none "
        f"of {len(ways)} ways to prepare your pictures gives such. If a scaler stood before it, "
        "add its file after the model's: model.pkl scaler.pkl. Else say the mean and the spread by "
        f"which your code normalizes levels from 0 to 1: {likely}. With --as-is it is added all "
        "the same."
    )


def _prepare(each: Preprocessing, pictures: Sequence[Picture]) -> NDArray[Any]:
    return np.concatenate([each.to_input(each.fit(picture.image)) for picture in pictures])
