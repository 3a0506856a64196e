"""Models of other libraries answer as these libraries do, which need not be installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from model.contract.sources import Frame, Source, widen
from model.making.rows.prepared import load_compiled
from model.making.sources.compiling import compile_estimator
from model.making.sources.estimator_sources import describe_estimator
from model.serving.estimators import revive
from model.serving.libraries import additive
from model.serving.libraries.xgboost_models import read_xgboost
from tests.model.serving.libraries.make_files import (
    CITIES,
    COLUMNS,
    FILES,
    FURTHER,
    SHOWN,
    fill,
    make_rows,
    numbers,
)
from tests.model.serving.libraries.reading import answer, open_file
from tests.tools import CLUSTER_PYTHON

ANSWERS = json.loads((FILES / "answers.json").read_text())
ROWS = make_rows(SHOWN, 1)


def test_every_file_answers_as_its_library_did_without_it() -> None:
    """Boosters of XGBoost 0.90 to 3.2 and of LightGBM; holes, categories, DART and forests."""
    for name, expected in ANSWERS.items():
        found = answer(open_file(FILES / name), name, ROWS)
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6, err_msg=name)
    assert set(ANSWERS) == {path.name for path in FILES.iterdir()} - {"answers.json"}
    assert not {"xgboost", "lightgbm", "statsmodels"} & set(sys.modules)


@pytest.mark.parametrize(
    "name",
    [
        "xgboost-three.json",
        "xgboost-linear.json",
        "xgboost-categories.json",
        "xgboost-0.90-missing.pkl",
        "xgboost-chain.pkl",
        "lightgbm-zero.txt",
        "lightgbm-categories.txt",
        "lightgbm-root.txt",
        "lightgbm-classes.pkl",
        "statsmodels-products.pkl",
        "statsmodels-probit.pkl",
        "statsmodels-classes.pkl",
    ],
)
def test_a_file_compiles_to_onnx_that_answers_the_same(name: str) -> None:
    """Each way in which trees become ONNX: missing values, zeros as such, sets, links, steps."""
    table, model = make_rows(1000, 2), open_file(FILES / name)
    source = describe_estimator(model, name)
    if "statsmodels" in name:
        table = fill(table)
    names = list(source.names or COLUMNS[:3])
    columns = [
        Source(column=each, type="text", values=tuple(CITIES))
        if each == "city"
        else Source(column=each, type="float")
        for each in names
    ]
    frame = Frame(columns=tuple(columns), named=source.names is not None)
    matrix = frame.read(table.astype({"city": object})).astype(np.float32)
    if "missing" in name:
        matrix = np.nan_to_num(matrix, nan=-1)
    found = {}

    def check(compiled: bytes) -> None:
        found["answers"] = load_compiled(compiled, source.kind.output)(matrix)

    compile_estimator(model, source.kind, frame, check)
    typed = widen(matrix) if name.startswith("lightgbm") else matrix.astype(float)
    expected = source.predict(frame.build(typed))
    np.testing.assert_allclose(found["answers"], expected, rtol=2e-5, atol=2e-6)


def test_a_large_sparse_matrix_is_answered_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vectoriser may know many words. What is stored is no hole, also where it is 0."""
    monkeypatch.setattr(additive, "_MOST_VISITS", 50)
    rows = np.nan_to_num(numbers(ROWS))
    matrix = csr_matrix(rows)
    model = open_file(FILES / "lightgbm-root.txt")
    assert model.compute(matrix).tolist() == model.compute(rows).tolist()
    model = open_file(FILES / "xgboost-dart.json")
    holes = model.compute(np.where(rows == 0, np.nan, rows)).tolist()
    assert model.compute(matrix).tolist() == holes != model.compute(rows).tolist()
    whole = csr_matrix(np.where(rows == 0, -1, rows))
    whole.data[whole.data == -1] = 0
    assert model.compute(whole).tolist() == model.compute(rows).tolist()


