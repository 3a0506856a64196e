"""What a number measures, as its column's name and its values say: a share, or a duration."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.outputs import NumberOutput
from model.contract.units import convert
from model.making.columns.naming import Naming

_SHARES = frozenset((
    "share", "rate", "ratio", "fraction", "proportion", "probability", "prob", "percent",
    "percentage", "pct", "perc", "ctr", "occupancy", "utilization", "utilisation",
))  # fmt: skip
"""Words in a name that say that a number between 0 and 1 is a share."""

_PERCENTAGES = frozenset(("percent", "percentage", "pct", "perc"))
"""Words that say it of a number between 0 and 100, too, beside the unit %."""

_STEPS = (86_400, 3600, 600, 60, 10, 1)
"""Seconds to which durations are rounded."""

_PARTS, _PARTS_OF_SHARE = 20, 10
"""A step is at most this part of the standard deviation."""

_TIMES = frozenset(
    ("age", "delay", "duration", "length", "lifetime", "period", "runtime", "time", "wait")
)
"""Words that say that a noun is a time."""


@dataclass(frozen=True)
class NumberMeasure:
    """How a number is shown; ``unit`` and ``step`` are None where nothing speaks for others.

    ``bounds`` are the keys of the card that no answer leaves, ``description`` says it in words.
    """

    format: str = "number"
    unit: str | None = None
    step: float | None = None
    bounds: Mapping[str, float] = field(default_factory=dict)
    description: str = ""


def find_measure(column: str, unit: str, truth: Float64Array) -> NumberMeasure:
    """Find what a number measures.

    Args:
        column: the name of the target's column.
        unit: that its name tells, "" for none.
        truth: the values in the data, shape (rows,).
    """
    low, high, deviation = float(truth.min()), float(truth.max()), float(np.std(truth))
    words = {*re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).casefold())}
    if low >= 0 and unit in ("", "%"):
        if high <= 1 and (unit or words & _SHARES):
            return _make_share("", 1.0, deviation, "a share from 0 to 1, shown in percent, ")
        if high <= 100 and (unit or words & _PERCENTAGES):
            return _make_share("%", 100.0, deviation, "from 0% to 100%, ")
    seconds = convert(1.0, unit, "second") if unit else None
    if low < 0:
        return NumberMeasure()
    if seconds not in (1.0, 60.0, 3600.0, 86_400.0, 604_800.0):
        # The range does not go below 0 either, and an answer lies within its range.
        return NumberMeasure(bounds={"min": 0.0}, description="never below 0, ")
    least = deviation * seconds / _PARTS
    step = next((float(size) for size in _STEPS if size <= least), _find_power(least))
    rounded = float(f"{step / seconds:.6g}")
    return NumberMeasure("duration", None, rounded, {"min": 0.0}, "a duration, never below 0, ")


def _make_share(unit: str, whole: float, deviation: float, description: str) -> NumberMeasure:
    step = min(_find_power(deviation / whole / _PARTS_OF_SHARE), 0.01)
    bounds = {"min": 0.0, "max": whole}
    return NumberMeasure("percent", unit, float(f"{step * whole:.6g}"), bounds, description)


def _find_power(least: float) -> float:
    """The largest power of ten that is not above a number."""
    return float(10.0 ** math.floor(math.log10(max(least, 1e-9)) + 1e-9))


def name_time(naming: Naming) -> Naming:
    """Name a duration so that one hears that it is one: "travel" becomes "travel time"."""
    if naming.is_own or naming.label == "Answer" or _TIMES & {*naming.label.casefold().split()}:
        return naming
    return replace(naming, label=f"{naming.label} time", noun=f"{naming.noun} time")


def make_output(label: str, keys: Mapping[str, object]) -> NumberOutput:
    """Make the output of a card from its drafted keys."""
    known = {key: value for key, value in keys.items() if key in NumberOutput.model_fields}
    return NumberOutput.model_validate({"label": label, "noun": label, **known})
