"""The additive models that stand for models of other libraries."""

from typing import Any

from model.serving.estimators.attributes import EstimatorSchema, Kind, State, decode
from model.serving.estimators.checks import check_branches, require
from model.serving.estimators.errors import MismatchError
from model.serving.libraries.links import FUNCTIONS, INVERSE_LINKS


def _decode_link(value: Any, state: State) -> Any:
    if decode("text", value, state) not in INVERSE_LINKS:
        raise MismatchError
    return value


def _check_trees(state: State) -> None:
    values = state.values
    leaf = values["left_"] < 0
    check_branches(values["left_"], values["right_"], leaf, state)
    sets = len(values["set_starts_"])
    require(bool((values["set_"] < sets).all()), state, "has a set that is not there")
    if "coefficients_" not in values:
        return
    terms = state.sizes["terms"]
    if "term_of_" not in values:
        require(terms == state.sizes["features"], state, "has other coefficients than columns")
        return
    order = values["term_of_"].tolist()
    whole = order == sorted(order) and set(order) == set(range(terms))
    is_known = "factor_function_" in values and set(values["factor_function_"]) <= set(FUNCTIONS)
    is_placed = "factor_column_" in values
    require(whole and is_known and is_placed, state, "has terms without factors")


def _check_outputs(state: State) -> None:
    outputs, classes = state.sizes["outputs"], state.sizes["classes"]
    same = outputs == classes or (outputs, classes) == (1, 2)
    require(same, state, "has other outputs than classes")


_FITTED: dict[str, Kind] = {
    "n_features_in_": "int",
    "base_": "float[outputs]",
    "link_": _decode_link,
    "coefficients_?": "float[terms, outputs]",
    "term_of_?": "index(terms)[factors]",
    "factor_column_?": "index(features)[factors]",
    "factor_function_?": "text[factors]",
    "skips_missing_?": "bool",
    "single_?": "bool",
    "strict_?": "bool",
    "unstored_missing_?": "bool",
    "absent_?": "float[features]",
    "left_": "int[nodes]",
    "right_": "int[nodes]",
    "feature_": "index(features)[nodes]",
    "threshold_": "float[nodes]",
    "missing_left_": "bool[nodes]",
    "value_": "float[nodes]",
    "set_": "int[nodes]",
    "roots_": "index(nodes)[trees]",
    "output_": "index(outputs)[trees]",
    "set_values_": "int[members]",
    "set_starts_": "int[sets]",
}

_MODULE = "model.serving.libraries.additive"

SCHEMAS = {
    "AdditiveRegressor": EstimatorSchema(_MODULE, _FITTED, complete=(_check_trees,)),
    "AdditiveClassifier": EstimatorSchema(
        _MODULE,
        {**_FITTED, "classes_": "label[classes]"},
        complete=(_check_trees, _check_outputs),
    ),
}
