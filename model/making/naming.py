"""From a column's name to the name, label, unit and noun of its field."""

import re
import unicodedata
from dataclasses import dataclass

from model.contract.card import PAGE_IDS

# Properties of a form element: a field of that name would hide them.
_PROPERTIES = (
    "id", "action", "method", "elements", "target", "submit", "reset", "attributes", "children",
    "closest", "matches", "remove", "append", "contains", "dataset",
)  # fmt: skip
RESERVED = PAGE_IDS | frozenset(_PROPERTIES)
"""Names that no drafted field may have."""

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
_SHORT_UNITS = ("m", "g")
"""Units that count only at the end of a name: elsewhere such a letter could mean anything."""

_NEUTRAL = ("y", "y_true", "target", "output", "response", "dependent")
"""Names of targets that do not tell what the model answers."""

_SHORT_WORDS = ("at", "by", "do", "id", "in", "is", "no", "of", "on", "or", "to", "up")
"""Short words that are no abbreviations."""

_LONGEST_NAME = 41
_LONGEST_LABEL = 60
_LONGEST_WORD = 24


@dataclass(frozen=True)
class Naming:
    """What a field is called; ``unit`` is "" where the name does not tell one."""

    name: str
    label: str
    noun: str
    unit: str


def name_columns(columns: list[str], numbers: set[str]) -> list[Naming]:
    """Name a field for each column; no two names are alike.

    Args:
        columns: the columns' own names.
        numbers: those that hold numbers, for only they can have a unit.
    """
    taken: set[str] = set()
    named = []
    for column in columns:
        words, unit = _split_unit(column, column in numbers)
        name = _make_unique(_make_identifier(column), taken)
        taken.add(name)
        text = column if _is_abbreviation(column, words) and not unit else join_words(words)
        label = text[:_LONGEST_LABEL] or name
        named.append(Naming(name, label, _make_noun(label), unit))
    return named


def name_target(column: str, is_number: bool) -> Naming:
    """Name a model's answer; a target called ``y`` becomes "Answer".

    Args:
        column: the target's own name.
        is_number: whether it holds numbers, for only they can have a unit.
    """
    if column.lower() in _NEUTRAL:
        return Naming(_make_identifier(column), "Answer", "answer", "")
    return name_columns([column], {column} if is_number else set())[0]


def name_rows(file: str) -> str:
    """Name the rows of a file by its name, where that is a word in the plural: "cars".

    Args:
        file: the name of the data's file, like "cars.csv".
    """
    word = file.partition(".")[0].lower()
    plural = word.isalpha() and word.endswith("s") and not word.endswith(("ss", "us", "is", "tes"))
    return word if plural and len(word) <= _LONGEST_WORD else "rows"


def _make_noun(label: str) -> str:
    """Make the noun of a label: in quotes where it does not read as one, like “Sold on”."""
    last = label.rpartition(" ")[2].lower()
    return f"“{label}”"[:_LONGEST_LABEL] if last in _SHORT_WORDS else lower_first(label)


def join_words(words: list[str]) -> str:
    """Join words to a label: a capital first, and abbreviations as they are."""
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return text[:1].upper() + text[1:]


def lower_first(label: str) -> str:
    """Write a label as inside a sentence; a first word with other capitals stays as it is."""
    has_capitals = any(character.isupper() for character in label.split(" ")[0][1:])
    return label if has_capitals else label[:1].lower() + label[1:]


def format_choice(value: object) -> str:
    """Write a choice's value as people read it: ``above_average`` as ``above average``."""
    text = " ".join(str(value).replace("_", " ").split())
    return (text or str(value))[:100]


def _split(column: str) -> list[str]:
    """Split a name into words at case changes, underscores, dots, dashes and spaces."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    return [word for word in re.split(r"[\s_.\-]+", spaced) if word]


def _is_abbreviation(column: str, words: list[str]) -> bool:
    """Whether a name in camelCase is easier to read unsplit, like SibSp."""
    camel_case = column.isalpha() and len(words) > 1
    return camel_case and any(len(word) < 3 and word.lower() not in _SHORT_WORDS for word in words)


def _split_unit(column: str, is_number: bool) -> tuple[list[str], str]:
    """Split a name into the words of a label, and the unit among them."""
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
        if words[0].lower() in _UNITS and words[0].lower() not in _SHORT_UNITS:
            return words, _UNITS[words[0].lower()]
    return words, ""


def _make_identifier(column: str) -> str:
    """Make a name of lower-case ASCII letters, digits and underscores, a letter first."""
    plain = unicodedata.normalize("NFKD", column.replace("ß", "ss"))
    joined = "_".join(_split(plain.encode("ascii", "ignore").decode()))
    name = re.sub(r"[^a-z0-9]+", "_", joined.lower()).strip("_")
    if not name:
        name = "fact"
    if not name[0].isalpha():
        name = f"x_{name}"
    if name in RESERVED:
        name = f"{name}_value"
    return name[:_LONGEST_NAME].rstrip("_")


def _make_unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while (other := f"{name[: _LONGEST_NAME - 4]}_{number}") in taken:
        number += 1
    return other
