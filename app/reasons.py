"""From an answer to its reasons as the templates show them: why, what if, and similar rows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from app import charts
from app.scales import Scale, ceiling, signed
from app.skeletons import Lasting
from model import Answer, Features, RowModel, formatting
from model.asking import Curve, Sold
from model.explain import Explanation
from model.fields import AnyField

MOST_DIFFERENCES = 3

MOST_WORDS = 4096
"""Values of one field whose words are kept: the same few come again, and each takes 3 us to say."""


class Reason(NamedTuple):
    """One contribution: as a sentence, for programs (``value``), and as a bar of the waterfall."""

    field: str
    label: str
    amount: str
    because: str
    value: str
    bar: charts.Bar


class WhyView(NamedTuple):
    """The way from the reference row to this one; the shown amounts add up to the shown price.

    ``about`` says what the amounts are amounts of, where the heading does not; ``end`` is what
    stands at the end of the waterfall.
    """

    title: str
    about: str
    end: str
    reference_text: str
    reference_facts: str
    reference: str
    reference_value: str
    reasons: tuple[Reason, ...]
    total: str
    error: str
    waterfall: charts.Waterfall


class FactChoice(NamedTuple):
    """One of the facts that the what-if can go over."""

    name: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, eq=False)
class FactChoices(Lasting):
    """All of them; one instance for each that can be chosen."""

    facts: tuple[FactChoice, ...]


class WhatIfView(NamedTuple):
    """What the model answers for other values of one fact, as a curve or as bars, and in words."""

    choices: FactChoices
    title: str
    words: str
    curve: charts.Curve | None
    bars: charts.Bars | None


class SoldView(NamedTuple):
    """A similar row: what was observed (``value`` for programs), when, and how it differs.

    ``year`` is "" where the data say nothing of time.
    """

    value: str
    text: str
    year: str
    differs: str


class ReasonsView(NamedTuple):
    """Everything below the answer that explains it.

    ``why`` and ``what_if`` are None where the model says a class alone: it gives nothing that could
    be shared out.
    """

    why: WhyView | None
    what_if: WhatIfView | None
    similar: tuple[SoldView, ...]
    similar_title: str
    support: str
    outside: bool
    facts: str


class _Says(NamedTuple):
    """One field's words: for values as ``fact`` and ``reason``, and for its reference value."""

    label: str
    fact: Callable[[Any], str]
    reason: Callable[[Any], str]
    reference: str


