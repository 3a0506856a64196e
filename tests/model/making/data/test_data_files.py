"""Data files of every format become the cells that the model knows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.making.data.data_files import hash_data, list_files
from model.making.data.tables import RowChoice, read_table
from model.making.data.text_cells import NO_TEXTS, KnownTexts
from model.making.errors import AddError

TABLE = pd.DataFrame({"area": ["x", "y", "x"], "size": [70, 45, 120], "rent": [900.5, 700, 1500]})


def write(path: Path) -> None:
    """Write the table in the format of the ending."""
    csv = TABLE.to_csv(index=False)
    match path.name.partition(".")[2]:
        case "json":
            path.write_text(TABLE.to_json(orient="records"))
        case "ndjson":
            path.write_text(TABLE.to_json(orient="records", lines=True))
        case "csv.gz":
            path.write_bytes(gzip.compress(csv.encode()))
        case "tsv":
            path.write_text(TABLE.to_csv(index=False, sep="\t"))
        case "arff":
            names = "".join(f"@ATTRIBUTE '{name}' numeric\n" for name in TABLE.columns)
            rows = csv.partition("\n")[2]
            path.write_text(f"% rents\n@relation r\n{names}@DATA\n{rows}")
        case "utf16.csv":
            path.write_bytes(csv.encode("utf-16"))
        case "semicolons.csv":
            path.write_text("\n" + TABLE.to_csv(index=False, sep=";") + ";;\n\n")


@pytest.mark.parametrize(
    "name",
    ["t.json", "t.ndjson", "t.csv.gz", "t.tsv", "t.arff", "t.utf16.csv", "t.semicolons.csv"],
)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    found = read_table(tmp_path / name, None, lambda _: None)
    pd.testing.assert_frame_equal(found, TABLE, check_dtype=False)
    assert found["size"].dtype == np.int64


def test_files_in_a_folder_are_joined_by_rows(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "b.json").write_text(json.dumps(TABLE.to_dict("records")))
    notes: list[str] = []
    assert len(read_table(tmp_path, None, notes.append)) == 6
    assert any("2 files" in note for note in notes)
    before = hash_data(tmp_path)
    TABLE.rename(columns={"size": "m2"}).to_csv(tmp_path / "c.csv", index=False)
    assert hash_data(tmp_path) != before
    with pytest.raises(AddError, match="do not have the same columns: 'm2'"):
        read_table(tmp_path, None, notes.append)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AddError, match="has no files"):
        list_files(tmp_path / "empty")


def test_signs_for_the_unknown_are_holes_but_where_the_model_knows_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("age, job\n39, clerk\n?, ?\n51, NA\n., None\n")
    notes: list[str] = []
    found = read_table(path, None, notes.append)
    assert found["age"].isna().tolist() == [False, True, False, True]
    assert found["age"].dtype == float
    assert any("'?' is read as unknown" in note for note in notes)
    known = KnownTexts({"job": frozenset({"clerk", "NA", "None"})})
    jobs = read_table(path, None, notes.append, known)["job"]
    assert jobs.isna().tolist() == [False, True, False, False]
    assert jobs.dropna().tolist() == ["clerk", "NA", "None"]
    kept = KnownTexts(kept=frozenset({"job"}))
    assert read_table(path, None, notes.append, kept)["job"].tolist()[2:] == ["NA", "None"]


def test_a_question_mark_that_an_encoder_of_its_column_does_not_know_is_a_hole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("job, town\nclerk, Ulm\n?, ?\nsmith, Bonn\n")
    knows = {"job": frozenset({"clerk", "smith"}), "town": frozenset({"Ulm", "Bonn", "?"})}
    found = read_table(path, None, lambda _: None, KnownTexts(knows))
    assert found["job"].isna().tolist() == [False, True, False]
    assert found["town"].tolist() == ["Ulm", "?", "Bonn"]


def test_a_column_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("self, table\n?, 4\n2, 5\n3, 6\n")
    found = read_table(path, None, lambda _: None)
    assert found["self"].dropna().tolist() == [2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "two columns 'a'"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1,2,3\n", "row 2"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_place(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(AddError, match=words):
        read_table(tmp_path / "t.csv", None, lambda _: None)


def test_rows_that_fulfil_a_condition_are_taken_of_all_files(tmp_path: Path) -> None:
    dates = pd.Series(["2019-12-31", "2020-01-01", "2020-05-31"])
    TABLE.assign(**{"sold on": dates}).to_csv(tmp_path / "a.csv", index=False)
    more = TABLE.assign(**{"sold on": dates, "rent": [1000, -1, None]})
    more.to_csv(tmp_path / "b.csv", index=False, sep=";")

    def read(where: str, most: int | None = None) -> list[float]:
        notes: list[str] = []
        choice = RowChoice(where, most)
        paths = (tmp_path / "b.csv",)
        found = read_table(tmp_path / "a.csv", None, notes.append, NO_TEXTS, paths, choice)
        assert where in "".join(notes)
        return [float(rent) for rent in found["rent"]]

    assert read("rent > 700") == [900.5, 1500, 1000]
    assert read('area == "x" and rent > 0') == [900.5, 1500, 1000]
    assert read('`sold on` >= "2020-01-01" and rent > 0') == [700, 1500]
    some = read("rent > 0", 2)
    assert len(some) == 2
    assert set(some) < {900.5, 700, 1500, 1000}
    assert read("rent > 0", 2) == some
    assert len(read("", 100)) == 6


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("size > ", "at its end"),
        ("siz > 3", "Did you mean 'size'"),
        ("area > 3", "area holds texts like 'x'"),
        ("size > 1 & size < 3", "write and"),
        ("size > 1000", "true for no row of t.csv"),
        ("area", "is no condition"),
        ("1 > 0", "names no column"),
        ("lookup(area, x.json) > 0", "looks nothing up"),
    ],
)
def test_a_condition_that_cannot_be_used_is_refused(tmp_path: Path, where: str, words: str) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(AddError, match=words):
        read_table(tmp_path / "t.csv", None, lambda _: None, NO_TEXTS, (), RowChoice(where))
