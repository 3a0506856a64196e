"""The commands that export, delete and purge what visitors reported."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.feedback import feedback
from app.feedback.databases import SqliteDatabase
from app.feedback.outcomes import ReportedOutcome
from app.feedback.store import Store
from model.house_price.sales import SALES, read_reported_sales
from model.making.pictures.labelled import read_labelled
from tests.model.making.conftest import add
from tests.models import MODEL_FACTORIES

TODAY = dt.date.today()
SALE = ReportedOutcome(
    "AAAABBBBCCCCDDDD", "house-price", "v1", TODAY,
    {"beds": "3", "baths": "2.5", "sqft": "1,850", "condition": ""}, 210_000.0, 230_000.0,
    low=180_000.0, high=250_000.0, said="=cmd()",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a sale, one without a truth, one that is not read any more, and an old one."""
    monkeypatch.setenv("FORMCAST_DATA", str(tmp_path / "kept.sqlite3"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    store = Store(SqliteDatabase(tmp_path / "kept.sqlite3"))
    wrong = SALE._replace(id="B" * 16, truth=None)
    unread = SALE._replace(id="C" * 16, facts={"beds": "3"})
    store.insert([SALE, wrong, unread, SALE._replace(id="D" * 16, day=TODAY - dt.timedelta(181))])
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(feedback, arguments)


def export_training(folder: Path, *options: str) -> tuple[Path, Result]:
    path = folder / "new.csv"
    result = run("export", str(path), "--model", "house-price", "--training", *options)
    assert result.exit_code == 0, result.output
    return path, result


def test_an_export_has_all_that_is_kept_and_no_spreadsheet_runs_it(store: Store) -> None:
    result = run("export", "-")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["receipt"][:4] for row in rows] == ["AAAA", "BBBB", "CCCC"]
    assert rows[0]["truth"] == "230000.0"
    assert rows[0]["sqft"] == "1,850"
    assert rows[0]["comment"] == "'=cmd()"
    assert "3 reports written" in result.stderr


def test_a_training_file_has_the_values_of_the_form_and_the_truth(
    store: Store, tmp_path: Path
) -> None:
    path, result = export_training(tmp_path)
    with path.open() as file:
        (row,) = csv.DictReader(file)
    assert {name: row[name] for name in ("beds", "sqft", "condition", "price")} == {
        "beds": "3", "sqft": "1850", "condition": "", "price": "230000.0",
    }  # fmt: skip
    assert "1 left out" in result.stderr
    refused = run("export", "-", "--model", "chest-xray", "--training")
    assert "Write them with --pictures DIR" in refused.output


def test_a_training_file_like_another_can_stand_beside_it(store: Store, tmp_path: Path) -> None:
    """The columns are those that the model was trained on, not those of the form."""
    facts = {
        "bill_length_mm": "44.1", "bill_depth_mm": "14.6", "flipper_length_mm": "",
        "island": "Biscoe", "sex_m_f": "female",
    }  # fmt: skip
    report = SALE._replace(model="penguins", facts=facts, value="Gentoo", truth="Chinstrap")
    store.insert([report._replace(id=letter * 16) for letter in "EFG"])
    given = MODEL_FACTORIES["penguins"](tmp_path)
    (tmp_path / "models").mkdir()
    assert add(given, "penguins", tmp_path / "models", "--trust").exit_code == 0
    new, root = tmp_path / "new.csv", ("--models", str(tmp_path / "models"))
    like = ("--training", "--like", str(given.data), *root)
    result = run("export", str(new), "--model", "penguins", *like)
    assert result.exit_code == 0, result.output
    assert new.read_text().splitlines()[:2] == [
        "species,island,bill length mm,bill_depth_mm,flipperLength (mm),Sex (m/f),sample_id",
        "Chinstrap,Biscoe,44.1,14.6,,female,",
    ]
    added = add(given, "again", tmp_path / "models", "--trust", "--data", new)
    assert added.exit_code == 0, added.output
    manifest = json.loads((tmp_path / "models/again/manifest.json").read_text())
    assert manifest["data"]["rows"] == len(given.data.read_text().splitlines()) - 1 + 3

    other = tmp_path / "other.csv"
    other.write_text("island,bill length mm,bill_depth_mm\nDream,40,17\n")
    refused = run("export", "-", "--model", "penguins", "--training", "--like", str(other), *root)
    assert "Which column of other.csv has the species? Name it with --target." in refused.output
    assert run("export", "-", "--like", str(other)).exit_code == 2


def test_the_sales_that_visitors_know_go_into_training_the_house_model(
    store: Store, tmp_path: Path
) -> None:
    path, _ = export_training(tmp_path)
    reports = read_reported_sales(path)
    assert reports.price.tolist() == [230_000]
    assert reports.features[0, :3].tolist() == [3, 2.5, 1850]
    export_training(tmp_path, "--like", str(SALES))
    assert path.read_text().partition("\n")[0] == SALES.read_text().partition("\n")[0]
    assert read_reported_sales(path).price.tolist() == [230_000]


def test_pictures_are_written_in_a_folder_for_each_class(store: Store, tmp_path: Path) -> None:
    shown = SALE._replace(
        model="chest-xray", facts={}, value="NORMAL", truth="PNEUMONIA", low=None, high=None
    )
    store.insert([
        shown._replace(id="E" * 16, picture=b"jpeg"),
        shown._replace(id="F" * 16, picture=b"other", truth="../a/b"),
        shown._replace(id="G" * 16, picture=b"unknown", truth=None),
        shown._replace(id="H" * 16),
    ])  # fmt: skip
    folder = tmp_path / "in" / "here"
    result = run("export", "--pictures", str(folder), "--model", "chest-xray")
    assert result.exit_code == 0, result.output
    written = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jpg")}
    assert written == {
        "PNEUMONIA/EEEE-EEEE-EEEE-EEEE.jpg": b"jpeg",
        "_a_b/FFFF-FFFF-FFFF-FFFF.jpg": b"other",
    }
    assert "2 pictures written" in result.stderr
    assert "1 left out: nobody said what they show." in result.stderr
    assert read_labelled(folder, "").classes == ("PNEUMONIA", "_a_b")  # as `model add` does
    assert run("export", "--pictures", str(folder)).exit_code == 2
    assert run("export").exit_code == 2


def test_a_report_is_deleted_by_its_number_or_with_its_model(store: Store) -> None:
    assert "is deleted" in run("delete", "aaaa-bbbb-cccc-dddd").output
    assert run("delete", "aaaa-bbbb-cccc-dddd").exit_code == 1
    assert run("delete").exit_code == 2
    assert CliRunner().invoke(feedback, ["delete", "--model", "house-price"], "n").exit_code == 1
    assert "3 deleted" in run("delete", "--model", "house_price", "--yes").output
    assert list(store.iterate()) == []


def test_cases_of_files_are_deleted_apart_from_reports(store: Store) -> None:
    case = SALE._replace(id="file-1", source="file")
    store.insert([case, case._replace(id="file-2", model="other")])
    assert run("delete", "--cases").exit_code == 2
    assert "1 deleted" in run("delete", "--model", "house-price", "--cases", "--yes").output
    assert store.count_outcomes("house-price") == (4, 0)
    assert store.count_outcomes("other") == (0, 1)


def test_what_is_too_old_is_purged(store: Store) -> None:
    assert run("purge").output.startswith("1 from before ")
    assert run("purge", "--days", "0").output.startswith("0 from before ")
    assert len(list(store.iterate())) == 3


def test_without_a_store_it_says_what_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMCAST_DATA", "/nowhere/kept.sqlite3")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert "FORMCAST_DATA names another" in run("purge").output
