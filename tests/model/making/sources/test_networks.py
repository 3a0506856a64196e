"""Networks in ONNX beside the files of the steps before and after them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy.special import expit
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from app import create_app
from app.config import Settings
from model.making.errors import AddError
from model.making.sources.networks import read_network
from tests.model.making.conftest import run

CITIES = np.array(["Bonn", "Essen", "Ulm"])
FACTS = ["size", "age", "city"]


@pytest.fixture
def table() -> pd.DataFrame:
    """Flats with a rent and a class of it, which both depend on all facts."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"size": rng.uniform(20, 120, 400), "age": rng.integers(0, 90, 400)})
    rows["size"], place = rows["size"].round(1), rng.integers(0, 3, 400)
    rows["city"] = CITIES[place]
    rows["rent"] = (rows["size"] * 9 - rows["age"] * 2 + place * 150).round(1)
    rows["level"] = pd.cut(rows["rent"], [-999, 450, 750, 9999], labels=["low", "mid", "top"])
    return rows.assign(level=rows["level"].astype(str))


def write_network(line: Any, path: Path, *ends: str, opset: int = 17, rows: Any = "N") -> None:
    """Write a linear model as a network: a product, a sum, and operators that end it."""
    weights = np.atleast_2d(line.coef_).T.astype(np.float32)
    bias = np.atleast_1d(line.intercept_).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["end_0"]),
    ]
    nodes += [
        helper.make_node(end, [f"end_{place}"], [f"end_{place + 1}"])
        for place, end in enumerate(ends)
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, len(weights)])],
        [helper.make_tensor_value_info(f"end_{len(ends)}", TensorProto.FLOAT, [rows, len(bias)])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)


def add(
    folder: Path, table: pd.DataFrame, target: str, *more: object, expected: int = 0, **parts: Any
) -> str:
    """``model add`` for a network with its parts in files; what the command says."""
    for name, part in parts.items():
        joblib.dump(part, folder / f"{name}.pkl")
    table[[*FACTS, target]].to_csv(folder / "flats.csv", index=False)
    files = [folder / "net.onnx", *(folder / f"{name}.pkl" for name in parts)]
    given = ("--data", folder / "flats.csv", "--target", target, "--models", folder, "--yes")
    result = run("add", *files, "--name", "m", *given, *more)
    assert result.exit_code == expected, result.output
    return " ".join(result.output.split())


def ask(folder: Path, rows: pd.DataFrame) -> Any:
    """What the model that was added answers."""
    client = create_app(Settings(models=("m",), ratelimit="off"), models=folder).test_client()
    asked = json.loads(rows[[name for name in FACTS if name in rows]].to_json(orient="records"))
    return client.post("/api/predict", json=asked).json


@pytest.mark.parametrize("rows", ["N", 1])
def test_a_column_for_each_value_a_scaler_and_a_scaled_target_stand_around_a_network(
    tmp_path: Path, table: pd.DataFrame, rows: Any
) -> None:
    """It may have been exported for the one row of its example."""
    dummies = pd.get_dummies(table[FACTS])
    scaler = StandardScaler().fit(dummies.to_numpy(float))
    target = StandardScaler().fit(table[["rent"]].to_numpy())
    inputs = scaler.transform(dummies.to_numpy(float))
    line = LinearRegression().fit(inputs, target.transform(table[["rent"]].to_numpy()).ravel())
    write_network(line, tmp_path / "net.onnx", rows=rows)
    parts = {"scaler": scaler, "columns": list(dummies.columns), "rents": target}
    said = add(tmp_path, table, "rent", **parts)
    assert "city as a column for each value; answers unscaled by rents.pkl" in said
    assert "Served: as ONNX, compiled" in said
    found = [answer["prediction"] for answer in ask(tmp_path, table)]
    expected = target.inverse_transform(line.predict(inputs)[:, None]).ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(("ends", "opset"), [((), 17), (("Softmax",), 13), (("Identity",), 21)])
