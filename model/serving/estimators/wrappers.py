"""Models around one other model, or one for each class or output."""

from inspect import isfunction
from typing import Any

import numpy as np
import sklearn.metrics

from model.contract.pickles import Record
from model.contract.pickles.records import GlobalName
from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, decode
from model.serving.estimators.checks import (
    check_same_sizes,
    rename_base,
    require,
    require_same_scores,
)
from model.serving.estimators.errors import MismatchError, UnknownNameError
from model.serving.estimators.kinds import left_out, one_of, preset, read_parts


def _rename_calibrators(state: State) -> None:
    """Give attributes the names that they have since 0.24."""
    rename_base(state)
    state.rename(calibrators_="calibrators", classes_="classes")
    inner = state.raw.get("estimator")
    match inner.attributes.get("steps") if isinstance(inner, Record) else None:
        case [*_, (_, last)]:
            inner = last
    has_scores = isinstance(inner, Record) and "_fitted_with_feature_names" in inner.attributes
    require(
        not has_scores,
        state,
        "was fitted to scores of LightGBM 4.7 or newer, which are not read: fit it with "
        "LightGBM 4.6, or serve the model without the calibration, which --holdout does, too",
    )


def _check_calibrators(state: State) -> None:
    """Check that there is a calibrator for each class, or one for two."""
    classes, values = state.sizes["classes"], state.values
    expected = 1 if classes == 2 or values["method"] == "temperature" else classes
    check_same_sizes(len(values["calibrators"]), expected, state, "classes and calibrators")
    known = np.isin(getattr(values["estimator"], "classes_", values["classes"]), values["classes"])
    require(bool(known.all()), state, "has an estimator of other classes")
    if hasattr(values["estimator"], "decision_function"):
        require_same_scores(values["estimator"], state)


def _check_calibrated(state: State) -> None:
    """Check that each calibrated model knows every class: their probabilities are averaged."""
    parts = state.values["calibrated_classifiers_"]
    require(len(parts) > 0, state, "holds no estimators")
    for part in parts:
        check_same_sizes(len(part.classes), state.sizes["classes"], state, "classes and parts")


def _check_rest(state: State) -> None:
    """Check that there is an estimator for each class, or one for two."""
    values = state.values
    classes = values["label_binarizer_"].classes_
    several = values["label_binarizer_"].y_type_.startswith("multilabel")
    expected = 1 if len(classes) == 2 and not several else len(classes)
    check_same_sizes(len(values["estimators_"]), expected, state, "classes and estimators")
    values["classes_"] = classes


def _check_pairs(state: State) -> None:
    """Check that there is an estimator for each pair of classes."""
    classes = state.sizes["classes"]
    check_same_sizes(
        len(state.values["estimators_"]), classes * (classes - 1) // 2, state, "pairs of classes"
    )
    state.values.setdefault("pairwise_indices_", None)


def _check_order(state: State) -> None:
    """Check that the order of a chain names each output once."""
    order, estimators = state.values["order_"], state.values["estimators_"]
    for place, estimator in enumerate(estimators):  # each also takes the answers before it
        features = getattr(estimator, "n_features_in_", None)
        if features is not None:
            first = state.sizes.setdefault("features", features - place)
            check_same_sizes(features, first + place, state, "columns and estimators")
    same = sorted(np.asarray(order).tolist()) == list(range(len(estimators)))
    require(same, state, "has an order that does not name each output once")
    state.values["order_"] = [int(place) for place in order]
    if state.values.setdefault("chain_method_", "predict") == "decision_function":
        for estimator in estimators:
            require_same_scores(estimator, state)


def _find_classes(state: State) -> None:
    """Find the classes of each output, which 0.24 began to keep."""
    classes = [getattr(part, "classes_", None) for part in state.values["estimators_"]]
    require(all(each is not None for each in classes), state, "holds an estimator of no classes")
    state.values["classes_"] = classes


def _decode_scorer(value: Any, state: State) -> Any:
    """Decode what a threshold was tuned to; prediction asks it for the class that it counts.

    Raises:
        UnknownNameError: if that is a function of the file's own.
    """
    from sklearn.metrics._scorer import _CurveScorer

    parts = read_parts(value, "_CurveScorer")
    function, named = parts.get("_score_func"), parts.get("_kwargs")
    if not isinstance(function, GlobalName) or not isinstance(named, dict):
        raise MismatchError
    module, _, name = function.path.rpartition(".")
    found = vars(sklearn.metrics).get(name)
    if not module.startswith("sklearn.metrics") or not isfunction(found):
        raise UnknownNameError(function.path)
    # it is never called: its parameters say which class counts by default
    label = (
        {"pos_label": decode("label", named["pos_label"], state)} if "pos_label" in named else {}
    )
    scorer = _CurveScorer(found, 1, label, 100, "predict_proba")
    counted, classes = scorer._get_pos_label(), state.values["estimator_"].classes_
    require(counted is None or counted in classes, state, "counts a class that is none of its own")
    return scorer


