"""Tables as people have them: how they are written is found out and said, and no cell is lost."""

import codecs
import csv
import errno
import gc
import gzip
import io
import math
import sys
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.fields import BaseField, FlagField, NumberField
from model.contract.tables import OpenTable, ReadOptions, TableError, open_table, writing
from model.contract.tables.matching import find_decimal_sign, match_columns
from model.contract.tables.workbook_writing import SheetWriter, render_rows
from model.contract.tables.writing import guard_cell, write_row, write_rows
from model.making.columns.naming import name_columns

Rows = list[list[str]]


def read(data: bytes | str, name: str = "my.csv", **options: Any) -> tuple[OpenTable, Rows]:
    raw = data.encode() if isinstance(data, str) else data
    table = open_table(io.BytesIO(raw), name, ReadOptions(**options))
    rows = [list(row) for block in table.blocks for row in zip(*block.columns, strict=True)]
    return table, rows


NAMES = "näme,pläce\nZoë,Köln\nJosé,“Nîmes”\n"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (NAMES.encode(), None),
        (codecs.BOM_UTF8 + NAMES.encode(), None),
        (NAMES.encode("utf-16"), "It was read as UTF-16."),
        (codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), "It was read as UTF-16."),
        (NAMES.encode("utf-16-le"), "It was read as UTF-16."),
        (NAMES.encode("utf-32"), "It was read as UTF-32."),
        (NAMES.encode("cp1252"), "It was read as Windows-1252."),
        (NAMES.replace("“", "").replace("”", "").encode("latin-1"), "It was read as Latin-1."),
        (NAMES.replace("\n", "\r\n").encode(), None),
        (NAMES.replace("\n", "\r").encode(), None),
        (gzip.compress(NAMES.encode(), mtime=0), None),
    ],
)
def test_it_is_read_whatever_its_characters_and_line_ends(data: bytes, note: str | None) -> None:
    name = "my.csv.gz" if data[:2] == b"\x1f\x8b" else "my.csv"
    table, rows = read(data, name)
    assert table.header == ("näme", "pläce")
    assert [row[0] for row in rows] == ["Zoë", "José"]
    assert rows[1][1].strip("“”") == "Nîmes"
    assert table.notes == ([note] if note else [])


@pytest.mark.parametrize(
    ("text", "header", "first", "rows"),
    [
        ("# by x\n# on 2020, then\na,b,c\n1,2,3\n# middle\n4,5,6\n", "a b c", "1", 2),
        ("# one\n\n#a,b\n1,2\n3,4\n", "#a b", "1", 2),  # as NumPy writes them
        ("#,Name,HP\nx,Bulb,y\nz,Ivy,q\n", "# Name HP", "x", 2),
        ("# x, y, z\nname,a,b\nfoo,1,2\n", "name a b", "foo", 1),
        ("# hi, there\ncolor,n\n#fff,1\n#000,2\n", "color n", "#fff", 2),
        ("color,n\n#fff,1\n#oops\n", "color n", "#fff", 2),
        ("text\n# no comment\nhello\n", "text", "# no comment", 2),
        ("# c\n# d;e;f,g\na;b\n1,5;2\n3;4\n", "a b", "1,5", 2),
        ('a,b\n1,2\n# it\'s\n3,"x\n#y"\n', "a b", "1", 2),
    ],
)
def test_lines_of_comments_are_left_out_and_nothing_else(
    text: str, header: str, first: str, rows: int
) -> None:
    table, found = read(text)
    assert (" ".join(table.header), found[0][0], len(found)) == (header, first, rows)
    dropped = len(text.split("\n")) - 2 - rows - text.count('"') // 2 - text.count("\n\n")
    assert bool(dropped) == any("begin with #" in note for note in table.notes)


