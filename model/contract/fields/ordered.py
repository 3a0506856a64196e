"""Fields whose values lie in order between two bounds."""

import math
from typing import Any, Self

import numpy as np
from pydantic import model_validator

from model.contract.arrays import Float32Array
from model.contract.fields.base import BaseField, Sample, make_error
from model.contract.fields.bounds import widen_bounds

POINTS = 19
"""Points of a what-if curve; the bundled model is smooth between them."""

_TYPICAL = (0.05, 0.5, 0.95)
"""The quantiles that a drafted field names: most rows lie between the first and the last."""

_NEAR = 0.9
"""Of the distance of two numbers: how much of it must be left when both are rounded."""

_MOST_ROWS = (0.005, 0.995)
"""The quantiles of the training rows between which a curve goes."""


class OrderedField(BaseField):
    """What fields share whose values lie in order between two bounds."""

    min: Any
    """The smallest value that the field takes."""

    max: Any
    """The largest value that the field takes."""

    example: Any
    """A value between ``min`` and ``max``, for error messages and the OpenAPI text."""

    seen_min: Any = None
    """The smallest value among the rows of the data; below it the form says so."""

    seen_max: Any = None
    """The largest value among the rows of the data; above it the form says so."""

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if not self.min < self.max:
            raise ValueError(f"min must be below max: min = {self.min}, max = {self.max}")
        if not self.min <= self.example <= self.max:
            raise ValueError(f"example = {self.example} is outside min and max")
        for name, end in (("seen_min", self.seen_min), ("seen_max", self.seen_max)):
            if end is not None and not self.min <= end <= self.max:
                raise ValueError(f"{name} = {end} is outside min and max")
        return self

    @property
    def seen_bounds(self) -> tuple[Any, ...]:
        low, high = self.seen_min, self.seen_max
        if low is None and high is None:
            return ()
        return self.min if low is None else low, self.max if high is None else high

    def describe_unseen(self, value: Any) -> str:
        if self.seen_min is not None and value < self.seen_min:
            return (
                f"Below what the model has seen, which begins at {self.format_bare(self.seen_min)}"
            )
        if self.seen_max is not None and value > self.seen_max:
            return f"Above what the model has seen, which ends at {self.format_bare(self.seen_max)}"
        return ""

    def _check_bounds(self, value: Any) -> None:
        if not self.min <= value <= self.max:
            low, high = self.format_bare(self.min), self.format_bare(self.max)
            raise make_error("range", f"{self.label} must be between {low} and {high}")

    def format_bare(self, value: Any) -> str:
        """The value without its unit."""
        return self.format_value(value)

    @property
    def accepted_text(self) -> str:
        return self._format_range(self.min, self.max)

    def _format_range(self, low: Any, high: Any) -> str:
        last = self.format_value(high)
        return last if low == high else f"{self.format_bare(low)} to {last}"

    @property
    def code_bounds(self) -> tuple[float, float]:
        return self.encoder(self.min), self.encoder(self.max)

    def make_grid(self, known: Float32Array | None) -> Float32Array:
        low, high = self.code_bounds
        ends = [self.encoder(end) for end in self.seen_bounds]
        if known is not None:
            ends = np.quantile(known, _MOST_ROWS).tolist()
        if ends:
            low, high = np.clip(_round_range(*ends), low, high).tolist()
        return np.unique(self.round_codes(np.linspace(low, high, POINTS))).astype(np.float32)

    def with_code_bounds(self, low: float, high: float) -> Self:
        changes = {"min": self.decode(low), "max": self.decode(high)}
        if self.seen_min is not None:
            changes["seen_min"] = max(self.seen_min, changes["min"])
        if self.seen_max is not None:
            changes["seen_max"] = min(self.seen_max, changes["max"])
        return self.model_copy(update=changes)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        words = f"{sample.keys['label']} {sample.help}"
        low, high = widen_bounds(sample.codes, cls.whole, sample.unit, words)
        # "nearest" takes a value of the data: the mean of two of them may be one that nobody has.
        first, middle, last = np.quantile(sample.codes, _TYPICAL, method="nearest").tolist()
        empty = cls.model_construct(min=low, max=high)
        drafted = cls(
            **sample.keys,
            min=empty.decode(low),
            max=empty.decode(high),
            example=empty.decode_typed(middle),
        )
        drafted.localise(sample.locale)
        usual = drafted._format_range(*map(drafted.decode, _round_hint(first, last)))
        least, most = _round_outwards(float(sample.codes.min()), float(sample.codes.max()))
        seen = {
            "seen_min": drafted.decode(max(least, low)),
            "seen_max": drafted.decode(min(most, high)),
        }
        return drafted.model_copy(update={"help": f"Usually {usual}", **seen})


def _round_outwards(low: float, high: float) -> tuple[float, float]:
    """Both ends to a hundredth of the power of ten of their distance, and no row beyond them."""
    if not low < high:
        return low, high
    digits = 2 - math.floor(math.log10(high - low))
    step, first, last = 10.0**-digits, round(low, digits), round(high, digits)
    return (
        first if first <= low else round(first - step, digits),
        last if last >= high else round(last + step, digits),
    )


def _round_hint(low: float, high: float) -> tuple[float, float]:
    """Both ends to three significant digits, where that keeps them apart and near."""
    rounded = float(f"{low:.3g}"), float(f"{high:.3g}")
    return rounded if rounded[1] - rounded[0] > _NEAR * (high - low) else (low, high)


def _round_range(low: float, high: float) -> tuple[float, float]:
    """Both bounds to a hundredth of the power of ten of their distance: 12.8, not 12.756."""
    if not low < high:
        return low, high
    digits = 2 - math.floor(math.log10(high - low))
    return round(low, digits), round(high, digits)
