"""Tables of Arrow, Parquet, JSON lines and workbooks get the answers that a CSV file gets."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from app.cli.models import model as commands
from model import NumberModel
from model.contract.tables import ReadOptions, TableError, open_table
from model.serving.batch import BatchPredictor
from model.serving.batch.arrow import list_answer_types, open_model, predict_batches
from tests.tools import ROOT

pa = pytest.importorskip("pyarrow", reason="an optional group: make batch-tools")
pq = pytest.importorskip("pyarrow.parquet")

ROWS: list[dict[str, Any]] = [
    {"id": 9007199254740993, "beds": 3, "baths": 2.5, "sqft": "1,850", "lot_area": None},
    {"id": 2, "beds": 99, "baths": 2.0, "sqft": "1850", "lot_area": 9500},
    {"id": 3, "beds": 2, "baths": 1.0, "sqft": "NA", "lot_area": 9000},
    {"id": 4, "beds": 4, "baths": 3.0, "sqft": "2650", "lot_area": 13000},
]
ERRORS = [
    None,
    "Bedrooms must be between 0 and 8",
    "Square feet must be a number, like 1,850",
    None,
]


def predict(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["predict", "house-price", *map(str, arguments)])


def test_record_batches_come_back_with_their_answers(house: NumberModel) -> None:
    table = pa.Table.from_pylist(ROWS)
    encoded = table.set_column(3, "sqft", table["sqft"].dictionary_encode())
    for given in (table, encoded):
        found = pa.Table.from_batches(predict_batches(given.to_batches(), house)).to_pylist()
        assert [row["id"] for row in found] == [row["id"] for row in ROWS]
        assert [row["error"] for row in found] == ERRORS
        assert [row["low"] is None for row in found] == [False, True, True, False]
        (plain,) = house.predict([house.card.validate_row({**ROWS[0], "id": None})[0] or {}])
        assert found[0]["prediction"] == pytest.approx(plain.value, rel=1e-6)


def test_batches_without_rows_and_with_nulls_are_answered(house: NumberModel) -> None:
    schema = pa.schema([("beds", pa.int8()), ("baths", pa.float32()), ("sqft", pa.string())])
    batches = [
        pa.RecordBatch.from_pylist([], schema=schema),
        pa.RecordBatch.from_pylist([{"beds": None, "baths": None, "sqft": None}], schema=schema),
    ]
    first, second = predict_batches(batches, house)
    assert first.num_rows == 0
    assert second.to_pylist()[0]["error"] == (
        "Enter the number of bedrooms; Enter the number of bathrooms; Enter the living area"
    )


def test_the_added_columns_are_known_before_there_are_rows() -> None:
    assert open_model("house-price") is open_model("house-price")
    assert list_answer_types("house-price") == {
        "prediction": "double", "low": "double", "high": "double", "warning": "string",
        "error": "string",
    }  # fmt: skip
    with pytest.raises(TableError, match="takes pictures, and a table has none"):
        open_model("chest-xray")


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


def write_json_lines(path: Path) -> None:
    path.write_text("\n\n".join(map(json.dumps, ROWS)) + "\n")


def write_csv(path: Path) -> None:
    lines = [list(ROWS[0]), *(["" if v is None else v for v in row.values()] for row in ROWS)]
    path.write_text("\n".join(";".join(map(str, line)) for line in lines))


@pytest.mark.parametrize(
    ("name", "write"),
    [("in.parquet", write_parquet), ("in.ndjson", write_json_lines), ("in.csv", write_csv)],
)
@pytest.mark.parametrize("target", ["out.parquet", "out.csv"])
def test_files_of_any_format_come_back_in_another(
    tmp_path: Path, name: str, write: Any, target: str
) -> None:
    write(tmp_path / name)
    result = predict(tmp_path / name, tmp_path / target)
    assert result.exit_code == 3, result.output
    if target == "out.csv":
        table = open_table(io.BytesIO((tmp_path / target).read_bytes()), target)
        (block,) = table.blocks
        columns = dict(zip(table.header, block.columns, strict=True))
    else:
        columns = pq.read_table(tmp_path / target).to_pydict()
    assert [str(cell) for cell in columns["id"]] == ["9007199254740993", "2", "3", "4"]
    assert [cell or None for cell in columns["error"]] == ERRORS
    assert [bool(cell) for cell in columns["prediction"]] == [True, False, False, True]


def test_a_line_that_is_no_object_has_its_error_and_the_others_answers(
    house: NumberModel,
) -> None:
    lines = b'{"beds": 3, "baths": 2, "sqft": 1850}\n[1]\n{"beds": true, "baths": 2, "sqft": 900}\n'
    table = open_table(io.BytesIO(lines + b"{broken\n"), "my.ndjson")
    predictor = BatchPredictor(house, table.header, table.sample)
    (block,) = table.blocks
    found = predictor.predict(block)
    assert found.errors == {
        1: {"": "This line is not an object of JSON in UTF-8"},
        2: {"beds": "Bedrooms must be a number, like 3"},
        3: {"": "This line is not an object of JSON in UTF-8"},
    }


@pytest.mark.parametrize("name", ["out.parquet", "out.xlsx"])
def test_a_full_disk_is_what_is_told(tmp_path: Path, name: str) -> None:
    rows = "".join(f"{row},3,2,1850\n" for row in range(100_000))
    (tmp_path / "in.csv").write_text(f"id,beds,baths,sqft\n{rows}")
    command = f'ulimit -f 64; exec "{sys.executable}" -m flask --app wsgi model predict house-price'
    done = subprocess.run(
        ["sh", "-c", f'{command} "{tmp_path}/in.csv" "{tmp_path}/{name}" --no-warnings'],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Error: File too large. " in done.stderr
    assert "Traceback" not in done.stderr


SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1">{header}</row>
<row r="2"><c r="A2"><v>3</v></c><c r="B2"><v>2.5</v></c><c r="C2"><v>1850</v></c></row>
<row r="3"><c r="A3"><v>3</v></c><c r="C3"><v>1850.5</v></c></row>
</sheetData></worksheet>"""
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension='
    '"rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
    'main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="Houses" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package'
    '/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def write_workbook(path: Path, header: Sequence[str], sheet: str, **parts: str) -> None:
    cells = "".join(
        f'<c r="{place}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for place, name in zip("ABCDEFG", header, strict=False)
    )
    with zipfile.ZipFile(path, "w") as book:
        for name, text in (PARTS | parts).items():
            book.writestr(name, text)
        book.writestr("xl/worksheets/sheet1.xml", sheet.replace("{header}", cells))


