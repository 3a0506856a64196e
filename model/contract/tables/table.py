"""What every format of a table is read into."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from model.contract.arrays import IndexArray
from model.contract.reading import DecimalSign


class TableError(ValueError):
    """A file that cannot be used; the message is for people, and says what to do."""


class ReadOptions(NamedTuple):
    """What somebody knows of a file; "" and None where the file is to tell.

    ``encoding`` is a name that Python knows, ``delimiter`` one character. ``rows`` is how many rows
    a block has at most. ``plain`` refuses all but text: files of strangers go to no other parser.
    ``arrow`` says that columns may be arrays of Arrow, which pyarrow reads faster, if it is there.
    """

    encoding: str = ""
    delimiter: str = ""
    decimal: DecimalSign | None = None
    rows: int = 4096
    plain: bool = False
    arrow: bool = False


AS_FOUND = ReadOptions()
"""Nobody knows anything of the file."""


class EncodedCells(NamedTuple):
    """A column as its distinct cells, and the index among them of each row's, shape (rows,).

    ``texts`` says whether all of them are texts.
    """

    distinct: Sequence[Any]
    indices: IndexArray
    texts: bool


class Block(NamedTuple):
    """Some rows of a table.

    ``columns`` has the cells of each column, in the header's order; they are texts where the format
    knows nothing else, and ``texts`` says whether all are. A column may also be an array of
    numbers, ``EncodedCells``, or an array of Arrow. ``ragged`` says what is wrong with a row as
    such, like its number of cells, by its index in the block.
    """

    columns: Sequence[Any]
    rows: int
    ragged: Mapping[int, str] = {}
    texts: bool = True


@dataclass(eq=False)
class OpenTable:
    """A table that is being read.

    ``header`` has the names of the columns as they stand in the file. ``blocks`` are its rows; they
    raise TableError where the file breaks off. ``sample`` is the first of them, which they give,
    too. ``notes`` say how the file was read, a sentence each; reading on may add some.
    """

    header: tuple[str, ...]
    blocks: Iterator[Block]
    sample: Block
    notes: list[str] = field(default_factory=list)
