"""Templates that are rendered once for each shape of their context and filled from then on.

Two results of the same shape, with the same fields given and the same parts shown, differ only in
words and figures. So the template is rendered once with a marker in the slot of each, the text is
split at the markers, and every further result of that shape is joined from the pieces. This gives
the same bytes as rendering (a test compares them) in a twentieth of the time.

A view is made of parts: named tuples whose members are leaves (texts, Markup and numbers), further
parts, tuples of parts, or None. True, False, and empty or zero values are no leaves. They, the
types of the parts and the number of each make up the shape. A template may decide by the shape; it
may only show leaves, never compare or change them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from jinja2 import Template
from markupsafe import Markup

MAX_SHAPES = 512
"""Shapes that are kept: about 12 KB each, and a visitor who types needs a few."""

_MARKER = re.compile("\ue000([0-9]+)\ue001")
_SEPARATOR = "\0"
_ENTITIES = (
    (b"&", b"&amp;"),
    (b"<", b"&lt;"),
    (b">", b"&gt;"),
    (b'"', b"&#34;"),
    (b"'", b"&#39;"),
)


class _Shape(NamedTuple):
    """A text split at its leaves.

    Every second one of the ``pieces`` is a slot. ``select`` picks the leaves for the slots from all
    leaves, in the order of the slots; ``number_slots`` are those that hold numbers, and
    ``markup_slots`` those that hold Markup.
    """

    pieces: list[bytes]
    select: Callable[[Sequence[Any]], Iterable[Any]]
    number_slots: tuple[int, ...]
    markup_slots: tuple[int, ...]


class CachedTemplate:
    """One template with the constant part of its context."""

    def __init__(self, template: Template, **constant: object) -> None:
        self._template = template
        self._constant = constant
        self._shapes: dict[tuple[object, ...], _Shape] = {}

    def render(self, name: str, view: Any) -> bytes:
        """Render the template with ``view`` under ``name``, escaped, in UTF-8.

        Where the environment reloads templates, Jinja renders each view anew.

        Raises:
            TypeError: if a part of the view is no named tuple.
        """
        if self._template.environment.auto_reload:
            return self._template.render({**self._constant, name: view}).encode()
        key, leaves = find_shape(view)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = self._make_shape(name, view, leaves)
        pieces, select, number_slots, markup_slots = shape
        selected = list(select(leaves))
        for slot in number_slots:
            selected[slot] = str(selected[slot])
        markup = []
        for slot in markup_slots:
            text = selected[slot]
            # Only what is Markup now is written as it is; ``escape`` takes a microsecond for it.
            markup.append(text.encode() if type(text) is Markup else _escape_text(str(text)))
            selected[slot] = ""
        filled = pieces.copy()
        filled[1::2] = _escape(selected)
        for slot, data in zip(markup_slots, markup, strict=True):
            filled[2 * slot + 1] = data
        return b"".join(filled)

    def _make_shape(self, name: str, view: Any, leaves: Sequence[Any]) -> _Shape:
        text = self._template.render({**self._constant, name: _mark(view, [0])})
        pieces = [piece.encode() for piece in _MARKER.split(text)]
        order = [int(index) for index in pieces[1::2]]
        number_slots = tuple(
            slot for slot, index in enumerate(order) if not isinstance(leaves[index], str)
        )
        markup_slots = tuple(
            slot for slot, index in enumerate(order) if isinstance(leaves[index], Markup)
        )
        slots = number_slots, markup_slots
        if len(order) > 1:
            return _Shape(pieces, itemgetter(*order), *slots)
        return _Shape(pieces, lambda leaves: [leaves[index] for index in order], *slots)


def find_shape(view: Any) -> tuple[tuple[object, ...], tuple[Any, ...]]:
    """Find what the shape of a view is told by, and its leaves."""
    parts: list[Any] = []
    _gather(view, parts)
    # One step in C for all leaves; a loop over them takes four times as long.
    leaves = tuple(chain.from_iterable(parts))
    return (tuple(map(type, parts)), tuple(map(bool, leaves))), leaves


def _gather(part: Any, parts: list[Any]) -> None:
    """List a part and all parts within it, each before its own."""
    parts.append(part)
    kind: Any = type(part)
    for index in _part_indices(kind):
        inner = part[index]
        if type(inner) is tuple:
            inner_kind: Any = type(inner[0]) if inner else None
            if inner_kind is None or not _part_indices(inner_kind):
                parts += inner  # all of one type that holds no parts
            else:
                for item in inner:
                    _gather(item, parts)
        elif inner is not None:
            _gather(inner, parts)


def _mark(part: Any, count: list[int]) -> Any:
    """Copy a part with a marker for each leaf, numbered in the order of ``_gather``."""
    first = count[0]
    count[0] += len(part)
    marked = [
        f"\ue000{first + index}\ue001" if _is_leaf(value) else value
        for index, value in enumerate(part)
    ]
    kind: Any = type(part)
    for index in _part_indices(kind):
        inner = part[index]
        if type(inner) is tuple:
            marked[index] = tuple(_mark(item, count) for item in inner)
        elif inner is not None:
            marked[index] = _mark(inner, count)
    return kind(*marked)


def _is_leaf(value: object) -> bool:
    if isinstance(value, bool | float):
        return isinstance(value, float)
    return isinstance(value, str | int) and bool(value)


@cache
def _part_indices(kind: Any) -> tuple[int, ...]:
    """The indices in a part at which its type allows further parts."""
    if not (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        raise TypeError(f"{kind} is no part of a view: it is no named tuple")
    hints = get_type_hints(kind)
    return tuple(index for index, name in enumerate(kind._fields) if _holds_parts(hints[name]))


def _holds_parts(hint: Any) -> bool:
    if isinstance(hint, type):
        return issubclass(hint, tuple)
    origin = get_origin(hint)
    return origin is tuple or (
        origin in (UnionType, Union) and any(map(_holds_parts, get_args(hint)))
    )


def _escape(leaves: list[str]) -> list[bytes]:
    """Escape every leaf as markupsafe does, in UTF-8; all at once, because few need it."""
    escaped = _escape_text(_SEPARATOR.join(leaves)).split(_SEPARATOR.encode())
    if len(escaped) == len(leaves):
        return escaped
    return [_escape_text(leaf) for leaf in leaves]


def _escape_text(text: str) -> bytes:
    data = text.encode()
    for character, entity in _ENTITIES:
        data = data.replace(character, entity)
    return data
