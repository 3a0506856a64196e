"""``model outcomes``: a file of cases whose truth is known, held against what was promised."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.models import model as commands
from app.feedback.databases import SqliteDatabase
from app.feedback.store import Store
from tests.tools import ROOT

HEADER = "beds,baths,sqft,price\n"
COLUMNS = ("beds", "baths", "sqft", "year_built", "price")


def outcomes(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["outcomes", "house-price", *map(str, arguments)])


@pytest.fixture(autouse=True)
def _without_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMCAST_FEEDBACK", "off")
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """The store that the command uses."""
    path = tmp_path / "kept.sqlite3"
    monkeypatch.setenv("FORMCAST_FEEDBACK", "on")
    monkeypatch.setenv("FORMCAST_DATA", str(path))
    opened = Store(SqliteDatabase(path))
    yield opened
    opened.close()


@pytest.fixture
def write_sales(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of sales with prices of so many times, and the day of each."""

    def write(times: float = 1.0, first: int = 0, count: int = 250) -> Path:
        with (ROOT / "model/house_price/sales.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))[first : first + count]
        target = io.StringIO(newline="")
        writer = csv.writer(target)
        writer.writerow([*COLUMNS, "sold"])
        for row in rows:
            facts = [row[name] for name in COLUMNS[:-1]]
            day = f"{row['year_sold']}-{int(row['month_sold']):02}-15"
            writer.writerow([*facts, round(float(row["price"]) * times), day])
        path = tmp_path / f"sales-{times}-{first}-{count}.csv"
        path.write_text(target.getvalue())
        return path

    return write


def test_true_prices_are_no_alarm(write_sales: Callable[..., Path]) -> None:
    result = outcomes(write_sales())

    assert result.exit_code == 0, result.output
    assert "250 of 250 rows have an answer and a truth." in result.stdout
    assert "Ranges held, from the lowest fifth of the answers to the highest:" in result.stdout
    assert "2010-05:" in result.stdout
    assert "90.0% were expected, as measured on 2,344 rows" in result.stdout
    assert "that still holds." in result.stdout
    assert 'The truth is in the column "price".' in result.stderr
    assert 'The day is in the column "sold": the first is June 15, 2010.' in result.stderr
    assert "Nothing was kept: FORMCAST_FEEDBACK is off." in result.stderr


def test_prices_of_one_and_four_tenths_are_an_alarm(write_sales: Callable[..., Path]) -> None:
    result = outcomes(write_sales(1.4))

    assert result.exit_code == 4
    assert "this is no longer true. It was clear after " in result.stdout
    assert "of the others the truth was above the range." in result.stdout


def test_the_same_case_is_kept_once_in_whatever_file_it_comes(
    write_sales: Callable[..., Path], store: Store
) -> None:
    first = outcomes(write_sales(count=100))
    again = outcomes(write_sales(count=100))
    wider = outcomes(write_sales(count=150))

    assert "100 were kept. 100 are known." in first.stdout
    assert "0 were kept; 100 were there already. 100 are known." in again.stdout
    assert "50 were kept; 100 were there already. 150 are known." in wider.stdout
    kept = list(store.iterate("house-price", "file"))
    assert len(kept) == 150
    assert {one.source for one in kept} == {"file"}
    assert all(one.low is not None and one.day.year in (2009, 2010) for one in kept)
    assert set(kept[0].facts) == set(COLUMNS[:-1])


def test_a_file_that_holds_cannot_hide_another_that_does_not(
    write_sales: Callable[..., Path], store: Store
) -> None:
    assert outcomes(write_sales(1.4)).exit_code == 4

    result = outcomes(write_sales(first=300, count=60))

    assert result.exit_code == 4
    assert "All files together: Ranges held for" in result.stdout


def test_cases_are_tested_in_the_order_of_their_times(tmp_path: Path, store: Store) -> None:
    """The first half of a day is right, the second wrong: the alarm comes in the second."""
    right, wrong = 200_000, 900_000
    rows = [
        f"3,2,1850,{right if hour < 12 else wrong},2026-03-01 {hour:02}:{minute:02}:00"
        for hour in range(8, 16)
        for minute in range(10)
    ]
    path = tmp_path / "day.csv"
    path.write_text("\n".join(["beds,baths,sqft,price,sold", *rows[::-1], ""]))
    result = outcomes(path)

    assert result.exit_code == 4
    clear = re.search(r"It was clear after (\d+) sales", result.stdout)
    assert clear is not None
    assert 40 < int(clear[1]) <= 50
    assert [one.time for one in store.iterate()][:2] == ["08:00:00", "08:01:00"]


def test_days_are_read_in_the_order_that_their_column_shows(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "days.csv"
    days = ("02/01/2026", "03/01/2026", "25/01/2026")
    rows = [f"3,2,1850,200000,{day}" for day in days]
    path.write_text("\n".join(["beds,baths,sqft,price,sold", *rows, ""]))
    result = outcomes(path)

    assert "the first is January 2, 2026." in result.stderr + result.stdout
    assert [str(one.day) for one in store.iterate()] == ["2026-01-02", "2026-01-03", "2026-01-25"]


def test_two_equal_rows_of_one_file_are_two_cases(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "twins.csv"
    path.write_text(HEADER + "3,2,1850,200000\n" * 2)

    assert "2 were kept. 2 are known." in outcomes(path).stdout
    assert "0 were kept; 2 were there already." in outcomes(path).stdout


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", (), "is empty. Its first line must name the columns."),
        ("beds,baths,sqft\n3,2,1850\n", (), "Which column has the actual price?"),
        ("beds,baths,sqft,a,b\n3,2,1850,2,3\n", (), 'It may be one of "a", "b".'),
        (HEADER + "3,2,1850,1\n", ("--target", "cost"), 'there is no column "cost"'),
        (HEADER + "3,2,1850,\n99,2,1850,1\n", (), "No row of given.csv has both"),
        (HEADER + "3,2,1850,200\n" * 9, (), "times smaller than the answers, which are in USD"),
        ("beds,price\n3,200000\n", (), "The file needs columns for baths"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    tmp_path: Path, text: str, options: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "given.csv"
    path.write_text(text)

    result = outcomes(path, *options)

    assert result.exit_code == 1
    assert message in result.stderr


def test_rows_without_a_truth_are_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    path.write_text(HEADER + '3,2,1850,"$215,000"\n3,2,1850,\n3,2,1850,much\n3,2,1850,n/a\n')

    result = outcomes(path)

    assert "1 of 4 rows have an answer and a truth." in result.stdout
    assert "row 2 is left out: no truth" in result.stderr
    assert "row 3 is left out: Actual price must be a number" in result.stderr
    assert "too few to tell" in result.stdout


def test_a_model_of_pictures_takes_no_file_of_truths(tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    path.write_text(HEADER)

    result = CliRunner().invoke(commands, ["outcomes", "chest-xray", str(path)])

    assert result.exit_code == 1
    assert "chest-xray takes pictures" in result.stderr
