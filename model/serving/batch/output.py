"""Writes tables with their answers as CSV or as a workbook."""

from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.tables.arrow import format_numbers, has_texts
from model.contract.tables.table import Block
from model.contract.tables.workbook_writing import SheetWriter, render_rows
from model.contract.tables.writing import write_row, write_rows
from model.serving.batch.answers import Answers

_DIGITS = 10

_SCALES = 10.0 ** np.arange(_DIGITS + 3, -2, -1)
"""Of numbers from 0.0001 on, by the power of ten below them; 10.0 ** array takes far longer."""

_LEAST_USUAL = 1e-4
"""Below it, ``%g`` writes 1e-05 and Arrow 0.00001."""


class CsvWriter:
    """Writes CSV in UTF-8.

    Args:
        file: gets the bytes.
        header: the table's own columns.
        columns: ours, as ``BatchPredictor.columns`` names them.
    """

    def __init__(self, file: BinaryIO, header: Sequence[str], columns: Sequence[str]) -> None:
        self._file = file
        file.write(write_row([*header, *columns]).encode())

    @staticmethod
    def render(block: Block, answers: Answers) -> bytes:
        """Make the lines of a block."""
        by_arrow = any(map(has_texts, block.columns))
        return write_rows([*block.columns, *build_columns(answers, by_arrow)])

    def write(self, rendered: bytes) -> None:
        """Write the lines of a block."""
        self._file.write(rendered)

    def close(self) -> None:
        """Nothing stands at the end of the file."""


class WorkbookWriter:
    """Writes a workbook; see ``SheetWriter``.

    Args:
        file: gets the bytes.
        header: the table's own columns.
        columns: ours, as ``BatchPredictor.columns`` names them.

    Raises:
        TableError: if it has no room for the columns.
    """

    def __init__(self, file: BinaryIO, header: Sequence[str], columns: Sequence[str]) -> None:
        sheet = SheetWriter(file, [*header, *columns])
        self.write, self.close = sheet.write, sheet.close

    @staticmethod
    def render(block: Block, answers: Answers) -> bytes:
        """Make the rows of a block."""
        values = answers.values.values()
        return render_rows([*block.columns, *values, *_list_remarks(answers)])


def build_columns(answers: Answers, by_arrow: bool = False) -> list[Any]:
    """The columns of answers as texts; "" or None where there is nothing.

    Those of numbers may be arrays of Arrow where ``by_arrow`` says so.
    """
    columns = [
        _format_numbers(values, by_arrow) if isinstance(values, np.ndarray) else values
        for values in answers.values.values()
    ]
    return [*columns, *_list_remarks(answers)]


def _list_remarks(answers: Answers) -> tuple[list[str], list[str]]:
    """The columns of warnings and of errors."""
    warnings, errors = [""] * answers.rows, [""] * answers.rows
    for row, message in answers.unusual.items():
        warnings[row] = message
    for row in answers.errors:
        errors[row] = answers.join_errors(row)
    return warnings, errors


def _format_numbers(values: Float64Array, by_arrow: bool) -> Any:
    """Numbers with ten digits, which is more than a model has; "" for NaN."""
    sizes = np.abs(values)
    usual = (sizes >= _LEAST_USUAL) & (sizes < 10.0**_DIGITS)
    powers = np.floor(np.log10(np.where(usual, sizes, 1.0))).astype(np.intp)
    scales = _SCALES[powers + 4]
    # In this order each is the float nearest to a number of ten digits, and its shortest text is
    # that number.
    values = np.where(usual, np.rint(np.where(usual, values, 0.0) * scales) / scales, values)
    if by_arrow and (usual | (values == 0) | np.isnan(values)).all():
        return format_numbers(values)
    texts = ("%.10g\n" * len(values) % tuple(values.tolist())).split("\n")[:-1]
    if np.isnan(values).any():
        return ["" if text == "nan" else text for text in texts]
    return texts