def test_classes_are_named_by_the_encoder_beside_a_network(
    tmp_path: Path, table: pd.DataFrame, ends: tuple[str, ...], opset: int
) -> None:
    steps = make_column_transformer(
        (StandardScaler(), ["size", "age"]), (OneHotEncoder(), ["city"])
    ).fit(table[FACTS])
    labels = LabelEncoder().fit(table["level"])
    inputs = np.asarray(steps.transform(table[FACTS]))
    model = LogisticRegression(C=100, max_iter=500).fit(inputs, labels.transform(table["level"]))
    write_network(model, tmp_path / "net.onnx", *ends, opset=opset)
    add(tmp_path, table, "level", steps=steps, labels=labels)
    answers = ask(tmp_path, table)
    named = labels.inverse_transform(model.predict(inputs))
    assert [answer["label"] for answer in answers] == named.tolist()
    found = [[answer["probabilities"][name] for name in labels.classes_] for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(inputs), atol=1e-4)


def test_a_softmax_of_several_operators_is_none_that_is_missing(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    inputs = StandardScaler().fit(table[["size", "age"]])
    rows = inputs.transform(table[["size", "age"]])
    model = LogisticRegression(C=100, max_iter=500).fit(rows, table["level"])
    write_network(model, tmp_path / "net.onnx", "LogSoftmax", "Exp")
    add(tmp_path, table, "level", scaler=inputs, columns=["size", "age"])
    answers = ask(tmp_path, table[["size", "age"]])
    found = [[answer["probabilities"][name] for name in model.classes_] for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(rows), atol=1e-4)


@pytest.mark.parametrize("has_parts", [True, False])
def test_a_sigmoid_for_each_class_is_a_share_of_their_sum(
    tmp_path: Path, table: pd.DataFrame, has_parts: bool
) -> None:
    """Together they were more than 1, and read as logits all classes were about as likely."""
    inputs = StandardScaler().fit(table[["size", "age"]])
    rows = inputs.transform(table[["size", "age"]])
    if not has_parts:
        table[["size", "age"]] = rows
    model = LogisticRegression(C=100, max_iter=500).fit(rows, table["level"])
    write_network(model, tmp_path / "net.onnx", "Sigmoid")
    parts = {"scaler": inputs, "columns": ["size", "age"]} if has_parts else {}
    add(tmp_path, table, "level", "--features", "size,age", **parts)
    answers = ask(tmp_path, table[["size", "age"]])
    found = [[answer["probabilities"][name] for name in model.classes_] for answer in answers]
    expected = expit(model.decision_function(rows))
    np.testing.assert_allclose(found, expected / expected.sum(axis=1)[:, None], atol=1e-4)


def test_a_regression_on_0_and_1_is_no_logit(tmp_path: Path, table: pd.DataFrame) -> None:
    table = table.assign(level=(table["level"] != "low").astype(int))
    dummies = pd.get_dummies(table[FACTS], drop_first=True)
    scaler = StandardScaler().fit(dummies)
    line = LinearRegression().fit(scaler.transform(dummies), table["level"])
    write_network(line, tmp_path / "net.onnx")
    add(tmp_path, table, "level", scaler=scaler, columns=list(dummies.columns))
    found = [answer["prediction"] for answer in ask(tmp_path, table)]
    expected = line.predict(scaler.transform(dummies)).clip(0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_network_of_several_numbers_asks_for_their_columns(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    scaler = StandardScaler().fit(table[["size", "age"]])
    line = LinearRegression().fit(scaler.transform(table[["size", "age"]]), table[["rent", "age"]])
    write_network(line, tmp_path / "net.onnx")
    joblib.dump(scaler, tmp_path / "scaler.pkl")
    joblib.dump(["size", "age"], tmp_path / "columns.pkl")
    table.to_csv(tmp_path / "flats.csv", index=False)
    result = run(
        "add", *(tmp_path / name for name in ("net.onnx", "scaler.pkl", "columns.pkl")),
        "--name", "m", "--data", tmp_path / "flats.csv", "--target", "rent", "--models", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 1
    assert "answers 2 numbers for each row. Name a column" in " ".join(result.output.split())


def test_a_sigmoid_before_a_change_of_shape_ends_a_network(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    table = table.assign(level=(table["level"] == "top").astype(int))
    model = LogisticRegression(max_iter=500).fit(table[["size", "age"]], table["level"])
    write_network(model, tmp_path / "net.onnx", "Sigmoid", "Identity")
    add(tmp_path, table, "level", "--features", "size,age")
    found = [answer["probabilities"]["1"] for answer in ask(tmp_path, table[["size", "age"]])]
    expected = model.predict_proba(table[["size", "age"]])[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("ends", [(), ("Sigmoid",)])
def test_one_output_is_that_of_the_second_of_two_classes(
    tmp_path: Path, table: pd.DataFrame, ends: tuple[str, ...]
) -> None:
    table = table.assign(level=(table["level"] == "top").astype(int))
    dummies = pd.get_dummies(table[FACTS], drop_first=True)
    scaler = StandardScaler().fit(dummies)
    inputs = scaler.transform(dummies)
    model = LogisticRegression(C=100, max_iter=500).fit(inputs, table["level"])
    write_network(model, tmp_path / "net.onnx", *ends)
    add(tmp_path, table, "level", scaler=scaler, columns=list(dummies.columns))
    found = [answer["probabilities"]["1"] for answer in ask(tmp_path, table)]
    np.testing.assert_allclose(found, model.predict_proba(inputs)[:, 1], atol=1e-4)


@pytest.mark.parametrize(
    ("words", "is_logit"),
    [
        ([0, 1], True),
        ([1, 2], True),
        ([1, 2], False),
        (["low", "top"], True),
        (["low", "top"], False),
    ],
)
def test_one_output_for_two_classes_is_read_as_the_data_say(
    tmp_path: Path, table: pd.DataFrame, words: list[Any], is_logit: bool
) -> None:
    """A loss of logits leaves them to the reader, and squared errors leave 0 and 1 a little."""
    facts = table[["size", "age"]].to_numpy()
    high = (table["rent"] + np.random.default_rng(0).normal(0, 99, 400) > 700).astype(int)
    scaler = StandardScaler().fit(facts)
    inputs = scaler.transform(facts)
    model = (LogisticRegression() if is_logit else LinearRegression()).fit(inputs, high)
    write_network(model, tmp_path / "net.onnx")
    table["kind"] = np.array(words)[high]
    add(tmp_path, table, "kind", "--features", "size,age", scaler=scaler)
    answers = ask(tmp_path, table[["size", "age"]])
    fitted = model.predict_proba(inputs)[:, 1] if is_logit else model.predict(inputs)
    found = [answer["probabilities"][str(words[1])] for answer in answers]
    np.testing.assert_allclose(found, fitted.clip(0, 1), atol=1e-4)


def test_one_output_that_was_fitted_to_the_numbers_of_the_target_is_a_number(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    scaler = StandardScaler().fit(table[["size", "age"]].to_numpy())
    inputs = scaler.transform(table[["size", "age"]].to_numpy())
    table["stars"] = np.where(table["rent"] > 700, 2, 1)
    line = LinearRegression().fit(inputs, table["stars"])
    write_network(line, tmp_path / "net.onnx")
    add(tmp_path, table, "stars", "--features", "size,age", scaler=scaler)
    found = [answer["prediction"] for answer in ask(tmp_path, table[["size", "age"]])]
    np.testing.assert_allclose(found, line.predict(inputs), rtol=1e-4)


def test_probabilities_of_each_class_alone_are_made_to_add_up(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    """As after a Sigmoid for each class; a Softmax over them would hide how sure they are."""
    scaler = StandardScaler().fit(table[["size", "age"]].to_numpy())
    inputs = scaler.transform(table[["size", "age"]].to_numpy())
    model = OneVsRestClassifier(LogisticRegression(C=9)).fit(inputs, table["level"])
    line = SimpleNamespace(
        coef_=np.vstack([each.coef_ for each in model.estimators_]),
        intercept_=np.concatenate([each.intercept_ for each in model.estimators_]),
    )
    write_network(line, tmp_path / "net.onnx", "Sigmoid")
    add(tmp_path, table, "level", "--features", "size,age", scaler=scaler)
    answers = ask(tmp_path, table[["size", "age"]])
    found = [[answer["probabilities"][name] for name in model.classes_] for answer in answers]
    np.testing.assert_allclose(found, model.predict_proba(inputs), atol=1e-4)


def test_a_missing_scaler_of_the_target_or_the_inputs_is_named(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    scaler = StandardScaler().fit(table[["size", "age"]].to_numpy())
    target = StandardScaler().fit(table[["rent"]].to_numpy())
    rents = target.transform(table[["rent"]].to_numpy()).ravel()
    line = LinearRegression().fit(scaler.transform(table[["size", "age"]].to_numpy()), rents)
    write_network(line, tmp_path / "net.onnx")
    features = ("--features", "size,age")
    said = add(tmp_path, table, "rent", *features, scaler=scaler, expected=4)
    assert "Add the file of the target's scaler." in said
    assert "inputs" not in said
    said = add(tmp_path, table, "rent", *features, rents=target, expected=4)
    assert "as if its inputs had been standardised" in said


def test_the_file_of_its_weights_may_be_named_beside_a_network(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    scaler = StandardScaler().fit(table[["size", "age"]].to_numpy())
    inputs = scaler.transform(table[["size", "age"]].to_numpy())
    path, weights = tmp_path / "net.onnx", tmp_path / "net.onnx.data"
    write_network(LinearRegression().fit(inputs, table["rent"]), path)
    onnx.save(
        onnx.load(path),
        path,
        save_as_external_data=True,
        location=weights.name,
        size_threshold=0,
    )
    joblib.dump(scaler, tmp_path / "scaler.pkl")
    table[["size", "age", "rent"]].to_csv(tmp_path / "flats.csv", index=False)
    result = run(
        "add", weights, tmp_path / "scaler.pkl", path, "--name", "m", "--target", "rent",
        "--data", tmp_path / "flats.csv", "--models", tmp_path, "--yes",
    )  # fmt: skip
    assert result.exit_code == 0, result.output


def test_a_network_of_half_precision_is_refused_with_what_to_do(tmp_path: Path) -> None:
    kind = TensorProto.FLOAT16
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["x"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", kind, ["N", 2])],
        [helper.make_tensor_value_info("y", kind, ["N", 1])],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "net.onnx")
    with pytest.raises(AddError, match=r"16 bits.*net\.float\(\)"):
        read_network(tmp_path / "net.onnx")


def test_a_network_with_an_operator_that_nobody_copies_is_served_as_it_is(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    scaler = StandardScaler().fit(table[["size", "age"]].to_numpy())
    inputs = scaler.transform(table[["size", "age"]].to_numpy())
    line = LinearRegression().fit(inputs, np.log(table["rent"] + 200))
    write_network(line, tmp_path / "net.onnx", "Gelu", opset=20)
    columns = ["--features", "size,age", "--target-inverse", "exp"]
    said = add(tmp_path, table, "rent", *columns, scaler=scaler)
    assert "Served: as it was saved" in said
    expected = np.exp(line.predict(inputs))  # far above 0 a Gelu changes nothing
    found = [answer["prediction"] for answer in ask(tmp_path, table.drop(columns="city"))]
    np.testing.assert_allclose(found, expected, rtol=1e-3)
