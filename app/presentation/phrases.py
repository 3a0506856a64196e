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
    """The words for one field: for a value, for its difference to another, for the reference."""

    label: str
    display: Callable[[Any], str]
    fact: Callable[[Any], str]
    reason: Callable[[Any], str]
    difference: Callable[[Any, Any], str]
    reference: str


def cache_phrases(card: Card, reference: Features) -> Phrases:
    """Wrap what formats each field's values in a cache."""
    cached = lru_cache(MAX_PHRASES)
    return {
        field.name: FieldPhrases(
            field.label,
            cached(field.format_value),
            cached(field.format_fact),
            cached(field.format_reason),
            cached(field.format_difference),
            "" if (value := reference[field.name]) is None else field.format_fact(value),
        )
        for field in card.fields
    }
