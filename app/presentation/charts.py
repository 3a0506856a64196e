"""Geometry of the plots: numbers in, coordinates out.

A place on an axis is a percentage of the plot's width or height, so that one drawing serves every
width; text keeps its size. Lines of many points are in thousandths of both.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, groupby
from operator import and_
from typing import NamedTuple

from markupsafe import Markup

from app.presentation.scales import Scale
from model.contract.manifest import BINS, HeldOut

BAR = 10
"""Units of the view box for the width of one bar of outcomes."""

_TICK_CHARACTERS = 34
"""Characters of all labels on a horizontal axis that fit a narrow phone, with one after each."""

_RING_WIDTH = 3.0
"""Percent of the width within which one ring would cover another."""

_AXIS_HEIGHT = 10.3
"""Em from the top of the plot to the rings on its axis."""

_LANE = 0.8
"""Em between two rings that would cover each other."""

_MOST_LANES = 3
_LANES = tuple(f"{_AXIS_HEIGHT - _LANE * lane:.1f}" for lane in range(_MOST_LANES))
_WIDE_CHARACTER, _NARROW_CHARACTER = 1.7, 2.5
"""Percent of the width that a character of a label takes, on a wide screen and on a phone."""

_WIDE_MARGIN, _NARROW_MARGIN = 8, 4
"""Percent of the width that lies free beside a plot, on a wide screen and on a phone."""


_TICK = Markup('<rect x="{place}%"/><text class="mid" x="{place}%" y="12.1em">{text}</text>')


class Tick(NamedTuple):
    """One labelled place on an axis."""

    place: str
    text: str


class Mark(NamedTuple):
    """A labelled line across the plot; its label leans to the ``side`` "left" or "right" of it."""

    x: str
    side: str


class Ring(NamedTuple):
    """A similar row; ``y`` is in em: on the axis, or above another ring that it would cover."""

    x: str
    y: str


class StripGeometry(NamedTuple):
    """One answer on the scale of all outcomes.

    ``bars_x`` and ``bars_width`` are the place of the bars, which have an axis of their own;
    ``window`` is the view box that cuts out those in the range. ``own`` is None without an answer.
    ``ticks`` are drawn once for each scale, for nearly all answers have the same.
    """

    bars_x: str
    bars_width: str
    low: str
    width: str
    window: str
    own: Mark | None
    typical: Mark
    rings: tuple[Ring, ...]
    ticks: Markup


def draw_bars(counts: Sequence[int]) -> str:
    """Draw counts as the path of a bar each, in a box of ``BINS`` times ``BAR`` by 100 units."""
    highest = max(counts) or 1
    return "".join(
        f"M{number * BAR + BAR // 2} 100V{round(100 - 97 * count / highest)}"
        for number, count in enumerate(counts)
        if count
    )


def choose_ticks(low: float, high: float, most: int, least_step: float) -> list[float]:
    """Choose round numbers from ``low`` to ``high``, ``most`` at most, apart by ``least_step``."""
    raw = max((high - low) / most, least_step, 1e-12)
    step = 10.0 ** math.floor(math.log10(raw))
    part = raw / step * 0.999
    step *= 1 if part <= 1 else 2 if part <= 2 else 2.5 if part <= 2.5 else 5 if part <= 5 else 10
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, min(last, first + most) + 1)]


def _choose_ticks(low: float, high: float, most: int, scale: Scale) -> list[float]:
    """Ticks of a scale; for hours they are whole hours, though it counts minutes."""
    base = max((base for base in scale.tick_bases if 2 * base <= high - low), default=1.0)
    return [tick * base for tick in choose_ticks(low / base, high / base, most, scale.step / base)]


def lay_out_axis(low: float, high: float, scale: Scale) -> tuple[Tick, ...]:
    """Lay out the labels of a horizontal axis; no two of them touch."""
    for most in (5, 4, 3, 2):
        ticks = _choose_ticks(low, high, most, scale)
        texts = _label(ticks, scale)
        if sum(map(len, texts)) + len(texts) <= _TICK_CHARACTERS:
            break
    unit = 100 / (high - low)
    places = [(tick - low) * unit for tick in ticks]
    return tuple(
        Tick(format_place(place), text)
        for place, text in zip(places, texts, strict=True)
        # A label at an end would leave the plot.
        if 5 <= place <= 95
    )


def _label(ticks: Sequence[float], scale: Scale) -> list[str]:
    """The labels of an axis, in full where the short ones cannot be told apart."""
    texts = [scale.format_tick(tick) for tick in ticks]
    return texts if len(set(texts)) == len(texts) else [scale.format(tick) for tick in ticks]


format_place = "{:.1f}".format
"""Writes a percentage to a tenth."""


def lay_out_strip(
    axis: tuple[float, float],
    typical: float,
    own: float | None,
    interval: tuple[float, float] | None,
    others: Sequence[float],
    scale: Scale,
    labels: tuple[str, str, str],
) -> StripGeometry:
    """Place an answer among all outcomes.

    Args:
        axis: the ends of the bars; the scale goes beyond them where a mark does.
        typical: the answer to the typical row.
        own: the answer, or None.
        interval: its bounds, or None.
        others: what similar rows came to.
        scale: writes the labels of the axis.
        labels: at the answer, at the typical one, and what follows that in a wide window.
    """
    own_room = len(labels[0]) * _NARROW_CHARACTER
    typical_room = max(
        len(labels[1]) * _NARROW_CHARACTER - _NARROW_MARGIN,
        len(labels[1] + labels[2]) * _WIDE_CHARACTER - _WIDE_MARGIN,
    )
    start, end = low, high = axis
    marks = [typical, *others, *(interval or ()), *(() if own is None else (own,))]
    least, most = min(marks), max(marks)
    if least < start or most > end:
        margin = (max(most, end) - min(least, start)) * 0.02
        start = least - margin if least < start else start
        end = most + margin if most > end else end
    unit = 100 / (end - start)
    bars_width = (high - low) * unit
    left = width = window = ""
    if interval is not None:
        below, above = interval
        bar_unit = BINS * BAR / (high - low)
        left, width = format_place((below - start) * unit), format_place((above - below) * unit)
        window = f"{(below - low) * bar_unit:.1f} 0 {max((above - below) * bar_unit, 0.1):.1f} 100"
    typical_x = (typical - start) * unit
    own_x = typical_x if own is None else (own - start) * unit
    return StripGeometry(
        format_place((low - start) * unit),
        format_place(bars_width),
        left,
        width,
        window,
        None if own is None else _lean(own_x, own_x >= typical_x, own_room),
        _lean(typical_x, own is None or typical_x > own_x, typical_room),
        _stack_rings([(value - start) * unit for value in others]) if others else (),
        _draw_ticks(start, end, scale),
    )


@lru_cache(maxsize=1024)
def _draw_ticks(low: float, high: float, scale: Scale) -> Markup:
    return Markup("\n").join(
        _TICK.format(place=place, text=text) for place, text in lay_out_axis(low, high, scale)
    )


def _lean(x: float, right: bool, room: float) -> Mark:
    """Lean a label to the right or not, or to the other side where only that has room for it."""
    if (100 - x if right else x) < room:
        right = x < 50
    return Mark(format_place(x), "right" if right else "left")


def _stack_rings(places: Sequence[float]) -> tuple[Ring, ...]:
    """Put each ring on the lowest lane on which no other one covers it."""
    rings = []
    ends = [-math.inf] * _MOST_LANES
    for place in sorted(places):
        lane = 0
        while lane < _MOST_LANES - 1 and place - ends[lane] < _RING_WIDTH:
            lane += 1
        ends[lane] = place
        rings.append(Ring(format_place(place), _LANES[lane]))
    return tuple(rings)


Bar = tuple[str, str, str, str]
"""One step of a waterfall: left end, width, where it ends, and its direction, "up" or "less"."""


class WaterfallGeometry(NamedTuple):
    """The places of both ends, and the bars between them, one row each."""

    start: str
    end: str
    bars: list[Bar]


def lay_out_waterfall(
    start: float, steps: Sequence[float], end: float | None = None
) -> WaterfallGeometry:
    """Lay out the steps that lead from ``start`` to its sum with them.

    Args:
        start: where they begin.
        steps: those that are drawn.
        end: where all steps lead, if some are not drawn.
    """
    levels = list(accumulate(steps, initial=start))
    if end is not None:
        levels.append(end)
    low, high = min(levels), max(levels)
    margin = (high - low or 1.0) * 0.04
    unit = 100 / (high - low + 2 * margin)
    ends = [(level - low + margin) * unit for level in levels]
    bars = [
        (
            format_place(min(before, after)),
            format_place(max(abs(after - before), 0.5)),
            format_place(after),
            "up" if step >= 0 else "less",
        )
        for step, before, after in zip(steps, ends, ends[1:], strict=False)
    ]
    return WaterfallGeometry(format_place(ends[0]), format_place(ends[-1]), bars)


class Dot(NamedTuple):
    """The place of a visitor's own value, in per cent of the plot."""

    x: str
    y: str


