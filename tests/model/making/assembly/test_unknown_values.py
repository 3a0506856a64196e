"""Rows with values that were not in the fit: left out where the model does not answer them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, OrdinalEncoder

from model import NumberModel
from tests.loading import load_as
from tests.model.making.conftest import run

CITIES = ("Bonn", "Kyiv", "Oslo", "Paris", "Rome")
LEFT_OUT = "2 rows with 'Bern' as city are left out: the model was fitted on no such row"


def flats(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    places, areas = random.integers(0, len(CITIES), rows), random.integers(40, 200, rows)
    rents = areas * 9 + np.array([150, 0, 900, 400, 10])[places] + random.integers(0, 40, rows)
    return pd.DataFrame({"area": areas, "city": np.array(CITIES)[places], "rent": rents})


def fit_pipeline(table: pd.DataFrame, encoder: Any) -> dict[str, Any]:
    steps = make_column_transformer((encoder, ["city"]), remainder="passthrough")
    model = make_pipeline(steps, RandomForestRegressor(10, random_state=0))
    return {"model.pkl": model.fit(table[["area", "city"]], table["rent"])}


def fit_behind(table: pd.DataFrame, coded: Any) -> Any:
    inputs = table[["area", "city"]].assign(city=coded)
    return RandomForestRegressor(10, random_state=0).fit(inputs, table["rent"])


def fit(how: str, table: pd.DataFrame) -> dict[str, Any]:
    """The files of a model that knows five cities."""
    labels = LabelEncoder().fit(table["city"])
    if how == "one-hot":
        return fit_pipeline(table, OneHotEncoder())
    if how == "ordinal":
        return fit_pipeline(table, OrdinalEncoder())
    if how == "dummies":
        inputs = pd.get_dummies(table[["area", "city"]], dtype=int, drop_first=True)
        return {"model.pkl": RandomForestRegressor(10, random_state=0).fit(inputs, table["rent"])}
    model = fit_behind(table, labels.transform(table["city"]))
    encoder: Any = {"labels by column": {"city": labels}, "labels": labels}.get(how)
    if encoder is None:
        encoder = OrdinalEncoder().fit(table[["city"]])
    return {"model.pkl": model, "encoder.pkl": encoder}


def add(folder: Path, root: Path, parts: dict[str, Any], table: pd.DataFrame, held: Any) -> str:
    for name, part in parts.items():
        (folder / name).write_bytes(pickle.dumps(part))
    table.to_csv(folder / "train.csv", index=False)
    held.to_csv(folder / "held.csv", index=False)
    files = [folder / name for name in parts]
    options = ["--data", folder / "train.csv", "--holdout", folder / "held.csv", "--yes"]
    result = run("add", *files, "--name", "rents", "--target", "rent", "--models", root, *options)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "how", ["one-hot", "ordinal", "dummies", "labels by column", "labels", "encoder of a table"]
)
def test_held_out_rows_that_the_model_does_not_know_are_left_out(
    tmp_path: Path, root: Path, how: str
) -> None:
    table, held = flats(300, 0), flats(100, 1)
    held.loc[[0, 7], "city"] = "Bern"
    said = add(tmp_path, root, fit(how, table), table, held)
    assert LEFT_OUT in said
    assert "On 98 rows that the model had not seen" in said
    field = load_as(NumberModel, root / "rents").card.by_name["city"]
    assert sorted(option.value for option in field.options) == sorted(CITIES)


def test_rows_stay_where_an_encoder_ignores_what_it_does_not_know(
    tmp_path: Path, root: Path
) -> None:
    table, held = flats(300, 0), flats(100, 1)
    held.loc[[0, 7], "city"] = "Bern"
    parts = fit_pipeline(table, OneHotEncoder(handle_unknown="ignore"))
    said = add(tmp_path, root, parts, table, held)
    assert "left out" not in said
    assert "On 100 rows that the model had not seen" in said


def test_an_encoder_of_the_target_leaves_no_row_out(tmp_path: Path, root: Path) -> None:
    def name(areas: Any) -> Any:
        return np.where(areas > 120, "high", "low")

    table = flats(300, 0)[["area"]].assign(before=lambda rows: name(rows["area"]))
    table["level"] = table["before"]
    table.loc[:9, "before"] = "middle"
    labels, before = (LabelEncoder().fit(table[column]) for column in ("level", "before"))
    inputs = table[["area", "before"]].assign(before=before.transform(table["before"]))
    model = RandomForestClassifier(10, random_state=0).fit(inputs, labels.transform(table["level"]))
    parts = {"model.pkl": model, "target.pkl": labels}
    for file, part in parts.items():
        (tmp_path / file).write_bytes(pickle.dumps(part))
    table.to_csv(tmp_path / "train.csv", index=False)
    options = ["--data", tmp_path / "train.csv", "--target", "level", "--models", root, "--yes"]
    said = run("add", *[tmp_path / file for file in parts], "--name", "levels", *options).output
    assert "left out" not in said


def test_a_class_that_the_model_does_not_answer_is_named_with_how_to_leave_it_out(
    tmp_path: Path, root: Path
) -> None:
    table = flats(300, 0).assign(stars=lambda rows: rows["area"] // 50)
    model = RandomForestClassifier(10, random_state=0).fit(table[["area", "rent"]], table["stars"])
    table.loc[:3, "stars"] = 7
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    table.to_csv(tmp_path / "train.csv", index=False)
    options = ["--data", tmp_path / "train.csv", "--target", "stars", "--models", root, "--yes"]
    result = run("add", tmp_path / "model.pkl", "--name", "stars", *options)
    assert "The target 'stars' holds 7, but the model answers 0, 1, 2, 3." in result.output
    assert result.output.rstrip().endswith("To leave such rows out, write --where 'stars != 7'.")
    result = run("add", tmp_path / "model.pkl", "--name", "s", *options, "--where", "stars != 7")
    assert result.exit_code == 0, result.output


def test_an_input_that_the_data_lack_is_named_before_values_that_the_model_does_not_know(
    tmp_path: Path, root: Path
) -> None:
    table, held = flats(300, 0), flats(100, 1)
    held.loc[[0, 7], "city"] = "Bern"
    steps = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    inputs = table[["area", "city"]].assign(ratio=table["area"] / 7)
    model = make_pipeline(steps, RandomForestRegressor(10, random_state=0))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model.fit(inputs, table["rent"])))
    table.to_csv(tmp_path / "train.csv", index=False)
    held.to_csv(tmp_path / "held.csv", index=False)
    options = ["--data", tmp_path / "train.csv", "--holdout", tmp_path / "held.csv"]
    result = run(
        "add", tmp_path / "model.pkl", "--name", "rents", "--target", "rent", "--models", root,
        *options,
    )  # fmt: skip
    assert isinstance(result.exception, SystemExit)
    assert "'ratio'" in result.output
