"""Templates rendered once for each shape of their context, and filled from then on.

Two results of the same shape, that is with the same fields given and the same parts shown, differ
only in words and figures. So the template is rendered with a mark in the place of each of them, the
text is cut at the marks, and every further result of that shape is put together from the pieces:
the same bytes as a rendering (a test compares them), in a twentieth of the time.

A view is made of parts: named tuples whose members are texts and numbers, or further parts, tuples
of them, or None. Texts and numbers are leaves, except for True, False and what is empty or nothing;
these, the kinds of the parts and how many there are of each are the shape, by which a template can
decide. It must not compare or change leaves; it can show them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from jinja2 import Template

MOST_SHAPES = 512
"""Shapes that are kept: about 12 KB each, and a visitor who types goes through a few."""

_MARK = re.compile("\ue000([0-9]+)\ue001")
_BETWEEN = "\0"
_ENTITIES = (
    (b"&", b"&amp;"),
    (b"<", b"&lt;"),
    (b">", b"&gt;"),
    (b'"', b"&#34;"),
    (b"'", b"&#39;"),
)


class _Shape(NamedTuple):
    """A text cut at its leaves: every second piece is missing.

    ``in_order`` picks the leaves that go there, ``numbers`` says which of them are no texts.
    """

    pieces: list[bytes]
    in_order: Callable[[Sequence[Any]], Iterable[Any]]
    numbers: tuple[int, ...]


class ConstantPart:
    """A part of a view that is made once and used again: it is shape as a whole, by identity."""

    __slots__ = ()


class CachedTemplate:
    """One template with what never changes in its context."""

    def __init__(self, template: Template, **constant: object) -> None:
        self._template = template
        self._constant = constant
        self._shapes: dict[tuple[object, ...], _Shape] = {}

    def render(self, name: str, view: Any) -> bytes:
        """The template with ``view``, a part with all its parts, under ``name``, in UTF-8.

        All is escaped. Bytes, because the pieces are encoded once for all.
        """
        parts: list[Any] = []
        lasting: list[ConstantPart] = []
        _gather(view, parts, lasting)
        # One step in C for all leaves together; a loop over them takes four times as long.
        leaves = tuple(chain.from_iterable(parts))
        key = (tuple(map(type, parts)), tuple(map(bool, leaves)), *lasting)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = self._cut(name, view, leaves)
        pieces, in_order, numbers = found
        shown = list(in_order(leaves))
        for place in numbers:
            shown[place] = str(shown[place])
        filled = pieces.copy()
        filled[1::2] = _escape(shown)
        return b"".join(filled)

    def _cut(self, name: str, view: Any, leaves: Sequence[Any]) -> _Shape:
        text = self._template.render({**self._constant, name: _mark(view, [0])})
        pieces = [piece.encode() for piece in _MARK.split(text)]
        order = [int(index) for index in pieces[1::2]]
        numbers = [place for place, index in enumerate(order) if not isinstance(leaves[index], str)]
        if len(order) > 1:
            return _Shape(pieces, itemgetter(*order), tuple(numbers))
        return _Shape(pieces, lambda leaves: [leaves[index] for index in order], tuple(numbers))


def _gather(part: Any, parts: list[Any], lasting: list[ConstantPart]) -> None:
    """List a part and all within it, each before what is within it."""
    parts.append(part)
    kind: Any = type(part)
    for place in _nested(kind):
        inner = part[place]
        if type(inner) is tuple:
            within: Any = type(inner[0]) if inner else None
            if within is None or not _nested(within):
                parts += inner  # all of one kind, with nothing within
            else:
                for item in inner:
                    _gather(item, parts, lasting)
        elif isinstance(inner, ConstantPart):
            lasting.append(inner)
        elif inner is not None:
            _gather(inner, parts, lasting)


def _mark(part: Any, count: list[int]) -> Any:
    """The part with a mark in the place of each leaf, numbered in the order of ``_gather``."""
    first = count[0]
    count[0] += len(part)
    marked = [
        f"\ue000{first + place}\ue001" if _is_leaf(value) else value
        for place, value in enumerate(part)
    ]
    kind: Any = type(part)
    for place in _nested(kind):
        inner = part[place]
        if type(inner) is tuple:
            marked[place] = tuple(_mark(item, count) for item in inner)
        elif inner is not None and not isinstance(inner, ConstantPart):
            marked[place] = _mark(inner, count)
    return kind(*marked)


def _is_leaf(value: object) -> bool:
    if isinstance(value, bool | float):
        return isinstance(value, float)
    return isinstance(value, str | int) and bool(value)


@cache
def _nested(kind: Any) -> tuple[int, ...]:
    """The places in a part that may hold further parts, by their types."""
    if not (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        raise TypeError(f"{kind} is no part of a view: it is no named tuple")
    hints = get_type_hints(kind)
    return tuple(place for place, name in enumerate(kind._fields) if _holds_parts(hints[name]))


def _holds_parts(hint: Any) -> bool:
    if isinstance(hint, type):
        return issubclass(hint, tuple | ConstantPart)
    origin = get_origin(hint)
    return origin is tuple or (
        origin in (UnionType, Union) and any(map(_holds_parts, get_args(hint)))
    )


def _escape(leaves: list[str]) -> list[bytes]:
    """Every leaf escaped as markupsafe does it, in UTF-8; all together, few have anything."""
    escaped = _escape_text(_BETWEEN.join(leaves)).split(_BETWEEN.encode())
    if len(escaped) == len(leaves):
        return escaped
    return [_escape_text(leaf) for leaf in leaves]


def _escape_text(text: str) -> bytes:
    data = text.encode()
    for character, entity in _ENTITIES:
        data = data.replace(character, entity)
    return data