def test_a_file_that_stops_being_utf8_is_read_on_and_says_so() -> None:
    lines = "".join(f"{row},é\n" for row in range(60_000))
    table, rows = read(b"id,text\n" + lines.encode() + "last,ü€\n".encode("cp1252"))
    assert len(rows) == 60_001
    assert rows[-1] == ["last", "ü€"]
    assert rows[-2] == ["59999", "é"]
    assert "not UTF-8 all through" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "separated_by"),
    [
        ("a,b\n1,2\n", ""),
        ("a;b;c\n1,5;2,5;3\n", "semicolons"),
        ("a\tb\n1,5\t2\n", "tabs"),
        ("a|b\n1|2\n", "vertical bars"),
        ("sep=;\na;b\n1;2\n", "semicolons"),
        ('"sep=\t"\na\tb\n1\t2\n', "tabs"),
        ("name;price, net\nx;1,5\ny;2,5\n", "semicolons"),
        ("only\n1\n2\n", ""),
    ],
)
def test_the_delimiter_is_found(text: str, separated_by: str) -> None:
    table, rows = read(text)
    notes = [note for note in table.notes if "separated" in note]
    assert notes == ([f"Its columns are separated by {separated_by}."] if separated_by else [])
    assert "sep=" not in "".join(table.header)
    assert len(rows[0]) == len(table.header)


def test_quoted_line_breaks_blank_lines_and_odd_quotes_keep_their_cells() -> None:
    text = 'id,text\n\n1,"two\nlines, and ""quotes"""\n   \n2,5" pipe\n3,"a"b\n4,\n'
    _, rows = read(text)
    assert rows == [
        ["1", 'two\nlines, and "quotes"'],
        ["2", '5" pipe'],
        ["3", "ab"],
        ["4", ""],
    ]


def test_a_byte_that_windows_1252_leaves_out_does_not_stop_a_file() -> None:
    assert read(b"a,b\n\x93x\x94\x81,2\n")[1] == [["“x”\x81", "2"]]


def test_zeros_at_the_front_and_long_numbers_survive() -> None:
    _, rows = read("id,zip\n0012345678901234567,00501\n")
    assert rows == [["0012345678901234567", "00501"]]


def test_comments_and_blank_lines_of_an_arff_file_are_no_rows() -> None:
    lines = "@relation r\n@attribute a numeric\n@data\n% a comment\n1\n\n  % another\n2\n"
    assert read(lines, "my.arff")[1] == [["1"], ["2"]]


def test_a_ragged_row_says_what_is_wrong_and_the_others_stay() -> None:
    table = open_table(io.BytesIO(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,\n"), "my.csv")
    (block,) = table.blocks
    assert block.ragged == {
        1: "This row has 2 cells, but the first line names 3 columns",
        2: "This row has 4 cells, but the first line names 3 columns",
    }
    assert [list(column) for column in block.columns] == [["1"] * 4, ["2"] * 4, ["3", "", "3", "3"]]


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "my.csv", "is empty"),
        (b"\n\n", "my.csv", "is empty"),
        (b"a,b\n", "my.csv", "has no rows below its first line"),
        (b"PK\x03\x04" + b"x" * 50, "my.csv", "ending, .xlsx"),
        (b"PAR1" + b"x" * 50, "my.csv", ".parquet"),
        (bytes(range(256)) * 40, "my.csv", "is no text"),
        (b"\x1f\x8b\x08broken", "my.csv.gz", "cannot be unpacked"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 99, mtime=0)[:-9], "my.csv.gz", "cannot be unpacked"),
        (b'a,b\n1,"open\n' + b"1,2\n" * 100_000, "my.csv", "closing quote is missing"),
        (b"a" * 17_000_000, "my.csv", "16 million characters"),
        (b'a,b\n1,"' + b"x" * (2**17 + 1) + b'"', "my.csv", "a cell has more than 131,072 char"),
        (b"a,b\n" + bytes(2) + b"\n\n" + b"1,2\n" * 498, "my.csv", ""),  # one in a thousand
        (b"a,b\n" + bytes(3) + b"\n" + b"1,2\n" * 498, "my.csv", "is no text"),
        (
            "a,b\nä,\ud800\n".encode("utf-16-le", "surrogatepass"),
            "my.csv",
            "half a character|UTF-16",
        ),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xd8", "my.csv", "cannot be read as UTF-16"),
        (b"@data\n1\n", "my.arff", "names no @attribute"),
        (b"[1]", "my.json", "holds no table"),
        (b"3", "my.json", "holds no table"),
        (b"[]", "my.json", "has no rows"),
        (b"\xff[]", "my.json", "is not JSON in UTF-8"),
        (b'{"a": 1}\n{"a": }', "my.json", "line 2 is no JSON object"),
        (b'[{"a": 1, "b": [2]}]', "my.json", "'b' holds a list or an object"),
        (b'[{"a": {}}]', "my.json", "'a' holds a list or an object"),
        (b"1\n[]\n", "my.jsonl", "has no lines with an object"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data: bytes, name: str, words: str) -> None:
    with pytest.raises(TableError, match=words.replace(".", r"\.")) if words else nullcontext():
        read(data, name)


