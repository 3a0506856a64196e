"""Models to be added, and their data, all made by code."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, make_regression
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.ensemble import HistGradientBoostingRegressor as Boosting
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from tests.messages import write_messages


@dataclass(frozen=True)
class ModelFiles:
    """What a person has: the model's file, its data, the target, and held-out rows.

    ``classes`` are the names of what the model answers by number; pictures have no target.
    ``publish_rows`` allows that visitors see samples of the data. ``risk`` is the class whose
    probability is the answer.
    """

    path: Path
    data: Path
    target: str
    holdout: Path | str | None = None
    classes: tuple[str, ...] = ()
    publish_rows: bool = False
    risk: str = ""


def penguins(rows: int = 344, seed: int = 1) -> pd.DataFrame:
    """Make rows like the Palmer penguins': three species, text choices, missing values."""
    rng = np.random.default_rng(seed)
    species = rng.choice(["Adelie", "Gentoo", "Chinstrap"], rows, p=[0.44, 0.36, 0.2])
    code = pd.Series(species).map({"Adelie": 0, "Chinstrap": 1, "Gentoo": 2}).to_numpy()
    sex = rng.choice(["female", "male"], rows)
    larger = (sex == "male").astype(float)
    island = np.where(
        species == "Gentoo",
        "Biscoe",
        np.where(
            species == "Chinstrap", "Dream", rng.choice(["Torgersen", "Biscoe", "Dream"], rows)
        ),
    )
    table = pd.DataFrame(
        {
            "species": species,
            "island": island,
            "bill length mm": np.round(
                np.array([37.3, 46.6, 45.6])[code] + 3 * larger + rng.normal(0, 1.9, rows), 1
            ),
            "bill_depth_mm": np.round(
                np.array([17.6, 17.6, 14.2])[code] + 1.5 * larger + rng.normal(0, 0.8, rows), 1
            ),
            "flipperLength (mm)": np.round(
                np.array([188, 192, 213])[code] + 6 * larger + rng.normal(0, 5, rows)
            ),
            "Sex (m/f)": sex,
            "sample_id": [f"N{number:04d}" for number in range(rows)],
        }
    ).astype({"Sex (m/f)": object})
    for column, share in (("flipperLength (mm)", 0.03), ("Sex (m/f)", 0.05), ("island", 0.02)):
        table.loc[rng.random(rows) < share, column] = np.nan
    return table


def passengers(rows: int = 700, seed: int = 2) -> pd.DataFrame:
    """Make rows like a passenger list's: booleans in three spellings, a numeric class, a port."""
    rng = np.random.default_rng(seed)
    pclass = rng.choice([1, 2, 3], rows, p=[0.25, 0.2, 0.55])
    adult_male = rng.random(rows) < 0.6
    alone = np.where(rng.random(rows) < 0.6, "yes", "no")
    age = np.round(np.clip(rng.normal(30, 14, rows), 0.4, 80), 1)
    fare = np.round(np.exp(rng.normal(4.4 - 0.9 * pclass, 0.5, rows)), 2)
    logit = 1.6 - 2.6 * adult_male - 0.7 * (pclass - 2) + 0.01 * (30 - age)
    survived = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    table = pd.DataFrame(
        {
            "Survived": survived,
            "Pclass": pclass,
            "Age": age,
            "Fare": fare,
            "adultMale": adult_male,
            "alone": alone,
            "is_child": (age < 16).astype(int),
            "Embarked": rng.choice(["S", "C", "Q"], rows, p=[0.7, 0.2, 0.1]),
            "held_out": np.arange(rows) >= rows - 200,
        }
    )
    table.loc[rng.random(rows) < 0.2, "Age"] = np.nan
    return table


def _write(
    folder: Path, model: Any, training: pd.DataFrame, target: str, *holdouts: pd.DataFrame
) -> ModelFiles:
    joblib.dump(model, folder / "model.joblib")
    training.to_csv(folder / "train.csv", index=False)
    holdout = None
    for table in holdouts:
        holdout = folder / "holdout.csv"
        table.to_csv(holdout, index=False)
    return ModelFiles(folder / "model.joblib", folder / "train.csv", target, holdout)


