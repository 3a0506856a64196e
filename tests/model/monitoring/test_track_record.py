"""Cases whose truth is known: of a model of classes, and by the day on which they came true."""

import datetime as dt
import io
import json
from pathlib import Path

import numpy as np
import pytest

from app.cli.outcomes import sort_cases
from app.kinds.truths import ask_class
from model import ClassModel
from model.contract.tables import TableError
from model.contract.tables.table import AS_FOUND
from model.monitoring.cases import CaseFile, read_cases
from model.monitoring.coverage import Promise
from model.monitoring.track_record import describe_verdict, summarize_cases
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
    record = summarize_cases(flowers, sort_cases(found.cases))

    assert record is not None
    assert record.promise == Promise(0.9, 500)
    assert record.alarm is None
    assert record.held == sum(case.truth == case.value for case in found.cases)
    assert len(record.reliability) == 10
    assert [period.first.month for period in record.periods] == [1, 2, 3, 4, 5]
    assert all(period.expected for period in record.periods)
    assert describe_verdict(flowers, record).startswith("It named the right flower for 3")
    assert "the first is January 1, 2026" in found.notes[-1]


@pytest.mark.parametrize(("names", "rows"), [(("Rose", "Iris"), 300), (("rose", "iris"), 300)])
def test_wrong_classes_are_an_alarm_in_whatever_words(
    flowers: ClassModel, names: tuple[str, str], rows: int
) -> None:
    record = summarize_cases(flowers, sort_cases(read(flowers, draw_file(0.4, rows, names)).cases))

    assert record is not None
    assert record.alarm is not None
    assert "this is no longer true" in describe_verdict(flowers, record)


def test_a_class_that_the_model_does_not_know_counts_as_wrong(flowers: ClassModel) -> None:
    found = read(flowers, "length,width,flower\n8,2,iris\n8,2,tulip\n8,2,iris\n")

    assert [case.truth for case in found.cases] == ["iris", "tulip", "iris"]
    assert found.notes[-1] == '"tulip": the model has no such class, which counts as wrong.'


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


def test_json_lines_are_read_as_csv_is(flowers: ClassModel) -> None:
    line = json.dumps({"length": 8, "width": 2, "flower": "iris"})
    (case,) = read(flowers, f"{line}\n", "x.jsonl").cases
    (same,) = read(flowers, "length,width,flower\n8,2,iris\n").cases

    assert case.id == same.id


def test_a_model_without_measured_accuracy_promises_nothing(tmp_path: Path) -> None:
    model = load_as(ClassModel, write_flowers(tmp_path / "flowers", probabilities=False))
    record = summarize_cases(model, sort_cases(read(model, draw_file(0.5)).cases))

    assert record is not None
    assert record.promise is None
    assert record.alarm is None
    assert record.reliability == ()
    assert "was not measured" in describe_verdict(model, record)
