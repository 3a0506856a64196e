"""Honest models whose files hold what few files do, and answer as their own library did."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import SplineTransformer

from model.contract.pickles import GlobalName, PickleError, Record, read_pickle
from model.serving.estimators import UnknownNameError, revive
from tests.model.serving.estimators.fixtures import make
from tests.model.serving.estimators.saved import find, own_answers, read_saved

VERSION = "1.5.2"
ACCURACY = GlobalName("sklearn.metrics._classification.balanced_accuracy_score")


def rows_of(kind: str) -> Any:
    return make.KINDS[kind][1](make.FRESH_SEED)[: make.FRESH]


def check_same(root: Record, kind: str, method: str) -> None:
    """An estimator answers as the kind's own did."""
    found = getattr(revive(root), method)(rows_of(kind))
    np.testing.assert_allclose(found, own_answers(VERSION)[f"{kind}.{method}"], rtol=1e-6)


def test_a_spline_of_scipy_1_18_answers_as_the_one_in_it() -> None:
    root = read_saved(VERSION, "spline")
    for spline in root.state["bsplines_"]:
        inner = Record("scipy.interpolate._bsplines._BSpline", state=spline.state)
        spline.state = (inner, np.empty(0))
    check_same(root, "spline", "transform")


def test_columns_are_chosen_by_a_forest() -> None:
    """An ensemble that was never fitted has no truth value."""
    root = read_saved(VERSION, "rfe")
    root.state["estimator"] = Record("sklearn.ensemble._forest.RandomForestRegressor", state={})
    check_same(root, "rfe", "predict")


def test_names_that_lightgbm_gave_to_columns_without_any_are_none() -> None:
    """Stacking and votes of scikit-learn take them over from it."""
    root = read_saved(VERSION, "rfe")
    count = root.state["n_features_in_"]
    for names, known in (("Column_{}", False), ("column_{}", True)):
        given = [names.format(place) for place in range(count)]
        root.state["feature_names_in_"] = np.array(given, dtype=object)
        assert hasattr(revive(root), "feature_names_in_") is known
    del root.state["feature_names_in_"]
    check_same(root, "rfe", "predict")


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_scores_of_lightgbm_that_a_calibration_was_fitted_to_are_refused(in_pipeline: bool) -> None:
    """Since 4.7 it has a decision_function, and scikit-learn calibrates that."""
    root = read_saved(VERSION, "calibrated")
    for part in root.state["calibrated_classifiers_"]:
        inner = Record("lightgbm.LGBMClassifier", state={"_fitted_with_feature_names": False})
        steps = {"steps": [("model", inner)]}
        part.state["estimator"] = Record("sklearn.pipeline.Pipeline", state=steps)
        if not in_pipeline:
            part.state["estimator"] = inner
    with pytest.raises(PickleError, match="scores of LightGBM"):
        revive(root)


def test_a_network_of_counts_answers_the_exponential() -> None:
    """As one with the Poisson loss does, since 1.7."""
    root, kind = read_saved(VERSION, "network_regressor"), "network_regressor"
    root.state["intercepts_"][-1] = np.zeros(1)
    plain = revive(root).predict(rows_of(kind))
    root.state["out_activation_"] = "exp"
    np.testing.assert_allclose(revive(root).predict(rows_of(kind)), np.exp(plain))


def test_a_scale_of_each_column_may_be_a_list() -> None:
    root = read_saved(VERSION, "gaussian_process_kernel")
    state = find(root.state["kernel_"], "RBF").state
    assert isinstance(state, dict)
    state["length_scale"] = [state["length_scale"]] * 4
    check_same(root, "gaussian_process_kernel", "predict")


def test_a_kernel_may_be_of_any_width() -> None:
    root = read_saved(VERSION, "svc")
    for width in (0.01, 2.0):
        root.state["_gamma"] = width
        assert revive(root)._gamma == width


@pytest.mark.parametrize("seen", [[0, 2, 3, 4], None])
def test_whole_numbers_are_encoded_as_until_0_19(seen: list[int] | None) -> None:
    state: dict[str, Any] = {"feature_indices_": np.array([0, 3, 5]), "sparse": False}
    if seen is not None:
        state["active_features_"] = np.array(seen)
    root = Record("sklearn.preprocessing.data.OneHotEncoder", state=state)
    found = revive(root).transform(np.array([[0, 1], [2, 0]]))
    every = np.array([[1, 0, 0, 0, 1], [0, 0, 1, 1, 0]])
    assert found.tolist() == (every if seen is None else every[:, seen]).tolist()


@pytest.mark.parametrize("degree", [0, 1])
def test_a_spline_may_be_of_steps_or_lines(degree: int, tmp_path: Path) -> None:
    rows = np.linspace(0, 1, 9)[:, None]
    fitted = SplineTransformer(n_knots=4, degree=degree).fit(rows)
    (tmp_path / "spline.pkl").write_bytes(pickle.dumps(fitted))
    found = revive(read_pickle(tmp_path / "spline.pkl").root)
    np.testing.assert_allclose(found.transform(rows), fitted.transform(rows))


def test_a_distance_without_weights_says_so() -> None:
    root = read_saved(VERSION, "neighbors_regressor")
    root.state.update(effective_metric_="minkowski", effective_metric_params_={"p": 2, "w": None})
    check_same(root, "neighbors_regressor", "predict")


def test_discriminants_by_eigenvalues_are_not_centred() -> None:
    root = read_saved(VERSION, "lda")
    root.state["solver"] = "eigen"
    del root.state["xbar_"]
    rows = rows_of("lda")
    expected = rows @ root.state["scalings_"][:, :2]
    np.testing.assert_allclose(revive(root).transform(rows), expected)


def test_counts_without_weights_need_no_fit() -> None:
    """Until 0.24 nothing was left of it."""
    state = {"use_idf": False, "norm": "l1", "smooth_idf": True, "sublinear_tf": False}
    root = Record("sklearn.feature_extraction.text.TfidfTransformer", state=state)
    found = revive(root).transform(np.array([[1.0, 3.0], [2.0, 0.0]])).toarray()
    np.testing.assert_allclose(found, [[0.25, 0.75], [1.0, 0.0]])


def tune(**scorer: Any) -> Record:
    """The record of a threshold that was tuned for logistic regression."""
    path = "sklearn.model_selection._classification_threshold"
    state = {"_score_func": ACCURACY, "_kwargs": {}, **scorer}
    fitted = {
        "_sklearn_version": VERSION,
        "estimator_": read_saved(VERSION, "logistic"),
        "best_threshold_": 0.2,
        "_curve_scorer": Record(f"{path}._CurveScorer", state=state),
    }
    return Record(f"{path}.TunedThresholdClassifierCV", state=fitted)


@pytest.mark.parametrize(("named", "counted"), [({}, 1), ({"pos_label": 0}, 0)])
def test_a_tuned_threshold_is_of_the_class_that_counts(named: Any, counted: int) -> None:
    shares = own_answers(VERSION)["logistic.predict_proba"][:, counted]
    found = revive(tune(_kwargs=named)).predict(rows_of("logistic"))
    np.testing.assert_array_equal(found == counted, shares >= 0.2)


def test_a_threshold_that_was_tuned_by_own_code_or_to_another_class_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"__main__\.profit"):
        revive(tune(_score_func=GlobalName("__main__.profit")))
    with pytest.raises(PickleError, match="none of its own"):
        revive(tune(_kwargs={"pos_label": "yes"}))
