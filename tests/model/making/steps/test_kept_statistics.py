"""What scalers and imputers keep of the fit tells that a column was another one than the data's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from model.making.steps.kept_statistics import describe_foreign_statistic
from model.making.steps.kept_values import describe_foreign_input
from tests.model.making.conftest import run

NAMES = ["income", "age"]


def rows(count: int = 300) -> pd.DataFrame:
    """People of whom income and age say hardly anything about the answer."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"income": rng.lognormal(10, 0.8, count), "age": rng.uniform(20, 70, count)}
    )
    table["place"] = rng.choice(["north", "south"], count)
    table["bought"] = rng.integers(0, 2, count)
    return table


def log_income(table: pd.DataFrame) -> pd.DataFrame:
    """As a notebook does by hand, which saves no step."""
    return table.assign(income=np.log1p(table["income"]))


STEPS = [
    make_pipeline(StandardScaler()),
    make_pipeline(RobustScaler()),
    make_pipeline(MinMaxScaler()),
    make_pipeline(SimpleImputer()),
    make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
    make_column_transformer(
        (OneHotEncoder(), ["place"]), (make_pipeline(StandardScaler()), NAMES), remainder="drop"
    ),
]


@pytest.mark.parametrize("steps", STEPS)
def test_a_column_that_was_logged_by_hand_is_named_and_no_other_is(steps: Any) -> None:
    table = rows()
    names = [*NAMES, "place"] if hasattr(steps, "transformers") else NAMES
    sound = make_pipeline(steps, LogisticRegression()).fit(table[names], table["bought"])
    assert describe_foreign_statistic(sound, table[names]) == ""
    assert describe_foreign_statistic(sound, table[names][:80]) == ""
    logged = make_pipeline(steps, LogisticRegression()).fit(
        log_income(table)[names], table["bought"]
    )
    said = describe_foreign_statistic(logged, table[names])
    assert said.startswith("When it was fitted, income ")
    assert said.endswith("like --derive 'income = …'.")


def test_rows_that_were_left_out_before_the_fit_accuse_nothing() -> None:
    table = rows(1000)
    kept = table[table["income"] < table["income"].quantile(0.93)]
    model = make_pipeline(StandardScaler(), Ridge()).fit(kept[NAMES], kept["bought"])
    assert describe_foreign_statistic(model, table[NAMES]) == ""


SCALERS = [StandardScaler(), RobustScaler(), MinMaxScaler(), SimpleImputer(strategy="median")]


@pytest.mark.parametrize("step", SCALERS)
def test_the_same_numbers_in_single_precision_accuse_nothing(step: Any) -> None:
    """Of 0.7 it keeps 0.69999999, which is less."""
    table = pd.DataFrame({"rate": np.where(np.arange(200) < 10, 0.1, 0.7)})
    model = make_pipeline(step, Ridge()).fit(table.to_numpy(np.float32), np.arange(200))
    assert describe_foreign_statistic(model, table) == ""


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_numbers_that_an_imputer_takes_for_missing_accuse_nothing(strategy: str) -> None:
    table = pd.DataFrame({"code": np.where(np.arange(200) < 190, -1.0, np.arange(200.0))})
    imputer = SimpleImputer(missing_values=-1, strategy=strategy)
    model = make_pipeline(imputer, StandardScaler(), Ridge()).fit(table, np.arange(200))
    assert describe_foreign_statistic(model, table) == ""


@pytest.mark.parametrize("step", SCALERS)
def test_the_earlier_half_of_the_years_accuses_nothing(step: Any) -> None:
    table = pd.DataFrame({"year": 2000 + np.arange(240) // 10})
    model = make_pipeline(step, Ridge()).fit(table[:120], np.arange(120))
    assert describe_foreign_statistic(model, table) == ""


@pytest.mark.parametrize(
    ("last", "describe"),
    [
        (StandardScaler(), describe_foreign_statistic),
        (KNeighborsRegressor(), describe_foreign_input),
    ],
)
def test_of_a_column_that_steps_make_nothing_can_be_derived(last: Any, describe: Any) -> None:
    table = rows()[NAMES]
    model = make_pipeline(PCA(1), last).fit(table / 1000, np.arange(300))
    said = describe(model, table)
    assert said.startswith("When it was fitted, pca0, as its steps make it, ")
    assert said.endswith("say what it does.")


@pytest.mark.parametrize("spread", [True, False])
def test_a_narrow_column_is_another_one(spread: bool) -> None:
    """As that of a unit: an average of 0 tells nothing, its deviation does."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"shift": rng.normal(0, 1, 200)})
    table["shift"] -= table["shift"].mean()
    model = make_pipeline(StandardScaler(with_std=spread), Ridge())
    model.fit(table / 1000, np.arange(200))
    said = describe_foreign_statistic(model, table)
    assert said.startswith("When it was fitted, shift had a standard deviation of 0.00") == spread


@pytest.fixture
def files(tmp_path: Path) -> list[Any]:
    """What ``model add`` takes: a weak model, and the scaler before it in a file of its own."""
    (tmp_path / "models").mkdir()
    rows().drop(columns="place").to_csv(tmp_path / "people.csv", index=False)
    given = [tmp_path / name for name in ("model.joblib", "scaler.joblib")]
    options = ["--name", "sales", "--data", tmp_path / "people.csv", "--target", "bought"]
    return ["add", *given, *options, "--models", tmp_path / "models", "--yes"]


def save(files: list[Any], table: pd.DataFrame) -> None:
    """Fit both to a table, and save them."""
    scaler = StandardScaler().fit(table[NAMES])
    joblib.dump(scaler, files[2])
    joblib.dump(GaussianNB().fit(scaler.transform(table[NAMES]), table["bought"]), files[1])


def test_a_scaler_stands_before_a_model_of_which_the_answers_tell_nothing(
    files: list[Any],
) -> None:
    save(files, rows())
    result = run(*files)
    assert result.exit_code == 0, result.output
    assert "It is put together so: with scaler.joblib before it" in result.output


def test_a_scaler_of_other_numbers_is_refused_whatever_the_answers_are(files: list[Any]) -> None:
    save(files, log_income(rows()))
    result = run(*files)
    assert result.exit_code != 0
    assert "When it was fitted, income was 9.97" in result.output


def test_the_refusal_says_which_steps_were_taken(files: list[Any]) -> None:
    """Of two scalers one is that of another model."""
    table = rows()
    scaler, other = StandardScaler().fit(table[NAMES]), MinMaxScaler().fit(table[NAMES])
    joblib.dump(scaler, files[2])
    joblib.dump(other, files[2].with_name("other.joblib"))
    joblib.dump(Ridge().fit(scaler.transform(table[NAMES]), table["bought"]), files[1])
    result = run(*files[:3], files[2].with_name("other.joblib"), *files[3:])
    assert result.exit_code != 0
    assert "It was put together so: with scaler.joblib, then other.joblib" in result.output
    assert "if that is wrong, say it with --before FILE." in result.output