def test_a_workbook_is_a_table(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    write_workbook(tmp_path / "in.xlsx", ("Bedrooms", "baths", "sqft"), SHEET)
    result = predict(tmp_path / "in.xlsx", tmp_path / "out.csv")
    assert result.exit_code == 3, result.output
    assert 'Columns recognised: "Bedrooms" is beds.' in result.stderr
    first, second = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert first.startswith("3,2.5,1850,")
    assert "Enter the number of bathrooms; Square feet must be a whole number" in second


STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts>
<numFmt numFmtId="170" formatCode="0 &quot;%&quot;"/><numFmt numFmtId="171" formatCode="0.0%"/>
</numFmts><cellXfs><xf numFmtId="170"/><xf numFmtId="171"/></cellXfs></styleSheet>"""


def test_what_a_workbook_shows_in_a_cell_is_not_taken_for_nothing(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    header = ("beds", "baths", "sqft", "year_built", "lot_area", "share", "discount")
    lost = (
        '<c r="D2" t="e"><f>A2/0</f><v>#DIV/0!</v></c><c r="E2"><f>1&lt;B2</f></c>'
        '<c r="F2" s="0"><v>0.25</v></c><c r="G2" s="1"><f>1/2</f><v>0.5</v></c></row><row r="3">'
    )
    sheet = SHEET.replace('</row>\n<row r="3">', lost)
    styles = {"xl/styles.xml": STYLES}
    write_workbook(tmp_path / "in.xlsx", header, sheet, **styles)
    result = predict(tmp_path / "in.xlsx", tmp_path / "out.csv")
    assert "Cells in percent were read as fractions: 50 % as 0.5." in result.stderr
    with (tmp_path / "out.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert [row[name] for name in header[3:]] == ["#DIV/0!", "'=1<B2", "0.25", "0.5"]
    assert row["error"].startswith("Year built must be a number, like 1995; Lot must be a number")


def test_a_workbook_that_is_made_to_take_long_is_read_at_once(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    for junk in ("<c>", "<c "):
        sheet = SHEET.replace("</sheetData>", f"<!-- <f>{junk * 100_000} --></sheetData>")
        write_workbook(tmp_path / "in.xlsx", ("beds", "baths", "sqft"), sheet)
        started = time.perf_counter()
        result = predict(tmp_path / "in.xlsx", tmp_path / "out.csv")
        assert result.exit_code == 3, result.output
        assert time.perf_counter() - started < 10


def test_merged_cells_below_the_header_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    for places, refused in (("A1:B1", False), ("A2:A3", True)):
        merged = f'</sheetData><mergeCells><mergeCell ref="{places}"/></mergeCells>'
        sheet = SHEET.replace("</sheetData>", merged)
        write_workbook(tmp_path / "in.xlsx", ("beds", "baths", "sqft"), sheet)
        result = predict(tmp_path / "in.xlsx", tmp_path / "out.csv")
        assert result.exit_code == (1 if refused else 3), result.output
        assert ("merged cells, in row 2, column 1" in " ".join(result.stderr.split())) == refused


def test_a_workbook_with_the_answers_is_read_by_another_program(tmp_path: Path) -> None:
    calamine = pytest.importorskip("python_calamine")
    write_csv(tmp_path / "in.csv")
    assert predict(tmp_path / "in.csv", tmp_path / "out.csv").exit_code == 3
    assert predict(tmp_path / "in.csv", tmp_path / "out.xlsx").exit_code == 3
    sheet = calamine.load_workbook(tmp_path / "out.xlsx").get_sheet_by_index(0).to_python()
    with (tmp_path / "out.csv").open(newline="") as file:
        expected = list(csv.reader(file))
    assert sheet[0] == expected[0]
    for row, texts in zip(sheet, expected, strict=True):
        for cell, text in zip(row, texts, strict=True):
            assert cell == pytest.approx(float(text)) if isinstance(cell, float) else cell == text


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"no Parquet", "in.parquet", "cannot be read as Parquet"),
        (b"no workbook", "in.xlsx", "cannot be read as a workbook"),
        (b"1\n2\n", "in.ndjson", "no lines with an object"),
        (b'{"a": "' + b"x" * 5_000_000, "in.ndjson", "a line of more than 4 MB"),
    ],
)
def test_a_file_of_another_format_is_refused_in_words(
    tmp_path: Path, data: bytes, name: str, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    result = predict(tmp_path / name, tmp_path / "out.csv")
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())


def test_files_of_strangers_go_to_no_parser_but_that_of_text() -> None:
    for name in ("my.parquet", "my.xlsx", "my.ODS"):
        with pytest.raises(TableError, match="Save it as CSV"):
            open_table(io.BytesIO(b"x"), name, ReadOptions(plain=True))


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path / "in.parquet")
    write_csv(tmp_path / "in.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (tmp_path / "in.xlsx").write_bytes(b"x")
    for name in ("in.parquet out.csv", "in.csv out.parquet", "in.xlsx out.csv"):
        result = predict(*(tmp_path / part for part in name.split()))
        assert result.exit_code == 1
        assert "make batch-tools" in " ".join(result.stderr.split())
    assert predict(tmp_path / "in.csv", tmp_path / "out.csv").exit_code == 3


def test_days_and_yes_or_no_of_arrow_are_read_by_their_fields() -> None:
    from model.contract.tables.arrow import encode_array

    assert encode_array(pa.array([dt.date(2010, 5, 31), None])) == [dt.date(2010, 5, 31), None]
    assert encode_array(pa.array([True, None])) == [True, None]
    cells = encode_array(pa.array(["a", None, "b", "a"]))
    assert not isinstance(cells, np.ndarray | list)
    assert [cells.distinct[index] for index in cells.indices] == ["a", None, "b", "a"]
    assert not cells.texts


@pytest.mark.parametrize("name", ["t.feather", "t.arrow", "stream.arrow"])
def test_feather_and_arrow_files_are_read(tmp_path: Path, name: str) -> None:
    table = pa.table({"beds": [3, None], "area": ["x", "é"]})
    make = pa.ipc.new_stream if name.startswith("stream") else pa.ipc.new_file
    with make(tmp_path / name, table.schema) as writer:
        writer.write_table(table)
    with (tmp_path / name).open("rb") as file:
        found = open_table(file, name)
        assert found.header == ("beds", "area")
        assert [column.to_pylist() for column in found.sample.columns] == [[3, None], ["x", "é"]]
    (tmp_path / name).write_bytes(b"FEA1 and more")
    with (tmp_path / name).open("rb") as file, pytest.raises(TableError, match="first version"):
        open_table(file, name)
