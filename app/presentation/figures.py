"""Figures in sentences, which no translator may rewrite."""

import re
from functools import lru_cache

from markupsafe import Markup, escape

_FIGURE = re.compile(r"(?<!\w)(\d(?:[\d.,:/'’\u00a0\u202f]*\d)?(?:[\u00a0\u202f]?%)?)(?!\w)")


@lru_cache(maxsize=1024)
def protect_figures(text: str) -> Markup:
    """Write a sentence in HTML, with each of its figures marked as not to be translated."""
    pieces = map(escape, _FIGURE.split(text))  # words and figures in turn
    return Markup("").join(
        Markup('<span translate="no">{}</span>').format(piece) if place % 2 else piece
        for place, piece in enumerate(pieces)
    )
