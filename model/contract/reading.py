"""Reads numbers as people type them, whichever sign of theirs separates decimals or thousands.

A separator is never guessed: ``1.850`` is 1.85 to some and 1850 to others, so a text has readings,
and whoever knows the field chooses among them or asks.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from babel import Locale

DecimalSign = Literal[".", ","]
"""What separates decimals. Where it is one of the two, the other may group thousands."""

_SIGNS: tuple[DecimalSign, DecimalSign] = (".", ",")

_MAX_LENGTH = 40
"""Characters of the longest number that is read; nobody types a longer one."""

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\ufe62\uff0b", "+"),
        **dict.fromkeys("\u0060\u00b4\u02bc\u2018\u2019\u201b\u2032\uff07\u066c", "'"),
        **dict.fromkeys("\u060c\u2e41\ufe50\uff0c", ","),
        **dict.fromkeys("\ufe52\uff0e", "."),
    }
)
"""Spellings of one sign: as people type it, as locales write it, and of full width."""

_NUMBER = re.compile(
    r"(?P<before>[^-+0-9.,'\u066b]*)(?P<sign>[-+]?)(?P<between>[^-+0-9.,'\u066b]*)"
    r"(?:(?P<body>[0-9.,\u066b](?:[0-9.,' \u066b]*[0-9.,\u066b])?)(?: (?P<fraction>[0-9]+/[0-9]+))?"
    r"|(?P<share>[0-9]+/[0-9]+))(?![0-9/])(?P<after>.*)"
).fullmatch
_BODIES = {
    decimal: re.compile(
        rf"([1-9][0-9]{{0,2}}([{group}' ])[0-9]{{3}}(?:\2[0-9]{{3}})*"
        rf"|[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}|[0-9]*)"
        rf"(?:[{decimal}\u066b]([0-9]*))?"
    ).fullmatch
    for decimal, group in ((".", re.escape(",")), (",", re.escape(".")))
}
"""Whole part and decimals by what separates the decimals; India groups in pairs: 12,34,567."""


class Notation(NamedTuple):
    """How the numbers of a field are written."""

    decimal: DecimalSign = "."
    """What separates decimals for the person who types; its reading comes first."""

    units: tuple[str, ...] = ()
    """Spellings of the unit, as ``normalize_unit`` gives them."""

    any_currency: bool = True
    """Whether the sign of any currency may stand at the number; otherwise only one in ``units``."""


PLAIN = Notation()


class NotANumberError(ValueError):
    """The text is not one finite number.

    ``number`` is what was probably meant, None where nobody can tell; ``unit`` is what stands
    behind it, "" where nothing does.
    """

    def __init__(self, number: Decimal | None = None, unit: str = "") -> None:
        super().__init__("not a number")
        self.number = number
        self.unit = unit


class AmbiguousColumnError(ValueError):
    """A column of numbers whose texts do not tell what separates the decimals.

    ``texts`` are one or two of them; ``readings`` are what the first could mean.
    """

    def __init__(self, texts: tuple[str, ...], readings: tuple[Decimal, ...]) -> None:
        super().__init__(f"{' and '.join(texts)}: nobody can tell what separates the decimals")
        self.texts = texts
        self.readings = readings


class _Parts(NamedTuple):
    """A text taken apart: the digits with their separators, and what stands around them."""

    negative: bool
    body: str
    fraction: str
    words: tuple[str, ...]


def clean_text(text: str) -> str:
    """Spell a text without invisible characters, each space as one, each sign in one spelling.

    Decimal digits of any script become ASCII, and ``½`` becomes `` 1/2``, so that ``2½`` is not
    21/2. NFKC would do more than that: it turns ``5²`` into 52.
    """
    out: list[str] = []
    for char in text.translate(_SAME):
        if char.isascii():
            out.append(char)
        elif (digit := unicodedata.decimal(char, None)) is not None:
            out.append(str(digit))
        elif unicodedata.decomposition(char).startswith("<fraction>"):
            out.append(" " + unicodedata.normalize("NFKC", char).replace("\u2044", "/"))
        elif unicodedata.category(char) != "Cf":
            out.append(char)
    return " ".join("".join(out).split())


@lru_cache(maxsize=1024)
def normalize_unit(text: str) -> str:
    """Spell a unit as all its spellings are compared: ``Sq. ft`` as ``sqft``, ``m²`` as ``m2``."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().replace(".", "").split())


@lru_cache(maxsize=64)
def find_decimal_sign(locale: str) -> DecimalSign:
    """What separates decimals in a locale."""
    symbols = Locale.parse(locale).number_symbols["latn"]
    return "," if symbols["decimal"] == "," else "."