class Reasoner:
    """Words and figures for one model's reasons; ``scale`` says its values."""

    def __init__(self, model: RowModel[Any], scale: Scale, exact: Callable[[float], str]) -> None:
        self._card = model.card
        self._model = model
        self._scale = scale
        self._exact = exact
        self._says = {
            field.name: _Says(
                field.label,
                lru_cache(MOST_WORDS)(field.fact),
                lru_cache(MOST_WORDS)(field.reason),
                ""
                if (usual := model.manifest.reference[field.name]) is None
                else field.fact(usual),
            )
            for field in model.card.fields
        }
        self._choices = {
            name: FactChoices(
                tuple(
                    FactChoice(field.name, field.label, field.name == name)
                    for field in model.card.fields
                )
            )
            for name in model.card.names
        }

    def view(
        self,
        answer: Answer[Any],
        features: Features,
        what_if: str,
        value: float | None,
        about: str = "",
        end: str = "",
    ) -> ReasonsView:
        """The reasons for an answer.

        Args:
            answer: with its explanation and curve.
            features: the row.
            what_if: the fact over which the curve goes.
            value: what the reasons lead to, unrounded; None for a class alone, which has none.
            about: what the amounts are amounts of.
            end: what stands at their end; "" for the output's label.
        """
        why = curve = None
        given = {name: known for name in self._card.names if (known := features[name]) is not None}
        if value is not None:
            why = self._why(answer.explanation, given, self._scale.round(value), about, end)
            curve = self._what_if(answer.curve, features, what_if, value, about)
        return ReasonsView(
            why=why,
            what_if=curve,
            similar=tuple([self._sold(row, given) for row in answer.similar]),
            similar_title=self._card.similar_text,
            support="outside" if answer.outside else "inside",
            outside=answer.outside,
            facts=", ".join([self._says[name].fact(known) for name, known in given.items()]),
        )

    def _why(
        self, explanation: Explanation, given: Features, shown: float, about: str, end: str
    ) -> WhyView:
        step = self._scale.fine
        base = round(explanation.base / step) * step
        amounts = share_out(explanation.contributions, shown - base, step)
        exact = explanation.contributions
        order = sorted(range(len(amounts)), key=lambda i: abs(exact[i]), reverse=True)
        waterfall = charts.waterfall(base, [amounts[i] for i in order])
        reasons = []
        for i, bar in zip(order, waterfall.bars, strict=True):
            name = self._card.names[explanation.columns[i]]
            says = self._says[name]
            amount = signed(self._scale, amounts[i])
            because = says.reason(given[name])
            reasons.append(Reason(name, says.label, amount, because, self._exact(exact[i]), bar))
        reference, total = self._scale.say(base), self._scale.say(shown)
        told = "; ".join([f"{reason.label} {reason.amount}" for reason in reasons])
        return WhyView(
            title=f"From {reference} to {total}: {told}",
            about=about,
            end=end or self._card.output.label,
            reference_text=self._card.reference_text,
            reference_facts=", ".join([self._says[name].reference for name in given]),
            reference=reference,
            reference_value=self._exact(explanation.base),
            reasons=tuple(reasons),
            total=total,
            error=self._error(explanation.error),
            waterfall=waterfall._replace(bars=()),  # each is with its reason
        )

    def _error(self, error: float) -> str:
        return self._scale.apart(ceiling(self._scale, error)) if error else ""

    def _what_if(
        self, curve: Curve, features: Features, what_if: str, answer: float, about: str
    ) -> WhatIfView:
        field = self._card.by_name[what_if]
        facts = self._choices[what_if]
        value = features[what_if]
        here = None if value is None else (field.encode(value), answer)
        title = f"{about or self._card.output.label} by {field.noun}"
        if field.kind in ("choice", "flag"):
            return self._bars(field, facts, curve, value, title)
        return self._curve(field, facts, curve, value, here, title)

    def _bars(
        self, field: AnyField, facts: FactChoices, curve: Curve, value: object, title: str
    ) -> WhatIfView:
        labels = [field.display(field.decode(float(code))) for code in curve.values]
        present = None if value is None else field.display(value)
        order = sorted(range(len(labels)), key=lambda i: -curve.answers[i])
        items = [
            (labels[i], self._rounded(float(curve.answers[i])), float(curve.answers[i]),
             labels[i] == present, bool(curve.supported[i]))
            for i in order
        ]  # fmt: skip
        words = (
            f"From {items[-1][1]} with {items[-1][0]} to {items[0][1]} with {items[0][0]}"
            f"{self._here(items, present)}, all else as it is."
        )
        if not all(item[4] for item in items):
            words += f" Pale bars: {self._nothing_like}."
        return WhatIfView(facts, title, words, None, charts.bars(items))

    @staticmethod
    def _here(items: Sequence[tuple[str, str, float, bool, bool]], present: str | None) -> str:
        here = next((text for label, text, _, is_here, _ in items if is_here), None)
        return "" if here is None else f"; here {here} with {present}"

    def _curve(
        self,
        field: AnyField,
        facts: FactChoices,
        curve: Curve,
        value: object,
        here: tuple[float, float] | None,
        title: str,
    ) -> WhatIfView:
        first, last = float(curve.values[0]), float(curve.values[-1])
        ends = [field.display(field.decode(code)) for code in (first, last)]
        prices = [self._rounded(float(curve.answers[i])) for i in (0, -1)]
        words = f"From {prices[0]} at {ends[0]} to {prices[1]} at {ends[1]}"
        if here is None:
            words += f", all else as it is. The {field.noun} is not given here."
        else:
            words += (
                f"; here {self._rounded(here[1])} at {field.display(value)}, all else as it is."
            )
        if not curve.supported.all():
            words += f" Where the line is broken, {self._nothing_like}."
        drawn = charts.curve(
            curve.values, curve.answers, curve.low, curve.high, curve.supported, here
        )
        # A value beyond the grid widens the axis, and then stands at its end.
        labels = charts.labels(
            left=field.display(value) if here and here[0] < first else ends[0],
            right=field.display(value) if here and here[0] > last else ends[1],
            bottom=self._rounded(drawn.lowest),
            top=self._rounded(drawn.highest),
        )
        return WhatIfView(facts, title, words, drawn.labelled(labels), None)

    @property
    def _nothing_like(self) -> str:
        return "nothing like it is in the data"

    def _rounded(self, value: float) -> str:
        return self._scale.say(self._scale.round(value))

    def _sold(self, sold: Sold, given: Features) -> SoldView:
        differs = [
            self._card.by_name[name].difference(mine, sold.features[name])
            for name, mine in given.items()
            if mine != sold.features[name]
        ]
        shown = differs[:MOST_DIFFERENCES]
        if len(differs) > MOST_DIFFERENCES:
            count = formatting.number(len(differs) - MOST_DIFFERENCES, self._card.locale)
            shown.append(f"and {count} more")
        words = ", ".join(shown) or "the same in every fact that is given"
        return SoldView(
            self._exact(sold.answer),
            self._scale.observed(sold.answer),
            str(sold.year) if sold.year else "",
            words,
        )


def share_out(exact: Sequence[float], total: float, step: float) -> list[float]:
    """Round amounts to multiples of ``step`` so that they add up to ``total``, itself a multiple.

    The largest-remainder method (Hamilton): every amount is rounded down, and the steps that are
    left over go to the largest remainders; what the total itself was rounded by goes the same way.
    """
    if not exact:
        return []
    floors = [math.floor(amount / step) for amount in exact]
    rest = round(total / step) - sum(floors)
    by_remainder = sorted(
        range(len(exact)), key=lambda i: exact[i] / step - floors[i], reverse=True
    )
    every, some = divmod(rest, len(exact))
    for place, i in enumerate(by_remainder):
        floors[i] += every + (place < some)
    return [floor * step for floor in floors]
