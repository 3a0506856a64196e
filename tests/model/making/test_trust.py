"""Code of a model's file runs only where somebody trusted it, when it is added and when served."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from model import ModelError, NumberModel, load_model
from model.making.assembly.contents import read_contents
from model.making.errors import AddError
from model.making.sources.estimator_sources import describe_estimator
from model.making.sources.pickles import advise
from tests.model.making.conftest import add
from tests.models import ModelFiles


class Doubled(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A line, doubled: a class that only this file has."""

    def fit(self, rows: Any, target: Any) -> Doubled:
        self.line_ = LinearRegression().fit(rows, target)
        self.n_features_in_ = 2
        self.feature_names_in_ = self.line_.feature_names_in_
        return self

    def predict(self, rows: Any) -> Any:
        return 2 * self.line_.predict(rows)


def give(folder: Path, fitted: Any) -> ModelFiles:
    """A model of two numbers in a file, and its data."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 100, (200, 2)).round(1), columns=["size", "age"])
    table["price"] = table["size"] * 3 - table["age"] + rng.normal(0, 5, 200)
    joblib.dump(fitted.fit(table[["size", "age"]], table["price"]), folder / "model.joblib")
    if isinstance(fitted, Doubled):
        table["price"] *= 2
    table.to_csv(folder / "train.csv", index=False)
    return ModelFiles(folder / "model.joblib", folder / "train.csv", "price")


def test_a_model_of_known_classes_needs_no_trust(tmp_path: Path) -> None:
    root = tmp_path
    result = add(give(tmp_path, LinearRegression()), "mine", root)
    assert result.exit_code == 0, result.output
    assert json.loads((root / "mine" / "manifest.json").read_text())["runs_code"] is False


@pytest.mark.parametrize("regressor", [RandomForestRegressor(3), GradientBoostingRegressor()])
def test_a_log_target_around_an_ensemble_needs_no_trust(tmp_path: Path, regressor: Any) -> None:
    fitted = TransformedTargetRegressor(regressor, func=np.log1p, inverse_func=np.expm1)
    given = give(tmp_path, LinearRegression())
    table = pd.read_csv(given.data)
    joblib.dump(fitted.fit(table[["size", "age"]], table["price"].abs()), given.path)
    assert not read_contents([given.path], False, None).runs_code


def test_what_the_reader_cannot_hold_is_loaded_where_this_release_saved_it(tmp_path: Path) -> None:
    given = give(tmp_path, KNeighborsRegressor(weights=np.sqrt))
    with pytest.raises(AddError, match="add --trust"):
        read_contents([given.path], False, None)
    assert read_contents([given.path], True, None).runs_code


def test_a_lambda_is_refused_with_what_helps_and_not_with_trust(tmp_path: Path) -> None:
    steps = make_pipeline(FunctionTransformer(lambda rows: rows + 1), LinearRegression())
    given = give(tmp_path, LinearRegression())
    table = pd.read_csv(given.data)
    fitted = steps.fit(table[["size", "age"]], table["price"])
    given.path.write_bytes(cloudpickle.dumps(fitted))
    for trust in ([], ["--trust"]):
        said = " ".join(add(given, "mine", tmp_path, *trust).output.split())
        assert "as a function with a name into a Python file" in said
        assert "If you made it, or trust who did, add --trust" not in said


def test_a_class_of_its_own_is_named_and_needs_trust(tmp_path: Path) -> None:
    result = add(give(tmp_path, Doubled()), "mine", tmp_path)
    assert result.exit_code != 0
    assert f"needs what is not known here: {__name__}.Doubled" in " ".join(result.output.split())


class Untyped(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Answers as a library does that says neither regressor nor classifier."""

    n_features_in_ = 0

    def predict(self, rows: Any) -> Any:
        return np.asarray(rows, dtype=float).sum(axis=1)


class Sure(Untyped):
    """Knows probabilities and not of what."""

    def predict_proba(self, rows: Any) -> Any:
        return np.tile([0.2, 0.8], (len(rows), 1))


class Listed(Sure):
    """Lists its classes as a person writes them."""

    classes_ = ["no", "yes"]  # noqa: RUF012


class Named:
    """Says what it is as classes did before scikit-learn 1.6, and not what it answers."""

    _estimator_type = "classifier"

    def predict(self, rows: Any) -> Any:
        return np.ones(len(rows))


def test_what_says_no_kind_is_known_by_what_it_has() -> None:
    found = describe_estimator(Untyped(), "it")
    assert (found.kind.name, found.count) == ("number", None)
    with pytest.raises(AddError, match=r"a Sure without classes_: .*model\.classes_ = \['no'"):
        describe_estimator(Sure(), "it")
    assert describe_estimator(Listed(), "it").kind.classes == ("no", "yes")
    with pytest.raises(AddError, match="a Named without classes_: "):
        describe_estimator(Named(), "it")


def test_what_has_no_predict_needs_a_class_around_it() -> None:
    with pytest.raises(AddError, match="Write a class around it into a Python file"):
        describe_estimator(Path(), "it")


def test_what_stands_around_a_model_is_taken_off() -> None:
    assert "joblib.dump(automl.model.estimator, " in advise("flaml.automl.automl.AutoML")
    assert "has no predict for a new one" in advise("hdbscan.hdbscan_.HDBSCAN")
    assert "a form asks for the facts of one row" in advise("prophet.forecaster.Prophet")
    assert "in a Pipeline of scikit-learn" in advise("pycaret.internal.pipeline.Pipeline")


def test_a_class_around_a_model_of_a_library_is_saved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else has imported that library."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "inner_library.py").write_text("class Inner:\n    pass\n")
    code = tmp_path / "around.py"
    code.write_text("class Around:\n    def predict(self, rows):\n        return rows\n")
    around = import_module("around").Around()
    around.inner = import_module("inner_library").Inner()
    joblib.dump(around, tmp_path / "model.joblib")
    for name in ("around", "inner_library"):
        monkeypatch.delitem(sys.modules, name)
    found = read_contents([tmp_path / "model.joblib"], True, code)
    joblib.dump(found.estimators[0].fitted, tmp_path / "again.joblib")


def test_a_file_is_loaded_where_the_manifest_says_that_it_was_trusted(tmp_path: Path) -> None:
    root = tmp_path
    result = add(give(tmp_path, Doubled()), "mine", root, "--trust")
    assert result.exit_code == 0, result.output
    assert isinstance(load_model(root / "mine"), NumberModel)
    path = root / "mine" / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest["served"] == "model.joblib"
    assert manifest["runs_code"] is True
    path.write_text(json.dumps({**manifest, "runs_code": False}))
    with pytest.raises(ModelError, match="Doubled, which is not known here"):
        load_model(root / "mine")
