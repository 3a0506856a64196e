"""Templates rendered once for each shape of their context, and filled from then on.

Two results of the same shape, that is with the same fields given and the same parts shown, differ
only in words and figures. So the template is rendered with a mark in the place of each of them, the
text is cut at the marks, and every further result of that shape is put together from the pieces:
the same bytes as a rendering (a test compares them), in a tenth of the time.

What is a leaf and what is shape: text that is not empty and floats are leaves; everything that a
template can decide by (None, True, False, whole numbers, "", the length of a tuple) is shape. A
template must not compare or change texts and floats; it can show them.
"""

import re
from dataclasses import fields, is_dataclass
from functools import cache, lru_cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape

MOST_SHAPES = 512
"""Shapes that are kept: about 12 KB each, and a visitor who types goes through a few."""

_MARK = re.compile("\ue000([0-9]+)\ue001")

_escaped = lru_cache(maxsize=16_384)(lambda text: str(escape(text)))


class Lasting:
    """A part of a view that is made once and used again: it is shape as a whole, by identity."""

    __slots__ = ()


class Skeleton:
    """One template with what never changes in its context."""

    def __init__(self, template: Template, **constant: object) -> None:
        self._template = template
        self._constant = constant
        self._shapes: dict[tuple[object, ...], tuple[list[str], list[int]]] = {}

    def render(self, name: str, view: Any) -> Markup:
        """The template with ``view``, a frozen dataclass, under ``name``."""
        shape: list[object] = []
        leaves: list[str] = []
        _flatten(view, shape, leaves)
        key = tuple(shape)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = self._cut(name, view)
        pieces, order = found
        filled = pieces.copy()
        filled[1::2] = [leaves[index] for index in order]
        return Markup("".join(filled))  # noqa: S704 (the template's text and escaped leaves)

    def render_plainly(self, name: str, view: Any) -> Markup:
        """The same by rendering the template; what ``render`` must equal."""
        text = self._template.render({**self._constant, name: view})
        return Markup(text)  # noqa: S704 (escaped by autoescape)

    def _cut(self, name: str, view: Any) -> tuple[list[str], list[int]]:
        marked = _mark(view, [0])
        text = self._template.render({**self._constant, name: marked})
        pieces = _MARK.split(text)
        return pieces, [int(index) for index in pieces[1::2]]


def _flatten(value: Any, shape: list[object], leaves: list[str]) -> None:
    kind: Any = type(value)
    if kind is str or kind is Markup:
        if value:
            leaves.append(_escaped(value) if kind is str else value)
            shape.append(str)
        else:
            shape.append("")
    elif kind is float:
        leaves.append(str(value))
        shape.append(float)
    elif kind is tuple:
        shape.append(len(value))
        for item in value:
            _flatten(item, shape, leaves)
    elif value is None or kind is bool or kind is int or issubclass(kind, Lasting):
        shape.append(value)
    else:
        for name in _names(kind):
            _flatten(getattr(value, name), shape, leaves)


def _mark(value: Any, count: list[int]) -> Any:
    kind: Any = type(value)
    if kind is float or (kind in (str, Markup) and value):
        count[0] += 1
        return f"\ue000{count[0] - 1}\ue001"
    if kind is tuple:
        return tuple(_mark(item, count) for item in value)
    if value is None or kind in (bool, int, str, Markup) or issubclass(kind, Lasting):
        return value
    return kind(**{name: _mark(getattr(value, name), count) for name in _names(kind)})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    if not is_dataclass(kind):
        raise TypeError(f"{kind} is no part of a view: it is neither text nor dataclass")
    return tuple(item.name for item in fields(kind))
