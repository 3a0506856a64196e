"""From a column's name to the name, label, unit and noun of its field."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from model.contract import formatting
from model.contract.card import PAGE_IDS
from model.contract.fields.choice import YES_NO
from model.contract.transliteration import strip_marks
from model.contract.units import CURRENCIES
from model.making.columns.vocabulary import (
    ABBREVIATIONS,
    BEGINNINGS,
    COUNTED,
    ENDINGS,
    NO_WORDS,
    SHORT_WORDS,
)
from model.making.dictionaries import MAX_UNIT, Description
from model.making.options import LOCALE

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
    "pct": "%", "percent": "%",
    "days": "days", "hours": "hours", "hrs": "hours", "minutes": "minutes", "mins": "minutes",
    "seconds": "seconds", "secs": "seconds", "ms": "ms", "months": "months", "weeks": "weeks",
    "years": "years", "yrs": "years", "mph": "mph", "kmh": "km/h", "kwh": "kWh", "kw": "kW",
    "mpg": "mpg", "hp": "hp", "celsius": "°C", "degc": "°C", "fahrenheit": "°F", "degf": "°F",
    "°c": "°C", "°f": "°F",
    "bpm": "bpm", "mmhg": "mmHg", "hpa": "hPa", "kpa": "kPa", "mpa": "MPa",
    "ppm": "ppm", "inches": "in", "feet": "ft",
    "db": "dB", "%": "%", "$": "$", "€": "EUR", "£": "GBP", "₹": "INR", "zł": "PLN",
    **{code.lower(): code for code in CURRENCIES if code not in ("SEK", "TRY")},
}  # fmt: skip
_RATIOS = {
    ("mm", "hg"): "mmHg", ("mg", "dl"): "mg/dL", ("g", "dl"): "g/dL", ("mmol", "l"): "mmol/L",
    ("mol", "l"): "mol/L", ("mg", "l"): "mg/L", ("g", "l"): "g/L", ("ug", "m3"): "µg/m³",
    ("kg", "m3"): "kg/m³", ("km", "h"): "km/h",
}  # fmt: skip
"""Units that are two words at the end of a name."""

_SHORT_UNITS = ("m", "g", "ms", "db", "hp")
"""Units that count only at the end of a name: elsewhere such letters could mean anything."""

_OF_PH = ("level", "value", "mean", "min", "max", "avg")
"""What may follow pH in a name; before other words it is short for something else."""

_NEUTRAL = ("y", "y_true", "target", "output", "response", "dependent")
"""Names of targets that do not tell what the model answers."""

UNNAMED = "Answer"
"""The label of such a target."""

_PREPOSITIONS = ("at", "by", "from", "in", "of", "on", "or", "per", "since", "to", "until", "up")
"""Words with which a name that reads as a noun neither begins nor ends."""

_AREAS = ("sq ft", "m²", "km²")
"""Units of what is called an area, where they stand before it: "sqft_living"."""

_PREFIXES = {"km": "kilometers", "kg": "kilograms"}
"""What a unit before a name is called in it: "km_driven"."""

_DURATIONS = ("time", "duration", "runtime", "length", "wait", "delay", "travel", "commute")
_SPEEDS = ("speed", "wind", "windspeed", "gust", "velocity")
_TEMPERATURES = ("temp", "temperature", "tmin", "tmax", "dewpoint")
_UNITS_AFTER = {
    "min": (_DURATIONS, "minutes"), "ms": (_SPEEDS, "m/s"),
    "c": (_TEMPERATURES, "°C"), "f": (_TEMPERATURES, "°F"),
}  # fmt: skip
"""What ends of names mean after these words alone, or after them something else."""

TIMES = ("days", "hours", "minutes", "months", "weeks", "years")
"""Units that stay words of a name that is none without them: "total working years"."""

_split_parts = re.compile(r"[\s_.\-]+").split
_split_humps = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])").sub

_OUTER_CONSONANTS = re.compile(r"\A([^aeiouy]{2})?.*?([^aeiouy]{2})?\Z", re.DOTALL).findall
"""The first two letters and the last two, where these are consonants."""

_SHORT = 4
_MOST_CONSONANTS = 5
_FILE_WORDS = ("train", "training", "data", "dataset", "set", "full", "clean", "cleaned", "all")
_DEALS = ("prices", "sales", "rents", "rentals", "listings", "offers")
_UNCHANGED_PLURALS = ("movies", "cookies", "series", "species")
_NO_PLURALS = ("news", "goods")

_LONGEST_NAME = 41
_LONGEST_LABEL = 60
_LONGEST_CHOICE = 60
_LONGEST_WORD = 24


@dataclass(frozen=True)
class Naming:
    """What a field is called; ``unit`` is "" where the name does not tell one.

    ``is_own`` where the label is the column's own name, because nobody knows what it means.
    """

    name: str
    label: str
    noun: str
    unit: str
    is_own: bool = False


@dataclass(frozen=True)
class RowNaming:
    """What the rows of the data are called, like "cars", and one of them, like "car"."""

    rows: str = "rows"
    case: str = "case"

    @property
    def is_known(self) -> bool:
        """Whether the data's file tells it."""
        return self.rows != "rows"

    @property
    def this(self) -> str:
        """One row as a question names it: "this car", or "it" where nobody said what rows are."""
        return f"this {self.case}" if self.is_known else "it"