def test_a_value_at_a_split_goes_where_the_library_sends_it() -> None:
    """XGBoost compares by <, LightGBM by <=, each in its own precision."""
    for name, goes_left in (("xgboost-dart.json", False), ("lightgbm-root.txt", True)):
        model = open_file(FILES / name)
        node = int(model.roots_[0])
        row = np.zeros((1, 3))
        row[0, model.feature_[node]] = model.threshold_[node]
        below = row - np.abs(row) * 1e-6
        above = row + np.abs(row) * 1e-6
        same = below if goes_left else above
        assert model.compute(row) == model.compute(same)
        assert model.compute(below) != model.compute(above)


def test_a_decimal_on_a_split_stays_on_its_side_in_onnx() -> None:
    """Typed decimals lie on splits, which are in the middle between two: 0.1 + 0.2 is not 0.3."""
    model = open_file(FILES / "lightgbm-root.txt")
    source = describe_estimator(model, "lightgbm-root.txt")
    names = list(source.names or COLUMNS[:3])
    frame = Frame(columns=tuple(Source(column=each, type="float") for each in names), named=True)
    node = int(model.roots_[0])
    rows = np.zeros((200, 3))
    rows[:, model.feature_[node]] = np.arange(200) / 100
    for decimal in (0.3, 2.8431 / 2, 1.2):
        for threshold in (decimal, np.nextafter(decimal, 9), np.nextafter(decimal, -9)):
            model.threshold_[node] = threshold
            asked = rows.copy()
            asked[0, model.feature_[node]] = decimal
            found: list[bytes] = []
            compile_estimator(model, source.kind, frame, found.append)
            answers = load_compiled(found[0], source.kind.output)(asked.astype(np.float32))
            np.testing.assert_allclose(answers, source.kind.predict(model, asked), rtol=2e-5)


def test_a_file_that_does_not_say_how_many_numbers_it_gives_has_one() -> None:
    """XGBoost before 1.6 knew of no more."""
    whole = json.loads((FILES / "xgboost-dart.json").read_text())
    del whole["learner"]["learner_model_param"]["num_target"]
    found = revive(read_xgboost(json.dumps(whole).encode())).predict(numbers(ROWS))
    np.testing.assert_allclose(found, ANSWERS["xgboost-dart.json"], rtol=2e-6)


def test_a_file_that_does_not_say_where_rounds_end_stops_at_the_same_one() -> None:
    """Until 2.0 a file did not say it: each round has a tree for each class."""
    whole = json.loads((FILES / "xgboost-three.json").read_text())
    whole["learner"]["attributes"] = {"scikit_learn": "{}", "best_iteration": "1"}
    today = revive(read_xgboost(json.dumps(whole).encode()))
    del whole["learner"]["gradient_booster"]["model"]["iteration_indptr"]
    before = revive(read_xgboost(json.dumps(whole).encode()))
    rows = numbers(ROWS)
    expected = today.predict_proba(rows).tolist()
    assert before.predict_proba(rows).tolist() == expected
    assert expected != open_file(FILES / "xgboost-three.json").predict_proba(rows).tolist()


@pytest.mark.second_tier
def test_libraries_of_today_answer_1000_rows_as_their_new_files_do(tmp_path: Path) -> None:
    """Their environment makes the files anew; here none of them is installed."""
    command = [str(CLUSTER_PYTHON), str(FILES.parent / "make_files.py"), str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "is not installed" not in done.stdout
    expected = json.loads((tmp_path / "answers.json").read_text())
    for library in ("xgboost", "lightgbm", "statsmodels", "skops"):
        assert any(name.startswith(library) for name in expected)
    table = make_rows(*FURTHER)
    for name, answers in expected.items():
        found = answer(open_file(tmp_path / name), name, table)
        np.testing.assert_allclose(found, answers, rtol=1e-5, atol=1e-6, err_msg=name)
