"""Plain models beside an added one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score

from model.making.measuring.baselines import judge
from tests.model.making.conftest import add_fitted


def test_nothing_is_compared_where_one_class_is_left_to_fit_on(tmp_path: Path, root: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"area": rng.uniform(0, 9, 300), "age": rng.uniform(0, 9, 300)})
    table["side"] = np.where(table["area"] > 4, "right", "left")
    table["later"] = (np.arange(300) >= 200).astype(int)
    model = LogisticRegression().fit(table[["area", "age"]], table["side"])
    table.loc[(table["later"] == 0) & (table["side"] == "right"), "age"] = np.nan
    table.to_csv(tmp_path / "data.csv", index=False)
    options = ["--data", tmp_path / "data.csv", "--target", "side", "--holdout", "later"]
    said = add_fitted(root, "sides", model, *options)
    assert "rows without age are left out" in said
    assert "It was not compared with a plain baseline" in said


def test_the_same_figure_is_about_as_good() -> None:
    """Small differences are sure where they are the same in every row."""
    losses = np.linspace(1, 2, 100)
    model = {"This model": losses + 1e-6, "A linear model": losses, "Always the mean": losses * 9}
    for name, score, verdict in (("same", 0.5259, "about as well"), ("other", 0.62, "better")):
        scores = {"This model": 0.5258, "A linear model": score, "Always the mean": 0.0}
        assert f"A plain baseline does {verdict}: " in judge(model, scores, "R²"), name


def test_answers_are_measured_as_the_page_gives_them(tmp_path: Path, root: Path) -> None:
    """No row of the data goes below 0, so no answer does."""
    rng = np.random.default_rng(0)
    names = ["area", "age", *"abcdefg"]
    table = pd.DataFrame({name: rng.uniform(0, 9, 400) for name in names})
    table["sales"] = (table["area"] * 3 - 16).clip(0).round(1)
    table["later"] = (np.arange(400) >= 200).astype(int)
    facts, held = table[names], table["later"] == 1
    model = LinearRegression().fit(facts[~held], table["sales"][~held])
    table.to_csv(tmp_path / "data.csv", index=False)
    options = ["--data", tmp_path / "data.csv", "--target", "sales", "--holdout", "later"]
    said = add_fitted(root, "sales", model, *options)
    answers, truth = model.predict(facts[held]).clip(0), table["sales"][held]
    (line,) = [line for line in said.splitlines() if line.startswith("| This model")]
    assert f"{r2_score(truth, answers):.3f}" in line
    (few,) = [line for line in said.splitlines() if line.startswith("| Median error, 8 facts")]
    every = float(np.median(np.abs(answers - truth)))
    assert abs(float(few.split("|")[2]) - every) < 0.1 * every  # the ninth fact tells nothing
