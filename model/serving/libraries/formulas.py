"""The columns of a formula's design, as statsmodels names them: ``C(city)[T.Rome]:age``."""

import re
from dataclasses import dataclass
from typing import Literal, cast

from model.contract.pickles import PickleError
from model.contract.pickles.errors import printable

ColumnFunction = Literal["identity", "not", "log", "log1p", "log10", "log2", "exp", "sqrt"]

_COLUMN = r"(?:Q\((?P<quote>['\"])(?P<quoted>.+?)(?P=quote)\)|(?P<plain>[^\W\d]\w*))"
_PLAIN = re.compile(_COLUMN)
_LEVEL = re.compile(rf"(?:C\(\s*{_COLUMN}\s*(?:,.*)?\)|{_COLUMN.replace('?P<', '?P<bare_').replace('?P=', '?P=bare_')})\[(?P<code>T\.)?(?P<level>.*)\]", re.DOTALL)  # fmt: skip  # noqa: E501
_CALL = re.compile(rf"(?:np|numpy)\.(?P<name>log|log1p|log10|log2|exp|sqrt)\(\s*{_COLUMN}\s*\)")
_POWER = re.compile(rf"(?:I\(\s*{_COLUMN}\s*\*\*\s*(?P<power>[2-9])\s*\)|(?:np|numpy)\.square\(\s*{_COLUMN.replace('?P<', '?P<bare_').replace('?P=', '?P=bare_')}\s*\))")  # fmt: skip  # noqa: E501
_INTERCEPTS = ("Intercept", "const")


@dataclass(frozen=True)
class Factor:
    """A function of a column, or where ``level`` is given whether the column holds it."""

    column: str
    function: ColumnFunction = "identity"
    level: str | None = None


def parse_term(name: str) -> tuple[Factor, ...]:
    """Read the name of a column of the design; the intercept has no factors.

    Raises:
        PickleError: if it has a function or a coding that is not known here.
    """
    if name in _INTERCEPTS:
        return ()
    return tuple(factor for part in _split(name) for factor in _parse_factor(part))


def _split(name: str) -> list[str]:
    """Split the factors of a product: a colon in brackets or in quotes is none."""
    parts, depth, quote, start = [], 0, "", 0
    for place, character in enumerate(name):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and depth:
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == ":" and not depth:
            parts.append(name[start:place])
            start = place + 1
    return [*parts, name[start:]]


def _parse_factor(part: str) -> tuple[Factor, ...]:
    if match := _PLAIN.fullmatch(part):
        return (Factor(_name_column(match)),)
    if match := _LEVEL.fullmatch(part):
        if match["level"].startswith("S."):
            raise PickleError(f"Its formula codes {printable(part)} by sums, which is not known.")
        column, level = _name_column(match), match["level"]
        if level in ("True", "False"):  # of flags, which are numbers here
            return (Factor(column, "identity" if level == "True" else "not"),)
        return (Factor(column, level=level),)
    if match := _CALL.fullmatch(part):
        return (Factor(_name_column(match), cast(ColumnFunction, match["name"])),)
    if match := _POWER.fullmatch(part):
        return (Factor(_name_column(match)),) * int(match["power"] or 2)
    raise PickleError(
        f"Its formula has {printable(part)}, which is not known here. Make that column in the data "
        "before the fit, and name it in the formula."
    )


def _name_column(match: re.Match[str]) -> str:
    groups = match.groupdict()
    keys = ("quoted", "plain", "bare_quoted", "bare_plain")
    return next(groups[key] for key in keys if groups.get(key))
