"""The words for one field's values, kept once formatted."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from model import Card, Features

MAX_PHRASES = 4096
"""Values of one field whose words are kept: the same few recur, and formatting one takes 3 us."""

Phrases = dict[str, "FieldPhrases"]
"""The words for every field, by its name."""


class FieldPhrases(NamedTuple):
    """The words for one field: for a value, and for its difference to another.

    ``reason`` and ``deviation`` are split where a number or a name begins and ends, because no
    translator may change those.
    """

    label: str
    display: Callable[[Any], str]
    fact: Callable[[Any], str]
    reason: Callable[[Any], tuple[str, str, str]]
    deviation: Callable[[Any], tuple[str, str, str]]
    difference: Callable[[Any, Any], str]
    unchanged: str


def cache_phrases(card: Card, reference: Features) -> Phrases:
    """Wrap what formats each field's values in a cache."""
    cached = lru_cache(MAX_PHRASES)

    def make_phrases(field: Any, typical: Any) -> FieldPhrases:
        def split_deviation(value: Any) -> tuple[str, str, str]:
            if typical is None:
                return "", "", ""
            if value == typical:
                return ", as is typical", "", ""
            deviation: tuple[str, str, str] = field.split_deviation(value, typical)
            return deviation

        return FieldPhrases(
            field.label,
            cached(field.format_value),
            cached(field.format_fact),
            cached(field.split_reason),
            cached(split_deviation),
            cached(field.format_difference),
            f", {field.unchanged_text}",
        )

    return {field.name: make_phrases(field, reference[field.name]) for field in card.fields}