class CurveGeometry(NamedTuple):
    """A line with its band as SVG path data, and the visitor's value as a dot, None if unknown.

    ``broken`` are its stretches out of distribution. ``ticks`` are the labels of the vertical axis,
    at its ``side`` "start" or "end": the one where the dot is not. ``first`` and ``last`` are the
    ends of the horizontal axis, in the feature's code.
    """

    band: str
    line: str
    broken: str
    dot: Dot | None
    ticks: tuple[Tick, ...]
    side: str
    side_x: str
    first: float
    last: float


def lay_out_curve(
    values: Sequence[float],
    predictions: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    in_distribution: Sequence[bool],
    current: tuple[float, float] | None,
    scale: Scale,
) -> CurveGeometry:
    """Lay out a what-if curve; a stretch out of distribution is a broken line of its own.

    Args:
        values: the feature's codes, ascending, one a point.
        predictions: the prediction at each point.
        low: the low bound of the interval at each point.
        high: the high bound at each point.
        in_distribution: whether the data have rows like each point.
        current: the visitor's own code and prediction, or None.
        scale: writes the labels of the vertical axis, and says what it spans at least; a lower
            curve stands in its middle, or as near to it as the scale's limits allow.
    """
    first, last = values[0], values[-1]
    # A range that ends at 0 does not hold a prediction below it.
    bottom, top = min(*low, *predictions), max(*high, *predictions)
    if current:
        first, last = min(first, current[0]), max(last, current[0])
        bottom, top = min(bottom, current[1]), max(top, current[1])
    missing = max(scale.least_span - (top - bottom), 0.0) / 2
    least, most = scale.limits
    up = min(max(least - bottom + missing, 0.0), missing)
    down = min(max(top - most + missing, 0.0), missing)
    bottom, top = bottom - missing + up - down, top + missing + up - down
    margin = (top - bottom or 1.0) * 0.04
    bottom, top = bottom - margin, top + margin
    y_unit = 1000 / (top - bottom)
    forth, back = _prepare_path(tuple(values), first, last)
    half = top + 0.5 / y_unit  # %d rounds down
    middle = forth % tuple([(half - y) * y_unit for y in predictions])
    upper = forth % tuple([(half - y) * y_unit for y in high])
    lower = back % tuple([(half - y) * y_unit for y in reversed(low)])
    line, broken = _draw_strokes(middle, in_distribution)
    dot, at_end = None, False
    if current:
        at_end = current[0] - first < (last - first) / 2
        x = (current[0] - first) / (last - first or 1.0) * 100
        dot = Dot(format_place(x), format_place((top - current[1]) * y_unit / 10))
    # A label stands on its line, so the highest one needs room above.
    ticks = _choose_ticks(bottom, top - 2 * margin, 3, scale)
    return CurveGeometry(
        f"M{upper}L{lower}Z",
        line,
        broken,
        dot,
        tuple(
            [
                Tick(format_place((top - tick) * y_unit / 10), text)
                for tick, text in zip(ticks, _label(ticks, scale), strict=True)
            ]
        ),
        "end" if at_end else "start",
        "100%" if at_end else "0%",
        first,
        last,
    )


