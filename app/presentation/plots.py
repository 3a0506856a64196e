"""The plots of what held-out rows showed: numbers in, coordinates and words out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from model.contract.manifest import ReliabilityBin, TruthBin

WIDTH = 300
HEIGHT = 200

_FIFTHS = ("lowest", "low", "middle", "high", "highest")
_LONGEST_TICK = 12
"""Characters for which there is room beside the plot; below it the same text stands in any case."""

LEAST_SHARE = 0.5
"""Where the axis of shares begins, if all are above it."""


class AxisLabel(NamedTuple):
    """A text beside an axis: its place along it and what it says."""

    place: float
    text: str


class PlotView(NamedTuple):
    """One plot, and the same in words.

    ``line`` is the path of what is hoped for, ``strokes`` that of vertical strokes, ``dots`` are
    the places of what was measured. ``across`` and ``up`` say what the axes show.
    """

    name: str
    title: str
    words: str
    line: str
    strokes: str
    dots: tuple[tuple[float, float], ...]
    across: str
    up: str
    across_ticks: tuple[AxisLabel, ...]
    up_ticks: tuple[AxisLabel, ...]


def plot_truth(
    bins: Sequence[TruthBin], noun: str, format_value: Callable[[float], str]
) -> PlotView:
    """Plot what was true against what was estimated.

    ``bins`` are of held-out rows with similar estimates, ascending; sentences call the answer
    ``noun``.
    """
    low = min(min(item.low, item.estimate) for item in bins)
    high = max(max(item.high, item.estimate) for item in bins)
    unit = (high - low) or 1.0
    strokes, dots = [], []
    for item in bins:
        x = _round((item.estimate - low) / unit * WIDTH)
        top, middle, bottom = (
            _round(HEIGHT - (value - low) / unit * HEIGHT)
            for value in (item.high, item.middle, item.low)
        )
        strokes.append(f"M{x} {top}V{bottom}")
        dots.append((x, middle))
    first, last = format_value(low), format_value(high)
    return PlotView(
        "truth",
        f"Estimated and true {noun}",
        f"Each dot stands for cases with similar estimates that the model had not seen: across, "
        f"what it said; up, what was true of half of them. Eight of ten lie on the stroke. On the "
        f"line both are equal. Both axes go from {first} to {last}.",
        f"M0 {HEIGHT}L{WIDTH} 0",
        "".join(strokes),
        tuple(dots),
        "estimated",
        "true",
        (AxisLabel(0, first), AxisLabel(WIDTH, last)),
        (AxisLabel(HEIGHT, first), AxisLabel(0, last))
        if max(len(first), len(last)) <= _LONGEST_TICK
        else (),
    )


def plot_coverage(fifths: Sequence[float], aim: float) -> PlotView:
    """Plot how often the range held, by fifths of the estimates.

    ``fifths`` are the shares of held-out rows inside, from the lowest fifth of the estimates.
    """
    least = min(LEAST_SHARE, *fifths)
    dots = [
        (_round((number + 0.5) / len(fifths) * WIDTH), _place_share(share, least))
        for number, share in enumerate(fifths)
    ]
    *most, last = (str(round(share * 100)) for share in fifths)
    level = _place_share(aim, least)
    return PlotView(
        "coverage",
        "How often the range held, from low to high estimates",
        f"In five equal groups, from the lowest estimates to the highest, {', '.join(most)} and "
        f"{last} of 100 ranges held what it was. The line is the aim: {round(aim * 100)}.",
        f"M0 {level}H{WIDTH}",
        "".join(f"M{x} {HEIGHT}V{y}" for x, y in dots),
        tuple(dots),
        "estimates, in five equal groups",
        "ranges that held",
        tuple(AxisLabel(x, text) for (x, _), text in zip(dots, _FIFTHS, strict=True)),
        _list_share_ticks(least),
    )


def plot_reliability(bins: Sequence[ReliabilityBin]) -> PlotView:
    """Plot how often the class that came first was right, by how sure the model was.

    Args:
        bins: of held-out rows with similar probabilities, ascending.
    """
    least = min(min(item.probability, item.right) for item in bins)
    least = min(LEAST_SHARE, int(least * 10) / 10)
    dots = [
        (
            _round((item.probability - least) / (1 - least) * WIDTH),
            _place_share(item.right, least),
        )
        for item in bins
    ]
    pairs = [f"{item.probability:.0%} sure, {item.right:.0%} right" for item in bins]
    shown = "; ".join(dict.fromkeys((pairs[0], pairs[len(pairs) // 2], pairs[-1])))
    ticks = _list_share_ticks(least)
    return PlotView(
        "reliability",
        "How sure it was, and how often it was right",
        "Each dot stands for cases that the model had not seen: across, how sure it was; up, how "
        f"often it was right. On the line both are equal. From least to most sure: {shown}.",
        f"M0 {HEIGHT}L{WIDTH} 0",
        "",
        tuple(dots),
        "sure",
        "right",
        tuple(AxisLabel(_round(WIDTH * (1 - tick.place / HEIGHT)), tick.text) for tick in ticks),
        ticks,
    )


def plot_months(
    name: str,
    title: str,
    words: str,
    months: Sequence[tuple[str, float]],
    line: Sequence[float],
    up: str,
    format_value: Callable[[float], str],
    axis: tuple[float, float],
) -> PlotView:
    """Plot one figure of each month.

    Args:
        name: of the plot.
        title: the heading above it.
        words: the same in words.
        months: the name of each, and the figure.
        line: what is hoped for in each month, or nothing.
        up: what the figure is.
        format_value: writes the figure.
        axis: its lower and its upper end.
    """
    least, unit = axis[0], axis[1] - axis[0]
    across = [_round((number + 0.5) / len(months) * WIDTH) for number in range(len(months))]
    dots = [
        (x, _round(HEIGHT * (1 - (value - least) / unit)))
        for x, (_, value) in zip(across, months, strict=True)
    ]
    hoped = [
        f"{x} {_round(HEIGHT * (1 - (value - least) / unit))}"
        for x, value in zip(across, line, strict=False)
    ]
    path = f"M{hoped[0]}L{' '.join(hoped[1:])}" if len(hoped) > 1 else ""
    ends = [0] if len(months) == 1 else [0, len(months) - 1]
    return PlotView(
        name,
        title,
        words,
        path,
        "".join(f"M{x} {HEIGHT}V{y}" for x, y in dots),
        tuple(dots),
        "months",
        up,
        tuple(AxisLabel(across[number], months[number][0]) for number in ends),
        tuple(
            AxisLabel(_round(HEIGHT * (1 - share)), format_value(least + share * unit))
            for share in (0.0, 0.5, 1.0)
        ),
    )


def _list_share_ticks(least: float) -> tuple[AxisLabel, ...]:
    middle = (1 + least) / 2
    return tuple(
        AxisLabel(_place_share(share, least), f"{share:.0%}") for share in (least, middle, 1.0)
    )


def _place_share(share: float, least: float) -> float:
    return _round(HEIGHT * (1 - (share - least) / (1 - least)))


def _round(place: float) -> float:
    return round(place, 1) + 0.0
