"""Half a page about an added model: in the terminal, in its folder, and against plain models."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import MagicMock

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from model import load_model
from model.making.writing.summary import describe_speed
from tests.model.making.conftest import add
from tests.models import ModelFiles

ROWS = 600


@pytest.fixture
def table() -> pd.DataFrame:
    """A curve with a little noise; a third of the rows is held out."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(-3, 3, (ROWS, 2)).round(3), columns=["x", "y"])
    table["z"] = np.sin(2 * table["x"]) + table["y"] + rng.normal(0, 0.1, ROWS)
    table["sign"] = np.where(table["z"] > 0.5, "high", "low")
    table["test"] = np.arange(ROWS) % 3 == 0
    return table


def report(folder: Path, table: pd.DataFrame, fitted: BaseEstimator, target: str) -> str:
    """What the command wrote beside the card; it has printed the same."""
    seen = table[~table["test"]]
    fitted.fit(seen[["x", "y"]], seen[target])
    joblib.dump(fitted, folder / "model.joblib")
    table.to_csv(folder / "train.csv", index=False)
    (folder / "models").mkdir()
    files = ModelFiles(folder / "model.joblib", folder / "train.csv", target, "test")
    result = add(files, "curve", folder / "models")
    assert result.exit_code == 0, result.output
    text = (folder / "models" / "curve" / "REPORT.md").read_text()
    text, _, plots = text.partition("\n## What held-out rows showed\n")
    for name in re.findall(r"\((\w+\.svg)\)", plots):
        assert (folder / "models" / "curve" / name).is_file()
    assert text in result.output
    assert re.search(r"One answer with its reasons takes [0-9.]+ (ms\.|s: )", text)
    load_model(folder / "models" / "curve")
    return text


def test_a_slow_model_says_how_many_visitors_it_lets_type_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter((0.0, 0.31, 1.0, 1.3, 2.0, 2.35, 3.0, 6.0, 6.0, 9.0, 9.0, 12.5))
    monkeypatch.setattr("model.making.writing.summary.time.thread_time", lambda: next(clock))
    served = MagicMock()
    assert describe_speed(served) == (
        "One answer with its reasons takes 0.3 s: about 7 visitors typing at once on two cores."
    )
    slow = describe_speed(served)
    assert "takes 3 s: one visitor typing at once" in slow
    assert "use a smaller model" in slow


def test_a_plain_baseline_that_does_better_is_named_with_both_figures(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    text = report(tmp_path, table, LinearRegression(), "z")
    assert re.search(
        r"A plain baseline does better: R² 0\.9\d \(boosted trees\) against 0\.\d\d\.", text
    )
    assert "It is not clearly better" not in text


def test_a_model_that_does_better_than_plain_ones_is_said_to(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    product = table.assign(z=table["x"] * table["y"])
    text = report(tmp_path, product, make_pipeline(PolynomialFeatures(), LinearRegression()), "z")
    assert "It does better than a plain baseline: " in text


def test_a_model_that_is_as_good_as_a_plain_one_is_neither(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    line = table.assign(z=table["x"] * 2 + table["y"] + np.random.default_rng(1).normal(size=ROWS))
    text = report(tmp_path, line, LinearRegression(), "z")
    assert "A plain baseline does about as well: R² 0.9" in text
    assert "(a linear model)" in text


@pytest.mark.parametrize(
    ("model", "target"), [(DummyRegressor(), "z"), (DummyClassifier(), "sign")]
)
def test_what_knows_nothing_is_held_against_a_constant(
    tmp_path: Path, table: pd.DataFrame, model: BaseEstimator, target: str
) -> None:
    text = report(tmp_path, table, model, target)
    assert "It is not clearly better than giving the same answer to every row" in text


def test_classes_are_compared_by_their_right_answers(tmp_path: Path, table: pd.DataFrame) -> None:
    text = report(tmp_path, table, LogisticRegression(), "sign")
    assert "A plain baseline does better: right answers 0.9" in text
    assert "| Always the most frequent " in text


def test_without_held_out_rows_nothing_is_compared(tmp_path: Path, table: pd.DataFrame) -> None:
    few = table.assign(test=np.arange(ROWS) < 20)
    text = report(tmp_path, few, LinearRegression(), "z")
    assert "It was not compared with a plain baseline: that takes 30 held-out rows" in text


def test_it_says_what_to_write_next_and_names_no_path(tmp_path: Path, table: pd.DataFrame) -> None:
    text = report(tmp_path, table, LinearRegression(), "z")
    assert text.startswith("# What is z?")
    assert "3. `unit` of x, y: no unit was found in these names." in text
    assert str(tmp_path) not in text
    assert len(text.splitlines()) < 60
