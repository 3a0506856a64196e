"""What each feature contributes to a prediction: sentences and a waterfall."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from app.presentation import charts
from app.presentation.phrases import Phrases
from app.presentation.scales import Scale, format_exact, format_signed, round_up
from model import Card, Features
from model.serving.explain import ShapleyValues


class ContributionView(NamedTuple):
    """One contribution: as a sentence, for programs (``value``), and as a bar of the waterfall.

    The bar has a left end, a width, and a ``direction``, "up" or "down".
    """

    field: str
    label: str
    amount: str
    reason: str
    value: str
    x: str
    width: str
    direction: str


class ContributionsView(NamedTuple):
    """The way from the reference row to this one; the amounts add up to the prediction as shown.

    ``subject`` says what the amounts measure, where the heading does not. ``total_label`` stands at
    the end of the waterfall; ``start`` and ``end`` are the places of its two ends.
    """

    title: str
    subject: str
    total_label: str
    reference_text: str
    reference_facts: str
    reference: str
    reference_value: str
    rows: tuple[ContributionView, ...]
    total: str
    error: str
    start: str
    end: str


class ContributionsPresenter:
    """Puts the contributions of one model's predictions into words and coordinates."""

    def __init__(self, card: Card, scale: Scale, phrases: Phrases) -> None:
        self._card = card
        self._scale = scale
        self._phrases = phrases
        self._reference_facts = lru_cache(maxsize=128)(self._list_reference_facts)

    def present(
        self,
        shapley: ShapleyValues,
        given: Features,
        prediction: tuple[float, str],
        subject: str,
        total_label: str,
    ) -> ContributionsView:
        """Present the contributions to a prediction.

        Args:
            shapley: the contributions of the given features, and the reference's prediction.
            given: the features that are known.
            prediction: what the contributions lead to, rounded to the scale's step, and its text.
            subject: what the amounts measure; "" for the output itself.
            total_label: what stands at their end; "" for the output's label.
        """
        scale, exact = self._scale, shapley.contributions
        rounded, total = prediction
        base = round(shapley.base / scale.fine_step) * scale.fine_step
        amounts = apportion(exact, rounded - base, scale.fine_step)
        order = sorted(range(len(amounts)), key=lambda index: abs(exact[index]), reverse=True)
        geometry = charts.lay_out_waterfall(base, [amounts[index] for index in order])
        rows = []
        for index, bar in zip(order, geometry.bars, strict=True):
            name = self._card.names[shapley.columns[index]]
            phrases = self._phrases[name]
            amount = format_signed(scale, amounts[index])
            reason = phrases.reason(given[name])
            value = format_exact(exact[index])
            rows.append(ContributionView(name, phrases.label, amount, reason, value, *bar))
        reference = scale.format(base)
        steps = "; ".join([f"{row.label} {row.amount}" for row in rows])
        return ContributionsView(
            f"From {reference} to {total}: {steps}",
            subject,
            total_label or self._card.output.label,
            self._card.reference_text,
            self._reference_facts(shapley.columns),
            reference,
            format_exact(shapley.base),
            tuple(rows),
            total,
            self._format_error(shapley.error),
            geometry.start,
            geometry.end,
        )

    def _list_reference_facts(self, columns: tuple[int, ...]) -> str:
        return ", ".join([self._phrases[self._card.names[column]].reference for column in columns])

    def _format_error(self, error: float) -> str:
        return self._scale.format_difference(round_up(self._scale, error)) if error else ""


def apportion(exact: Sequence[float], total: float, step: float) -> list[float]:
    """Round amounts to multiples of ``step`` so that they add up to ``total``, itself a multiple.

    The largest-remainder method (Hamilton): every amount is rounded down, and the steps that are
    left over go to the largest remainders. The rounding of the total is shared out the same way.
    """
    if not exact:
        return []
    floors, remainders = [], []
    for amount in exact:
        steps = amount / step
        floor = math.floor(steps)
        floors.append(floor)
        remainders.append(steps - floor)
    every, some = divmod(round(total / step) - sum(floors), len(exact))
    if some:
        largest = sorted(range(len(exact)), key=remainders.__getitem__, reverse=True)[:some]
        for index in largest:
            floors[index] += 1
    return [(floor + every) * step for floor in floors]
