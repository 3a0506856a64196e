"""What each feature contributes to a prediction: one list, a waterfall at its side."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from app.presentation import charts
from app.presentation.phrases import Phrases
from app.presentation.scales import Scale, format_exact, format_signed
from model import Card, Features
from model.contract import formatting
from model.serving.explain import ShapleyValues

MAX_REASONS = 6
"""Contributions that have a row of their own; one sentence has the others."""

MAX_NAMED = 4
"""Further contributions that the sentence names; it sums up more than these."""


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
    and no row; ``idle`` make no difference. ``start`` and ``end`` are the places of the two ends.
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
    start: str
    end: str


class ContributionsPresenter:
    """Puts the contributions of one model's predictions into words and coordinates."""

    def __init__(
        self, card: Card, scale: Scale, phrases: Phrases, directions: Mapping[str, int]
    ) -> None:
        """Keep what is needed for all predictions.

        In ``directions`` 1 is for a feature that usually goes with higher answers, -1 with lower
        ones.
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

        The ``prediction`` is rounded to the scale's step. ``subject`` is what the amounts measure,
        "" for the output itself; ``total_label`` stands at their end, "" for this case.
        """
        scale, exact = self._scale, shapley.contributions
        shared = (*exact, shapley.joint) if shapley.others else exact
        rounded, total = prediction
        # Where nothing makes a difference, the typical row's answer is this one.
        moves = any(shared)
        base = round(shapley.base / scale.fine_step) * scale.fine_step if moves else rounded
        amounts = dict(enumerate(apportion(shared, rounded - base, scale.fine_step)))
        order = sorted(range(len(exact)), key=lambda index: -abs(exact[index]))
        moving = [index for index in order if amounts[index]]
        listed, further = moving[:MAX_REASONS], moving[MAX_REASONS:]
        idle = [index for index in order if not amounts[index]]
        joined = len(shapley.others)
        summed, shown = joined or len(further) > MAX_NAMED, 0.0
        joint = sum(exact[index] for index in further) + shapley.joint
        if summed:  # the sum is rounded as one, or it would have the sign of its roundings
            alone = [*(exact[index] for index in listed), joint]
            *parts, shown = apportion(alone, rounded - base, scale.fine_step)
            amounts = dict(zip(listed, parts, strict=True)) | dict.fromkeys(idle, 0.0)
        geometry = charts.lay_out_waterfall(base, [amounts[index] for index in listed], rounded)
        names, columns = self._card.names, shapley.columns
        rows = []
        for index, bar in zip(listed, geometry.bars, strict=True):
            name = names[columns[index]]
            value, amount, unusual = given[name], amounts[index], False
            direction, typical = self._directions.get(name), reference[name]
            if direction and typical is not None:
                more = value > typical  # type: ignore[operator]  # only what has an order has one
                unusual = (direction if more else -direction) * amount < 0
            rows.append(
                ContributionView(
                    name,
                    self._phrases[name].explain(value, unusual),
                    format_signed(scale, amount),
                    format_exact(exact[index]),
                    *bar,
                )
            )
        if summed:
            others: tuple[OtherView, ...] = (self._sum_up(len(further) + joined, shown, joint),)
        else:
            others = self._list_others(
                [
                    (names[columns[i]], given, format_signed(scale, amounts[i]), exact[i])
                    for i in further
                ]
            )
        return ContributionsView(
            subject,
            self._card.reference_text,
            scale.format(base),
            format_exact(shapley.base),
            tuple(rows),
            others,
            (self._sum_up(len(idle), 0, sum(exact[index] for index in idle)),)
            if len(idle) > MAX_NAMED and len(exact) > MAX_REASONS + MAX_NAMED
            else self._list_others(
                [(names[columns[i]], given, format_signed(scale, 0), exact[i]) for i in idle]
            ),
            total_label or f"This {self._card.case_noun}",
            total,
            geometry.start,
            geometry.end,
        )

    def _list_others(
        self, others: Sequence[tuple[str, Features, str, float]]
    ) -> tuple[OtherView, ...]:
        """Put features with their amounts into one sentence."""
        views = []
        for number, (name, given, amount, exact) in enumerate(others):
            last = number == len(others) - 1
            joint = "" if not number else " and " if last else ", "
            words = self._phrases[name].mention(given[name], not number)
            views.append(OtherView(name, joint, words, amount, format_exact(exact)))
        return tuple(views)

    def _sum_up(self, count: int, amount: float, exact: float) -> OtherView:
        """Put the contributions of many features into one amount."""
        number = formatting.format_number(count, self._card.locale)
        words = escape(f"The {number} other facts together")
        return OtherView("", "", words, format_signed(self._scale, amount), format_exact(exact))


def apportion(exact: Sequence[float], total: float, step: float) -> list[float]:
    """Round amounts to multiples of ``step`` so that they add up to ``total``, itself a multiple.

    Every amount is rounded to the nearest multiple. The steps that are then left over, those of the
    rounding of the total among them, go one by one to where they change least in proportion: so
    what makes no difference is never said to make one.
    """
    counts = [round(amount / step) for amount in exact]
    left = round(total / step) - sum(counts)
    if left:
        unit = 1 if left > 0 else -1
        moving = [index for index, amount in enumerate(exact) if amount]

        def change(index: int) -> float:
            return abs((counts[index] + unit) * step / exact[index] - 1)

        for _ in range(abs(left) if moving else 0):
            counts[min(moving, key=change)] += unit
    return [count * step for count in counts]
