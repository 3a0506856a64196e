"""Templates rendered once for each shape of their context, and filled from then on.

Two results of the same shape, that is with the same fields given and the same parts shown, differ
only in words and figures. So the template is rendered with a mark in the place of each of them, the
text is cut at the marks, and every further result of that shape is put together from the pieces:
the same bytes as a rendering (a test compares them), in a tenth of the time.

What is a leaf and what is shape: text that is not empty and floats are leaves; everything that a
template can decide by (None, True, False, whole numbers, "", the length of a tuple) is shape. A
template must not compare or change texts and floats; it can show them. The parts of a view are
named tuples (or dataclasses, which take three times as long to make and to read).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape

MOST_SHAPES = 512
"""Shapes that are kept: about 12 KB each, and a visitor who types goes through a few."""

_MARK = re.compile("\ue000([0-9]+)\ue001")
_BETWEEN = "\ue002"


class Lasting:
    """A part of a view that is made once and used again: it is shape as a whole, by identity."""

    __slots__ = ()


class Skeleton:
    """One template with what never changes in its context."""

    def __init__(self, template: Template, **constant: object) -> None:
        self._template = template
        self._constant = constant
        self._shapes: dict[tuple[object, ...], tuple[list[str], Callable[[Any], Any]]] = {}

    def render(self, name: str, view: Any) -> Markup:
        """The template with ``view``, a named tuple or frozen dataclass, under ``name``."""
        shape: list[object] = []
        leaves: list[str] = []
        _flatten((view,), shape, leaves)
        key = tuple(shape)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = self._cut(name, view)
        pieces, in_order = found
        filled = pieces.copy()
        filled[1::2] = in_order(_escape(leaves))
        return Markup("".join(filled))  # noqa: S704 (the template's text and escaped leaves)

    def render_plainly(self, name: str, view: Any) -> Markup:
        """The same by rendering the template; what ``render`` must equal."""
        text = self._template.render({**self._constant, name: view})
        return Markup(text)  # noqa: S704 (escaped by autoescape)

    def _cut(self, name: str, view: Any) -> tuple[list[str], Callable[[Any], Any]]:
        marked = _mark(view, [0])
        text = self._template.render({**self._constant, name: marked})
        pieces = _MARK.split(text)
        order = [int(index) for index in pieces[1::2]]
        if len(order) > 1:
            return pieces, itemgetter(*order)
        return pieces, lambda leaves: [leaves[index] for index in order]


def _flatten(values: Iterable[Any], shape: list[object], leaves: list[str]) -> None:
    for value in values:
        kind: Any = type(value)
        if kind is str:
            if value:
                leaves.append(value)
                shape.append(str)
            else:
                shape.append("")
        elif kind is float:
            leaves.append(str(value))
            shape.append(float)
        elif value is None or kind is int or kind is bool:
            shape.append(value)
        elif kind is tuple:
            shape.append(len(value))
            _flatten(value, shape, leaves)
        elif issubclass(kind, Lasting):
            shape.append(value)
        else:
            _flatten(_parts(kind)(value), shape, leaves)


def _escape(leaves: list[str]) -> list[str]:
    """Every leaf escaped; all in one go, which takes a tenth of the time of one by one."""
    escaped = str(escape(_BETWEEN.join(leaves))).split(_BETWEEN)
    if len(escaped) == len(leaves):
        return escaped
    return [str(escape(leaf)) for leaf in leaves]


def _mark(value: Any, count: list[int]) -> Any:
    kind: Any = type(value)
    if kind is float or (kind is str and value):
        count[0] += 1
        return f"\ue000{count[0] - 1}\ue001"
    if kind is tuple:
        return tuple(_mark(item, count) for item in value)
    if value is None or kind in (bool, int, str) or issubclass(kind, Lasting):
        return value
    return kind(*(_mark(item, count) for item in _parts(kind)(value)))


@cache
def _parts(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """What takes a part of a view apart, in the order in which it is put together."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return tuple
    if not is_dataclass(kind):
        raise TypeError(f"{kind} is no part of a view: it is neither text nor named tuple")
    names = [item.name for item in fields(kind)]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)
