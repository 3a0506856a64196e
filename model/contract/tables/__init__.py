"""Reads tables that people have, whatever program wrote them, and writes tables that are safe.

A table is read as it comes, some thousands of rows at a time. It imports the fields of the contract
and nothing above them.
"""

import gzip
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

from model.contract.tables.arff_files import read_arff
from model.contract.tables.arrow_files import read_feather, read_parquet
from model.contract.tables.csv_files import read_csv
from model.contract.tables.json_files import read_json_rows
from model.contract.tables.json_lines import read_json_lines
from model.contract.tables.table import AS_FOUND, Block, OpenTable, ReadOptions, TableError
from model.contract.tables.workbooks import read_workbook

__all__ = [
    "READERS",
    "Block",
    "OpenTable",
    "ReadOptions",
    "TableError",
    "UnpackedFile",
    "open_table",
]

Reader = Callable[[BinaryIO, str, ReadOptions], OpenTable]
"""Opens a file of one format; the second argument is its name, for messages."""

READERS: dict[str, Reader] = {
    ".json": read_json_rows,
    ".arff": read_arff,
    ".parquet": read_parquet,
    ".feather": read_feather,
    ".arrow": read_feather,
    ".ndjson": read_json_lines,
    ".jsonl": read_json_lines,
    ".xlsx": read_workbook,
    ".ods": read_workbook,
}
"""The reader of each format, by the ending of a file's name; all others are read as CSV."""


def open_table(file: BinaryIO, name: str, options: ReadOptions = AS_FOUND) -> OpenTable:
    """Open the table in a file, which is read further as its blocks are taken.

    Args:
        file: needs ``read`` and nothing else; a seekable one serves more formats.
        name: the file's name; its ending tells the format.
        options: what the caller knows of the file.

    Raises:
        TableError: if there is no table in it; the message is for people.
    """
    ending = name.lower()
    if ending.endswith(".gz"):
        ending, file = ending.removesuffix(".gz"), cast(BinaryIO, UnpackedFile(file, name))
    reader = next((READERS[key] for key in READERS if ending.endswith(key)), read_csv)
    if options.plain and reader not in (read_csv, read_json_lines):
        raise TableError(f"{name} is not read here, only CSV and JSON lines are. Save it as CSV.")
    return reader(file, name, options)


class UnpackedFile(gzip.GzipFile):
    """What is in a file that gzip packed."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._name_for_people = name

    def read(self, size: int | None = -1) -> bytes:
        try:
            return super().read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise TableError(
                f"{self._name_for_people} cannot be unpacked: it is not a whole file of gzip."
            ) from error