def name_columns(
    columns: list[str],
    numbers: set[str],
    described: Mapping[str, Description] | None = None,
    locale: str = LOCALE,
) -> list[Naming]:
    """Name a field for each column; no two names or labels are alike.

    Args:
        columns: the columns' own names.
        numbers: those that hold numbers, for only they can have a unit.
        described: what a data dictionary says of columns, by their names.
        locale: the language of the names, which decides whether a noun has a capital.
    """
    taken: set[str] = set()
    named = []
    for column in columns:
        known = (described or {}).get(column)
        found = _name_column(column, column in numbers, locale)
        if known is not None:
            label = (known.label or found.label)[:_LONGEST_LABEL]
            unit = _shorten_unit(known.unit or found.unit) if column in numbers else ""
            own = found.is_own and not known.label
            found = Naming(found.name, label, _make_noun(label, locale, own), unit, own)
        name = _make_unique(found.name, taken)
        taken.add(name)
        named.append(replace(found, name=name))
    return _tell_apart(columns, named, locale)


def _tell_apart(columns: Sequence[str], named: Sequence[Naming], locale: str) -> list[Naming]:
    """The same with each column's own spelling in the labels that would be alike to a reader."""
    counts = Counter(found.label.casefold() for found in named)
    apart = []
    for number, (column, found) in enumerate(zip(columns, named, strict=True), start=1):
        if counts[found.label.casefold()] > 1 and found.label != column:
            label = f"{found.label} ({column})"
            if len(label) > _LONGEST_LABEL:  # long questions of a survey differ at their ends
                start = f"{number}. {column}"[: _LONGEST_LABEL // 3]
                label = f"{start}…{column[-(_LONGEST_LABEL - len(start) - 1) :]}"
            found = replace(found, label=label, noun=_make_noun(label, locale, found.is_own))
        apart.append(found)
    return apart


def _name_column(column: str, is_number: bool, locale: str) -> Naming:
    words, unit, is_before = _split_unit(column, is_number)
    name = _make_identifier(column)
    if not _are_words(words) and not re.search(r"\w\s+\w", column):
        label = column[:_LONGEST_LABEL]
        return Naming(name, label, label, unit, True)
    words = _spell_out(words)
    if is_before and unit in _AREAS:
        words = [*words, "area"]
    label = join_words(words)[:_LONGEST_LABEL] or name
    return Naming(name, label, _make_noun(label, locale), unit)


def _are_words(words: list[str]) -> bool:
    """Whether people read all parts of a name as words, and none as an unknown abbreviation."""
    lower = [word.lower() for word in words]
    after_ph = lower[lower.index("ph") + 1 :] if "ph" in lower else []
    return all(map(_is_word, words)) and set(after_ph) <= set(_OF_PH)


def _is_word(token: str) -> bool:
    """Whether people read a part of a name as a word, and not as an abbreviation."""
    text = token.lower()
    if text in NO_WORDS:
        return False
    if text in SHORT_WORDS or text in ABBREVIATIONS or text in COUNTED or not text.isascii():
        return True
    if not text.isalpha():
        return text.isdecimal()
    if len(text) <= _SHORT:
        return False
    ((start, end),) = _OUTER_CONSONANTS(text)  # "" for none
    if (start and start not in BEGINNINGS) or (end and end not in ENDINGS):
        return False
    runs = re.findall(r"[^aeiouy]+", text)
    return len("".join(runs)) < len(text) and max(map(len, runs), default=0) < _MOST_CONSONANTS


def _spell_out(words: list[str]) -> list[str]:
    """Spell out the abbreviations in a name."""
    lower = [word.lower() for word in words]
    if len(words) > 1 and lower[0] in COUNTED and (lower[0] != "count" or lower[1] == "of"):
        counted = words[2:] if lower[1] == "of" else words[1:]
        return ["number", "of", *_spell_out(counted)]
    if len(words) > 2 and lower[:2] == ["no", "of"]:
        return ["number", "of", *_spell_out(words[2:])]
    if len(words) > 1 and lower[-1] == "nb":  # as in "ClaimNb"
        counted = words[:-1] if lower[-2].endswith("s") else [*words[:-2], f"{words[-2]}s"]
        return ["number", "of", *_spell_out(counted)]
    if len(words) > 1 and lower[-1] == "num":
        words = [*words[:-1], "number"]
    if len(words) > 1 and lower[-1] in ("min", "max", "avg"):
        words = [words[-1], *words[:-1]]
    return [ABBREVIATIONS.get(word.lower(), word) for word in words]


def name_target(
    column: str,
    is_number: bool,
    described: Mapping[str, Description] | None = None,
    locale: str = LOCALE,
) -> Naming:
    """Name a model's answer; a target called ``y`` becomes "Answer".

    Args:
        column: the target's own name.
        is_number: whether it holds numbers, for only they can have a unit.
        described: see ``name_columns``.
        locale: see ``name_columns``.
    """
    if column.lower() in _NEUTRAL and column not in (described or {}):
        return Naming(_make_identifier(column), UNNAMED, "answer", "")
    return name_columns([column], {column} if is_number else set(), described, locale)[0]


def name_rows(file: str) -> RowNaming:
    """Name the rows of a file by its name, where that is a word in the plural: "cars".

    Args:
        file: the name of the data's file, like "cars.csv" or "used_cars_train.csv".
    """
    words = [word.lower() for word in split_words(file.partition(".")[0])]
    while words and (words[-1] in _FILE_WORDS or words[-1].isdecimal()):
        words.pop()
    if not words or not all(word.isalpha() for word in words):
        return RowNaming()
    last, rows = words[-1], " ".join(words)
    is_plural = last.endswith("s") and not last.endswith(("ss", "us", "is", "tes", "ics"))
    if not is_plural or last in _NO_PLURALS:
        return RowNaming()
    if len(rows) > _LONGEST_WORD:
        rows, words = last, [last]
    before = words[:-1]
    case = " ".join(before if last in _DEALS and before else [*before, _make_singular(last)])
    return RowNaming(rows, case)


def _make_singular(word: str) -> str:
    if word in _UNCHANGED_PLURALS:
        return word.removesuffix("s") if word in ("movies", "cookies") else word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("xes", "sses", "ches", "shes")) else word[:-1]


