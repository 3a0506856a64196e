"""Cases whose truth is known: of a model of classes, and by the day on which they came true."""

import datetime as dt
import io
import json
from pathlib import Path

import numpy as np
import pytest

from app.cli.outcomes import list_outcomes
from app.kinds.truths import ask_class
from app.monitoring.known_cases import to_known_case
from model import ClassModel
from model.contract.tables import TableError
from model.contract.tables.table import AS_FOUND
from model.monitoring.case_reader import read_time
from model.monitoring.cases import CaseFile, read_cases
from model.monitoring.coverage import Promise
from model.monitoring.track_record import KnownCase, describe_verdict, summarize_cases
from tests.flowers import write_flowers
from tests.loading import load_as


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> ClassModel:
    """Flowers whose held-out rows showed that nine of ten are named rightly."""
    folder = write_flowers(tmp_path_factory.mktemp("models") / "flowers", temperature=1.0)
    path = folder / "manifest.json"
    measured = {"accuracies": [{"known": [], "right": 0.9, "rows": 500}]}
    path.write_text(json.dumps(json.loads(path.read_text()) | measured))
    return load_as(ClassModel, folder)


def read(model: ClassModel, text: str, name: str = "x.csv", **options: str) -> CaseFile:
    field = ask_class(model.card.output)
    file = io.BytesIO(text.encode())
    return read_cases(
        model, field, file, name, AS_FOUND, options.get("target", ""), options.get("date", "")
    )


def list_known(model: ClassModel, found: CaseFile) -> list[KnownCase]:
    return [*map(to_known_case, list_outcomes(model, found.cases))]


def draw_file(wrong: float, rows: int = 400, names: tuple[str, str] = ("rose", "iris")) -> str:
    """Flowers as the model learned them, with a share of wrong labels."""
    drawn = np.random.default_rng(5)
    lines = ["length,width,flower,seen on"]
    for number in range(rows):
        length, width = drawn.uniform(0, 10, 2).round(3).tolist()
        label = (length > width) != (drawn.random() < wrong)
        day = dt.date(2026, 1, 1) + dt.timedelta(number // 3)
        lines.append(f"{length},{width},{names[label]},{day:%d %B %Y}")
    return "\n".join(lines) + "\n"


def test_right_classes_are_held_against_how_often_they_were_right(flowers: ClassModel) -> None:
    found = read(flowers, draw_file(0.05))
    record = summarize_cases(flowers, list_known(flowers, found))

    assert record is not None
    assert record.promise == Promise(0.9, 500)
    assert record.alarm is None
    assert record.held == sum(case.truth == case.value for case in found.cases)
    assert len(record.reliability) == 10
    assert [period.first.month for period in record.periods] == [1, 2, 3, 4, 5]
    assert all(period.expected for period in record.periods)
    assert describe_verdict(flowers, record).startswith("It named the right flower for 3")
    assert "the first is January 1, 2026" in found.notes[-2]


@pytest.mark.parametrize(("names", "rows"), [(("Rose", "Iris"), 300), (("rose", "iris"), 300)])
def test_wrong_classes_are_an_alarm_in_whatever_words(
    flowers: ClassModel, names: tuple[str, str], rows: int
) -> None:
    record = summarize_cases(
        flowers, list_known(flowers, read(flowers, draw_file(0.4, rows, names)))
    )

    assert record is not None
    assert record.alarm is not None
    assert "this is no longer true" in describe_verdict(flowers, record)


def test_a_class_that_the_model_does_not_know_counts_as_wrong(flowers: ClassModel) -> None:
    found = read(flowers, "length,width,flower\n8,2,iris\n8,2,tulip\n8,2,iris\n")

    assert [case.truth for case in found.cases] == ["iris", "tulip", "iris"]
    assert found.notes[-2] == '"tulip": the model has no such class, which counts as wrong.'


def test_a_column_of_other_classes_is_refused(flowers: ClassModel) -> None:
    with pytest.raises(TableError, match=r'The column "flower" has "0", "1"\. The model answers'):
        read(flowers, draw_file(0.0, names=("0", "1")))


def test_two_columns_of_dates_are_named_and_none_is_taken(flowers: ClassModel) -> None:
    text = "length,width,flower,a,b\n8,2,iris,2026-01-01,2026-02-01\n"

    assert read(flowers, text).cases[0].day is None
    assert '"a" and "b" have dates.' in read(flowers, text).notes[-1]
    assert read(flowers, text, date="b").cases[0].day == dt.date(2026, 2, 1)


def test_a_month_is_its_first_day_and_a_row_without_a_day_is_left_out(flowers: ClassModel) -> None:
    found = read(
        flowers, "length,width,flower,day\n8,2,iris,2026-03\n8,2,iris,\n8,2,iris,soon\n", date="day"
    )

    assert [case.day for case in found.cases] == [dt.date(2026, 3, 1)]
    assert found.left_out == {2: "no date", 3: "day must be a date, like 2010-05-31"}


@pytest.mark.parametrize(
    ("header", "cells", "times"),
    [
        ("seen", ["2026-03-01T14:05:00Z", "2026-03-01 09:30"], ["14:05:00", "09:30"]),
        ("seen,at", ["2026-03-01,14:05", "2026-03-01,9:30"], ["14:05", "09:30"]),
        ("seen,at", ["2026-03-01,noon", "2026-03-01,9:30"], ["", ""]),
        ("seen,from,to", ["2026-03-01,9:30,10:00", "2026-03-01,8:00,8:30"], ["", ""]),
    ],
)
def test_the_cases_of_a_day_are_in_the_order_of_their_times_where_the_file_has_them(
    flowers: ClassModel, header: str, cells: list[str], times: list[str]
) -> None:
    lines = [f"length,width,flower,{header}", *(f"8,2,iris,{cell}" for cell in cells), ""]
    found = read(flowers, "\n".join(lines), date="seen")

    assert [case.time for case in found.cases] == times
    assert {case.day for case in found.cases} == {dt.date(2026, 3, 1)}
    said = "The file has no time of day. Cases of one day are tested in an order that means nothing"
    assert any(note.startswith(said) for note in found.notes) is not any(times)


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        (dt.datetime(2026, 3, 1, 14, 5), "14:05:00.000000"),  # as Parquet and workbooks have it
        (dt.time(9, 30), "09:30:00.000000"),
        (dt.date(2026, 3, 1), ""),
        ("2026-03-01", ""),
        (" 7:05 ", "07:05"),
        ("2026-03-01T14:05:59.25+02:00", "14:05:59.25"),
        (7.5, ""),
    ],
)
def test_the_time_of_a_cell_is_read_as_text_that_sorts(cell: object, time: str) -> None:
    assert read_time(cell) == time


