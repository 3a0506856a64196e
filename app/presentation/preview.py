"""The picture that a link to a model's page shows in a message: drawn once, at start-up."""

from io import BytesIO
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
"""Pixels: what the sites that show previews ask for."""

_PAPER, _INK, _QUIET, _SHAPE, _ACCENT = "#f6f4ee", "#161a1d", "#565c5c", "#d3cfc4", "#0b5f5a"
_MARGIN, _RULE, _BARS = 80, 12, 180
_TITLE, _TEXT = 72, 34
_TITLE_CHARACTERS, _TEXT_CHARACTERS = 32, 62


def draw_preview(title: str, summary: str, site: str, counts: tuple[int, ...] = ()) -> bytes:
    """Draw a model's question, and how often each outcome was in its data, as a PNG.

    Args:
        title: the question.
        summary: what stands below it.
        site: the name of the site.
        counts: of the outcomes in bins of equal width; none for a model without.
    """
    picture = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, WIDTH, _RULE), fill=_ACCENT)
    y = _MARGIN
    for text, size, colour, characters, most in (
        (title, _TITLE, _INK, _TITLE_CHARACTERS, 3),
        (summary, _TEXT, _QUIET, _TEXT_CHARACTERS, 3),
    ):
        for line in wrap(text, characters, max_lines=most, placeholder=" …"):
            pen.text((_MARGIN, y), line, fill=colour, font=ImageFont.load_default(size))
            y += round(size * 1.2)
        y += 16
    if counts:
        step, highest = (WIDTH - 2 * _MARGIN) / len(counts), max(counts) or 1
        for number, count in enumerate(counts):
            left, top = _MARGIN + number * step, HEIGHT - _BARS * count / highest
            pen.rectangle((left, top, left + step * 0.85, HEIGHT), fill=_SHAPE)
    pen.text(
        (WIDTH - _MARGIN, HEIGHT - 48),
        site,
        fill=_ACCENT,
        font=ImageFont.load_default(_TEXT),
        anchor="rs",
    )
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
