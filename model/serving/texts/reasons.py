"""Which words of a text speak for an answer, and which against it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from model.contract.arrays import FloatArray
from model.serving.texts.analyzer import Analyzer
from model.serving.texts.vectorizer import Knowledge, Vectorizer

MOST_LEFT_OUT = 60
"""Different words of a text that are left out in turn: as many rows in one call of the model."""


class TextSpan(NamedTuple):
    """A word where it stands in the text, and what it speaks for: its amount, 0 for nothing."""

    start: int
    stop: int
    amount: float


class TextReasons(NamedTuple):
    """What the words of one text have to do with the answer.

    ``parts`` has the amount of each term that was looked at: of a linear model (``exact``) its part
    in the score of the class or in the number, else by how much the answer falls where the word is
    left out. ``untried`` is how many different words were not left out, because there are so many.
    ``spans`` are the words in their order.
    """

    field: str
    text: str
    knowledge: Knowledge
    parts: Mapping[str, float] = {}
    exact: bool = False
    untried: int = 0
    spans: tuple[TextSpan, ...] = ()


def leave_words_out(
    reasons: TextReasons, vectorizer: Vectorizer, answer: Callable[[Sequence[str]], FloatArray]
) -> TextReasons:
    """Leave out each word of a text in turn, and see by how much the answer falls.

    Args:
        reasons: what is known of the text.
        vectorizer: how the model reads it.
        answer: the model's answers to some texts in its place, shape (texts,).
    """
    analyzer = vectorizer.options.analyzer
    variants = list_variants(reasons.text, analyzer)
    if analyzer.marks_terms and analyzer.ngram_range[0] == 1:
        words = {*vectorizer.shortest.split(reasons.text)} if variants else set()
        variants = {word: text for word, text in variants.items() if word in words}
    tried = dict(list(variants.items())[:MOST_LEFT_OUT])
    own, *others = answer([reasons.text, *tried.values()]).astype(np.float64).tolist()
    parts = {word: own - other for word, other in zip(tried, others, strict=True)}
    return reasons._replace(parts=parts, untried=len(variants) - len(tried))


def list_variants(text: str, analyzer: Analyzer) -> dict[str, str]:
    """Return the text without each of its different words in turn, by the word."""
    places: dict[str, list[tuple[int, int]]] = {}
    for start, stop, word in analyzer.find_spans(text):
        places.setdefault(word, []).append((start, stop))
    variants = {}
    for word, spans in places.items():
        pieces, last = [], 0
        for start, stop in spans:
            pieces.append(text[last:start])
            last = stop
        variants[word] = "".join(pieces) + text[last:]
    return variants


def locate(text: str, parts: Mapping[str, float], analyzer: Analyzer) -> tuple[TextSpan, ...]:
    """Return each word of a text with its share of the parts.

    Words in a row share their amount, and so do the places where a word stands.
    """
    words: dict[str, float] = {}
    for term, amount in parts.items():
        if term in words or not analyzer.marks_terms or " " not in term:
            words[term] = words.get(term, 0.0) + amount
            continue
        for word in (pieces := term.split(" ")):
            words[word] = words.get(word, 0.0) + amount / len(pieces)
    return tuple(
        TextSpan(start, stop, words.get(word, 0.0))
        for start, stop, word in analyzer.find_spans(text)
    )
