"""What each feature contributes to a prediction: one list, a waterfall at its side."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from app.presentation import charts
from app.presentation.phrases import Phrases
from app.presentation.scales import Scale, format_exact, format_signed, round_up
from model import Card, Features
from model.contract import formatting
from model.serving.explain import ShapleyValues

MAX_REASONS = 6
"""Contributions that have a row of their own; one sentence has the others."""

MAX_NAMED = 4
"""Further contributions that the sentence names; it sums up more than these."""

MAX_IDLE = 5
"""Features without a difference that a sentence names; it counts the others."""


class _Part(NamedTuple):
    """What one feature contributes: ``exact``, and as the ``amount`` that is shown."""

    name: str
    exact: float
    amount: float


class ContributionView(NamedTuple):
    """One contribution: as words, for programs (``value``), and as a bar of the waterfall.

    ``words`` are the value, and how it differs from a typical one. The bar has a left end, a width,
    the place where it ``leads``, and a ``direction``, "up" or "less".
    """

    field: str
    words: Markup
    amount: str
    value: str
    x: str
    width: str
    leads: str
    direction: str


class OtherView(NamedTuple):
    """A contribution in a sentence below the list.

    ``joint`` stands before its ``words``: a comma, or "and".
    """

    field: str
    joint: str
    words: Markup
    amount: str
    value: str


class ContributionsView(NamedTuple):
    """The way from the reference row to this one; the amounts add up to the prediction as shown.

    ``subject`` says what the amounts measure, where the heading does not. ``others`` have an amount
    and no row; ``idle`` have none. ``start`` and ``end`` are the places of the two ends.
    """

    subject: str
    reference_text: str
    reference: str
    reference_value: str
    rows: tuple[ContributionView, ...]
    others: tuple[OtherView, ...]
    idle: tuple[OtherView, ...]
    total_label: str
    total: str
    error: str
    start: str
    end: str


class ContributionsPresenter:
    """Puts the contributions of one model's predictions into words and coordinates."""

    def __init__(
        self, card: Card, scale: Scale, phrases: Phrases, directions: Mapping[str, int]
    ) -> None:
        """Keep what is needed for all predictions.

        Args:
            card: the model's card.
            scale: of its output.
            phrases: for its fields.
            directions: 1 for a feature that usually goes with higher answers, -1 with lower ones.
        """
        self._card = card
        self._scale = scale
        self._phrases = phrases
        self._directions = directions

    def present(
        self,
        shapley: ShapleyValues,
        given: Features,
        reference: Features,
        prediction: tuple[float, str],
        subject: str,
        total_label: str,
    ) -> ContributionsView:
        """Present the contributions to a prediction.

        Args:
            shapley: the contributions of the given features, and the reference's prediction.
            given: the features that are known.
            reference: the typical row.
            prediction: what the contributions lead to, rounded to the scale's step, and its text.
            subject: what the amounts measure; "" for the output itself.
            total_label: what stands at their end; "" for this case.
        """
        scale = self._scale
        rounded, total = prediction
        base = round(shapley.base / scale.fine_step) * scale.fine_step
        exact = shapley.contributions
        names = [self._card.names[column] for column in shapley.columns]
        parts = list(map(_Part, names, exact, apportion(exact, rounded - base, scale.fine_step)))
        parts.sort(key=lambda part: -abs(part.exact))
        moving = [part for part in parts if part.amount]
        idle = [part for part in parts if not part.amount]
        listed, further = moving[:MAX_REASONS], moving[MAX_REASONS:]
        named = MAX_NAMED if len(further) <= MAX_NAMED else 0
        geometry = charts.lay_out_waterfall(base, [part.amount for part in listed], rounded)
        rows = []
        for (name, share, amount), bar in zip(listed, geometry.bars, strict=True):
            value, unusual = given[name], False
            direction, typical = self._directions.get(name), reference[name]
            if direction and typical is not None:
                more = value > typical  # type: ignore[operator]  # only what has an order has one
                unusual = (direction if more else -direction) * amount < 0
            rows.append(
                ContributionView(
                    name,
                    self._phrases[name].explain(value, unusual),
                    format_signed(scale, amount),
                    format_exact(share),
                    *bar,
                )
            )
        return ContributionsView(
            subject,
            self._card.reference_text,
            scale.format(base),
            format_exact(shapley.base),
            tuple(rows),
            self._list_others(further, given, named, "The {count} other facts together"),
            self._list_others(idle, given, MAX_IDLE, "{count} more"),
            total_label or f"This {self._card.case_noun}",
            total,
            self._format_error(shapley.error),
            geometry.start,
            geometry.end,
        )

    def _list_others(
        self, parts: Sequence[_Part], given: Features, most: int, rest_text: str
    ) -> tuple[OtherView, ...]:
        """Put the first contributions into one sentence, and the sum of the rest at its end."""
        views = [
            OtherView(
                name,
                ", " if number else "",
                self._phrases[name].mention(given[name], not number),
                format_signed(self._scale, amount),
                format_exact(share),
            )
            for number, (name, share, amount) in enumerate(parts[:most])
        ]
        if rest := parts[most:]:
            count = formatting.format_number(len(rest), self._card.locale)
            amount, share = sum(part.amount for part in rest), sum(part.exact for part in rest)
            words = escape(rest_text.format(count=count))
            views.append(
                OtherView("", "", words, format_signed(self._scale, amount), format_exact(share))
            )
        if len(views) > 1:
            views[-1] = views[-1]._replace(joint=" and ")
        return tuple(views)

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
