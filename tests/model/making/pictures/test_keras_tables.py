"""A network of Keras that takes the columns of a table is put together with its other files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from app import create_app
from app.config import Settings
from model.making.looking.files import look
from tests.model.making.conftest import run

FILES = Path(__file__).parent / "keras_files"
COLUMNS = ["size", "age", "floor", "noise"]


@pytest.mark.parametrize("name", ["table_2.h5", "table_3.h5", "table_3.keras"])
def test_it_answers_as_in_keras_behind_its_scaler(tmp_path: Path, name: str) -> None:
    with np.load(FILES / f"{name}.npz") as kept:
        given, answers = kept["given"], kept["answers"]
    table = pd.DataFrame(given * [30, 20, 3, 9] + [80, 40, 4, 55], columns=COLUMNS)
    prices = np.exp(answers / 4 + 5)  # of which a scaler made what the network answers
    target = StandardScaler().fit(np.log(prices))
    target.scale_, target.mean_ = np.array([0.25]), np.array([5.0])
    for part, path in ((StandardScaler().fit(table), "x.pkl"), (COLUMNS, "columns.pkl")):
        joblib.dump(part, tmp_path / path)
    joblib.dump(target, tmp_path / "y.pkl")
    table.assign(price=prices).to_csv(tmp_path / "flats.csv", index=False)
    result = run(
        "add", FILES / name, *(tmp_path / part for part in ("x.pkl", "columns.pkl", "y.pkl")),
        "--name", "m", "--data", tmp_path / "flats.csv", "--target", "price", "--yes",
        "--target-inverse", "exp", "--models", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert f"{name}: It is a model of Keras" in said
    assert "Served: as ONNX" in said
    client = create_app(Settings(models=("m",), ratelimit="off"), models=tmp_path).test_client()
    sent = json.loads(table.to_json(orient="records", double_precision=12))
    answered = client.post("/api/predict", json=sent).get_json()
    found = [answer["prediction"] for answer in answered]
    np.testing.assert_allclose(found, prices.ravel(), rtol=1e-4)


def test_looking_at_it_says_how_many_columns_it_takes() -> None:
    found = look([FILES / "table_2.h5"])
    assert found.servable
    assert "a model of Keras 2." in found.text
    assert "Inputs: 4, by position" in found.text


def test_pictures_that_a_table_names_are_still_pictures(tmp_path: Path) -> None:
    """Their network may take all of their pixels as one row."""
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "names.csv").write_text("file,kind\na.png,cat\n")
    result = run(
        "add", FILES / "table_3.keras", "--name", "m", "--data", tmp_path / "names.csv",
        "--models", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 1
    assert "opening the network" in result.output


@pytest.mark.parametrize("ends", [{"size": ["a", 0, 0], "age": ["b", 0, 0]}, [["a", 0, 0]] * 2])
def test_several_inputs_are_refused_with_the_way_to_one(tmp_path: Path, ends: object) -> None:
    config = {"name": "net", "layers": [], "input_layers": ends, "output_layers": ["c", 0, 0]}
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": config}))
        archive.writestr("model.weights.h5", (FILES / "table_3.h5").read_bytes())
    (tmp_path / "flats.csv").write_text("size,age,price\n1,2,3\n")
    joblib.dump(StandardScaler().fit([[1, 2], [3, 4]]), tmp_path / "x.pkl")
    result = run(
        "add", tmp_path / "net.keras", tmp_path / "x.pkl", "--name", "m", "--target", "price",
        "--data", tmp_path / "flats.csv", "--models", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 1
    assert "The model takes 2 inputs" in result.output
    assert "takes all columns as one input" in result.output