def test_json_lines_are_read_as_csv_is(flowers: ClassModel) -> None:
    line = json.dumps({"length": 8, "width": 2, "flower": "iris"})
    (case,) = read(flowers, f"{line}\n", "x.jsonl").cases
    (same,) = read(flowers, "length,width,flower\n8,2,iris\n").cases

    assert case.id == same.id


def test_a_model_that_is_too_sure_is_found_while_it_is_right_as_often(tmp_path: Path) -> None:
    folder = write_flowers(tmp_path / "flowers", temperature=1.0)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["accuracies"] = [{"known": [], "right": 0.75, "rows": 500}]
    manifest["reliability"] = [
        {"probability": 0.5 + place / 20, "right": 0.5 + place / 20, "rows": 50}
        for place in range(1, 10)
    ]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    model, day = load_as(ClassModel, folder), dt.date(2026, 3, 1)

    def make(*groups: tuple[float, float]) -> list[KnownCase]:
        """Cases by turns of each group: how sure, and how often right."""
        return [
            KnownCase(day + dt.timedelta(number // 9), {}, "rose",
                      "rose" if number * right % 1 < right - 1e-9 else "iris", None, None, sure)
            for number in range(300)
            for sure, right in groups
        ]  # fmt: skip

    honest = summarize_cases(model, make((0.6, 0.6), (0.9, 0.9)))
    too_sure = summarize_cases(model, make((0.6, 0.75), (0.9, 0.75)))

    assert honest is not None
    assert too_sure is not None
    assert honest.held == too_sure.held == 450
    assert honest.alarm is too_sure.alarm is None
    assert not honest.is_broken
    assert honest.sure is not None
    assert too_sure.is_broken
    assert describe_verdict(model, honest).endswith("that still holds.")
    assert (
        "that still holds. Its probabilities are too sure. Where it was at least 72% sure, it was "
        "right for 75 of the last 100 rows. It said 90% on average. That was clear after "
    ) in describe_verdict(model, too_sure)


def test_a_model_without_measured_accuracy_promises_nothing(tmp_path: Path) -> None:
    model = load_as(ClassModel, write_flowers(tmp_path / "flowers", probabilities=False))
    record = summarize_cases(model, list_known(model, read(model, draw_file(0.5))))

    assert record is not None
    assert record.promise is None
    assert record.alarm is None
    assert record.reliability == ()
    assert "was not measured" in describe_verdict(model, record)
