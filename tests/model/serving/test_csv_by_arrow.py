"""pyarrow reads and writes CSV faster, and gives what Formcast's own way gives."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model import NumberModel
from model.contract.fields import NumberField
from model.contract.tables import Block, ReadOptions, TableError, csv_files, open_table
from model.contract.tables.arrow import has_texts, list_cells, parse_numbers
from model.contract.tables.writing import write_rows
from model.serving.batch import BatchPredictor
from model.serving.batch.answers import Answers
from model.serving.batch.columns import FieldReader
from model.serving.batch.output import CsvWriter
from tests.model.serving.test_batch import FIELD, draw_rows, to_csv

pa = pytest.importorskip("pyarrow", reason="an optional group: make batch-tools")

FEW_BYTES = 64
"""Of a chunk, so that a small file has several; the first goes to the reader of ``csv``."""

NUMBER = NumberField(**FIELD, kind="number", min=-5, max=9000, example=1, required=False)


def read(data: bytes, **options: Any) -> tuple[Any, ...]:
    """Read a file in small chunks: its header, rows, wrong rows and notes, or what is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "HEAD_BYTES", FEW_BYTES)
        patch.setattr(csv_files, "_ARROW_BYTES", FEW_BYTES)
        try:
            table = open_table(io.BytesIO(data), "my.csv", ReadOptions(**options))
            rows: list[tuple[object, ...]] = []
            ragged: dict[int, str] = {}
            for block in table.blocks:
                ragged |= {len(rows) + row: text for row, text in block.ragged.items()}
                rows += zip(*map(list_cells, block.columns), strict=True)
        except TableError as error:
            return (str(error),)
    return table.header, rows, ragged, table.notes


CELLS = st.one_of(
    st.text("ab1.-#;\t\"'\\ \ufeffé\0\x0b\x1c\u2028", max_size=12),
    st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(["", '"a,b"', '"two\nlines"', '"say ""x"""', 'x"y', "NA", "null"]),
)
LINES = st.lists(st.lists(CELLS, min_size=3, max_size=3).map(",".join), min_size=30, max_size=60)


@given(
    LINES,
    st.lists(
        st.sampled_from(["", " ", "x", ",,,", "# note", '"', "\r", "\ufeffa,b,c"]), max_size=2
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
@example(["1,2,3"] * 40 + ["1,2"], [], "\n", "utf-8", True)
@example(["1,2,3"] * 40 + ["", "\ufeff1,2,3"] * 40, [], "\r\n", "utf-8", False)
def test_a_file_is_read_alike(
    lines: Sequence[str], odd: Sequence[str], end: str, codec: str, closed: bool
) -> None:
    mixed = [*lines[:20], *odd[:1], *lines[20:], *odd[1:]]
    data = (end.join(["first,second,third", *mixed]) + end * closed).encode(codec)
    assert read(data, arrow=True) == read(data)


def test_other_delimiters_are_read_alike() -> None:
    for delimiter in ("", ";", "\t", "§"):
        sign = delimiter or ","
        text = "\n".join([sign.join("abc"), *(sign.join(["1", "2,5", "x"]) for _ in range(99))])
        expected = read(text.encode(), delimiter=delimiter)
        assert read(text.encode(), delimiter=delimiter, arrow=True) == expected


def test_plain_lines_are_split_by_arrow() -> None:
    data = b"a,b\n" + b"1,2\n" * 200_000
    *_, last = open_table(io.BytesIO(data), "my.csv", ReadOptions(arrow=True)).blocks
    assert all(map(has_texts, last.columns))
    *_, last = open_table(io.BytesIO(data), "my.csv", ReadOptions(plain=True)).blocks
    assert not any(map(has_texts, last.columns))


NUMBERS = [
    "", "NA", "1e3", "9,5", "1.850", "0.850", "1850.125", "-0", "+5", "5\n6", "0" * 45, "٣", " 7",
    "12.345 ", "1" * 30, "-.5", "5.", "inf", "nan", "-4.99999999999999999",
    "1" * 4 + "." + "1" * 30,
]  # fmt: skip


def test_plain_numbers_are_told_from_others() -> None:
    texts = ["-1.25", "007", "0.125", "1850.125", "12345678901234567890", "-0"]
    assert parse_numbers(pa.array(texts)).tolist() == list(map(float, texts))
    others = ["", "-", "1.850", "00.125", "1.", ".5", "--1", "1-", "1.2.3", "+1", "1e3", "1" * 21]
    assert np.isinf(parse_numbers(pa.array(others))).all()


@given(st.lists(st.one_of(st.sampled_from(NUMBERS), st.text("0123456789.,-+e ", max_size=22))))
@example(NUMBERS)
def test_numbers_are_read_together_and_as_one_by_one(texts: list[str]) -> None:
    reader = FieldReader(NUMBER, NUMBER.read_cell)
    column = pa.array(["1", *texts], pa.string()).slice(1)
    codes, messages = reader.read_column(column, texts=True)
    alone = FieldReader(NUMBER, NUMBER.read_cell)
    for index, text in enumerate(texts):
        code, message = alone.read_column((text,), texts=True)
        assert messages.get(index) == message.get(0), text
        np.testing.assert_array_equal(codes[index], code[0])


@given(st.lists(st.text('ab=+-@\t\r\n",0159.e é', max_size=6), min_size=1))
def test_no_cell_of_an_array_is_run_by_a_spreadsheet(cells: list[str]) -> None:
    columns = [cells, ["x"] * len(cells)]
    assert write_rows([pa.array(column) for column in columns]) == write_rows(columns)


@given(st.lists(st.one_of(st.floats(-1e300, 1e300), st.floats(1e-6, 1e12)), min_size=1))
@example([0.0, float("nan"), -0.0, 1e-4, 9.9999e-5, 9999999999.0, 9999999999.96, 1e10])
def test_numbers_of_answers_are_written_alike(values: list[float]) -> None:
    answers = Answers(len(values), {"prediction": np.array(values)}, {}, {})
    written = [
        CsvWriter.render(Block([column], len(values)), answers)
        for column in (["x"] * len(values), pa.array(["x"] * len(values)))
    ]
    assert written[0] == written[1]
    found = [float(line.split(b",")[1] or "nan") for line in written[0].splitlines()]
    assert found == pytest.approx(values, rel=1e-9, nan_ok=True)


def test_a_file_with_holes_and_mistakes_is_answered_alike(house: NumberModel) -> None:
    data = to_csv(draw_rows(house, 20_000, seed=9)).replace('"', "").encode()
    written = []
    for arrow in (False, True):
        table = open_table(io.BytesIO(data), "my.csv", ReadOptions(arrow=arrow))
        predictor = BatchPredictor(house, table.header, table.sample)
        blocks = [CsvWriter.render(block, predictor.predict(block)) for block in table.blocks]
        written.append(b"".join(blocks))
    assert written[0] == written[1]
    assert written[0].count(b"must be") > 1000