def test_strangers_send_text_alone() -> None:
    for name in ("my.json", "my.arff", "my.parquet", "my.feather", "my.xlsx", "my.ods"):
        with pytest.raises(TableError, match="is not read here"):
            read(b"", name, plain=True)
    for name in ("my.csv", "my.txt", "my.csv.gz"):
        data = b"a,b\n1,2\n"
        packed = gzip.compress(data) if name.endswith("gz") else data
        assert read(packed, name, plain=True)[1] == [["1", "2"]]
    assert read(b"{}\n" + b'{"a": "1"}', "MY.NDJSON", plain=True)[1][1] == ["1"]


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        ('[{"a": 1, "b": "x"}, {"c": null, "a": 2}]', "abc", [[1, "x", None], [2, None, None]]),
        ('{"about": 3, "rows": [{"a": 1}], "more": [{"b": 2}]}', "a", [[1]]),
        ('\ufeff{"a": 1, "b": true}', "ab", [[1, True]]),
        ('{"a": 1}\n\n  {"a": 2}\n', "a", [[1], [2]]),
    ],
)
def test_json_is_read_as_a_list_in_an_object_or_line_by_line(
    text: str, header: str, rows: list[list[Any]]
) -> None:
    table, found = read(text, "my.json", rows=1)
    assert (table.header, found) == (tuple(header), rows)
    assert not table.sample.texts


def test_a_line_of_json_that_cannot_be_taken_whole_has_its_error() -> None:
    lines = ['{"a": 1}', '{"b": 2}', "3", "{", '{"a": 4, "%s": 5}' % ("c" * 61), '{"d": 6}', '"e"']
    lines.append('{"a": 7, "b": [{"c": 1, "c": 2}]}')
    assert read("\n".join(lines), "my.jsonl", rows=2)[0].header == ("a", "b")
    table = open_table(io.BytesIO("\n".join(lines).encode()), "my.jsonl", ReadOptions(rows=4))
    wrong = "This line is not an object of JSON in UTF-8"
    first, second = [dict(block.ragged) for block in table.blocks]
    assert first == {2: wrong, 3: wrong}
    assert second[0].startswith(f'"{"c" * 60}" has no column')
    assert second[1].startswith('"d" has no column, because no row at the beginning has it. Put')
    assert second[2] == wrong
    assert second[3] == "This line has the same key twice. Delete one of them"


def test_names_of_an_arff_file_may_be_quoted_and_a_question_mark_is_unknown() -> None:
    lines = (
        "@ATTRIBUTE 'a b' numeric\n @attribute \"c;d\" {x}\n@attribute e real\n@DATA\n1,'x,y',?\n"
    )
    table, rows = read(lines, "my.arff")
    assert (table.header, rows) == (("a b", "c;d", "e"), [["1", "x,y", ""]])
    assert table.sample.columns[2] == [""]


@pytest.mark.parametrize(
    ("byte", "name"),
    [(0x7F, ""), (0x80, "Windows-1252"), (0x9F, "Windows-1252"), (0xA0, "Latin-1")],
)
def test_a_byte_above_ascii_tells_which_alphabet_it_is(byte: int, name: str) -> None:
    table, _ = read(b"a,b\n1," + bytes([byte]) + b"\n")
    assert table.notes == ([f"It was read as {name}."] if name else [])


