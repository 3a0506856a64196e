"""What changes no answer is not asked: columns that a model drops, and those with one value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from app import create_app
from app.config import Settings
from model import NumberModel, load_model
from tests.model.making.conftest import run

ROWS = 25


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Rents, with what a file has besides: an order number, a remark, a currency and a country."""
    rng = np.random.default_rng(5)
    size, zone = rng.uniform(20, 120, 300).round(1), rng.choice(["A", "B", "C"], 300)
    rent = 10 * size + 100 * (zone == "B") + rng.normal(0, 20, 300)
    return pd.DataFrame(
        {
            "order": np.arange(1000, 1300),
            "remark": [f'called "number {n}"' for n in range(300)],
            "size": size,
            "country": 'the "Nether\\lands"',
            "zone": zone,
            "rate": -0.07,
            "old": False,
            "rent": rent.round(),
        }
    )


def add(folder: Path, fitted: Any, table: pd.DataFrame, *more: str) -> str:
    (folder / "models").mkdir()
    joblib.dump(fitted, folder / "model.joblib")
    table.to_csv(folder / "train.csv", index=False)
    result = run(
        "add", folder / "model.joblib", "--name", "mine", "--data", folder / "train.csv",
        "--target", "rent", "--models", folder / "models", "--yes", *more,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def make_columns(remainder: str = "drop") -> ColumnTransformer:
    numbers, texts = ["size", "rate"], ["zone", "country"]
    return ColumnTransformer(
        [("numbers", StandardScaler(), numbers), ("texts", OneHotEncoder(), texts),
         ("unused", "drop", ["order", "remark"])],
        remainder=remainder,
    )  # fmt: skip


@pytest.mark.parametrize("remainder", ["drop", "passthrough"])
@pytest.mark.parametrize("searched", [False, True])
def test_the_form_asks_only_for_what_changes_an_answer(
    remainder: str, searched: bool, table: pd.DataFrame, tmp_path: Path
) -> None:
    fitted: Any = make_pipeline(make_columns(remainder), LinearRegression())
    if searched:
        fitted = GridSearchCV(fitted, {"linearregression__fit_intercept": [True]}, cv=2)
    facts = table.drop(columns="rent")
    said = add(tmp_path, fitted.fit(facts, table["rent"]), table)
    dropped = "order, remark" if remainder == "passthrough" else "order, remark, old"
    assert f"The form does not ask for what the model drops: {dropped}." in said
    assert 'the same in every row: country is the "Nether\\lands", rate is -0.07' in said
    model = load_model(tmp_path / "models" / "mine")
    assert isinstance(model, NumberModel)
    assert model.card.names == ("size", "zone")
    client = create_app(Settings(models=("mine",)), models=tmp_path / "models").test_client()
    rows = table.sample(ROWS, random_state=1)
    sent = rows[["size", "zone"]].to_dict("records")
    answers = client.post("/api/predict", json=sent).get_json()
    about = client.get("/about").text
    assert "Zone" in about
    assert not {"remark", "country", "-0.07"} & set(re.findall(r"[\w.-]+", about))
    expected = fitted.predict(rows.drop(columns="rent"))
    np.testing.assert_allclose([answer["prediction"] for answer in answers], expected, rtol=1e-4)


def test_a_column_that_somebody_names_is_asked_for_all_the_same(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    fitted = make_pipeline(make_columns(), LinearRegression())
    fitted.fit(table.drop(columns="rent"), table["rent"])
    add(tmp_path, fitted, table, "--required", "order")
    model = load_model(tmp_path / "models" / "mine")
    assert isinstance(model, NumberModel)
    assert "order" in model.card.names


def test_a_model_of_codes_gets_the_one_value_of_a_column(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    columns = ["size", "rate", "old"]
    forest = RandomForestRegressor(20, random_state=0).fit(table[columns].values, table["rent"])
    said = add(tmp_path, forest, table[[*columns, "rent"]])
    assert "the same in every row: rate is -0.07, old is False." in said
    model = load_model(tmp_path / "models" / "mine")
    assert isinstance(model, NumberModel)
    assert model.card.names == ("size",)
