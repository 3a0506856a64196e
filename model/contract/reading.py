"""Reads numbers as people type them."""

import re
import unicodedata
from decimal import Decimal

_MAX_LENGTH = 40
"""Characters of the longest number that is read; nobody types a longer one."""

_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)\$?"
    r"(?P<whole>(?:[0-9]{1,3}(?:[,'\u2019 ][0-9]{3})+|[0-9]+)(?![0-9/]))?"
    r"(?P<decimals>\.[0-9]*)?"
    r"(?: ?(?P<fraction>[0-9]{1,2}/[0-9]{1,2}))?"
)


class NotANumberError(ValueError):
    """The text is not one finite number in an unambiguous spelling."""


def _to_ascii(text: str) -> str:
    """Map each decimal digit of any script to ASCII, and ``½`` to `` 1/2``.

    NFKC would turn ``5²`` into 52. The space keeps ``2½`` from becoming 21/2.
    """
    out: list[str] = []
    for char in text:
        if char.isascii():
            out.append(char)
        elif (digit := unicodedata.decimal(char, None)) is not None:
            out.append(str(digit))
        elif unicodedata.decomposition(char).startswith("<fraction>"):
            parts = unicodedata.normalize("NFKC", char).split("\u2044")
            out.append(" " + "/".join(parts))
        elif char in "\uff0c\u066c":  # full-width and Arabic thousands separators
            out.append(",")
        elif char in "\uff0e\u066b":  # full-width and Arabic decimal points
            out.append(".")
        else:
            out.append(char)
    return "".join(out)


def read_number(text: str, units: tuple[str, ...] = ()) -> Decimal:
    """Read one number as a person writes it.

    Accepts thousands separators (``1,850``, ``1 850``, ``1'850``), a leading ``$``, a trailing unit
    out of ``units`` in any case and with dots, halves as ``2.5``, ``2½`` or ``2 1/2``, and the
    digits of any script. Refuses ambiguous spellings (``1,85``), and those that ``float`` accepts
    but no person means (``1_20``, ``1e5``, ``nan``, ``inf``).

    Args:
        text: what was typed.
        units: spellings of the unit, lower case and without dots.

    Returns:
        The number, exact.

    Raises:
        NotANumberError: if the text is anything else.
    """
    if len(text) > _MAX_LENGTH:
        raise NotANumberError
    if text.isascii() and text.isdigit():
        return Decimal(text)
    plain = _SPACES.sub(" ", _to_ascii(text.translate(_MINUS))).strip(" ")
    match = _NUMBER.match(plain)
    if match is None or not _is_unit(plain[match.end() :], units):
        raise NotANumberError
    whole, decimals, fraction = match["whole"], match["decimals"], match["fraction"]
    if (decimals in (None, ".") and whole is None and fraction is None) or (decimals and fraction):
        raise NotANumberError
    number = Decimal(re.sub(r"[^0-9]", "", whole or "0") + (decimals or ""))
    if fraction:
        numerator, denominator = (int(part) for part in fraction.split("/"))
        if denominator == 0 or numerator >= denominator:
            raise NotANumberError
        number += Decimal(numerator) / Decimal(denominator)
    return -number if match["sign"] == "-" else number


def _is_unit(rest: str, units: tuple[str, ...]) -> bool:
    ending = rest.strip(" ").lower().replace(".", "")
    return not ending or ending in units
