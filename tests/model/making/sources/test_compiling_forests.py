"""Forests become ONNX without skl2onnx's converter for them, and answer alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pandas as pd
import pytest
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from model import ClassModel
from model.contract.pickles import read_pickle
from model.contract.sources import Frame
from model.making.columns.describing import infer_columns
from model.making.onnx.exporting import export_estimator
from model.making.onnx.forests import write_trees
from model.making.onnx.graphs import INPUT, OPSETS, CompileError
from model.making.rows.prepared import load_compiled
from model.making.sources.compiling import compile_estimator
from model.making.sources.estimator_sources import describe_estimator
from model.serving.estimators import revive
from tests.loading import load_as
from tests.model.making.conftest import add_fitted

NAMES = ["a", "b", "c"]
FORESTS = [
    RandomForestRegressor, ExtraTreesRegressor, RandomForestClassifier, ExtraTreesClassifier,
]  # fmt: skip


def make_rows(holes: bool) -> NDArray[np.float32]:
    """Rows of 3 numbers, shape (300, 3), with many thresholds met exactly."""
    rng = np.random.default_rng(3)
    rows = (rng.integers(-8, 8, (300, 3)) / 4).astype(np.float32)
    if holes:
        rows[rng.random(rows.shape) < 0.2] = np.nan
    return rows


def make_target(rows: NDArray[np.float32], classes: int) -> Any:
    """Numbers, shape (rows,), or the names of 2 or 3 classes."""
    numbers = np.nansum(rows * [2, 1, -1], axis=1)
    if not classes:
        return numbers
    return np.array(["low", "mid", "high"])[np.digitize(numbers, [0, 1][: classes - 1])]


def answer_compiled(model: Any, rows: NDArray[np.float32]) -> Any:
    """What a fitted model answers once it is compiled, not compared with it."""
    kind = describe_estimator(model, "it").kind
    columns = infer_columns(pd.DataFrame(make_rows(holes=False), columns=NAMES), NAMES, set(), {})
    frame = Frame(columns=tuple(column.source for column in columns), named=False)
    compiled = compile_estimator(model, kind, frame, lambda model: None)
    return load_compiled(compiled, kind.output)(rows)


def answer(model: Any, rows: NDArray[np.float32]) -> Any:
    """What the model itself answers."""
    return (model.predict_proba if hasattr(model, "classes_") else model.predict)(rows)


CASES = [
    (make, classes, holes)
    for make in FORESTS
    for classes in ((2, 3) if "Classifier" in make.__name__ else (0,))
    for holes in (False, True)
]


@pytest.mark.parametrize(("make", "classes", "holes"), CASES)
def test_a_compiled_forest_answers_every_row_alike(make: Any, classes: int, holes: bool) -> None:
    """Also a row that lacks a fact, whether or not one lacked it in the fit."""
    rows = make_rows(holes)
    model = make(12, random_state=0).fit(rows, make_target(rows, classes))
    asked = np.concatenate([rows, make_rows(holes=True), np.nextafter(rows, np.float32(9))])
    assert answer_compiled(model, asked) == pytest.approx(answer(model, asked), abs=1e-5)


@pytest.mark.parametrize(("make", "classes"), sorted({case[:2] for case in CASES}, key=str))
def test_the_trees_are_those_that_skl2onnx_writes(make: Any, classes: int) -> None:
    """Every list that both write, but for what only skl2onnx leaves out."""
    rows = make_rows(holes=False)
    model = make(12, random_state=0).fit(rows, make_target(rows, classes))
    types = [(INPUT, FloatTensorType([None, 3]))]
    forests: list[Any] = []
    ours = export_estimator(model, types, forests)
    write_trees(ours.graph, forests)
    options = {id(model): {"zipmap": False}} if classes else None
    theirs = convert_sklearn(model, initial_types=types, target_opset=OPSETS, options=options)
    written, wanted = list_attributes(ours), list_attributes(theirs)
    assert set(wanted) - set(written) == {"nodes_hitrates", "post_transform"}
    for name in set(written) - {"nodes_missing_value_tracks_true"}:
        assert written[name] == wanted[name], name


def list_attributes(model: onnx.ModelProto) -> dict[str, Any]:
    """The attributes of the only node with trees, by their names."""
    (node,) = (node for node in model.graph.node if node.op_type.startswith("TreeEnsemble"))
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def test_forests_inside_another_model_compile() -> None:
    """Each gets its own trees, also after a step that gives other numbers than floats."""
    rows = make_rows(holes=False)
    inner = [
        (name, make_pipeline(Binarizer(threshold=threshold), RandomForestRegressor(5)))
        for name, threshold in (("low", -0.5), ("high", 0.5))
    ]
    stacked = StackingRegressor([*inner, ("trees", ExtraTreesRegressor(5))], cv=2)
    stacked.fit(rows, make_target(rows, 0))
    assert answer_compiled(stacked, rows) == pytest.approx(answer(stacked, rows), abs=1e-4)
    voting = VotingClassifier(
        [("trees", RandomForestClassifier(5)), ("line", LogisticRegression())], voting="soft"
    ).fit(rows, make_target(rows, 3))
    assert answer_compiled(voting, rows) == pytest.approx(answer(voting, rows), abs=1e-5)


@pytest.mark.parametrize("make", FORESTS)
@pytest.mark.parametrize("bootstrap", [False, True])
def test_a_forest_that_was_read_as_data_compiles(
    make: Any, bootstrap: bool, tmp_path: Path
) -> None:
    """What lists its attributes meets none that fails."""
    rows = make_rows(holes=False)
    model = make(5, bootstrap=bootstrap, random_state=0).fit(rows, make_target(rows, 0) > 0)
    joblib.dump(model, tmp_path / "model.joblib")
    read = revive(read_pickle(tmp_path / "model.joblib").root)
    assert answer_compiled(read, rows) == pytest.approx(answer(model, rows), abs=1e-5)


ISOLATION: list[Any] = [
    IsolationForest(n_estimators=9, random_state=0),
    IsolationForest(
        n_estimators=9, max_features=2, max_samples=0.3, contamination=0.1, random_state=0
    ),
    IsolationForest(n_estimators=9, max_samples=2, bootstrap=True, random_state=0),
    IsolationForest(n_estimators=3, max_samples=1, random_state=0),
    make_pipeline(StandardScaler(), IsolationForest(n_estimators=9, random_state=0)),
    make_pipeline(Binarizer(), IsolationForest(n_estimators=9, random_state=0)),
]


@pytest.mark.parametrize("model", ISOLATION)
def test_an_isolation_forest_scores_every_row_alike_and_read_as_data_too(
    model: Any, tmp_path: Path
) -> None:
    rows = make_rows(holes=False)
    asked = np.concatenate([rows, np.nextafter(rows, np.float32(9)), 9 * rows])
    joblib.dump(model.fit(rows), tmp_path / "model.joblib")
    read = revive(read_pickle(tmp_path / "model.joblib").root)
    for fitted in (model, read):
        scores = answer_compiled(fitted, asked)
        assert scores == pytest.approx(model.decision_function(asked), abs=1e-6)


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(), StandardScaler(with_mean=False), MinMaxScaler((-1, 1)), MaxAbsScaler(),
        RobustScaler(),
    ],
)  # fmt: skip
def test_behind_a_scaler_rows_on_a_threshold_stay_on_their_side(scaler: Any) -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(-300, 3000, (900, 3)) / 10
    rows[::50, 1] = np.nan
    numbers = make_pipeline(SimpleImputer(), scaler)
    forest = RandomForestRegressor(20, random_state=0)
    model = make_pipeline(make_column_transformer((numbers, [0, 1, 2])), forest)
    model.fit(rows[:300], np.nansum(rows[:300] * [2, 1, -1], axis=1))
    expected = model.predict(rows)
    kind = describe_estimator(model, "it").kind
    columns = infer_columns(pd.DataFrame(rows, columns=NAMES), NAMES, set(), {})
    frame = Frame(columns=tuple(column.source for column in columns), named=False)

    def check(compiled: bytes) -> None:
        answers = load_compiled(compiled, kind.output)(rows.astype(np.float32))
        if differing := kind.count_differing(answers, expected):
            raise CompileError(f"{differing} differ")

    compile_estimator(model, kind, frame, check)


def test_votes_that_are_even_name_the_class_that_scikit_learn_names(
    tmp_path: Path, root: Path
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 9, (300, 3)).round(2), columns=NAMES)
    table["side"] = np.array(["left", "right"])[rng.integers(0, 2, 300)]
    model = ExtraTreesClassifier(40, random_state=0).fit(table[NAMES][:200], table["side"][:200])
    rows = table[NAMES][200:]
    shares = model.predict_proba(rows)
    assert (shares[:, 0] == shares[:, 1]).sum() >= 5
    table.to_csv(tmp_path / "data.csv", index=False)
    options = ["--data", tmp_path / "data.csv", "--target", "side", "--as-is"]
    add_fitted(root, "sides", model, *options)
    served = load_as(ClassModel, root / "sides")
    answers = served.predict([dict(zip(NAMES, row, strict=True)) for row in rows.to_numpy()])
    assert [answer.label for answer in answers] == model.predict(rows).tolist()
