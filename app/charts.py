"""Geometry of the plots: numbers in, coordinates out, rounded to a tenth of a unit."""

from dataclasses import dataclass

GAUGE_WIDTH = 320.0


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
    return Gauge(*(_place(x, axis, GAUGE_WIDTH) for x in (low, high, value)))


def _place(x: float, axis: tuple[float, float], width: float) -> float:
    share = (x - axis[0]) / (axis[1] - axis[0])
    return round(min(max(share, 0.0), 1.0) * width, 1)
