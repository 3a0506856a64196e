"""The placeholders in a card's texts, like ``{value}``."""

import string
from collections.abc import Sequence


def check_placeholders(text: str, key: str, allowed: Sequence[str]) -> list[str]:
    """The names between braces in a text, in their order.

    A placeholder is an allowed name in braces and nothing else: ``str.format`` would take
    ``{value.__class__}``, ``{value[x]}``, ``{value!r}`` and ``{value:9}``, too, which show the
    inside of the program or fill its memory. ``key`` is that of the text in the card, and
    ``allowed`` are the names that it may use.

    Raises:
        ValueError: for any other placeholder, or a brace alone; says what to write.
    """
    try:
        parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:  # a brace alone
        parts = [("", "", "")]
    names = [str(name) for name, _, _ in parts]
    if not set(names) <= set(allowed) or any(spec or conversion for _, spec, conversion in parts):
        named = " and ".join(f"{{{name}}}" for name in allowed)
        raise ValueError(
            f"{key} can have the placeholders {named}, and no others. Write them just like that, "
            "and a brace that is text twice: {{ or }}"
        )
    return names
