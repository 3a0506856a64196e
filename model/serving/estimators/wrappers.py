"""Models around one other model, or one for each class or output."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, one_of
from model.serving.estimators.checks import (
    check_same_sizes,
    decode_template,
    require,
    require_same_scores,
)


def _rename_estimator(state: State) -> None:
    """Give the estimator the name that it has since 1.2, or 1.7 in chains."""
    if state.raw.get("base_estimator") == "deprecated":
        del state.raw["base_estimator"]
    state.rename(base_estimator="estimator", base_estimator_="estimator_")


def _rename_calibrators(state: State) -> None:
    """Give attributes the names that they have since 0.24."""
    _rename_estimator(state)
    state.rename(calibrators_="calibrators", classes_="classes")


def _keep_template(fitted: str) -> Any:
    """A hook that puts the fitted estimator where the unfitted one is not known."""

    def complete(state: State) -> None:
        found = state.values[fitted]
        if state.values.get("estimator") is None:
            state.values["estimator"] = found[0] if isinstance(found, list | tuple) else found

    return complete


def _check_calibrators(state: State) -> None:
    """Check that there is a calibrator for each class, or one for two."""
    classes, values = state.sizes["classes"], state.values
    expected = 1 if classes == 2 or values["method"] == "temperature" else classes
    check_same_sizes(len(values["calibrators"]), expected, state, "classes and calibrators")
    if hasattr(values["estimator"], "decision_function"):
        require_same_scores(values["estimator"], state)


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


def _finish_search(made: Any, state: State) -> Any:
    """Answer by the best estimator; what chose it is left out."""
    made.refit, made.scorer_, made.multimetric_ = True, None, False
    made.estimator = made.estimator or made.best_estimator_
    return made


_PARTS: Attributes = {"estimators_": "list of estimator(features)"}
_TEMPLATE: Attributes = {"estimator": decode_template}
_LABELS: Attributes = {"classes_": "label[classes]"}
_CALIBRATORS: Attributes = {
    "estimator": "estimator",
    "calibrators": "list of estimator",
    "classes": "label[classes]",
    "method": one_of("sigmoid", "isotonic", "temperature"),
}
_CHAIN_METHODS = one_of("predict", "predict_proba", "predict_log_proba", "decision_function")


def _decode_nothing(value: Any, state: State) -> Any:
    """Leave out what only fitting needs."""
    return None


def _make_search(parameter: str, module: str = "model_selection") -> EstimatorSchema:
    return EstimatorSchema(
        module,
        {"best_estimator_": "estimator"},
        {
            "estimator": decode_template,
            parameter: lambda value, state: {},
            "cv": _decode_nothing,
            "refit": lambda value, state: True,
            "scoring": _decode_nothing,
        },
        finish=_finish_search,
    )


_HALVING = "model_selection._search_successive_halving"
_ONE: Attributes = {"estimator_": "estimator"}

SCHEMAS = {
    "_CalibratedClassifier": EstimatorSchema(
        "calibration", _CALIBRATORS, migrate=(_rename_calibrators,), complete=(_check_calibrators,)
    ),
    "_SigmoidCalibration": EstimatorSchema("calibration", {"a_": "float", "b_": "float"}),
    "_TemperatureScaling": EstimatorSchema("calibration", {"beta_": "float"}),
    "CalibratedClassifierCV": EstimatorSchema(
        "calibration",
        {**_LABELS, "calibrated_classifiers_": "list of estimator"},
        _TEMPLATE,
        reads="method",
        migrate=(_rename_estimator,),
    ),
    "OneVsRestClassifier": EstimatorSchema(
        "multiclass",
        {**_PARTS, "label_binarizer_": "estimator"},
        _TEMPLATE,
        complete=(_check_rest, _keep_template("estimators_")),
    ),
    "_ConstantPredictor": EstimatorSchema("multiclass", {"y_": "int[1] | float[1] | float"}),
    "OneVsOneClassifier": EstimatorSchema(
        "multiclass",
        {
            **_LABELS,
            "estimators_": "tuple of estimator(features)",
            "pairwise_indices_?": "list of index(features)[*]",
        },
        _TEMPLATE,
        complete=(_check_pairs, _keep_template("estimators_")),
    ),
    "OutputCodeClassifier": EstimatorSchema(
        "multiclass",
        {
            **_LABELS,
            "estimators_": "list[bits] of estimator(features)",
            "code_book_": "float[classes, bits] | int[classes, bits]",
        },
        _TEMPLATE,
        complete=(_keep_template("estimators_"),),
    ),
    "MultiOutputClassifier": EstimatorSchema(
        "multioutput",
        _PARTS,
        _TEMPLATE,
        complete=(_find_classes, _keep_template("estimators_")),
    ),
    "MultiOutputRegressor": EstimatorSchema(
        "multioutput", _PARTS, _TEMPLATE, complete=(_keep_template("estimators_"),)
    ),
    "ClassifierChain": EstimatorSchema(
        "multioutput",
        {
            "estimators_": "list of estimator",
            "order_": "int[*] | list of int",
            "chain_method_?": _CHAIN_METHODS,
        },
        {**_TEMPLATE, "order": _decode_nothing},
        migrate=(_rename_estimator,),
        complete=(_check_order, _find_classes, _keep_template("estimators_")),
    ),
    "RegressorChain": EstimatorSchema(
        "multioutput",
        {"estimators_": "list of estimator", "order_": "int[*] | list of int"},
        {**_TEMPLATE, "order": _decode_nothing},
        migrate=(_rename_estimator,),
        complete=(_check_order, _keep_template("estimators_")),
    ),
    "GridSearchCV": _make_search("param_grid"),
    "RandomizedSearchCV": _make_search("param_distributions"),
    "HalvingGridSearchCV": _make_search("param_grid", _HALVING),
    "HalvingRandomSearchCV": _make_search("param_distributions", _HALVING),
    "FixedThresholdClassifier": EstimatorSchema(
        "model_selection",
        _ONE,
        _TEMPLATE,
        reads="threshold pos_label response_method",
        complete=(_keep_template("estimator_"),),
    ),
    "TunedThresholdClassifierCV": EstimatorSchema(
        "model_selection",
        {**_ONE, "best_threshold_": "float"},
        {**_TEMPLATE, "scoring": _decode_nothing},
        reads="response_method",
        complete=(_keep_template("estimator_"),),
    ),
    "FrozenEstimator": EstimatorSchema("frozen", {}, {"estimator": "estimator"}),
    "SelfTrainingClassifier": EstimatorSchema(
        "semi_supervised",
        {**_LABELS, **_ONE},
        _TEMPLATE,
        migrate=(_rename_estimator,),
        complete=(_keep_template("estimator_"),),
    ),
}