@pytest.mark.parametrize(("cells", "is_quoted"), [(131_072, False), (131_072, True)])
def test_a_cell_may_be_as_long_as_the_reader_of_python_takes(cells: int, is_quoted: bool) -> None:
    text = "x" * cells
    assert read(f'a,b\n1,"{text}"\n' if is_quoted else f"a,b\n1,{text}\n")[1] == [["1", text]]


def test_a_line_of_json_may_have_4_megabytes() -> None:
    line = b'{"a": "' + b"x" * (4 * 2**20 - 9) + b'"}'
    assert len(read(line, "my.ndjson")[1][0][0]) == 4 * 2**20 - 9
    with pytest.raises(TableError, match="a line of more than 4 MB"):
        read(line.replace(b"x", b"xx", 1), "my.ndjson")


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TableError, match="no encoding 'klingon'"):
        read("a,b\n1,2\n", encoding="klingon")
    assert read("a,b\nж,2\n".encode("cp1251"), encoding="cp1251")[1] == [["ж", "2"]]


class Trickle(io.RawIOBase):
    """Gives a byte or two at a time, as a slow sender does."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 2))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_the_writer_of_python_wrote_comes_back(rows: Rows, line_end: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b"], *rows])
    table = open_table(Trickle(file.getvalue().encode()), "my.csv")  # type: ignore[arg-type]
    found = [list(row) for block in table.blocks for row in zip(*block.columns, strict=True)]
    assert table.header == ("a", "b")
    assert found == rows


def test_chunks_end_where_records_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.contract.tables.csv_files.HEAD_BYTES", 7)
    rows = [["x\ny", f"{row}"] if row % 3 else ['"', "a,b"] for row in range(50)]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([["a", "b"], *rows])
    assert read(file.getvalue())[1] == rows


@pytest.mark.parametrize("line_ends", ["\n", "\r\n", "\r", "\r\n\r"])
def test_lines_end_in_any_way_beyond_the_beginning_of_a_file(
    monkeypatch: pytest.MonkeyPatch, line_ends: str
) -> None:
    monkeypatch.setattr("model.contract.tables.encodings.HEAD_BYTES", 64)
    monkeypatch.setattr("model.contract.tables.csv_files.HEAD_BYTES", 64)
    rows = [[f"{row}", f"x{row}"] for row in range(99)]
    lines = [",".join(cells) for cells in [["a", "b"], *rows]]
    assert read(line_ends.join(lines) + line_ends)[1] == rows


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-x", "'-x"),
        ("\tx", "'\tx"),
        ("\t0", "'\t0"),
        ("=5", "'=5"),
        ("@5", "'@5"),
        ("\rx", '"\'\rx"'),
        ("-5", "-5"),
        ("+1,234.50", '"+1,234.50"'),
        ("-1e-05", "-1e-05"),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two\nlines"'),
        (None, ""),
        (7, "7"),
        (["a", 1], '"[""a"", 1]"'),
        ({"é": 1}, '"{""é"": 1}"'),
    ],
)
def test_no_cell_is_run_by_a_spreadsheet_and_numbers_stay(cell: object, written: str) -> None:
    assert write_row([cell, "x"]) == f"{written},x\n"
    assert write_rows([[cell, "plain"], ["x", "y"]]) == f"{written},x\nplain,y\n".encode()


def test_numbers_below_0_are_written_as_they_are_and_not_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "guard_cell", None)
    assert write_rows([["-0.5", "-12"], ["1", "-1"]]) == b"-0.5,1\n-12,-1\n"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("1850", "<v>1850</v>"),
        ("-0.25", "<v>-0.25</v>"),
        (2.5, "<v>2.5</v>"),
        (1e-05, "<v>1e-05</v>"),
        (7, "<v>7</v>"),
        (123456.78901, "<v>123456.789</v>"),
        (math.inf, ""),
        ("123456789012345", "<v>123456789012345</v>"),
        (None, ""),
        (math.nan, ""),
        ("", ""),
        *(
            (text, f'<is><t xml:space="preserve">{shown}</t></is>')
            for text, shown in {
                "007": "007",
                "1e5": "1e5",
                "1234567890123456": "1234567890123456",
                "=1+1": "'=1+1",
                "a<b>&": "a&lt;b&gt;&amp;",
                "a\x00\ud800b": "a\ufffd\ufffdb",
                "_x0041_": "_x005F_x0041_",
                " x": " x",
                "x" * 32_767: "x" * 32_767,
                "x" * 32_768: "x" * 32_766 + "…",
            }.items()
        ),
        (["a"], '<is><t xml:space="preserve">["a"]</t></is>'),
    ],
)
def test_a_workbook_has_numbers_as_numbers_and_keeps_every_other_text(
    cell: object, written: str
) -> None:
    rendered = render_rows([[cell]]).decode()
    assert rendered.removeprefix("<row>").removesuffix("</row>") in (
        f"<c>{written}</c>" if written else "<c/>",
        f'<c t="inlineStr">{written}</c>',
    )


def test_a_workbook_has_no_room_for_more_than_a_sheet() -> None:
    with pytest.raises(TableError, match="16,384 columns"):
        SheetWriter(io.BytesIO(), ["x"] * 16_385)
    SheetWriter(io.BytesIO(), ["x"] * 16_384).close()
    writer = SheetWriter(io.BytesIO(), ["x"])
    writer.write(b"<row>" * 1_048_575)
    with pytest.raises(TableError, match="1,048,575 rows"):
        writer.write(b"<row>")
    writer.close()


def test_a_workbook_for_which_the_disk_has_no_room_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with FullDisk() as file, pytest.raises(OSError, match="No space left"):
        SheetWriter(file, ["x"])
    gc.collect()
    assert not told


def test_the_guard_leaves_an_email_and_a_blank_as_they_are() -> None:
    assert [guard_cell(text) for text in ("a@b.c", "", " =1")] == ["a@b.c", "", " =1"]


def fields() -> list[BaseField]:
    keys: dict[str, Any] = {"kind": "flag", "noun": "x", "example": True}
    return [
        FlagField(name="has_pool", label="Swimming pool", **keys),
        FlagField(name="garage", label="Garage", required=False, **keys),
    ]


@pytest.mark.parametrize(
    "header",
    [
        ("id", "garage", "has_pool"),
        ("GARAGE", " Has Pool "),
        ("garage", "swimming-pool", ""),
        ("Has-Pool", "", "", "Garage"),
        ("hąs póol", "gårage"),
    ],
)
def test_columns_are_matched_by_name_and_label_in_any_order(header: tuple[str, ...]) -> None:
    found = match_columns(fields(), header)
    assert set(found.columns) == {"has_pool", "garage"}
    assert bool(found.notes) == (header[1] != "garage")


@pytest.mark.parametrize(
    "column", ["总价(万元)", "总价（万元）", "面积_m2", "Größe (cm)", "loyer €"]
)
def test_a_column_of_the_data_is_found_whatever_its_alphabet(column: str) -> None:
    (item,) = name_columns([column], {column})
    keys: dict[str, Any] = {"kind": "number", "noun": "x", "min": 0, "max": 9, "example": 1}
    field = NumberField(name=item.name, label=item.label, unit=item.unit, **keys)
    assert item.unit
    assert match_columns([field], ["id", column]).columns == {item.name: 1}


def test_a_column_without_a_name_is_found_as_pandas_calls_it() -> None:
    (item,) = name_columns(["Unnamed: 0"], set())
    field = FlagField(name=item.name, label=item.label, kind="flag", noun="x", example=True)
    assert match_columns([field], ["", "id", ""]).columns == {item.name: 0}


@pytest.mark.parametrize(
    "header", [("🍎", "🍌"), ("🍎 count", "🍌 count"), ("rh+", "rh-"), ("a", "%")]
)
def test_columns_that_differ_by_signs_alone_are_told_apart(header: tuple[str, str]) -> None:
    keys: dict[str, Any] = {"kind": "flag", "noun": "x", "example": True}
    items = name_columns(list(header), set())
    made = [FlagField(name=item.name, label=item.label, **keys) for item in items]
    places = {items[0].name: 1, items[1].name: 0}
    assert match_columns(made, header[::-1]).columns == places


def test_a_column_is_found_by_the_name_that_was_cut_for_its_field() -> None:
    columns = ["Blast Furnace Slag (component 2)(kg in a m^3 mixture)", "Fly Ash (component 3)"]
    (slag, ash) = name_columns(columns, set(columns))
    keys: dict[str, Any] = {"kind": "flag", "noun": "x", "example": True}
    cut = [FlagField(name=item.name, label=item.label, **keys) for item in (slag, ash)]
    assert match_columns(cut, columns).columns == {slag.name: 0, ash.name: 1}
    with pytest.raises(TableError, match="Two columns mean"):
        match_columns(cut, [*columns, f"{columns[0]} as well"])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (("has_pool", "has_pool"), 'The column "has_pool" is there twice'),
        (("has_pool", "x", "x"), 'The column "x" is there twice'),
        (("has_pool", "Swimming Pool"), "Two columns mean Swimming pool"),
        (("hass_pool", "garage"), 'Is "hass_pool" meant? Then call it has_pool'),
        (("1", "0"), "No column has the name of a field"),
    ],
)
def test_columns_that_cannot_be_matched_are_refused(header: tuple[str, ...], words: str) -> None:
    with pytest.raises(TableError) as refused:
        match_columns(fields(), header)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("columns", "sign"),
    [
        ([["1,5", "2", ""]], ","),
        ([["1.5", "2"]], "."),
        ([["1.850", "2.000"]], None),
        ([["1.850,5"]], ","),
        ([["1,850", "2.5"]], "."),
        ([["1,5"], ["2.5"]], None),
        ([["0.125", "12.5 kg"]], "."),
        ([[1.5, None]], None),
        ([["1,5"] * 9, ["2.5"]], None),
        ([["1,5"] * 10, ["2.5"]], ","),
        ([["1,5"], ["2.5"] * 9], None),
        ([["1,5"], ["2.5"] * 10], "."),
        ([["1.5", "a,b"]], "."),
    ],
)
def test_a_file_tells_what_separates_decimals(columns: list[list[Any]], sign: str | None) -> None:
    assert find_decimal_sign(columns) == sign


def test_a_file_without_a_required_column_says_which_and_what_it_has() -> None:
    both = [field.model_copy(update={"required": True}) for field in fields()]
    many = tuple(f"column_{place}" for place in range(31))
    for header, words in (
        (many[:30], "must be among them. It is: column_0, "),
        (many[:30], "column_29."),
        (many, "column_29 …."),
        (
            ("garage", "x"),
            "The file needs a column for has_pool (Swimming pool). It has: garage, x.",
        ),
        (("garage", "swiming pol"), 'Is "swiming pol" meant? Then call it has_pool.'),
    ):
        with pytest.raises(TableError) as refused:
            match_columns(both, header)
        assert words in str(refused.value)
    third = both[1].model_copy(update={"name": "cellar", "label": "Cellar"})
    with pytest.raises(TableError, match=r"needs columns for garage \(Garage\), cellar \(Cellar\)"):
        match_columns([*both, third], ("has_pool", "y"))


def test_what_was_recognised_and_what_is_missing_is_told() -> None:
    assert match_columns(fields(), ("has_pool", "garage")).notes == ()
    assert match_columns(fields(), (" Swimming pool ", "x")).notes == (
        'Columns recognised: "Swimming pool" is has_pool.',
        "There is no column for garage: every row is answered without.",
    )


HALF = b'[{"name": "a\\ud800b"}, {"name": "\\ud83c\\udfe0"}]'


def test_half_of_a_character_is_refused_in_words_and_a_whole_one_is_read() -> None:
    with pytest.raises(TableError, match="has half of a character in a text"):
        read(HALF, "my.json")
    lines = HALF[1:-1].replace(b", ", b"\n")
    table, rows = read(lines + b'\n{"name": "\xed\xa0\x80"}', "my.ndjson")
    assert rows == [[None], ["\U0001f3e0"], [None]]
    assert list(table.sample.ragged) == [0, 2]
