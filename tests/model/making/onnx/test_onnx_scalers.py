"""Parts in files of their own around an ONNX model of scikit-learn's converter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
from click.testing import Result
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVR

from app import create_app
from app.config import Settings
from model import NumberModel, load_model
from model.serving.tabular import take_tabular
from tests.model.making.conftest import run
from tests.shapes import NUMBERS, cars

ROWS = 25


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path


def save(folder: Path, *steps: Any, as_table: bool = True) -> Any:
    """Write each step, and the model behind them as ONNX; return what they answer together."""
    table = cars()
    table.to_csv(folder / "train.csv", index=False)
    given = rows = table[NUMBERS] if as_table else table[NUMBERS].to_numpy()
    for number, step in enumerate(steps):
        rows = step.fit_transform(rows)
        joblib.dump(step, folder / f"step{number}.pkl")
    model = SVR(C=1e5).fit(rows, table["price"])
    (folder / "model.onnx").write_bytes(
        to_onnx(model, rows[:1].astype(np.float32)).SerializeToString()
    )

    def answer(index: Any) -> Any:
        found = given.iloc[index] if as_table else given[index]
        for step in steps:
            found = step.transform(found)
        return model.predict(found)

    return answer


def add(folder: Path, *more: object) -> Result:
    return run(
        "add", folder / "model.onnx", "--name", "mine", "--data", folder / "train.csv",
        "--target", "price", "--models", folder / "models", *more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "as_table"),
    [
        ([StandardScaler()], True),
        ([MinMaxScaler()], False),
        ([RobustScaler(), MinMaxScaler((-1, 1))], True),
    ],
)
def test_scalers_before_an_onnx_file_give_the_author_s_own_answers(
    steps: list[Any], as_table: bool, folder: Path
) -> None:
    answer = save(folder, *steps, as_table=as_table)
    before = [word for n in range(len(steps)) for word in ("--before", folder / f"step{n}.pkl")]
    features = [] if as_table else ["--features", ",".join(NUMBERS)]
    result = add(folder, *before, *features)
    assert result.exit_code == 0, result.output
    assert "with step0.pkl" in result.output
    model = load_model(folder / "models" / "mine")
    assert isinstance(model, NumberModel)
    client = create_app(Settings(models=("mine",)), models=folder / "models").test_client()
    index = np.random.default_rng(0).choice(len(cars()), ROWS, replace=False)
    sent = cars()[NUMBERS].iloc[index].set_axis(model.card.names, axis=1).to_dict("records")
    answers = client.post("/api/predict", json=sent).get_json()
    expected = answer(index)
    np.testing.assert_allclose([item["prediction"] for item in answers], expected, rtol=1e-4)


def test_without_its_scaler_an_onnx_file_is_refused_with_the_option_that_helps(
    folder: Path,
) -> None:
    save(folder, StandardScaler())
    refused = add(folder, "--features", ",".join(NUMBERS))
    assert refused.exit_code == 4
    assert "--before scaler.pkl" in refused.output


def test_scalers_beside_an_onnx_file_are_taken_as_the_data_prove(folder: Path) -> None:
    answer = save(folder, RobustScaler(), MinMaxScaler((-1, 1)))
    joblib.dump(StandardScaler().fit(np.eye(3)), folder / "other.pkl")
    parts = [folder / name for name in ("other.pkl", "step1.pkl", "step0.pkl")]
    features = ("--features", ",".join(NUMBERS))
    asked = add(folder, *parts, *features)
    assert asked.exit_code == 4
    assert "so: with step0.pkl, then step1.pkl before it (R² 0." in " ".join(asked.output.split())
    result = add(folder, *parts, *features, "--yes")
    assert result.exit_code == 0, result.output
    assert "other.pkl was not needed." in result.output
    model = load_model(folder / "models" / "mine")
    assert isinstance(model, NumberModel)
    sent = cars()[NUMBERS].head(ROWS).set_axis(model.card.names, axis=1).to_dict("records")
    client = create_app(Settings(models=("mine",)), models=folder / "models").test_client()
    answers = client.post("/api/predict", json=sent).get_json()
    expected = answer(range(ROWS))
    np.testing.assert_allclose([item["prediction"] for item in answers], expected, rtol=1e-4)
    assert "with step0.pkl, then step1.pkl before it" in client.get("/about").text


def test_a_list_of_the_columns_beside_an_onnx_file_names_them(folder: Path) -> None:
    save(folder, StandardScaler(), as_table=False)
    joblib.dump(NUMBERS, folder / "columns.pkl")
    result = add(folder, folder / "columns.pkl", folder / "step0.pkl", "--yes")
    assert result.exit_code == 0, result.output
    assert "columns in the order of columns.pkl" in result.output


def test_a_step_that_does_not_fit_is_refused(folder: Path) -> None:
    save(folder, StandardScaler())
    joblib.dump(PCA(2).fit(cars()[NUMBERS]), folder / "other.pkl")
    result = add(folder, "--before", folder / "other.pkl")
    assert result.exit_code == 1
    assert "The model takes 3 columns with other.pkl" in " ".join(result.output.split())
    assert not list((folder / "models").iterdir())


@pytest.mark.parametrize("options", [{}, {"zipmap": False}, {"nocl": True, "zipmap": False}])
def test_classes_that_an_onnx_file_names_stay_behind_a_scaler(
    options: dict[str, bool], folder: Path
) -> None:
    table = cars().assign(price=np.where(cars()["price"] > cars()["price"].median(), "dear", "low"))
    table.to_csv(folder / "train.csv", index=False)
    scaler = MinMaxScaler().fit(table[NUMBERS])
    inputs = scaler.transform(table[NUMBERS])
    labels = table["price"] if "nocl" not in options else (table["price"] == "low").astype(int)
    model = RandomForestClassifier(20, random_state=0).fit(inputs, labels)
    made = to_onnx(model, inputs[:1].astype(np.float32), options={id(model): options})
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    joblib.dump(scaler, folder / "scaler.pkl")
    result = add(folder, folder / "scaler.pkl", "--yes")
    assert result.exit_code == 0, result.output
    assert "with scaler.pkl before it" in result.output
    client = create_app(Settings(models=("mine",)), models=folder / "models").test_client()
    names = take_tabular(load_model(folder / "models" / "mine")).card.names
    sent = table[NUMBERS].head(ROWS).set_axis(names, axis=1).to_dict("records")
    answers = client.post("/api/predict", json=sent).get_json()
    found = [[answer["probabilities"][name] for name in ("dear", "low")] for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(inputs[:ROWS]), atol=1e-4)


def make_graph(names: list[str], kind: int, width: int) -> onnx.ModelProto:
    """A graph that adds its inputs, or hands its only one on."""
    inputs = [helper.make_tensor_value_info(name, kind, ["N", width]) for name in names]
    output = helper.make_tensor_value_info("y", kind, ["N", width])
    node = helper.make_node("Sum", names, ["y"])
    graph = helper.make_graph([node], "g", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_file_of_an_input_for_each_column_stands_alone(folder: Path) -> None:
    save(folder, StandardScaler())
    onnx.save(make_graph(NUMBERS, TensorProto.FLOAT, 1), folder / "model.onnx")
    given = (
        "add", folder / "model.onnx", folder / "step0.pkl", "--name", "mine", "--yes",
        "--data", folder / "train.csv", "--target", "price", "--models", folder / "models",
    )  # fmt: skip
    result = run(*given)
    assert result.exit_code == 1, result.output
    assert "a model with one input for all columns" in " ".join(result.output.split())