def list_readings(text: str, notation: Notation = PLAIN) -> tuple[Decimal, ...]:
    """List the numbers that a text can mean: one, or two where a separator could be either.

    Accepts the digits of any script, thousands apart by a comma, point, space or apostrophe, halves
    as ``2.5``, ``2½`` or ``2 1/2``, one currency sign, and the unit. Refuses what ``float`` accepts
    but no person means (``1_20``, ``nan``). A point before decimals is read everywhere, for
    programs and keypads have no other; a lone decimal comma only where the locale has it, because
    elsewhere it may be half of a group.

    Args:
        text: what was typed.
        notation: how the field's numbers are written.

    Returns:
        One or two exact numbers.

    Raises:
        NotANumberError: if the text is anything else.
    """
    parts = _take_apart(text)
    own = _parse(parts, notation.decimal)
    other = _parse(parts, "," if notation.decimal == "." else ".")
    readings = tuple(dict.fromkeys(number for number in (own, other) if number is not None))
    if not readings:
        raise NotANumberError
    unit = _find_foreign_unit(parts.words, notation)
    separators = sum(not char.isdigit() for char in parts.body)
    lone_comma = own is None and notation.decimal == "." and separators == 1
    if unit or lone_comma:
        raise NotANumberError(readings[0] if len(readings) == 1 else None, unit)
    return readings


def read_number(text: str, decimal: DecimalSign) -> Decimal | None:
    """Read one number where it is certain what separates decimals; None for any other text."""
    try:
        parts = _take_apart(text)
    except NotANumberError:
        return None
    return None if _find_foreign_unit(parts.words, PLAIN) else _parse(parts, decimal)


def _take_apart(text: str) -> _Parts:
    match = _NUMBER(clean_text(text)) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise NotANumberError
    words = (match["before"], match["between"], match["after"])
    return _Parts(
        match["sign"] == "-",
        match["body"] or "",
        match["fraction"] or match["share"] or "",
        tuple(word for word in map(normalize_unit, words) if word),
    )


def _parse(parts: _Parts, decimal: DecimalSign) -> Decimal | None:
    """The number of a text whose decimals a sign separates, None where it cannot be."""
    number = Decimal(0)
    if parts.body:
        match = _BODIES[decimal](parts.body)
        if match is None or not (match[1] or match[3]) or (match[3] and parts.fraction):
            return None
        whole = "".join(filter(str.isdigit, match[1]))
        number = Decimal(f"{whole or 0}.{match[3] or 0}")
    if parts.fraction:
        numerator, denominator = map(int, parts.fraction.split("/"))
        if not numerator < denominator < 100:
            return None
        number += Decimal(numerator) / Decimal(denominator)
    return -number if parts.negative else number


def _find_foreign_unit(words: tuple[str, ...], notation: Notation) -> str:
    """The word beside a number that is not its unit; "" where there is none."""
    for word in words:
        is_sign = len(word) == 1 and unicodedata.category(word) == "Sc"
        if word not in notation.units and not (is_sign and notation.any_currency):
            return word
    return ""


def decide_decimal_sign(texts: Iterable[str]) -> DecimalSign:
    """Find out what separates the decimals in a whole column.

    One text that can only be read one way decides for all. Where there is none, the sign is taken
    with which all numbers lie near those of the column that have no separator.

    Args:
        texts: the cells; those that are no numbers are passed over.

    Raises:
        AmbiguousColumnError: if texts contradict each other, or both signs are possible.
    """
    proofs: dict[DecimalSign, str] = {}
    open_texts: dict[str, tuple[Decimal, Decimal]] = {}
    certain: list[Decimal] = []
    for text in dict.fromkeys(texts):
        point, comma = (read_number(text, sign) for sign in _SIGNS)
        if point is not None and comma is not None:
            if point == comma:
                certain.append(point)
            else:
                open_texts[text] = point, comma
        elif point is not None:
            proofs.setdefault(".", text)
        elif comma is not None:
            proofs.setdefault(",", text)
    if len(proofs) == 1:
        return next(iter(proofs))
    if not open_texts:
        if proofs:
            raise AmbiguousColumnError(tuple(proofs.values()), ())
        return "."
    by_sign = dict(zip(_SIGNS, zip(*open_texts.values(), strict=True), strict=True))
    possible = list(_SIGNS)
    if certain:
        low, high = min(certain), max(certain)
        low, high = min(low / 3, low * 3), max(high / 3, high * 3)
        possible = [
            sign for sign in possible if low <= min(by_sign[sign]) <= max(by_sign[sign]) <= high
        ]
    if len(possible) != 1 or proofs:
        text, readings = next(iter(open_texts.items()))
        raise AmbiguousColumnError((text,), readings)
    return possible[0]


def read_column(texts: Sequence[str], decimal: DecimalSign) -> list[Decimal | None]:
    """Read a column of numbers, all with the same sign for decimals; None for what is no number."""
    numbers = {text: read_number(text, decimal) for text in dict.fromkeys(texts)}
    return [numbers[text] for text in texts]
