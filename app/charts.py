"""Geometry of the plots: numbers in, coordinates out, rounded to a tenth of a unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WIDTH = 320.0
ROW = 34
HEIGHT = 132.0
BAR_ROW = 19
BAR_BASE = 13
BAR_LEFT = 150.0
BAR_RIGHT = 252.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """A band and a dot on a fixed axis, in units of the view box."""

    low: float
    high: float
    dot: float

    @property
    def width(self) -> float:
        """The band's width; never so narrow that it vanishes."""
        return round(max(self.high - self.low, 2.0), 1)


def gauge(value: float, low: float, high: float, axis: tuple[float, float]) -> Gauge:
    """Place a prediction and its range on the axis; what lies beyond an end stands at that end."""
    return Gauge(*(_place(x, axis, WIDTH) for x in (low, high, value)))


def _place(x: float, axis: tuple[float, float], width: float) -> float:
    span = axis[1] - axis[0]
    share = (x - axis[0]) / span if span else 0.5
    return round(min(max(share, 0.0), 1.0) * width, 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of a waterfall: its row's top, its left end and width, and whether it rises."""

    y: int
    x: float
    width: float
    rises: bool


@dataclass(frozen=True, slots=True)
class Waterfall:
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
    axis = (low - margin, high + margin)
    bars = []
    for number, (before, after) in enumerate(pairwise(levels), start=1):
        left, right = sorted((_place(before, axis, WIDTH), _place(after, axis, WIDTH)))
        bars.append(Bar(number * ROW, left, round(max(right - left, 1.5), 1), after >= before))
    rows = len(levels) + 1
    return Waterfall(
        rows * ROW, _place(start, axis, WIDTH), _place(levels[-1], axis, WIDTH),
        (rows - 1) * ROW, tuple(bars),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labels:
    """The ends of a curve's axes in words."""

    left: str
    right: str
    bottom: str
    top: str


@dataclass(frozen=True, slots=True)
class Curve:
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
        return replace(self, labels=labels)


def curve(
    values: NDArray[np.float32],
    answers: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    supported: NDArray[np.bool_],
    here: tuple[float, float] | None,
) -> Curve:
    """Lay out a what-if curve; a stretch without support is a broken line of its own."""
    xs, lows, highs = values.tolist(), low.tolist(), high.tolist()
    axis = (min([xs[0], *here[:1]]), max([xs[-1], *here[:1]])) if here else (xs[0], xs[-1])
    bottom, top = min(lows), max(highs)
    if here:
        bottom, top = min(bottom, here[1]), max(top, here[1])
    across = WIDTH / (axis[1] - axis[0] or 1.0)
    down = HEIGHT / (top - bottom or 1.0)

    def points(ys: Sequence[float]) -> list[str]:
        return [
            f"{(x - axis[0]) * across:.0f} {(top - y) * down:.0f}"
            for x, y in zip(xs, ys, strict=True)
        ]

    middle = points(answers.tolist())
    line, broken = _strokes(middle, supported.tolist())
    band = "M" + "L".join([*points(highs), *reversed(points(lows))]) + "Z"
    dot = None
    if here:
        dot = (round((here[0] - axis[0]) * across, 1), round((top - here[1]) * down, 1))
    return Curve(band, line, broken, dot, bottom, top)


def _strokes(points: list[str], supported: list[bool]) -> tuple[str, str]:
    """Path data of the supported stretches and of the others; both keep the joint between them."""
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


@dataclass(frozen=True, slots=True)
class ChoiceBar:
    """One choice: its label and price, its row's base line and its bar's width.

    ``mark`` is "here" for the present choice, "pale" where nothing like it is in the data.
    """

    label: str
    text: str
    y: int
    width: int
    mark: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar for each choice, the largest first; all begin at zero."""

    height: int
    bars: tuple[ChoiceBar, ...]


def bars(items: Sequence[tuple[str, str, float, bool, bool]]) -> Bars:
    """Lay out (label, text, value, here, supported), one row each, in the order given."""
    most = max((abs(item[2]) for item in items), default=1.0) or 1.0
    room = BAR_RIGHT - BAR_LEFT
    laid = tuple(
        ChoiceBar(
            label,
            text,
            number * BAR_ROW + BAR_BASE,
            round(max(value, 0.0) / most * room),
            "here" if here else "" if supported else "pale",
        )
        for number, (label, text, value, here, supported) in enumerate(items)
    )
    return Bars(len(items) * BAR_ROW, laid)
