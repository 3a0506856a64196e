"""Letters of Latin alphabets without their marks."""

import re
import unicodedata

_LETTERS = str.maketrans(
    {
        "ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
        "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ı": "i",
    }
)  # fmt: skip
"""Letters that Unicode does not take apart into a plain one and a mark."""

_MARKS = re.compile(r"(?<=[A-Za-z])[\u0300-\u036f]+")


def strip_marks(text: str) -> str:
    """Write a text's Latin letters without marks: ``odległość`` as ``odleglosc``."""
    apart = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return unicodedata.normalize("NFKC", _MARKS.sub("", apart))
