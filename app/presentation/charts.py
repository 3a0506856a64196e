"""Geometry of the plots: numbers in, coordinates out, as texts rounded to a tenth of a unit."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

WIDTH = 320.0
HEIGHT = 132.0
BAR_LEFT = 150.0
BAR_RIGHT = 252.0
MAX_LABEL = 21


class GaugeGeometry(NamedTuple):
    """A band and a dot on a fixed axis, in units of the view box."""

    low: str
    width: str
    dot: str


def lay_out_gauge(
    value: float, low: float, high: float, axis: tuple[float, float]
) -> GaugeGeometry:
    """Place a prediction and its interval on the axis.

    What lies beyond an end of the axis is drawn at that end. The band is never too narrow to see.
    """
    start, end = axis
    if start == end:
        return GaugeGeometry("0.0", str(WIDTH), str(WIDTH / 2))
    unit = WIDTH / (end - start)
    left, right, dot = [
        _count_tenths(min(max((x - start) * unit, 0.0), WIDTH)) for x in (low, high, value)
    ]
    return GaugeGeometry(str(left / 10), str(max(right - left, 20) / 10), str(dot / 10))


Bar = tuple[str, str, str]
"""One step of a waterfall: its left end, its width, and its direction, "up" or "down"."""


class WaterfallGeometry(NamedTuple):
    """The places of both ends, and the bars between them, one row each."""

    start: str
    end: str
    bars: list[Bar]


def lay_out_waterfall(start: float, steps: Sequence[float]) -> WaterfallGeometry:
    """Lay out the steps that lead from ``start`` to its sum with them."""
    levels = list(accumulate(steps, initial=start))
    low, high = min(levels), max(levels)
    margin = (high - low or 1.0) * 0.04
    unit = WIDTH / (high - low + 2 * margin)
    ends = [_count_tenths((level - low + margin) * unit) for level in levels]
    bars = [
        (
            str(min(before, after) / 10),
            str(max(abs(after - before), 15) / 10),
            "up" if step >= 0 else "down",
        )
        for step, before, after in zip(steps, ends, ends[1:], strict=False)
    ]
    return WaterfallGeometry(str(ends[0] / 10), str(ends[-1] / 10), bars)


def _count_tenths(coordinate: float) -> int:
    """Round to tenths of a unit, halves upwards."""
    return int(coordinate * 10 + 0.5)


class Dot(NamedTuple):
    """The place of a visitor's own value."""

    x: str
    y: str


class CurveGeometry(NamedTuple):
    """A line with its band as SVG path data, and the visitor's value as a dot, None if unknown.

    ``broken`` are its stretches out of distribution. ``lowest`` and ``highest`` are the
    ends of the vertical axis, in the unit of the predictions.
    """

    band: str
    line: str
    broken: str
    dot: Dot | None
    lowest: float
    highest: float


def lay_out_curve(
    values: Sequence[float],
    predictions: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    in_distribution: Sequence[bool],
    current: tuple[float, float] | None,
) -> CurveGeometry:
    """Lay out a what-if curve; a stretch out of distribution is a broken line of its own.

    Args:
        values: the feature's codes, ascending, one a point.
        predictions: the prediction at each point.
        low: the low bound of the interval at each point.
        high: the high bound at each point.
        in_distribution: whether the data have rows like each point.
        current: the visitor's own code and prediction, or None.
    """
    first, last = values[0], values[-1]
    # A range that ends at 0 does not hold a prediction below it.
    bottom, top = min(*low, *predictions), max(*high, *predictions)
    if current:
        first, last = min(first, current[0]), max(last, current[0])
        bottom, top = min(bottom, current[1]), max(top, current[1])
    x_unit = WIDTH / (last - first or 1.0)
    y_unit = HEIGHT / (top - bottom or 1.0)
    xs = [round((x - first) * x_unit) for x in values]
    middle, upper, lower = (
        [f"{x} {round((top - y) * y_unit)}" for x, y in zip(xs, ys, strict=True)]
        for ys in (predictions, high, low)
    )
    line, broken = _draw_strokes(middle, in_distribution)
    band = "M" + "L".join([*upper, *reversed(lower)]) + "Z"
    dot = None
    if current:
        x, y = (current[0] - first) * x_unit, (top - current[1]) * y_unit
        dot = Dot(str(_count_tenths(x) / 10), str(_count_tenths(y) / 10))
    return CurveGeometry(band, line, broken, dot, bottom, top)


def _draw_strokes(points: Sequence[str], in_distribution: Sequence[bool]) -> tuple[str, str]:
    """Path data of the stretches in distribution and of the others; both keep the joint."""
    if all(in_distribution):
        return "M" + "L".join(points), ""
    strokes: dict[bool, list[str]] = {True: [], False: []}
    run = [points[0]]
    for number in range(1, len(points)):
        kind = in_distribution[number - 1] and in_distribution[number]
        run.append(points[number])
        last = number == len(points) - 1
        if last or (in_distribution[number] and in_distribution[number + 1]) != kind:
            strokes[kind].append("M" + "L".join(run))
            run = [points[number]]
    return "".join(strokes[True]), "".join(strokes[False])


class ChoiceBar(NamedTuple):
    """One choice: its label, its prediction in words, and its bar's left end and width.

    ``mark`` is "here" for the visitor's choice, "pale" for one out of distribution, else "seen".
    """

    label: str
    text: str
    x: float
    width: float
    mark: str


def lay_out_bars(items: Sequence[tuple[str, str, float, bool, bool]]) -> tuple[ChoiceBar, ...]:
    """Lay out one row for each (label, text, prediction, is_current, is_in_distribution).

    Every bar begins or ends at zero, which is in the plot.
    """
    predictions = [item[2] for item in items]
    lowest, highest = min(0.0, *predictions), max(0.0, *predictions)
    unit = (BAR_RIGHT - BAR_LEFT) / (highest - lowest or 1.0)
    return tuple(
        ChoiceBar(
            label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1].rstrip() + "…",
            text,
            round(BAR_LEFT + (min(prediction, 0.0) - lowest) * unit, 1),
            round(abs(prediction) * unit, 1),
            "here" if is_current else "seen" if is_in_distribution else "pale",
        )
        for label, text, prediction, is_current, is_in_distribution in items
    )