def penguin_classifier(folder: Path) -> ModelFiles:
    """Write three classes from text choices and numbers; the pipeline imputes missing values."""
    table = penguins()
    choices, numbers = ["island", "Sex (m/f)"], table.columns[2:5].tolist()
    prepare = ColumnTransformer(
        [
            (
                "choices",
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"),
                    OneHotEncoder(handle_unknown="ignore"),
                ),
                choices,
            ),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        ]
    )
    training, holdout = table[:230], table[230:]
    model = Pipeline([("prepare", prepare), ("line", LogisticRegression(C=50))])
    model.fit(training[[*numbers, *choices]], training["species"])
    return _write(folder, model, training, "species", holdout)


def diabetes_regressor(folder: Path) -> ModelFiles:
    """Write a model of scikit-learn's diabetes data: ten standardised numbers without names."""
    rows, target = load_diabetes(return_X_y=True, as_frame=True)
    table = rows.assign(progression=target)
    training, holdout = table[:340], table[340:]
    model = make_pipeline(StandardScaler(), RidgeCV())
    model.fit(training[rows.columns].to_numpy(), training["progression"])
    return _write(folder, model, training, "progression", holdout)


def passenger_classifier(folder: Path) -> ModelFiles:
    """Write two classes from booleans, numbers that are codes, and an optional feature."""
    table = passengers()
    training = table[~table["held_out"]]
    columns = ["Pclass", "Age", "Fare", "adultMale", "alone", "is_child", "Embarked"]
    prepare = ColumnTransformer(
        [
            ("choices", OneHotEncoder(sparse_output=False), ["Pclass", "alone", "Embarked"]),
            ("rest", "passthrough", ["Age", "Fare", "adultMale", "is_child"]),
        ]
    )
    model = Pipeline([("prepare", prepare), ("trees", HistGradientBoostingClassifier(max_iter=30))])
    model.fit(training[columns], training["Survived"])
    return replace(_write(folder, model, table, "Survived"), holdout="held_out")


def wide_regressor(folder: Path) -> ModelFiles:
    """Write a model of thirty columns; eight are optional."""
    rows, target = make_regression(500, 30, n_informative=10, noise=5, random_state=3)
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rows, columns=[f"sensor.{number:02d}" for number in range(30)]).round(4)
    for name in table.columns[:8]:
        table.loc[rng.random(500) < 0.02, name] = np.nan
    model = Boosting(max_iter=40).fit(table[:300], target[:300])
    table["reading"] = target
    return _write(folder, model, table[:300], "reading", table[300:])


def label_classifier(folder: Path) -> ModelFiles:
    """Write a LinearSVC, which predicts a class without probabilities."""
    table = penguins().dropna()
    numbers = table.columns[2:5].tolist()
    model = LinearSVC().fit(table[numbers], table["species"])
    return _write(folder, model, table, "species")


def odd_pipeline(folder: Path) -> ModelFiles:
    """Write a pipeline with a function that has no ONNX form."""
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {"area_sqft": rng.integers(300, 4000, 300), "rooms": rng.integers(1, 9, 300)}
    )
    price = np.exp(9 + 0.6 * np.log(table["area_sqft"]) + 0.05 * table["rooms"])
    table["price_usd"] = np.round(price * np.exp(rng.normal(0, 0.25, 300)), 2)
    model = make_pipeline(FunctionTransformer(np.cbrt), LinearRegression())
    model.fit(table[["area_sqft", "rooms"]][:200], table["price_usd"][:200])
    return _write(folder, model, table[:200], "price_usd", table[200:])


def forest_of_codes(folder: Path) -> ModelFiles:
    """Write a forest fitted to an array, whose classes are numbers that stand for names."""
    table = penguins().dropna()
    numbers = table.columns[2:5].tolist()
    codes = table["species"].map({"Adelie": 0, "Chinstrap": 1, "Gentoo": 2})
    model = RandomForestClassifier(20, random_state=0).fit(table[numbers].to_numpy(), codes)
    return _write(folder, model, table[["species", *numbers]], "species")


