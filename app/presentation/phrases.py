"""The words for one field's values, kept once formatted."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from model import Card, Features
from model.contract.formatting import capitalize

MAX_PHRASES = 40_960
"""Values of all fields whose words are kept: the same few recur, and formatting one takes 3 us."""

Phrases = dict[str, "FieldPhrases"]
"""The words for every field, by its name."""


class FieldPhrases(NamedTuple):
    """The words for one field: for a value, and for its difference to another.

    ``reason`` is split where a number or a name begins and ends, because no translator may change
    those. ``mention`` is the same in HTML, with a capital at the beginning of a sentence.
    ``explain`` goes on with how the value differs from a typical one, and with "at the same size"
    or the like where the sign of its contribution is unusual.
    """

    label: str
    display: Callable[[Any], str]
    fact: Callable[[Any], str]
    reason: Callable[[Any], tuple[str, str, str]]
    mention: Callable[[Any, bool], Markup]
    explain: Callable[[Any, bool], Markup]
    difference: Callable[[Any, Any], str]


def cache_phrases(card: Card, reference: Features) -> Phrases:
    """Wrap what formats each field's values in a cache."""

    size = MAX_PHRASES // len(card.fields)

    def make_phrases(field: Any, typical: Any) -> FieldPhrases:
        # What somebody wrote is not kept.
        cached: Callable[[Any], Any] = _keep_nothing if field.is_text else lru_cache(size)
        reason = cached(field.split_reason)

        def mention(value: Any, first: bool) -> Markup:
            before, text, after = reason(value)
            if first and not (field.label == field.noun and before.startswith(field.noun)):
                before = capitalize(before)
            return _protect(before, text, after)

        def explain(value: Any, unusual: bool) -> Markup:
            words = mention(value, True)
            if value == typical:
                words += ", as is typical"
            elif typical is not None:
                words += _protect(*field.split_deviation(value, typical))
            return words + (f", {field.unchanged_text}" if unusual else "")

        return FieldPhrases(
            field.label,
            cached(field.format_value),
            cached(field.format_fact),
            reason,
            cached(mention),
            cached(explain),
            cached(field.format_difference),
        )

    return {field.name: make_phrases(field, reference[field.name]) for field in card.fields}


def _keep_nothing(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _protect(before: str, text: str, after: str) -> Markup:
    """Join words, a text that no translator may change, and words."""
    protected = f'<span translate="no">{escape(text)}</span>' if text else ""
    return Markup(f"{escape(before)}{protected}{escape(after)}")  # noqa: S704 (escaped here)
