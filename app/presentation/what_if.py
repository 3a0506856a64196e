"""What the model predicts for other values of one feature: a curve or bars, and a sentence."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.presentation import charts
from app.presentation.phrases import Phrases
from app.presentation.scales import Scale
from model import Card, Features
from model.contract.fields import BaseField
from model.serving.served_model import IceCurve

MIN_LABEL = 8
"""Characters for which a curve always has room at its left, so that its axis does not move."""

UNSUPPORTED_TEXT = "no such case is in the data"


class FeatureOption(NamedTuple):
    """One of the features that the what-if can vary."""

    name: str
    label: str
    chosen: bool


class CurveView(NamedTuple):
    """A curve with the ends of its axes in words, which take ``margin`` units at its left.

    ``width`` is that of the whole picture.
    """

    geometry: charts.CurveGeometry
    left: str
    right: str
    bottom: str
    top: str
    margin: int
    width: int


class WhatIfView(NamedTuple):
    """The what-if of one feature, as a curve or as bars, and in words."""

    options: tuple[FeatureOption, ...]
    title: str
    words: str
    curve: CurveView | None
    bars: tuple[charts.ChoiceBar, ...]


class WhatIfPresenter:
    """Puts the what-ifs of one model into words and coordinates."""

    def __init__(self, card: Card, scale: Scale, phrases: Phrases) -> None:
        self._card = card
        self._scale = scale
        self._phrases = phrases
        self._options = {
            name: tuple(
                FeatureOption(field.name, field.label, field.name == name)
                for field in card.fields
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

        Args:
            what_if: the predictions along the feature.
            features: the row.
            prediction: the row's own prediction, unrounded, and its text.
            subject: what is predicted; "" for the output itself.
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
        words = (
            f"From {items[-1][1]} with {items[-1][0]} to {items[0][1]} with {items[0][0]}"
            f"{_describe_current(items, current)}, everything else unchanged."
        )
        if not all(what_if.in_distribution):
            words += f" Pale bars: {UNSUPPORTED_TEXT}."
        return WhatIfView(self._options[field.name], title, words, None, charts.lay_out_bars(items))

    def _present_curve(
        self,
        field: BaseField,
        what_if: IceCurve,
        value: Any,
        prediction: tuple[float, str],
        title: str,
    ) -> WhatIfView:
        first, last = what_if.values[0], what_if.values[-1]
        display = self._phrases[field.name].display
        left, right = display(field.decode(first)), display(field.decode(last))
        words = (
            f"From {self._format_rounded(what_if.predictions[0])} at {left} "
            f"to {self._format_rounded(what_if.predictions[-1])} at {right}"
        )
        current = None
        if value is None:
            words += f", everything else unchanged. The {field.noun} is not given here."
        else:
            current = field.encoder(value), prediction[0]
            own = display(value)
            words += f"; here {prediction[1]} at {own}, everything else unchanged."
            # A value beyond the grid widens the axis, and then stands at its end.
            if current[0] < first:
                left = own
            elif current[0] > last:
                right = own
        if not all(what_if.in_distribution):
            words += f" Where the line is broken, {UNSUPPORTED_TEXT}."
        geometry = charts.lay_out_curve(
            what_if.values,
            what_if.predictions,
            what_if.low,
            what_if.high,
            what_if.in_distribution,
            current,
        )
        bottom, top = self._format_rounded(geometry.lowest), self._format_rounded(geometry.highest)
        margin = 6 + 8 * max(MIN_LABEL, len(bottom), len(top))
        curve = CurveView(geometry, left, right, bottom, top, margin, margin + 328)
        return WhatIfView(self._options[field.name], title, words, curve, ())

    def _format_rounded(self, value: float) -> str:
        return self._scale.format(self._scale.round(value))


def _describe_current(
    items: Sequence[tuple[str, str, float, bool, bool]], current: str | None
) -> str:
    text = next((text for _, text, _, is_current, _ in items if is_current), None)
    return "" if text is None else f"; here {text} with {current}"
