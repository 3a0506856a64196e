"""The words of a text: which of them speak for the answer, which against, and which are known."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from app.presentation.scales import Scale, format_exact, format_signed
from model import Card
from model.contract import formatting
from model.contract.amounts import MINUS
from model.serving.mismatches import describe_knowledge
from model.serving.texts.reasons import TextReasons

MAX_WORDS = 6
"""Words for an answer that have a row of their own, and as many against it."""

_FAINT = 0.05
"""A word is marked from this share of the largest amount."""

_MARKS = {True: Markup('<mark class="for">{}</mark>'), False: Markup('<mark class="not">{}</mark>')}


class WordView(NamedTuple):
    """A word with its amount in words and for programs, and the length of its bar of 100."""

    word: str
    amount: str
    value: str
    width: str
    direction: str


class WordListView(NamedTuple):
    """The words of one direction, under a heading; ``rest`` says what is not listed."""

    heading: str
    rows: tuple[WordView, ...]
    rest: str


class TextView(NamedTuple):
    """A text with its words marked, and a list of them.

    ``field`` is the name of the field; ``how`` says what the amounts are, ``known`` how many of the
    words the model knows. ``marked`` is the text in HTML.
    """

    field: str
    title: str
    how: str
    known: str
    marked: Markup
    lists: tuple[WordListView, ...]


class WordsPresenter:
    """Puts what is known of the words of texts into words."""

    def __init__(self, card: Card, scale: Scale) -> None:
        self._card = card
        self._scale = scale

    def present(self, reasons: TextReasons, subject: str, answer: str) -> TextView:
        """Present the words of one text.

        ``subject`` is what the answer is about, like "Probability of spam", ``answer`` the
        predicted class; "" for a number.
        """
        amounts = reasons.parts
        # What would be shown as nothing is not listed.
        least = 0.005 if reasons.exact and answer else self._scale.fine_step / 2
        largest = max(map(abs, amounts.values()), default=0.0)
        ordered = sorted(amounts.items(), key=lambda item: -abs(item[1]))
        about = answer or self._card.output.noun
        headings = (f"For {about}", f"Against {about}") if answer else ("More", "Less")
        lists = []
        for heading, sign in zip(headings, (1, -1), strict=True):
            every = [(word, amount) for word, amount in ordered if sign * amount > least]
            if not every:
                continue
            listed = every[:MAX_WORDS]
            rows = [self._present_word(item, largest, reasons.exact, answer) for item in listed]
            lists.append(WordListView(heading, tuple(rows), self._count_rest(every[MAX_WORDS:])))
        field = self._card.by_name[reasons.field]
        return TextView(
            reasons.field,
            f"Words of the {field.noun}",
            self._say_how(reasons, subject, answer),
            describe_knowledge(self._card, reasons.field, reasons.knowledge),
            _mark(reasons, largest),
            tuple(lists),
        )

    def _present_word(
        self, item: tuple[str, float], largest: float, exact: bool, answer: str
    ) -> WordView:
        word, amount = item
        if exact and answer:
            text = formatting.format_hundredths(abs(amount), self._card.locale)
            text = f"{MINUS if amount < 0 else '+'}\u00a0{text}"
        else:
            step = self._scale.fine_step
            text = format_signed(self._scale, round(amount / step) * step)
        width = format_exact(round(100 * abs(amount) / largest, 1))
        return WordView(word, text, format_exact(amount), width, "up" if amount > 0 else "less")

    def _count_rest(self, others: Sequence[tuple[str, float]]) -> str:
        if not others:
            return ""
        count = formatting.format_number(len(others), self._card.locale)
        return f"and {count} more word{'s' * (len(others) > 1)}, each of them less"

    def _say_how(self, reasons: TextReasons, subject: str, answer: str) -> str:
        if not reasons.parts:
            return "No word has an amount of its own."
        if reasons.exact:
            what = f"score by which the model decides for {answer}" if answer else "answer"
            return f"Each amount is exactly the word’s part in the {what}."
        falls = f"{subject or self._card.output.noun}"
        text = f"Each amount is by how much the {falls[:1].lower()}{falls[1:]} falls without it."
        if reasons.untried:
            count = formatting.format_number(reasons.untried, self._card.locale)
            words = "word was" if reasons.untried == 1 else "words were"
            text += f" {count} further {words} not tried."
        return text


def _mark(reasons: TextReasons, largest: float) -> Markup:
    """The text in HTML, the words that count marked."""
    pieces, last, text = [], 0, reasons.text
    for start, stop, amount in reasons.spans:
        if abs(amount) > _FAINT * largest and start >= last:
            mark = _MARKS[amount > 0]
            pieces += [escape(text[last:start]), mark.format(text[start:stop])]
            last = stop
    return Markup("").join([*pieces, escape(text[last:])])
