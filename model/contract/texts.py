"""Texts in a matrix of numbers.

A predictor's matrix holds floats, so a text stands in it as its place in a table. The table belongs
to one call, such as the answer to one request, and is gone after it: nothing that somebody typed is
kept.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

BLANK = 0.0
"""The code of the blank text, in every table."""

MOST_TEXTS = 2**24
"""Texts of one call; float32 holds whole numbers up to here."""

_LINE_ENDS = re.compile("\r\n?")


class TextTable:
    """The texts of one call, each with its code."""

    def __init__(self) -> None:
        self._texts = [""]
        self._codes = {"": BLANK}

    def encode(self, text: str) -> float:
        """Return the code of a text, which gets one if it has none.

        Raises:
            OverflowError: for more than ``MOST_TEXTS``.
        """
        code = self._codes.get(text)
        if code is None:
            if len(self._texts) >= MOST_TEXTS:
                raise OverflowError(f"a call has more than {MOST_TEXTS} texts")
            code = self._codes[text] = float(len(self._texts))
            self._texts.append(text)
        return code

    def decode(self, code: float) -> str:
        """Return the text of a code."""
        return self._texts[int(code)]


_present: ContextVar[TextTable] = ContextVar("texts")


@contextmanager
def text_codes() -> Iterator[TextTable]:
    """Give the texts of one call a table."""
    table = TextTable()
    token = _present.set(table)
    try:
        yield table
    finally:
        _present.reset(token)


def encode_text(text: str) -> float:
    """Return the code of a text in the present call.

    Raises:
        LookupError: outside of ``text_codes``, for a text that is not blank.
    """
    return _present.get().encode(text) if text else BLANK


def decode_text(code: float) -> str:
    """Return the text of a code in the present call.

    Raises:
        LookupError: outside of ``text_codes``, for another code than that of the blank text.
    """
    return _present.get().decode(code) if code else ""


def mend_lines(text: str) -> str:
    """Write the ends of lines as one character each; a form sends two, some files the other."""
    return _LINE_ENDS.sub("\n", text) if "\r" in text else text


def shorten(text: str, width: int) -> str:
    """Cut a text at a word, in one line, so that it has at most ``width`` characters."""
    line = " ".join(text[: 4 * width].split())
    if len(line) <= width and len(text) <= 4 * width:
        return line
    cut = line[: width - 1]
    head, blank, _ = cut.rpartition(" ")
    return f"{(head if blank and len(head) > width // 2 else cut).rstrip()}…"


def fold_text(text: str) -> str:
    """A text without what people write in different ways: upper case, blanks."""
    return " ".join(text.casefold().split())
