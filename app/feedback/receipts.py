"""What lets a visitor report on an answer, and on no other: a text that the app has signed.

The answer carries it, and the report sends it back. It holds all that is to be kept, so that
nothing is kept before somebody sends it. It needs no cookie, and guards the form against other
sites, which cannot make one.
"""

import base64
import binascii
import datetime as dt
import hmac
import os
import re
from functools import partial
from typing import NamedTuple
from urllib.parse import quote_plus, unquote_plus

from app.feedback.outcomes import KeptAnswer

NUMBER = re.compile(r"[A-Z2-7]{16}", re.ASCII)
"""The number of a receipt: 80 random bits, which nobody guesses, in base32."""

_BYTES = 10
_TAG = 12
"""Bytes of the signature, which the page carries with every answer."""

_quote = partial(quote_plus, safe="")


class Receipt(NamedTuple):
    """An answer as it was shown: its number, version and day, and the facts as a query string."""

    number: str
    version: str
    day: dt.date
    answer: KeptAnswer
    facts: str


class ReceiptError(Exception):
    """A text that is no receipt of this model."""


class ReceiptSigner:
    """Signs the answers of one model, and reads what was signed. It takes 10 µs an answer."""

    def __init__(self, key: bytes, model: str, version: str) -> None:
        self._key = key
        self._context = f"formcast receipt {model};".encode()
        self._middle = f";{_quote(version)};"

    def sign(self, day: dt.date, answer: KeptAnswer, facts: str) -> str:
        """Make the receipt of an answer: each call makes another number.

        ``facts`` are the fields as typed, as a query string.
        """
        number = base64.b32encode(os.urandom(_BYTES)).decode()
        value, low, high, probability = answer
        spelled = f"'{_quote(value)}" if isinstance(value, str) else _spell(value)
        rest = "".join((
            number, self._middle, day.strftime("%Y%m%d"), ";", spelled, ";", _spell(low), ";",
            _spell(high), ";", _spell(probability), ";", facts.replace("&", ";"),
        ))  # fmt: skip
        return f"{self._tag(rest)};{rest}"

    def read(self, text: str) -> Receipt:
        """Read a receipt.

        Raises:
            ReceiptError: if this app has not signed it for this model.
        """
        tag, _, rest = text.partition(";")
        # Compared as bytes: a tag of other characters is wrong, too, and no error.
        if not hmac.compare_digest(tag.encode(), self._tag(rest).encode()):
            raise ReceiptError
        number, version, day, value, low, high, probability, facts = rest.split(";", 7)
        return Receipt(
            number,
            unquote_plus(version),
            dt.date.fromisoformat(day),
            KeptAnswer(
                unquote_plus(value[1:]) if value.startswith("'") else float(value),
                _read(low),
                _read(high),
                _read(probability),
            ),
            facts.replace(";", "&"),  # in HTML, & takes five characters
        )

    def _tag(self, rest: str) -> str:
        digest = hmac.digest(self._key, self._context + rest.encode(), "sha256")[:_TAG]
        return binascii.b2a_base64(digest, newline=False).decode()


def format_number(number: str) -> str:
    """The number of a receipt as people read it, four characters at a time."""
    return "-".join(number[start : start + 4] for start in range(0, len(number), 4))


def read_number(text: str) -> str:
    """Read the number of a receipt as somebody types it; "" where it is none."""
    number = re.sub(r"[\s-]+", "", text[:100]).upper().replace("0", "O").replace("1", "I")
    return number if NUMBER.fullmatch(number) else ""


def _spell(number: float | None) -> str:
    """Spell a number with ten digits, as the page gives it to programs."""
    return "" if number is None else f"{number:.10g}"


def _read(text: str) -> float | None:
    return float(text) if text else None
