"""Geometry of the plots: numbers in, coordinates out, rounded to a tenth of a unit."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH = 320.0
ROW = 34
HEIGHT = 132.0
BAR_ROW = 19
BAR_BASE = 13
BAR_LEFT = 150.0
LONGEST_LABEL = 21
LABEL_LENGTH = 8
BAR_RIGHT = 252.0


class Gauge(NamedTuple):
    """A band and a dot on a fixed axis, in units of the view box."""

    low: float
    width: float
    dot: float


def gauge(value: float, low: float, high: float, axis: tuple[float, float]) -> Gauge:
    """Place a prediction and its range on the axis; what lies beyond an end stands at that end.

    The band is never so narrow that it vanishes.
    """
    left, right = _place(low, axis, WIDTH), _place(high, axis, WIDTH)
    return Gauge(left, round(max(right - left, 2.0), 1), _place(value, axis, WIDTH))


def _place(x: float, axis: tuple[float, float], width: float) -> float:
    span = axis[1] - axis[0]
    share = (x - axis[0]) / span if span else 0.5
    return round(min(max(share, 0.0), 1.0) * width, 1)


class Bar(NamedTuple):
    """One step of a waterfall: its row's top, its left end and width; it goes "up" or "down"."""

    y: int
    x: float
    width: float
    way: str


class Waterfall(NamedTuple):
    """Steps from a start to an end, one row each, the start above and the end below."""

    height: int
    start: float
    end: float
    end_y: int
    bars: tuple[Bar, ...]


def waterfall(start: float, steps: Sequence[float]) -> Waterfall:
    """Lay out the steps that lead from ``start`` to its sum with them."""
    levels = [start]
    for step in steps:
        levels.append(levels[-1] + step)
    low, high = min(levels), max(levels)
    margin = (high - low or 1.0) * 0.04
    span = high - low + 2 * margin
    places = [round((level - low + margin) / span * WIDTH, 1) for level in levels]
    bars = []
    for number, step in enumerate(steps, start=1):
        before, after = places[number - 1], places[number]
        width = max(round(abs(after - before), 1), 1.5)
        bars.append(Bar(number * ROW, min(before, after), width, "up" if step >= 0 else "down"))
    rows = len(levels) + 1
    return Waterfall(rows * ROW, places[0], places[-1], (rows - 1) * ROW, tuple(bars))


class Labels(NamedTuple):
    """The ends of a curve's axes in words, and the room that they take left of it."""

    left: str
    right: str
    bottom: str
    top: str
    margin: int


def labels(left: str, right: str, bottom: str, top: str) -> Labels:
    """Labels with room for eight characters, and for more where there are more."""
    longest = max(LABEL_LENGTH, len(bottom), len(top))
    return Labels(left, right, bottom, top, 6 + 8 * longest)


class Curve(NamedTuple):
    """A line with its band as SVG path data, the present value as a dot (None where unknown)."""

    band: str
    line: str
    broken: str
    dot: tuple[float, float] | None
    lowest: float
    highest: float
    labels: Labels | None = None

    def labelled(self, labels: Labels) -> "Curve":
        """The same with its axes' labels."""
        return self._replace(labels=labels)


def curve(
    values: NDArray[np.float32],
    answers: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    supported: NDArray[np.bool_],
    here: tuple[float, float] | None,
) -> Curve:
    """Lay out a what-if curve; a stretch without support is a broken line of its own."""
    across_all, middle = values.tolist(), answers.tolist()
    upper, lower = high.tolist(), low.tolist()
    first, last = across_all[0], across_all[-1]
    bottom, top = min(lower), max(upper)
    if here:
        first, last = min(first, here[0]), max(last, here[0])
        bottom, top = min(bottom, here[1]), max(top, here[1])
    across = WIDTH / (last - first or 1.0)
    down = HEIGHT / (top - bottom or 1.0)
    xs = tuple([round((x - first) * across) for x in across_all])
    ys = [round((top - y) * down) for y in (*middle, *upper, *lower)]
    band, line, broken = _paths(xs, tuple(supported.tolist()))
    dot = None
    if here:
        dot = (round((here[0] - first) * across, 1), round((top - here[1]) * down, 1))
    return Curve(band.format(*ys), line.format(*ys), broken.format(*ys), dot, bottom, top)


@lru_cache(maxsize=512)
def _paths(xs: tuple[int, ...], supported: tuple[bool, ...]) -> tuple[str, str, str]:
    """Path data of band, line and broken line, with places for the heights.

    The heights are numbered: first those of the line, then of the band's upper and lower end. One
    grid has the same places across and few patterns of support, so that path data are put together
    from points only now and then.
    """
    count = len(xs)
    middle, upper, lower = (
        [f"{x} {{{start + place}}}" for place, x in enumerate(xs)]
        for start in (0, count, 2 * count)
    )
    line, broken = _strokes(middle, supported)
    return "M" + "L".join([*upper, *reversed(lower)]) + "Z", line, broken


def _strokes(points: Sequence[str], supported: Sequence[bool]) -> tuple[str, str]:
    """Path data of the supported stretches and of the others; both keep the joint between them."""
    if all(supported):
        return "M" + "L".join(points), ""
    strokes: dict[bool, list[str]] = {True: [], False: []}
    run = [points[0]]
    for number in range(1, len(points)):
        kind = supported[number - 1] and supported[number]
        run.append(points[number])
        last = number == len(points) - 1
        if last or (supported[number] and supported[number + 1]) != kind:
            strokes[kind].append("M" + "L".join(run))
            run = [points[number]]
    return "".join(strokes[True]), "".join(strokes[False])


class ChoiceBar(NamedTuple):
    """One choice: its label and price, its row's base line, and its bar's left end and width.

    ``mark`` is "here" for the present choice, "pale" where nothing like it is in the data, else
    "seen".
    """

    label: str
    text: str
    y: int
    x: float
    width: float
    mark: str


class Bars(NamedTuple):
    """A bar for each choice, the largest first; all begin or end at zero, which is in the plot."""

    height: int
    bars: tuple[ChoiceBar, ...]


def bars(items: Sequence[tuple[str, str, float, bool, bool]]) -> Bars:
    """Lay out (label, text, value, here, supported), one row each, in the order given."""
    values = [item[2] for item in items]
    lowest, highest = min(0.0, *values), max(0.0, *values)
    share = (BAR_RIGHT - BAR_LEFT) / (highest - lowest or 1.0)
    laid = tuple(
        ChoiceBar(
            label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…",
            text,
            number * BAR_ROW + BAR_BASE,
            round(BAR_LEFT + (min(value, 0.0) - lowest) * share, 1),
            round(abs(value) * share, 1),
            "here" if here else "seen" if supported else "pale",
        )
        for number, (label, text, value, here, supported) in enumerate(items)
    )
    return Bars(len(items) * BAR_ROW, laid)
