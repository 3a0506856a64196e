"""From a column's name to a field's: name, label, unit, noun."""

import re
import unicodedata
from dataclasses import dataclass

from model.contract.card import PAGE_IDS

# properties of a form element, which a field of that name would hide
_PROPERTIES = (
    "id", "action", "method", "elements", "target", "submit", "reset", "attributes", "children",
    "closest", "matches", "remove", "append", "contains", "dataset",
)  # fmt: skip
RESERVED = PAGE_IDS | frozenset(_PROPERTIES)
"""Names that no drafted field gets."""

_UNITS = {
    "mm": "mm", "cm": "cm", "km": "km", "m": "m", "kg": "kg", "g": "g", "mg": "mg", "lb": "lb",
    "lbs": "lb", "oz": "oz", "ml": "ml", "sqft": "sq ft", "sqm": "m²", "m2": "m²", "km2": "km²",
    "usd": "USD", "eur": "EUR", "gbp": "GBP", "chf": "CHF", "pct": "%", "percent": "%",
    "days": "days", "hours": "hours", "hrs": "hours", "minutes": "minutes", "mins": "minutes",
    "seconds": "seconds", "secs": "seconds", "ms": "ms", "months": "months", "weeks": "weeks",
    "years": "years", "yrs": "years", "mph": "mph", "kmh": "km/h", "kwh": "kWh", "kw": "kW",
    "mpg": "mpg", "hp": "hp", "celsius": "°C", "degc": "°C", "fahrenheit": "°F", "degf": "°F",
    "bpm": "bpm", "mmhg": "mmHg", "hpa": "hPa", "ppm": "ppm", "inches": "in", "feet": "ft",
}  # fmt: skip
CURRENCIES = ("USD", "EUR", "GBP", "CHF")
_SHORT = ("m", "g")
"""Units that are believed only at the end, where a letter could be anything."""

_NEUTRAL = ("y", "y_true", "target", "output", "response", "dependent")
"""Names of targets that say nothing of what is answered."""

_SHORTEST = ("at", "by", "do", "id", "in", "is", "no", "of", "on", "or", "to", "up")
"""Short words that are no abbreviation."""

_LONGEST_NAME = 41
_LONGEST_LABEL = 60


@dataclass(frozen=True)
class Naming:
    """What a field is called; ``unit`` is "" where the name tells none."""

    name: str
    label: str
    noun: str
    unit: str


def name_columns(columns: list[str], numbers: set[str]) -> list[Naming]:
    """Name a field for each column, every name once.

    Args:
        columns: the columns' own names.
        numbers: those that hold numbers; only they can have a unit.
    """
    taken: set[str] = set()
    named = []
    for column in columns:
        words, unit = _words(column, column in numbers)
        name = _unique(_clean(column), taken)
        taken.add(name)
        text = column if _abbreviates(column, words) and not unit else sentence(words)
        label = text[:_LONGEST_LABEL] or name
        named.append(Naming(name, label, lower_first(label), unit))
    return named


def name_target(column: str, is_number: bool) -> Naming:
    """What a model's answer is called; a target called ``y`` says nothing of what it is."""
    if column.lower() in _NEUTRAL:
        return Naming(_clean(column), "Answer", "answer", "")
    return name_columns([column], {column} if is_number else set())[0]


def with_article(noun: str) -> str:
    """A noun after "a" or "an"."""
    return f"an {noun}" if re.match(r"[aio]|e(?!u)", noun) and noun[:3] != "one" else f"a {noun}"


def sentence(words: list[str]) -> str:
    """Words as a label: the first letter large, abbreviations as they are."""
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return text[:1].upper() + text[1:]


def lower_first(label: str) -> str:
    """A label inside a sentence; a word with capitals of its own stays as it is."""
    own = any(character.isupper() for character in label.split(" ")[0][1:])
    return label if own else label[:1].lower() + label[1:]


def readable(value: object) -> str:
    """A choice's value as people read it: ``above_average`` is ``above average``."""
    text = " ".join(str(value).replace("_", " ").split())
    return (text or str(value))[:100]


def _split(column: str) -> list[str]:
    """The words of a name: snake_case, camelCase, dots, dashes and spaces alike."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    return [word for word in re.split(r"[\s_.\-]+", apart) if word]


def _abbreviates(column: str, words: list[str]) -> bool:
    """Whether a name in camelCase is one that nobody reads better apart, like SibSp."""
    whole = column.isalpha() and len(words) > 1
    return whole and any(len(word) < 3 and word.lower() not in _SHORTEST for word in words)


def _words(column: str, is_number: bool) -> tuple[list[str], str]:
    """The words of a label, and the unit that stands among them."""
    bracket = re.fullmatch(r"(.+?)\s*[(\[]([^)\]]*)[)\]]\s*", column)
    if bracket is not None:
        inside = bracket[2].strip()
        if not is_number:
            return _split(bracket[1]), ""
        return _split(bracket[1]), _UNITS.get(inside.lower(), inside)[:20]
    words = _split(column)
    if is_number and len(words) > 1:
        if words[-1].lower() in _UNITS:
            return words[:-1], _UNITS[words[-1].lower()]
        if words[0].lower() in _UNITS and words[0].lower() not in _SHORT:
            return words, _UNITS[words[0].lower()]
    return words, ""


def _clean(column: str) -> str:
    """Lower-case ASCII letters, digits and underscores, a letter first."""
    plain = unicodedata.normalize("NFKD", column.replace("ß", "ss"))
    apart = "_".join(_split(plain.encode("ascii", "ignore").decode()))
    name = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")
    if not name:
        name = "fact"
    if not name[0].isalpha():
        name = f"x_{name}"
    if name in RESERVED:
        name = f"{name}_value"
    return name[:_LONGEST_NAME].rstrip("_")


def _unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while (other := f"{name[: _LONGEST_NAME - 4]}_{number}") in taken:
        number += 1
    return other