_PARTS: Attributes = {"estimators_": "list of estimator(features)"}
_LABELS: Attributes = {"classes_": "label[classes]"}
_CALIBRATORS: Attributes = {
    "estimator": "estimator(features)",
    "calibrators": "list of estimator",
    "classes": "label[classes]",
    "method": one_of("sigmoid", "isotonic", "temperature"),
}
_CHAIN_METHODS = one_of("predict", "predict_proba", "predict_log_proba", "decision_function")


def _make_search(parameter: str, module: str = "model_selection") -> EstimatorSchema:
    return EstimatorSchema(
        module,
        {"best_estimator_": "estimator"},
        {
            parameter: left_out({}),
            "cv": left_out(),
            "refit": left_out(True),
            "scoring": left_out(),
        },
        complete=(preset(scorer_=None, multimetric_=False),),  # what chose it is left out
    )


_HALVING = "model_selection._search_successive_halving"
_ONE: Attributes = {"estimator_": "estimator"}

SCHEMAS = {
    "_CalibratedClassifier": EstimatorSchema(
        "calibration", _CALIBRATORS, migrate=(_rename_calibrators,), complete=(_check_calibrators,)
    ),
    "_SigmoidCalibration": EstimatorSchema("calibration", {"a_": "finite", "b_": "finite"}),
    "_TemperatureScaling": EstimatorSchema("calibration", {"beta_": "finite"}),
    "CalibratedClassifierCV": EstimatorSchema(
        "calibration",
        {**_LABELS, "calibrated_classifiers_": "list of estimator(features)"},
        reads="method",
        migrate=(rename_base,),
        complete=(_check_calibrated,),
    ),
    "OneVsRestClassifier": EstimatorSchema(
        "multiclass", {**_PARTS, "label_binarizer_": "estimator"}, complete=(_check_rest,)
    ),
    "_ConstantPredictor": EstimatorSchema("multiclass", {"y_": "int[1] | float[1] | float"}),
    "OneVsOneClassifier": EstimatorSchema(
        "multiclass",
        {
            **_LABELS,
            "estimators_": "tuple of estimator(features)",
            "pairwise_indices_?": "list of index(features)[*]",
        },
        complete=(_check_pairs,),
    ),
    "OutputCodeClassifier": EstimatorSchema(
        "multiclass",
        {
            **_LABELS,
            "estimators_": "list[bits] of estimator(features)",
            "code_book_": "float[classes, bits] | int[classes, bits]",
        },
    ),
    "MultiOutputClassifier": EstimatorSchema("multioutput", _PARTS, complete=(_find_classes,)),
    "MultiOutputRegressor": EstimatorSchema("multioutput", _PARTS),
    "ClassifierChain": EstimatorSchema(
        "multioutput",
        {
            "estimators_": "list of estimator",
            "order_": "int[*] | list of int",
            "chain_method_?": _CHAIN_METHODS,
        },
        {"order": left_out()},
        migrate=(rename_base,),
        complete=(_check_order, _find_classes),
    ),
    "RegressorChain": EstimatorSchema(
        "multioutput",
        {"estimators_": "list of estimator", "order_": "int[*] | list of int"},
        {"order": left_out()},
        migrate=(rename_base,),
        complete=(_check_order,),
    ),
    "GridSearchCV": _make_search("param_grid"),
    "RandomizedSearchCV": _make_search("param_distributions"),
    "HalvingGridSearchCV": _make_search("param_grid", _HALVING),
    "HalvingRandomSearchCV": _make_search("param_distributions", _HALVING),
    "FixedThresholdClassifier": EstimatorSchema(
        "model_selection", _ONE, reads="threshold pos_label response_method"
    ),
    "TunedThresholdClassifierCV": EstimatorSchema(
        "model_selection",
        {**_ONE, "best_threshold_": "finite", "_curve_scorer": _decode_scorer},
        {"scoring": left_out()},
        reads="response_method",
    ),
    "FrozenEstimator": EstimatorSchema("frozen", {}, {"estimator": "estimator"}),
    "SelfTrainingClassifier": EstimatorSchema(
        "semi_supervised", {**_LABELS, **_ONE}, migrate=(rename_base,)
    ),
}
