"""From an answer to its reasons as the templates show them: why, what if, and similar rows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from app.presentation import charts
from app.presentation.cached_templates import ConstantPart
from app.presentation.scales import Scale, ceiling, signed
from model import ExplainedPrediction, Features, TabularModel
from model.contract import formatting
from model.contract.fields import AnyField
from model.serving.explain import Explanation
from model.serving.explained_predictor import Neighbor, WhatIf

MOST_DIFFERENCES = 3

MOST_WORDS = 4096
"""Values of one field whose words are kept: the same few come again, and each takes 3 us to say."""

LABEL_LENGTH = 8
"""Characters for which a curve always has room at its left, so that its axis does not move."""


class Reason(NamedTuple):
    """One contribution: as a sentence, for programs (``value``), and as a bar of the waterfall.

    The bar's left end, its width, and whether it goes "up" or "down".
    """

    field: str
    label: str
    amount: str
    because: str
    value: str
    x: str
    width: str
    way: str


class WhyView(NamedTuple):
    """The way from the reference row to this one; the shown amounts add up to the shown price.

    ``about`` says what the amounts are amounts of, where the heading does not; ``end`` is what
    stands at the end of the waterfall, ``first`` and ``last`` are where its two ends are.
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
    first: str
    last: str


class FactChoice(NamedTuple):
    """One of the facts that the what-if can go over."""

    name: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, eq=False)
class FactChoices(ConstantPart):
    """All of them; one instance for each that can be chosen."""

    facts: tuple[FactChoice, ...]


class CurveView(NamedTuple):
    """A curve with the ends of its axes in words, which take ``margin`` units at its left.

    ``width`` is that of the whole picture.
    """

    curve: charts.CurveGeometry
    left: str
    right: str
    bottom: str
    top: str
    margin: int
    width: int


class WhatIfView(NamedTuple):
    """What the model answers for other values of one fact, as a curve or as bars, and in words."""

    choices: FactChoices
    title: str
    words: str
    curve: CurveView | None
    bars: tuple[charts.ChoiceBar, ...]


class NeighborView(NamedTuple):
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
    similar: tuple[NeighborView, ...]
    similar_title: str
    support: str
    outside: bool
    facts: str


class _Phrases(NamedTuple):
    """One field's words: for a value, for how another one differs from it, for its reference."""

    label: str
    display: Callable[[Any], str]
    fact: Callable[[Any], str]
    reason: Callable[[Any], str]
    difference: Callable[[Any, Any], str]
    reference: str


