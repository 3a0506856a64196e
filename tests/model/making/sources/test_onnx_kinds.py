"""ONNX files of several numbers and of groups, as far as the data can prove what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture

from app import create_app
from app.config import Settings
from model.serving.predictors import open_session
from tests.model.making.conftest import run

FACTS = ["length", "width"]


@pytest.fixture
def data(tmp_path: Path) -> pd.DataFrame:
    """Three groups of leaves, with two numbers that depend on their facts."""
    rng = np.random.default_rng(1)
    centres = np.repeat([[1, 1], [5, 2], [3, 6]], 60, axis=0)
    table = pd.DataFrame(centres + rng.normal(0, 0.4, (180, 2)), columns=FACTS).round(2)
    table["mass"], table["age"] = table["length"] * 2 + 1, 9 - table["width"]
    table.to_csv(tmp_path / "leaves.csv", index=False)
    table[FACTS].to_csv(tmp_path / "facts.csv", index=False)
    return table.astype(np.float32)


def save(model: Any, rows: pd.DataFrame, path: Path, *kept: str) -> None:
    """Write what skl2onnx makes of a model, with some of its outputs or all."""
    made = to_onnx(model, rows[FACTS].to_numpy()[:1])
    for output in [item for item in made.graph.output if kept and item.name not in kept]:
        made.graph.output.remove(output)
    path.write_bytes(made.SerializeToString())


def add(folder: Path, data: str, *options: str) -> Any:
    given = ("--data", folder / data, "--features", ",".join(FACTS), "--models", folder)
    return run("add", folder / "model.onnx", "--name", "m", *given, *options)


def ask(folder: Path, table: pd.DataFrame) -> Any:
    client = create_app(Settings(models=("m",), ratelimit="off"), models=folder).test_client()
    return client.post("/api/predict", json=table[FACTS].astype(float).to_dict("records")).json


def test_a_file_of_two_numbers_takes_a_target_for_each(tmp_path: Path, data: pd.DataFrame) -> None:
    model = LinearRegression().fit(data[FACTS].to_numpy(), data[["mass", "age"]])
    save(model, data, tmp_path / "model.onnx")
    result = add(tmp_path, "leaves.csv", "--target", "mass")
    assert "Name a column of the data for each" in " ".join(result.output.split())
    result = add(tmp_path, "leaves.csv", "--target", "mass,age,length")
    assert "The model answers 2 numbers for each row" in " ".join(result.output.split())
    result = add(tmp_path, "leaves.csv", "--target", "age,mass")
    assert result.exit_code == 4, result.output
    assert "Write --target mass,age." in " ".join(result.output.split())
    result = add(tmp_path, "leaves.csv", "--target", "mass,age")
    assert result.exit_code == 0, result.output
    found = [[a["outputs"][n]["prediction"] for n in ("mass", "age")] for a in ask(tmp_path, data)]
    expected = model.predict(data[FACTS].to_numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "kept", "measure"),
    [
        (KMeans(3, random_state=0), (), "distance"),
        (KMeans(3, random_state=0), ("label",), "none"),
        (GaussianMixture(3, random_state=0), ("label", "probabilities"), "probability"),
    ],
)
def test_a_file_of_groups_is_known_by_its_answers(
    tmp_path: Path, data: pd.DataFrame, model: Any, kept: tuple[str, ...], measure: str
) -> None:
    save(model.fit(data[FACTS].to_numpy()), data, tmp_path / "model.onnx", *kept)
    result = add(tmp_path, "facts.csv", "--clusters", "amber,birch,cedar")
    assert result.exit_code == 0, result.output
    assert f'measure = "{measure}"' in (tmp_path / "m" / "card.toml").read_text()
    names = np.array(["amber", "birch", "cedar"])[model.predict(data[FACTS].to_numpy())]
    answers = ask(tmp_path, data)
    assert [answer["label"] for answer in answers] == names.tolist()
    if measure == "distance":
        found = [list(answer["distances"].values()) for answer in answers]
        expected = model.transform(data[FACTS].to_numpy())
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("words", [["narrow", "wide"], [0, 1]])
def test_an_answer_beyond_0_and_1_for_two_classes_is_read_as_a_logit(
    tmp_path: Path, data: pd.DataFrame, words: list[Any]
) -> None:
    """As a network of PyTorch answers that was fitted with BCEWithLogitsLoss."""
    rows, wide = data[FACTS].to_numpy(), data["width"] + data["length"] / 9 > 2.5
    model = LogisticRegression().fit(rows, wide)
    line = LinearRegression().fit(rows, model.decision_function(rows))
    save(line, data, tmp_path / "model.onnx")
    data.assign(shape=np.array(words)[wide.astype(int)]).drop(columns=["mass", "age"]).to_csv(
        tmp_path / "shapes.csv", index=False
    )
    result = add(tmp_path, "shapes.csv", "--target", "shape")
    assert result.exit_code == 0, result.output
    assert f"read as the logit of {words[1]}: above 0" in " ".join(result.output.split())
    answers = ask(tmp_path, data)
    assert [answer["label"] for answer in answers] == [
        str(words[int(each)]) for each in model.predict(rows)
    ]
    found = [answer["probabilities"][str(words[1])] for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(rows)[:, 1], atol=1e-4)


def test_a_regression_on_0_and_1_stays_one(tmp_path: Path, data: pd.DataFrame) -> None:
    rows, wide = data[FACTS].to_numpy(), (data["width"] > 2.5).astype(int)
    save(LinearRegression().fit(rows, wide), data, tmp_path / "model.onnx")
    data[FACTS].assign(shape=wide).to_csv(tmp_path / "shapes.csv", index=False)
    result = add(tmp_path, "shapes.csv", "--target", "shape")
    assert result.exit_code == 0, result.output
    assert "prediction" in ask(tmp_path, data)[0]


def test_a_regression_on_two_classes_that_are_texts_is_read_as_probabilities(
    tmp_path: Path, data: pd.DataFrame
) -> None:
    """Its answers leave 0 and 1 a little, and are no logits for that."""
    rows, wide = data[FACTS].to_numpy(), (data["width"] > 2.5).astype(int)
    line = LinearRegression().fit(rows, wide)
    save(line, data, tmp_path / "model.onnx")
    data[FACTS].assign(shape=np.array(["narrow", "wide"])[wide]).to_csv(
        tmp_path / "shapes.csv", index=False
    )
    result = add(tmp_path, "shapes.csv", "--target", "shape")
    assert result.exit_code == 0, result.output
    found = [answer["probabilities"]["wide"] for answer in ask(tmp_path, data)]
    np.testing.assert_allclose(found, line.predict(rows).clip(0, 1), atol=1e-4)


def test_a_label_that_no_row_of_the_data_has_is_no_answer(
    tmp_path: Path, data: pd.DataFrame
) -> None:
    """The model names a group by the whole part of the length, whatever it is."""
    first = numpy_helper.from_array(np.array([0], np.int64), "first")
    nodes = [
        helper.make_node("Gather", ["rows", "first"], ["length"], axis=1),
        helper.make_node("Cast", ["length"], ["label"], to=TensorProto.INT64),
    ]
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", 2])
    label = helper.make_tensor_value_info("label", TensorProto.INT64, ["N", 1])
    graph = helper.make_graph(nodes, "g", [rows], [label], [first])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "model.onnx")
    assert add(tmp_path, "facts.csv").exit_code == 0
    inside, outside = ask(tmp_path, data[:1])[0], None
    assert inside["label"] == str(int(data["length"].iloc[0]))
    client = create_app(Settings(models=("m",), ratelimit="off"), models=tmp_path).test_client()
    outside = client.post("/api/predict", json={"length": 8, "width": 1})
    assert outside.status_code != 200
    assert "label" not in outside.get_json()


def test_a_graph_that_does_not_run_raises_and_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    names = {"a": 2, "b": 3}
    given = [helper.make_tensor_value_info(name, 1, [None, None]) for name in names]
    wanted = [helper.make_tensor_value_info("c", 1, None)]
    graph = helper.make_graph([helper.make_node("Sub", ["a", "b"], ["c"])], "g", given, wanted)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = open_session(made.SerializeToString())
    rows = {name: np.ones((1, n), np.float32) for name, n in names.items()}
    with pytest.raises(Exception, match="BroadcastIterator"):
        session.run(["c"], rows)
    assert capfd.readouterr() == ("", "")


def save_line(path: Path, rows: int, shape: list[int]) -> None:
    """Write a graph of so many rows that answers twice the length and 1, of such a shape."""
    constants: dict[str, Any] = {
        "weights": np.array([[2], [0]], np.float32),
        "one": np.ones(1, np.float32),
        "shape": np.array(shape, np.int64),
    }
    nodes = [
        helper.make_node("Gemm", ["rows", "weights", "one"], ["sums"]),
        helper.make_node("Reshape", ["sums", "shape"], ["value"]),
    ]
    given = helper.make_tensor_value_info("rows", TensorProto.FLOAT, [rows, 2])
    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, [rows, 1])
    kept = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "g", [given], [value], kept)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def test_a_file_of_one_row_at_a_time_answers_many(tmp_path: Path, data: pd.DataFrame) -> None:
    save_line(tmp_path / "model.onnx", 1, [-1, 1])
    result = add(tmp_path, "leaves.csv", "--target", "mass")
    assert result.exit_code == 0, result.output
    found = [answer["prediction"] for answer in ask(tmp_path, data)]
    np.testing.assert_allclose(found, data["length"] * 2 + 1, rtol=1e-4)


@pytest.mark.parametrize(
    ("rows", "said"), [(1, "The model takes one row at a time"), (2, "takes 2 rows at a time")]
)
def test_a_file_that_cannot_answer_many_rows_is_refused_with_its_export(
    tmp_path: Path, data: pd.DataFrame, rows: int, said: str
) -> None:
    save_line(tmp_path / "model.onnx", rows, [rows, 1])
    result = add(tmp_path, "leaves.csv", "--target", "mass")
    assert result.exit_code == 1, result.output
    text = " ".join(result.output.split())
    assert said in text
    assert "dynamic_axes={'x': {0: 'rows'}}" in text
