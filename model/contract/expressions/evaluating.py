"""An expression, and what it computes on whole columns."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from model.contract.expressions.cells import Cells, CellsError
from model.contract.expressions.functions import FUNCTIONS, OPERATORS, LookupTable, look_up
from model.contract.expressions.parsing import (
    Call,
    Column,
    ExpressionError,
    Node,
    Number,
    Text,
    parse_expression,
    suggest,
)


class Expression:
    """A parsed expression; ``text`` is how it was written.

    Raises:
        ExpressionError: if the text is no expression.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = parse_expression(text)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names, each once."""
        names = (node.name for node in _walk(self._tree) if isinstance(node, Column))
        return tuple(dict.fromkeys(names))

    @cached_property
    def lookups(self) -> tuple[str, ...]:
        """The files that it looks values up in, each once."""
        calls = (node for node in _walk(self._tree) if isinstance(node, Call))
        files = (call.arguments[1] for call in calls if call.name == "lookup")
        return tuple(dict.fromkeys(file.value for file in files if isinstance(file, Text)))

    def evaluate(self, columns: Mapping[str, Cells], lookups: Mapping[str, LookupTable]) -> Cells:
        """Compute it.

        ``columns`` have shape (rows,) each; ``lookups`` are tables by the names of their files.

        Returns:
            Cells of shape (rows,), or () where the expression names no column.

        Raises:
            ExpressionError: if there is no such column, or a function does not take its cells.
        """
        with np.errstate(all="ignore"):
            return _evaluate(self._tree, columns, lookups, self.text)


def _evaluate(
    tree: Node, columns: Mapping[str, Cells], lookups: Mapping[str, LookupTable], text: str
) -> Cells:
    if isinstance(tree, Number):
        return Cells("number", np.float64(tree.value))
    if isinstance(tree, Text):
        return Cells("text", np.array(tree.value, dtype=object))
    if isinstance(tree, Column):
        if tree.name not in columns:
            problem = f"there is no column {tree.name}{suggest(tree.name, columns)}"
            raise ExpressionError(text, tree.place, problem)
        return columns[tree.name]
    if tree.name == "lookup":
        cells, file = tree.arguments
        assert isinstance(file, Text)  # noqa: S101 (the parser made it)
        return look_up(_evaluate(cells, columns, lookups, text), lookups[file.value])
    arguments = [_evaluate(item, columns, lookups, text) for item in tree.arguments]
    compute = FUNCTIONS[tree.name].compute if tree.name in FUNCTIONS else OPERATORS[tree.name]
    try:
        return compute(*arguments)
    except CellsError as error:
        raise ExpressionError(text, tree.place, str(error)) from error


def _walk(tree: Node) -> Iterator[Node]:
    yield tree
    if isinstance(tree, Call):
        for argument in tree.arguments:
            yield from _walk(argument)