@lru_cache(maxsize=1024)
def _prepare_path(values: tuple[float, ...], first: float, last: float) -> tuple[str, str]:
    """Prepare a path through points, there and back; their heights are to be filled in."""
    unit = 1000 / (last - first or 1.0)
    points = [f"{round((value - first) * unit)} %d" for value in values]
    return "L".join(points), "L".join(reversed(points))


def _draw_strokes(path: str, in_distribution: Sequence[bool]) -> tuple[str, str]:
    """Path data of the stretches in distribution and of the others; both keep the joint."""
    if all(in_distribution):
        return f"M{path}", ""
    points, strokes, start = path.split("L"), {True: "", False: ""}, 0
    for inside, run in groupby(map(and_, in_distribution, in_distribution[1:])):
        stop = start + len(list(run))
        strokes[inside] += "M" + "L".join(points[start : stop + 1])
        start = stop
    return strokes[True], strokes[False]


class ChoiceBar(NamedTuple):
    """One choice: its label, its prediction in words, and its bar's left end and width in per cent.

    ``mark`` is "here" for the visitor's choice, "pale" for one out of distribution, else "".
    """

    label: str
    text: str
    x: str
    width: str
    mark: str


def lay_out_bars(
    items: Sequence[tuple[str, str, float, bool, bool]], least_span: float = 0.0
) -> tuple[ChoiceBar, ...]:
    """Lay out one row for each (label, text, prediction, is_current, is_in_distribution).

    Every bar begins or ends at zero, which is in the plot; ``x`` is "" at its left end.
    """
    predictions = [item[2] for item in items]
    lowest, highest = min(0.0, *predictions), max(0.0, *predictions)
    unit = 100 / max(highest - lowest, least_span or 1e-12)
    return tuple(
        ChoiceBar(
            label,
            text,
            format_place((min(prediction, 0.0) - lowest) * unit) if lowest else "",
            format_place(abs(prediction) * unit),
            "here" if is_current else "" if is_in_distribution else "pale",
        )
        for label, text, prediction, is_current, is_in_distribution in items
    )