def boosted_onnx(folder: Path) -> ModelFiles:
    """Write what XGBoost's exporter writes: one float matrix, one tree ensemble, an output [N, 1].

    The trees are scikit-learn's, in the operator as onnxmltools writes it for XGBoost: a branch
    goes left for a smaller number, and a missing one goes where the learner sent it.
    """
    rng = np.random.default_rng(6)
    table = pd.DataFrame(rng.uniform(0, 10, (400, 3)), columns=["f.one", "f.two", "f.three"])
    table = table.round(3)
    table["demand"] = 3 * table["f.one"] + table["f.two"] ** 2 + rng.normal(0, 2, 400)
    table.loc[rng.random(400) < 0.05, "f.two"] = np.nan
    training, holdout = table[:250], table[250:]
    names = ["f.one", "f.two", "f.three"]
    trees = Boosting(max_iter=30, max_leaf_nodes=8).fit(
        training[names].to_numpy(), training["demand"]
    )
    nodes: Any = defaultdict(list)
    for tree, (predictor,) in enumerate(trees._predictors):
        for number, node in enumerate(predictor.nodes):
            leaf = bool(node["is_leaf"])
            nodes["nodes_treeids"].append(tree)
            nodes["nodes_nodeids"].append(number)
            nodes["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            nodes["nodes_featureids"].append(0 if leaf else int(node["feature_idx"]))
            nodes["nodes_values"].append(0.0 if leaf else float(node["num_threshold"]))
            nodes["nodes_truenodeids"].append(0 if leaf else int(node["left"]))
            nodes["nodes_falsenodeids"].append(0 if leaf else int(node["right"]))
            tracks = 0 if leaf else int(node["missing_go_to_left"])
            nodes["nodes_missing_value_tracks_true"].append(tracks)
            if leaf:
                nodes["target_treeids"].append(tree)
                nodes["target_nodeids"].append(number)
                nodes["target_ids"].append(0)
                nodes["target_weights"].append(float(node["value"]))
    ensemble = helper.make_node(
        "TreeEnsembleRegressor", ["float_input"], ["variable"], domain="ai.onnx.ml", n_targets=1,
        base_values=[float(trees._baseline_prediction[0, 0])], **nodes,
    )  # fmt: skip
    graph = helper.make_graph(
        [ensemble],
        "boosted",
        [helper.make_tensor_value_info("float_input", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None, 1])],
    )
    return _write_onnx(folder, graph, training, "demand", holdout)


def columns_onnx(folder: Path) -> ModelFiles:
    """Write what skl2onnx writes: an input for each column, a label and a ZipMap."""
    table = penguins().dropna()
    table = table.rename(columns=lambda name: re.sub(r"\W+", "_", name).strip("_").lower())
    columns = ["island", "bill_length_mm", "bill_depth_mm"]
    prepare = ColumnTransformer(
        [("choices", OneHotEncoder(), ["island"]), ("rest", StandardScaler(), columns[1:])]
    )
    training, holdout = table[:200], table[200:]
    model = Pipeline([("prepare", prepare), ("line", LogisticRegression())])
    model.fit(training[columns], training["species"])
    types = [
        ("island", StringTensorType([None, 1])),
        *((name, FloatTensorType([None, 1])) for name in columns[1:]),
    ]
    with warnings.catch_warnings(action="ignore"):
        exported = convert_sklearn(
            model, initial_types=types, target_opset={"": 17, "ai.onnx.ml": 3}
        )
    (folder / "model.onnx").write_bytes(exported.SerializeToString())
    given = _write(folder, model, training, "species", holdout)
    return replace(given, path=folder / "model.onnx")


def logits_onnx(folder: Path) -> ModelFiles:
    """Write what PyTorch writes of a small network: a matrix in, logits out, no class names."""
    table = penguins().dropna()
    numbers = table.columns[2:5].tolist()
    training, holdout = table[:200], table[200:]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        training[numbers], training["species"]
    )
    scaler, line = model[0], model[1]
    weights = (line.coef_ / scaler.scale_).astype(np.float32)
    bias = (line.intercept_ - weights @ scaler.mean_).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "weights", "bias"], ["logits"], transB=1)],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    kept = ["species", *numbers]
    return _write_onnx(folder, graph, training[kept], "species", holdout[kept])


def _write_onnx(
    folder: Path, graph: Any, training: pd.DataFrame, target: str, holdout: pd.DataFrame
) -> ModelFiles:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    given = _write(folder, None, training, target, holdout)
    return replace(given, path=folder / "model.onnx")


def message_classifier(folder: Path) -> ModelFiles:
    """A pipeline of tf-idf, a number and a choice."""
    path, data, unseen = write_messages(folder)
    return ModelFiles(path, data, "label", unseen)


MODEL_FACTORIES: dict[str, Callable[[Path], ModelFiles]] = {
    "penguins": penguin_classifier,
    "diabetes": diabetes_regressor,
    "passengers": passenger_classifier,
    "wide": wide_regressor,
    "labels": label_classifier,
    "odd": odd_pipeline,
    "boosted": boosted_onnx,
    "columns": columns_onnx,
    "logits": logits_onnx,
    "messages": message_classifier,
}
"""Models that the command adds without changes."""
