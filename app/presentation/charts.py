"""Geometry of the plots: numbers in, coordinates out, as texts rounded to a tenth of a unit.

The few thousand texts that there are of tenths are made once: to spell a float takes ten times as
long as to look one up.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

WIDTH = 320.0
HEIGHT = 132.0
BAR_LEFT = 150.0
LONGEST_LABEL = 21
BAR_RIGHT = 252.0

_TENTHS = tuple(str(tenth / 10) for tenth in range(int(WIDTH) * 10 + 20))
_APART = "|"
_HEIGHT = re.compile(r"\{([0-9]+)\}")


class Gauge(NamedTuple):
    """A band and a dot on a fixed axis, in units of the view box."""

    low: str
    width: str
    dot: str


def gauge(value: float, low: float, high: float, axis: tuple[float, float]) -> Gauge:
    """Place a prediction and its range on the axis; what lies beyond an end stands at that end.

    The band is never so narrow that it vanishes.
    """
    start, end = axis
    if start == end:
        return Gauge("0.0", str(WIDTH), str(WIDTH / 2))
    share = WIDTH / (end - start)
    left, right, dot = [
        int(min(max((x - start) * share, 0.0), WIDTH) * 10 + 0.5) for x in (low, high, value)
    ]
    return Gauge(_TENTHS[left], _TENTHS[max(right - left, 20)], _TENTHS[dot])


Bar = tuple[str, str, str]
"""One step of a waterfall: its left end and width, and whether it goes "up" or "down"."""


class Waterfall(NamedTuple):
    """Where the ends and the steps between them are, one row each."""

    start: str
    end: str
    bars: list[Bar]


def waterfall(start: float, steps: Sequence[float]) -> Waterfall:
    """Lay out the steps that lead from ``start`` to its sum with them."""
    levels = list(accumulate(steps, initial=start))
    low, high = min(levels), max(levels)
    margin = (high - low or 1.0) * 0.04
    share = WIDTH * 10 / (high - low + 2 * margin)
    left = low - margin
    first = before = int((start - left) * share + 0.5)
    bars: list[Bar] = []
    for place, step in enumerate(steps, 1):
        after = int((levels[place] - left) * share + 0.5)
        if step >= 0:
            bars.append((_TENTHS[before], _TENTHS[max(after - before, 15)], "up"))
        else:
            bars.append((_TENTHS[after], _TENTHS[max(before - after, 15)], "down"))
        before = after
    return Waterfall(_TENTHS[first], _TENTHS[before], bars)


class Dot(NamedTuple):
    """Where a visitor's own value is."""

    x: str
    y: str


class CurveGeometry(NamedTuple):
    """A line with its band as SVG path data, and the present value as a dot, None where unknown.

    ``lowest`` and ``highest`` are the ends of the axis of answers.
    """

    band: str
    line: str
    broken: str
    dot: Dot | None
    lowest: float
    highest: float


def curve(
    values: Sequence[float],
    answers: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    supported: Sequence[bool],
    here: tuple[float, float] | None,
) -> CurveGeometry:
    """Lay out a what-if curve; a stretch without support is a broken line of its own."""
    first, last = values[0], values[-1]
    bottom, top = min(low), max(high)
    if here:
        first, last = min(first, here[0]), max(last, here[0])
        bottom, top = min(bottom, here[1]), max(top, here[1])
    across = WIDTH / (last - first or 1.0)
    down = HEIGHT / (top - bottom or 1.0)
    ys = [round((top - y) * down) for y in (*answers, *high, *low)]
    paths, in_order = _paths(tuple(values), first, across, tuple(supported))
    band, line, broken = (paths % in_order(ys)).split(_APART)
    dot = None
    if here:
        x, y = (here[0] - first) * across, (top - here[1]) * down
        dot = Dot(_TENTHS[int(x * 10 + 0.5)], _TENTHS[int(y * 10 + 0.5)])
    return CurveGeometry(band, line, broken, dot, bottom, top)


@lru_cache(maxsize=512)
def _paths(
    values: tuple[float, ...], first: float, across: float, supported: tuple[bool, ...]
) -> tuple[str, Callable[[Sequence[int]], tuple[int, ...]]]:
    """Path data of band, line and broken line, with places for the heights, and which go there.

    The heights are those of the line, then of the band's upper and lower end. One fact has the same
    places across and few patterns of support, so that path data are put together from points only
    now and then.
    """
    xs = [round((x - first) * across) for x in values]
    count = len(xs)
    middle, upper, lower = (
        [f"{x} {{{start + place}}}" for place, x in enumerate(xs)]
        for start in (0, count, 2 * count)
    )
    line, broken = _strokes(middle, supported)
    paths = _APART.join(("M" + "L".join([*upper, *reversed(lower)]) + "Z", line, broken))
    pieces = _HEIGHT.split(paths)
    return "%d".join(pieces[::2]), itemgetter(*map(int, pieces[1::2]))


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
    """One choice: its label and price, and its bar's left end and width.

    ``mark`` is "here" for the present choice, "pale" where nothing like it is in the data, else
    "seen".
    """

    label: str
    text: str
    x: float
    width: float
    mark: str


def bars(items: Sequence[tuple[str, str, float, bool, bool]]) -> tuple[ChoiceBar, ...]:
    """Lay out (label, text, value, here, supported), one row each, in the order given.

    All begin or end at zero, which is in the plot.
    """
    values = [item[2] for item in items]
    lowest, highest = min(0.0, *values), max(0.0, *values)
    share = (BAR_RIGHT - BAR_LEFT) / (highest - lowest or 1.0)
    return tuple(
        ChoiceBar(
            label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…",
            text,
            round(BAR_LEFT + (min(value, 0.0) - lowest) * share, 1),
            round(abs(value) * share, 1),
            "here" if here else "seen" if supported else "pale",
        )
        for label, text, value, here, supported in items
    )
