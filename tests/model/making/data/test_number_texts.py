"""Numbers that a data file writes in another way are read as they were meant, or asked about."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from model import NumberModel, load_model
from model.contract.fields import IntegerField
from model.contract.fields.numeric import NumericField
from model.contract.reading import DecimalSign
from model.making.data.number_texts import read_number_columns, read_number_texts, read_quantities
from model.making.data.tables import read_table
from model.making.errors import AddError
from tests.model.making.conftest import add
from tests.models import ModelFiles


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1,850", "1,850.50"], [1850, 1850.5]),
        (["1.850", "2,5", None], [1850, 2.5, np.nan]),
        (["$1,850", "$900"], [1850, 900]),
        (["12 %", "3"], None),
        (["1,850", "n/a"], None),
    ],
)
def test_texts_of_a_column_are_read_with_one_sign(
    texts: list[str | None], numbers: list[float] | None
) -> None:
    read = read_number_texts(pd.Series(texts, name="size"), None)
    assert (None if read is None else read.tolist()) == pytest.approx(numbers, nan_ok=True)


@pytest.mark.parametrize(("decimal", "first"), [(".", 1.85), (",", 1850)])
def test_a_column_that_does_not_tell_is_asked_about(
    tmp_path: Path, decimal: DecimalSign, first: float
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("size;price\n1.850;3\n2.125;4\n")
    with pytest.raises(AddError) as refused:
        read_table(path, None, print)
    assert str(refused.value) == (
        "Column 'size' holds '1.850': is that 1.85 or 1,850? Say what separates decimals: "
        "--decimal . for 1.85, --decimal , for 1,850."
    )
    notes: list[str] = []
    assert read_table(path, decimal, notes.append)["size"][0] == first
    assert notes == [f"Column 'size': '1.850' is read as {first:,}."]


@pytest.mark.parametrize(
    ("cells", "first", "noted"),
    [
        (["1.850", "2.5"], 1.85, False),
        (["1.850", "0.125"], 1.85, False),
        (["1.850", "900", "850"], 1850, True),
        (["1.125", "2", "3"], 1.125, True),
        (["1850.125", "1.125"], 1850.125, False),
        (["1850", "1250"], 1850, False),
        (["1.850", "", "900"], 1850, True),
    ],
)
def test_the_rest_of_a_column_tells_what_its_thousands_are(
    tmp_path: Path, cells: list[str], first: float, noted: bool
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["size;price", *(f"{cell};1" for cell in cells)]))
    notes: list[str] = []
    assert read_table(path, None, notes.append)["size"][0] == first
    assert bool(notes) == noted


def test_two_ways_in_one_column_are_refused() -> None:
    with pytest.raises(AddError, match=r"holds '1\.5' and '2,5'"):
        read_number_texts(pd.Series(["1.5", "2,5"], name="size"), None)


def test_only_columns_of_numbers_are_read() -> None:
    notes: list[str] = []
    table = pd.DataFrame({"size": ["1,5", "2,5"], "code": ["1,5", "2,5"], "age": [1, 2]})
    read = read_number_columns(table, ["size", "age"], None, notes.append)
    assert read["size"].tolist() == [1.5, 2.5]
    assert read["code"].tolist() == ["1,5", "2,5"]
    assert notes == ["Column 'size': '1,5' is read as 1.5."]


def test_a_model_is_added_with_a_file_as_a_german_spreadsheet_writes_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.uniform(500, 5000, 200), "age": rng.uniform(0, 90, 200)})
    table = table.round(1)
    table["price"] = (table["size"] * 100 - table["age"] * 10).round()
    fitted = LinearRegression().fit(table[["size", "age"]], table["price"])
    joblib.dump(fitted, tmp_path / "model.joblib")
    german = str.maketrans(",.", ".,")
    texts = table.map(lambda number: f"{number:,.1f}".translate(german))
    texts.to_csv(tmp_path / "data.csv", index=False, sep=";")
    root = tmp_path / "models"
    root.mkdir()
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "data.csv", "price")
    result = add(given, "german", root)
    assert result.exit_code == 0, result.output
    assert "Note: Column 'size': '" in result.output
    model = load_model(root / "german")
    assert isinstance(model, NumberModel)
    size = model.card.by_name["size"]
    assert isinstance(size, NumericField)
    assert size.min <= table["size"].min()
    assert 5 <= size.max / 1000 < 10


def test_percentages_are_read_as_numbers_and_shown_with_their_sign(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"rate": rng.uniform(5, 25, 200).round(2), "age": rng.uniform(0, 90, 200)})
    table["default"] = (table["rate"] * 2 + table["age"] / 10).round(1)
    fitted = LinearRegression().fit(table[["rate", "age"]], table["default"])
    joblib.dump(fitted, tmp_path / "model.joblib")
    written = table.assign(
        rate=table["rate"].map("{}%".format), default=table["default"].map("{} %".format)
    )
    written.to_csv(tmp_path / "data.csv", index=False)
    root = tmp_path / "models"
    root.mkdir()
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "data.csv", "default")
    result = add(given, "rates", root)
    assert result.exit_code == 0, result.output
    assert f"Column 'rate': '{written['rate'][0]}' is read as {table['rate'][0]}." in result.output
    model = load_model(root / "rates")
    assert isinstance(model, NumberModel)
    assert model.card.output.unit == "%"
    rows = [model.card.validate_row({"rate": cell, "age": 50})[0] for cell in written["rate"][:20]]
    answers = [item.value for item in model.predict([row for row in rows if row is not None])]
    asked = table[["rate"]][:20].assign(age=50.0)
    np.testing.assert_allclose(answers, fitted.predict(asked), rtol=1e-6)


def test_a_column_of_which_some_cells_are_percentages_stays_as_it_is() -> None:
    rows = pd.DataFrame({"rate": ["5%", "0.05"], "share": ["5%", None], "level": ["5%", "9%"]})
    notes: list[str] = []
    found = read_quantities(rows, lambda name, cells: name == "level", None, notes.append)
    assert list(found) == ["share"]
    assert found["share"].numbers.tolist() == pytest.approx([5, np.nan], nan_ok=True)
    assert notes == ["Column 'share': '5%' is read as 5."]


def test_cells_with_one_unit_are_read_as_numbers_and_asked_for_in_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"km": rng.integers(1000, 99_000, 200), "age": rng.uniform(0, 9, 200)})
    table["price"] = 20_000 - table["km"] / 9 - table["age"] * 500
    fitted = LinearRegression().fit(table[["km", "age"]], table["price"])
    joblib.dump(fitted, tmp_path / "model.joblib")
    written = table.assign(km=table["km"].map("{:,} kms".format))
    written.to_csv(tmp_path / "data.csv", index=False)
    root = tmp_path / "models"
    root.mkdir()
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "data.csv", "price")
    result = add(given, "cars", root)
    assert result.exit_code == 1
    assert "--decimal . for " in result.output  # all of them have thousands
    result = add(given, "cars", root, "--decimal", ".")
    assert result.exit_code == 0, result.output
    model = load_model(root / "cars")
    assert isinstance(model, NumberModel)
    field = model.card.fields[0]
    assert isinstance(field, IntegerField)
    assert field.unit == "kms"
    rows = [model.card.validate_row({"km": cell, "age": 5})[0] for cell in written["km"][:20]]
    answers = [item.value for item in model.predict([row for row in rows if row is not None])]
    np.testing.assert_allclose(
        answers, fitted.predict(table[["km"]][:20].assign(age=5.0)), rtol=1e-6
    )


@pytest.mark.parametrize(
    "cells",
    [
        ["36 months", "60 months"] * 20,
        [f"{number} {'g' if number % 2 else 'kg'}" for number in range(40)],
        [f"{number}A7" for number in range(40)],
    ],
)
def test_classes_several_units_and_codes_stay_texts(cells: list[str]) -> None:
    rows = pd.DataFrame({"cell": cells})
    assert not read_quantities(rows, lambda name, cells: False, None, lambda note: None)
