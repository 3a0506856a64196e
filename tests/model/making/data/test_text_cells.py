"""Codes such as 00501, and values such as NA, are what they were when the model was fitted."""

from __future__ import annotations

import pickle
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder

from app import create_app
from app.config import Settings
from model.making.data.text_cells import KnownTexts
from tests.model.making.conftest import add, run
from tests.models import ModelFiles

ZIPS = ["00501", "02139", "10001", "60614", "00602"]
COUNTRIES = ["NA", "DE", "US", "FR", "None"]


def _one_hot(table: pd.DataFrame, column: str) -> tuple[Any, Any]:
    encoder = ColumnTransformer([("codes", OneHotEncoder(), [column])], remainder="passthrough")
    model = make_pipeline(encoder, LinearRegression()).fit(table[[column, "size"]], table["rent"])
    return model, model.predict(table[[column, "size"]])


def _dummies(table: pd.DataFrame, column: str) -> tuple[Any, Any]:
    rows = pd.get_dummies(table[[column, "size"]])
    model = LinearRegression().fit(rows, table["rent"])
    return model, model.predict(rows)


def _label_encoder(table: pd.DataFrame, column: str) -> tuple[Any, Any]:
    encoder = LabelEncoder()
    rows = table.assign(**{column: encoder.fit_transform(table[column])})[[column, "size"]]
    model = RandomForestRegressor(20, random_state=0).fit(rows, table["rent"])
    return [model, encoder], model.predict(rows)


@pytest.mark.parametrize(
    ("fit", "values"),
    [
        *product([_one_hot, _dummies, _label_encoder], [ZIPS, COUNTRIES]),
        (_one_hot, ["1", "2", "3", "10", "30"]),
    ],
)
def test_cells_stay_the_texts_that_the_model_knows(
    tmp_path: Path, fit: Any, values: list[str]
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"area": rng.choice(values, 200), "size": rng.integers(20, 200, 200)})
    table["rent"] = table["size"] * 3 + table["area"].map(values.index) * 100
    holdout = tmp_path / "held.csv"
    fresh = table.assign(size=table["size"] + 0.5).head(60)
    fresh.to_csv(holdout, index=False)
    table.to_csv(tmp_path / "train.csv", index=False)
    parts, expected = fit(table, "area")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(parts))
    root = tmp_path / "models"
    root.mkdir()
    result = run(
        "add", tmp_path / "model.pkl", "--name", "mine", "--data", tmp_path / "train.csv",
        "--target", "rent", "--holdout", holdout, "--models", root, "--yes",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    rows = table[["area", "size"]].head(25).to_dict("records")
    answers = client.post("/api/predict", json=rows).get_json()
    found = [answer["prediction"] for answer in answers]
    np.testing.assert_allclose(found, expected[:25], rtol=1e-4)


def test_a_model_that_was_fitted_with_blanks_around_headers_and_cells_is_added(
    tmp_path: Path, root: Path
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {" education": rng.choice([" Graduate", " Other"], 300), " score": rng.integers(0, 9, 300)}
    )
    odds = table[" score"] + (table[" education"] == " Other") + rng.normal(0, 1, 300)
    status = np.where(odds > 4, " Approved", " Rejected")
    prepare = make_column_transformer((OneHotEncoder(), [" education"]), remainder="passthrough")
    model = make_pipeline(prepare, LogisticRegression()).fit(table, status)
    joblib.dump(model, tmp_path / "model.joblib")
    table.assign(**{" status": status}).to_csv(tmp_path / "loans.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "loans.csv", "status")
    result = add(given, "loans", root)
    assert result.exit_code == 0, result.output
    client = create_app(Settings(models=("loans",), ratelimit="off"), models=root).test_client()
    asked = [
        {"education": education, "score": score}
        for education, score in table[:20].itertuples(index=False)
    ]
    answers = client.post("/api/predict", json=asked).get_json()
    found = [max(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(table[:20]).max(axis=1), rtol=1e-5)


def _ignoring(table: pd.DataFrame, column: str) -> tuple[Any, Any]:
    encoder = OneHotEncoder(handle_unknown="ignore")
    steps = make_column_transformer((encoder, [column]), remainder="passthrough")
    model = make_pipeline(steps, LinearRegression()).fit(table[[column, "size"]], table["rent"])
    return model, model.predict(table[[column, "size"]])


def _dropping_first(table: pd.DataFrame, column: str) -> tuple[Any, Any]:
    rows = pd.get_dummies(table[[column, "size"]], drop_first=True)
    model = LinearRegression().fit(rows, table["rent"])
    return model, model.predict(rows)


@pytest.mark.parametrize("fit", [_ignoring, _dropping_first, _label_encoder])
def test_texts_that_an_author_wrote_in_lower_case_are_read_so(tmp_path: Path, fit: Any) -> None:
    """Such an encoder answers a text that it does not know without a word."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"area": rng.choice(["north", "east", "south"], 200), "size": rng.integers(20, 200, 200)}
    )
    table["rent"] = table["size"] * 3 + table["area"].str.len() * 100 + (table["area"] == "east")
    parts, expected = fit(table, "area")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(parts))
    spelled = [  # the level that is dropped is in no name of a dummy, so it stays as it is
        area if area == "east" else area.title() if row % 9 else f"{area.upper()} "
        for row, area in enumerate(table["area"])
    ]
    table.assign(area=spelled).to_csv(tmp_path / "train.csv", index=False)
    root = tmp_path / "models"
    root.mkdir()
    result = run(
        "add", tmp_path / "model.pkl", "--name", "mine", "--data", tmp_path / "train.csv",
        "--target", "rent", "--models", root, "--yes",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "is read as" in result.output
    table.to_csv(tmp_path / "asked.csv", index=False)
    asked = ["predict", "mine", tmp_path / "asked.csv", tmp_path / "answers.csv", "--models", root]
    assert run(*asked).exit_code == 0
    found = pd.read_csv(tmp_path / "answers.csv")["prediction"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_single_text_that_no_dummy_names_is_the_level_that_was_dropped() -> None:
    known = KnownTexts({}, (), frozenset(["area_no", "area_yes"]))
    assert not known.find_spellings("area", {"No", "no", "yes"})
    assert known.find_spellings("area", {"NO", "YES", "no"}) == {"NO": "no", "YES": "yes"}


def test_a_text_that_the_model_knows_in_two_spellings_is_neither() -> None:
    known = KnownTexts({"area": frozenset(["No", "no"])}, (), frozenset())
    assert not known.find_spellings("area", {"NO", "No", "no"})