class ExplanationPresenter:
    """Words and figures for one model's reasons; ``scale`` says its values."""

    def __init__(
        self, model: TabularModel[Any], scale: Scale, exact: Callable[[float], str]
    ) -> None:
        self._card = model.card
        self._model = model
        self._scale = scale
        self._exact = exact
        kept = lru_cache(MOST_WORDS)
        self._says = {
            field.name: _Phrases(
                field.label,
                kept(field.display),
                kept(field.fact),
                kept(field.reason),
                kept(field.difference),
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
        self._reference_facts = lru_cache(maxsize=128)(self._say_reference)
        self._observed = kept(lambda answer: (exact(answer), scale.observed(answer)))

    def view(
        self,
        answer: ExplainedPrediction[Any],
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
            shown = self._scale.round(value)
            text = self._scale.format(shown)
            why = self._why(answer.explanation, given, shown, text, about, end)
            curve = self._what_if(answer.curve, features, what_if, (value, text), about)
        return ReasonsView(
            why=why,
            what_if=curve,
            similar=tuple([self._neighbors(row, given) for row in answer.similar]),
            similar_title=self._card.similar_text,
            support="outside" if answer.outside else "inside",
            outside=answer.outside,
            facts=", ".join([self._says[name].fact(known) for name, known in given.items()]),
        )

    def _why(
        self,
        explanation: Explanation,
        given: Features,
        shown: float,
        total: str,
        about: str,
        end: str,
    ) -> WhyView:
        scale, exact = self._scale, explanation.contributions
        base = round(explanation.base / scale.fine) * scale.fine
        amounts = share_out(exact, shown - base, scale.fine)
        order = sorted(range(len(amounts)), key=lambda at: abs(exact[at]), reverse=True)
        fall = charts.waterfall(base, [amounts[at] for at in order])
        reasons = []
        for at, bar in zip(order, fall.bars, strict=True):
            name = self._card.names[explanation.columns[at]]
            says = self._says[name]
            amount = signed(scale, amounts[at])
            because = says.reason(given[name])
            reasons.append(Reason(name, says.label, amount, because, self._exact(exact[at]), *bar))
        reference = scale.format(base)
        told = "; ".join([f"{reason.label} {reason.amount}" for reason in reasons])
        return WhyView(
            f"From {reference} to {total}: {told}",
            about,
            end or self._card.output.label,
            self._card.reference_text,
            self._reference_facts(explanation.columns),
            reference,
            self._exact(explanation.base),
            tuple(reasons),
            total,
            self._error(explanation.error),
            fall.start,
            fall.end,
        )

    def _say_reference(self, columns: tuple[int, ...]) -> str:
        return ", ".join([self._says[self._card.names[column]].reference for column in columns])

    def _error(self, error: float) -> str:
        return self._scale.apart(ceiling(self._scale, error)) if error else ""

    def _what_if(
        self, curve: WhatIf, features: Features, what_if: str, answer: tuple[float, str], about: str
    ) -> WhatIfView:
        field = self._card.by_name[what_if]
        facts = self._choices[what_if]
        value = features[what_if]
        by = field.label if field.kind == "flag" else field.noun
        title = f"{about or self._card.output.label} by {by}"
        if field.kind in ("choice", "flag"):
            return self._bars(field, facts, curve, value, title)
        return self._curve(field, facts, curve, value, answer, title)

    def _bars(
        self, field: AnyField, facts: FactChoices, curve: WhatIf, value: object, title: str
    ) -> WhatIfView:
        labels = [field.display(field.decode(code)) for code in curve.values]
        present = None if value is None else field.display(value)
        order = sorted(range(len(labels)), key=lambda i: -curve.answers[i])
        items = [
            (labels[i], self._rounded(curve.answers[i]), curve.answers[i],
             labels[i] == present, curve.supported[i])
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
        curve: WhatIf,
        value: Any,
        answer: tuple[float, str],
        title: str,
    ) -> WhatIfView:
        first, last = curve.values[0], curve.values[-1]
        says = self._says[field.name]
        left, right = says.display(field.decode(first)), says.display(field.decode(last))
        words = (
            f"From {self._rounded(curve.answers[0])} at {left} "
            f"to {self._rounded(curve.answers[-1])} at {right}"
        )
        here = None
        if value is None:
            words += f", all else as it is. The {field.noun} is not given here."
        else:
            here = field.coder(value), answer[0]
            own = says.display(value)
            words += f"; here {answer[1]} at {own}, all else as it is."
            # A value beyond the grid widens the axis, and then stands at its end.
            if here[0] < first:
                left = own
            elif here[0] > last:
                right = own
        if not all(curve.supported):
            words += f" Where the line is broken, {self._nothing_like}."
        drawn = charts.curve(
            curve.values, curve.answers, curve.low, curve.high, curve.supported, here
        )
        bottom, top = self._rounded(drawn.lowest), self._rounded(drawn.highest)
        margin = 6 + 8 * max(LABEL_LENGTH, len(bottom), len(top))
        view = CurveView(drawn, left, right, bottom, top, margin, margin + 328)
        return WhatIfView(facts, title, words, view, ())

    @property
    def _nothing_like(self) -> str:
        return "nothing like it is in the data"

    def _rounded(self, value: float) -> str:
        return self._scale.format(self._scale.round(value))

    def _neighbors(self, sold: Neighbor, given: Features) -> NeighborView:
        differs = []
        for name, mine in given.items():
            theirs = sold.features[name]
            if mine != theirs:
                differs.append(self._says[name].difference(mine, theirs))
        if len(differs) > MOST_DIFFERENCES:
            more = formatting.number(len(differs) - MOST_DIFFERENCES, self._card.locale)
            differs[MOST_DIFFERENCES:] = [f"and {more} more"]
        value, text = self._observed(sold.answer)
        return NeighborView(
            value,
            text,
            str(sold.year) if sold.year else "",
            ", ".join(differs) or "the same in every fact that is given",
        )


def share_out(exact: Sequence[float], total: float, step: float) -> list[float]:
    """Round amounts to multiples of ``step`` so that they add up to ``total``, itself a multiple.

    The largest-remainder method (Hamilton): every amount is rounded down, and the steps that are
    left over go to the largest remainders; what the total itself was rounded by goes the same way.
    """
    if not exact:
        return []
    floors, left = [], []
    for amount in exact:
        steps = amount / step
        floor = math.floor(steps)
        floors.append(floor)
        left.append(steps - floor)
    every, some = divmod(round(total / step) - sum(floors), len(exact))
    if some:
        for at in sorted(range(len(exact)), key=left.__getitem__, reverse=True)[:some]:
            floors[at] += 1
    return [(floor + every) * step for floor in floors]