def ask_for_number(naming: Naming, rows: RowNaming, are_counts: bool) -> str:
    """Draft the question that a number answers: "What is the price of this car?".

    ``rows`` says what the rows of the data are called.
    """
    noun, is_rate = naming.noun, " per " in naming.noun
    last = noun.partition(" per ")[0].rpartition(" ")[2]
    is_plural = formatting.is_plural(noun)
    if naming.label == UNNAMED:
        return f"What does the model say of this {rows.case}?"
    if are_counts and last in ("count", "counts", "cnt", "total") and rows.is_known:
        return f"How many {rows.rows}?"
    if are_counts and noun.startswith("number of "):
        return f"How many {noun.removeprefix('number of ')}?"
    if is_plural and (is_rate or (are_counts and not naming.unit)):
        return f"How many {noun}?"
    ask = "are" if is_plural else "is"
    the = "" if naming.is_own or noun.startswith("“") else "the "
    of = f" of this {rows.case}" if rows.is_known and rows.case not in noun else ""
    return f"What {ask} {the}{noun}{of}?"


def ask_for_class(naming: Naming, rows: RowNaming, labels: Sequence[str], topic: str = "") -> str:
    """Draft the question that one of a few labels answers: "Is it malignant or benign?".

    Args:
        naming: of the target.
        rows: what the rows of the data are called.
        labels: of the classes.
        topic: what yes is an answer to, where the target's label does not say it.
    """
    if set(labels) == {"Yes", "No"}:
        return f"{topic or naming.label}: yes or no?"
    listed = ", ".join(labels[:-1]) + f" or {labels[-1]}"
    if len(listed) <= _LONGEST_CHOICE and not any(map(str.isdecimal, labels)):
        are_verbs = all(label.lower().endswith("ed") for label in labels)
        return f"{formatting.capitalize(listed)}?" if are_verbs else f"Is {rows.this} {listed}?"
    if naming.label == UNNAMED:
        return f"Which of {len(labels)} classes is {rows.this}?"
    return f"Which {naming.noun} is {'it' if naming.noun == rows.case else rows.this}?"


