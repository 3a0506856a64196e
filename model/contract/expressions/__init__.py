"""The expressions of derived columns, like ``2020 - year``: parsed here, computed on whole columns.

A text is parsed into a tree of four kinds of nodes, and only these are computed: no expression
calls Python.
"""

from model.contract.expressions.cells import DATE_TEXT, Cells, CellsError
from model.contract.expressions.evaluating import Expression
from model.contract.expressions.parsing import (
    ExpressionError,
    parse_definition,
    write_column,
)

__all__ = [
    "DATE_TEXT",
    "Cells",
    "CellsError",
    "Expression",
    "ExpressionError",
    "parse_definition",
    "write_column",
]
