"""Classes that somebody numbered by hand, and what a refusal says to write."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tests.model.making.conftest import run

NUMBERS = {"medium": 0, "low": 1, "high": 2}


def make_risks() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.integers(18, 80, 400), "bmi": rng.normal(27, 5, 400)})
    score = table["age"] / 20 + table["bmi"] / 10 + rng.normal(0, 0.5, 400)
    table["risk"] = np.array(["low", "medium", "high"])[pd.qcut(score, 3, labels=False)]
    return table.sort_values("age", ascending=False, ignore_index=True)  # a high risk first


def add(folder: Path, root: Path, table: pd.DataFrame, *options: str) -> tuple[int, str]:
    inputs, codes = table[["age", "bmi"]], table["risk"].map(NUMBERS)
    model = LogisticRegression(max_iter=1000).fit(inputs, codes)
    return add_model(folder, root, table, model, *options)


def add_model(
    folder: Path, root: Path, table: pd.DataFrame, model: LogisticRegression, *options: str
) -> tuple[int, str]:
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    table.to_csv(folder / "train.csv", index=False)
    result = run(
        "add", folder / "model.pkl", "--name", "mine", "--data", folder / "train.csv",
        "--target", "risk", "--models", root, *options,
    )  # fmt: skip
    return result.exit_code, " ".join((result.output + result.stderr).split())


def read_option(said: str) -> list[str]:
    return said[said.index("--classes") :].split()[:2]


def test_names_in_no_usual_order_are_refused_with_those_to_write(
    tmp_path: Path, root: Path
) -> None:
    table = make_risks()
    code, said = add(tmp_path, root, table)
    assert code == 4, said
    assert "The rows fit best with --classes medium,low,high (" in said
    assert "medium for 0, low for 1, high for 2" in said
    code, said = add(tmp_path, root, table, *read_option(said))
    assert code == 0, said
    assert "Risk: low, medium, high" in said


def test_names_that_no_order_explains_are_refused_with_how_to_write_them(
    tmp_path: Path, root: Path
) -> None:
    table = make_risks()
    table["risk"] = np.random.default_rng(1).permutation(table["risk"])
    code, said = add(tmp_path, root, table)
    assert code == 4, said
    assert "no order of them fits the rows" in said
    option, names = read_option(said)
    assert (option, sorted(names.rstrip(".").split(","))) == (
        "--classes",
        ["high", "low", "medium"],
    )
    assert "in the order of 0, 1, 2" in said


def test_before_names_a_missing_scaler_is_named(tmp_path: Path, root: Path) -> None:
    """No order of names puts right what nobody scaled."""
    table = make_risks()
    table["risk"] = np.where(table["risk"] == "high", "high", "low")
    inputs = StandardScaler().fit_transform(table[["age", "bmi"]].to_numpy())
    model = LogisticRegression().fit(inputs, (table["risk"] == "low").astype(int))
    code, said = add_model(tmp_path, root, table, model)
    assert code == 4, said
    assert "as if its inputs had been standardised" in said
    assert "--before scaler.pkl" in said
    assert "--classes" not in said
    code, said = add_model(tmp_path, root, table[:20], model)
    assert "20 rows are too few to tell. Write them in the order of 0, 1" in said
