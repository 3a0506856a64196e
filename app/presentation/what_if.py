"""What the model predicts for other values of one feature: a curve or bars, and a sentence."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup

from app.presentation import charts
from app.presentation.phrases import Phrases
from app.presentation.scales import Scale, format_exact
from model import Card, Features
from model.contract.fields import BaseField
from model.contract.reading import find_decimal_sign
from model.serving.served_model import IceCurve

_WHOLE_STEPS, _STEPS = 260, 60
"""About as many values as a slider takes at most, of whole numbers and of others."""

_OPTION = Markup('<option value="{}">{}</option>')
_CHOSEN = Markup('<option value="{}" selected>{}</option>')


class SliderView(NamedTuple):
    """The range input that is the horizontal axis of a curve, and sets the field ``name``.

    ``low``, ``high``, ``step`` and ``value`` are codes; ``text`` is the value in words. ``left``
    and ``right`` are the ends of the axis in words, ``point`` separates decimals in the field.
    """

    name: str
    label: str
    low: str
    high: str
    step: str
    value: str
    text: str
    left: str
    right: str
    point: str


class CurveView(NamedTuple):
    """A curve and the slider below it."""

    geometry: charts.CurveGeometry
    slider: SliderView


class WhatIfView(NamedTuple):
    """The what-if of one feature, as a curve or as bars.

    ``options`` are the features that it can vary. ``title`` says in words what they show,
    ``unlike`` whether some of it is out of distribution.
    """

    options: Markup
    title: str
    curve: CurveView | None
    bars: tuple[charts.ChoiceBar, ...]
    unlike: bool


class WhatIfPresenter:
    """Puts the what-ifs of one model into words and coordinates."""

    def __init__(
        self, card: Card, reference: Features, scale: Scale, phrases: Phrases, prefix: str = ""
    ) -> None:
        """Keep what is needed; ``prefix`` stands before the field in the value of an option."""
        self._card = card
        self._reference = reference
        self._scale = scale
        self._phrases = phrases
        self._point = find_decimal_sign(card.locale)
        self._options = {
            name: Markup("\n").join(
                (_CHOSEN if field.name == name else _OPTION).format(
                    prefix + field.name, field.label
                )
                for field in card.form
                if field.varies
            )
            for name in card.names
        }

    def present(
        self,
        what_if: IceCurve,
        features: Features,
        prediction: tuple[float, str],
        subject: str,
    ) -> WhatIfView:
        """Present a what-if.

        The ``prediction`` is unrounded; ``subject`` says of what it is, "" for the output itself.
        """
        field = self._card.fields[what_if.column]
        value = features[field.name]
        title = f"{subject or self._card.output.label} by {field.title_noun}"
        if field.options:
            return self._present_bars(field, what_if, value, title)
        return self._present_curve(field, what_if, value, prediction, title)

    def _present_bars(
        self, field: BaseField, what_if: IceCurve, value: object, title: str
    ) -> WhatIfView:
        labels = [field.format_value(field.decode(code)) for code in what_if.values]
        current = None if value is None else field.format_value(value)
        order = sorted(range(len(labels)), key=lambda i: -what_if.predictions[i])
        items = [
            (labels[i], self._format_rounded(what_if.predictions[i]), what_if.predictions[i],
             labels[i] == current, what_if.in_distribution[i])
            for i in order
        ]  # fmt: skip
        return WhatIfView(
            self._options[field.name],
            f"{title}, from {items[-1][1]} with {items[-1][0]} to {items[0][1]} with {items[0][0]}",
            None,
            charts.lay_out_bars(items, self._scale.least_span),
            not all(what_if.in_distribution),
        )

    def _present_curve(
        self,
        field: BaseField,
        what_if: IceCurve,
        value: Any,
        prediction: tuple[float, str],
        title: str,
    ) -> WhatIfView:
        display = self._phrases[field.name].display
        current = None if value is None else (field.encoder(value), prediction[0])
        geometry = charts.lay_out_curve(
            what_if.values,
            what_if.predictions,
            what_if.low,
            what_if.high,
            what_if.in_distribution,
            current,
            self._scale,
        )
        first, last = what_if.values[0], what_if.values[-1]
        left, right = display(field.decode(first)), display(field.decode(last))
        words = (
            f"{title}: from {self._format_rounded(what_if.predictions[0])} at {left} "
            f"to {self._format_rounded(what_if.predictions[-1])} at {right}"
        )
        text = "not given"
        if current is not None:
            text = display(value)
            words += f"; here {prediction[1]} at {text}"
            # A value beyond the grid widens the axis, and then stands at its end.
            left = text if current[0] < first else left
            right = text if current[0] > last else right
            place = current[0]
        else:
            typical = self._reference[field.name]
            place = (first + last) / 2 if typical is None else field.encoder(typical)
        step = _choose_step(geometry.first, geometry.last, field.whole)
        # A slider counts its steps from its lower end, and the value has to be on one of them.
        # Where that end lies visibly inside the curve, the steps are finer, for the thumb is to
        # stand below the dot.
        low = _find_lower_end(place, geometry.first, step)
        if low - geometry.first > (geometry.last - geometry.first) / _WHOLE_STEPS:
            step = 1.0 if field.whole else step / 10
            low = _find_lower_end(place, geometry.first, step)
        slider = SliderView(
            field.name,
            field.label,
            format_exact(low),
            format_exact(geometry.last),
            format_exact(step),
            format_exact(place),
            text,
            left,
            right,
            self._point,
        )
        return WhatIfView(
            self._options[field.name],
            words,
            CurveView(geometry, slider),
            (),
            not all(what_if.in_distribution),
        )

    def _format_rounded(self, value: float) -> str:
        return self._scale.format(self._scale.round(value))


@lru_cache(maxsize=1024)
def _choose_step(first: float, last: float, whole: bool) -> float:
    """Choose the step of a slider, 1, 2 or 5 times a power of ten."""
    raw = (last - first) / (_WHOLE_STEPS if whole else _STEPS) or 1.0
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(nice * unit for nice in (1, 2, 5, 10) if nice * unit >= raw)
    return max(step, 1.0) if whole else step


def _find_lower_end(value: float, first: float, step: float) -> float:
    return value - math.floor((value - first) / step + 1e-9) * step
