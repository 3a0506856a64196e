"""Reads tables from ARFF, the format of Weka and of OpenML."""

import io
import re
from dataclasses import replace
from typing import BinaryIO

from model.contract.tables.csv_files import read_csv
from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError

_ATTRIBUTE = re.compile(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)", re.IGNORECASE)


def read_arff(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open an ARFF file; its rows are those of a CSV file, and ? stands for what is unknown.

    Raises:
        TableError: if it has no attributes or no rows.
    """
    lines = file.read().decode("utf-8", "replace").splitlines()
    names = [found[1].strip("'\"") for line in lines if (found := _ATTRIBUTE.match(line.strip()))]
    if not names:
        raise TableError(f"{name} names no @attribute, so it is no ARFF file.")
    start = next((place for place, line in enumerate(lines) if line.strip().lower() == "@data"), 0)
    kept = [
        line for line in lines[start + 1 :] if line.strip() and not line.lstrip().startswith("%")
    ]
    rows = "\n".join([",".join(f'"{item}"' for item in names), *kept]).replace("'", '"')
    table = read_csv(io.BytesIO(rows.encode()), name, options._replace(delimiter=","))
    blocks = (_mark_unknown(block) for block in table.blocks)
    return replace(table, blocks=blocks, sample=_mark_unknown(table.sample))


def _mark_unknown(block: Block) -> Block:
    columns = [["" if cell.strip() == "?" else cell for cell in cells] for cells in block.columns]
    return block._replace(columns=columns)