class Dots(NamedTuple):
    """Dots of one size, as SVG path data; ``width`` is their diameter in pixels."""

    path: str
    width: str


class ScatterGeometry(NamedTuple):
    """Counts in square cells of ``BINS`` by ``BINS`` units, and the labels of both axes."""

    dots: tuple[Dots, ...]
    ticks: tuple[Tick, ...]


_LARGEST_DOT, _LEAST_DOT = 11.0, 2.5
"""Pixels across of the dot for the largest count, whose area is proportional, and of any dot."""


def lay_out_scatter(held_out: HeldOut, axis: tuple[float, float], scale: Scale) -> ScatterGeometry:
    """Lay out the counts of held-out rows; truth goes to the right, the prediction upwards."""
    paths: dict[int, str] = {}
    for cell in held_out.cells:
        x, y = cell.truth + 0.5, BINS - cell.prediction - 0.5
        # Safari scales the stroke of what has no length.
        paths[cell.count] = paths.get(cell.count, "") + f"M{x} {y}h.01"
    unit = _LARGEST_DOT / math.sqrt(max(paths, default=1))
    dots = [
        Dots(path, f"{max(unit * math.sqrt(count), _LEAST_DOT):.1f}")
        for count, path in sorted(paths.items())
    ]
    return ScatterGeometry(tuple(dots), lay_out_axis(*axis, scale))