def _make_noun(label: str, locale: str, is_own: bool = False) -> str:
    """Make the noun of a label: in quotes where it does not read as one, like “Sold on”."""
    if is_own:
        return label
    last = label.rpartition(" ")[2].lower()
    if last in _PREPOSITIONS:
        return f"“{label}”"[:_LONGEST_LABEL]
    return formatting.lower_first(label, locale)


def join_words(words: list[str]) -> str:
    """Join words to a label: a capital first, and abbreviations as they are."""
    kept = [
        word if word.lower() != word and ((word.isupper() and len(word) > 1) or word == "pH")
        else word.lower()
        for word in words
    ]  # fmt: skip
    text = " ".join(kept)
    return text if text.startswith("pH") else formatting.capitalize(text)


def format_choice(value: object) -> str:
    """Write a choice's value as people read it: ``above_average`` as ``above average``."""
    text = " ".join(str(value).replace("_", " ").split())
    return (text or str(value))[:100]


def find_pair(distinct: Sequence[str]) -> tuple[str, str] | None:
    """The texts for no and yes, where these are all that there are."""
    folded = {value.strip().lower(): value for value in distinct}
    if len(distinct) == len(folded):
        for no, yes in YES_NO:
            if set(folded) == {no, yes}:
                return folded[no], folded[yes]
    return None


def split_words(column: str) -> list[str]:
    """Split a name into words at case changes, underscores, dots, dashes, spaces and digits."""
    column = re.sub(r"(?<![A-Za-z])pH(?![A-Za-z])", "ph", column)
    spaced = " ".join(
        part if part.lower() in _UNITS else _split_humps(" ", part)  # kWh and MPa are one word
        for part in _split_parts(column)
    )
    spaced = re.sub(r"([A-Za-z]{4})(?=[0-9])", r"\1 ", spaced)
    return spaced.split()


def _shorten_unit(unit: str) -> str:
    """The first words of a unit that is longer than a card takes."""
    if len(unit) <= MAX_UNIT:
        return unit
    return unit[: MAX_UNIT + 1].rpartition(" ")[0] or unit[:MAX_UNIT]


def _split_unit(column: str, is_number: bool) -> tuple[list[str], str, bool]:
    """Split a name into the words of a label, and the unit among them.

    Returns:
        The words, the unit, and whether it stands before the words.
    """
    bracket = re.fullmatch(r"(.+?)\s*[(（\[]([^)）\]]*)[)）\]]\s*", column)
    if bracket is not None:
        # "(MPa, megapascals)" is one unit, and "(1 = yes, 0 = no)" and "(1-100)" are none.
        inside = bracket[2].partition(",")[0].strip().replace("^2", "²").replace("^3", "³")
        if not is_number or "=" in inside or re.fullmatch(r"\d[^a-z]*\d", inside, re.IGNORECASE):
            return split_words(bracket[1]), "", False
        if f"{inside.lower()}s" in TIMES:  # "Age (day)"
            inside += "s"
        return split_words(bracket[1]), _shorten_unit(_UNITS.get(inside.lower(), inside)), False
    words = split_words(column)
    if is_number and len(words) > 1:
        first, last = words[0].lower(), words[-1].lower()
        if len(words) > 2 and (ratio := _RATIOS.get((words[-2].lower(), last))):
            return words[:-2], ratio, False
        after, unit = _UNITS_AFTER.get(last, ((), ""))
        if words[-2].lower() in after:
            return words[:-1], unit, False
        # In Polish data, KM is horsepower: "moc_KM".
        if last in _UNITS and not (words[-1] == "KM" and words[0].islower()):
            before = words[:-1]
            if last in TIMES and before[-1].lower().endswith("ing"):
                return words, "", False
            if len(before) > 1 and before[-1].lower() == "in":  # weight_in_lbs
                before.pop()
            return before, _UNITS[last], False
        # The minutes of "minutes_to_centre" are what the words are about.
        if first in _UNITS and first not in _SHORT_UNITS and words[1].lower() not in _PREPOSITIONS:
            unit = _UNITS[first]
            if first in _PREFIXES:
                return [_PREFIXES[first], *words[1:]], unit, True
            return words[1:], unit, True
    return words, "", False


def _make_identifier(column: str) -> str:
    """Make a name of lower-case ASCII letters, digits and underscores, a letter first."""
    joined = "_".join(split_words(strip_marks(column).encode("ascii", "ignore").decode()))
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
