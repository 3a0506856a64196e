"""Filling in what is missing."""

from typing import Any

import numpy as np

from model.contract.pickles.records import Record
from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, decode
from model.serving.estimators.checks import check_same_sizes, require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.functions import decode_dtype
from model.serving.estimators.kinds import left_out, one_of, renamed, within

_MOST_NEIGHBORS = 100_000


def _read_not_a_number(state: State) -> None:
    """Say what is missing in numbers, as since 0.20."""
    state.translate("missing_values", NaN=np.nan)
    if state.raw.get("missing_values") == "nan":
        state.raw["missing_values"] = np.nan
    axis = state.raw.pop("axis", 0)
    require(axis == 0, state, "fills in along its rows, which 0.22 took out")


def _decode_missing(value: Any, state: State) -> Any:
    """Decode the value that stands for a missing one."""
    if isinstance(value, Record) and value.name == "NAType":
        return np.nan
    return decode("label", value, state)


def _find_dtypes(state: State) -> None:
    """Find out what the rows of the fit were, which 1.0 and 1.8 began to keep."""
    values = state.values
    fallback = values["statistics_"].dtype
    if fallback.kind not in "fO":
        fallback = np.dtype(object)
    values.setdefault("_fit_dtype", fallback)
    numeric = values["_fit_dtype"].kind != "O"
    require(
        not numeric
        or fallback.kind != "O"
        or all(isinstance(each, int | float) for each in values["statistics_"]),
        state,
        "fills in words where numbers are missing",
    )
    values.setdefault("_fill_dtype", values["_fit_dtype"] if numeric else np.dtype(object))
    values.setdefault("indicator_", None)


def _check_indicator(state: State) -> None:
    """Check that there is an indicator where one is asked for."""
    indicator = state.values.setdefault("indicator_", None)
    require(not state.values["add_indicator"] or indicator is not None, state, "has no indicator")
    if indicator is not None:
        indicator._precomputed = True  # since 0.24 it is told what is missing


def _complete_indicator(state: State) -> None:
    state.values["_n_features"] = state.sizes["features"]
    state.values.setdefault("_precomputed", False)


def _find_valid_columns(state: State) -> None:
    """Compute which columns have a value to take over, which 1.1 began to keep."""
    state.values["_valid_mask"] = ~state.values["_mask_fit_X"].all(axis=0)
    _check_indicator(state)


def _decode_sequence(value: Any, state: State) -> Any:
    """Decode the models that fill in one column each, of the others."""
    from sklearn.impute._iterative import _ImputerTriplet

    if not isinstance(value, list | tuple):
        raise MismatchError
    made = []
    for item in value:
        if not isinstance(item, Record) or item.name != "_ImputerTriplet" or len(item.args) != 3:
            raise MismatchError
        column = decode("int", item.args[0], state)
        if not 0 <= column < state.sizes["features"]:
            raise MismatchError
        others = decode("index(features)[*]", item.args[1], state)
        estimator = decode("estimator", item.args[2], state)
        check_same_sizes(
            getattr(estimator, "n_features_in_", len(others)), len(others), state, "columns"
        )
        made.append(_ImputerTriplet(column, others, estimator))
    return made


def _decode_limit(value: Any, state: State) -> Any:
    """Decode the lowest or highest value of each column, one for all until 0.22."""
    limits = decode("float | float[features]", value, state)
    return np.broadcast_to(limits, (state.sizes["features"],)).copy()


def _count_rounds(state: State) -> None:
    """Check that each round fills in as many columns, and add what 1.7 brought."""
    values = state.values
    rounds = len(values["imputation_sequence_"])
    require(
        values["n_iter_"] == 0 or (values["n_iter_"] > 0 and rounds >= values["n_iter_"]),
        state,
        "has rounds that do not fit",
    )
    first = values["initial_imputer_"]
    empty = np.array([each != each for each in first.statistics_], dtype=bool)
    values.setdefault("_is_empty_feature", empty)
    values["random_state_"] = np.random.RandomState(0)
    _check_indicator(state)


def _find_sequence_features(state: State) -> None:
    """Find the number of columns, which 0.24 began to keep, in the first imputer."""
    first = state.raw.get("initial_imputer_")
    if state.raw.get("n_features_in_") is None and isinstance(first, Record):
        statistics = first.attributes.get("statistics_")
        if isinstance(statistics, np.ndarray) and statistics.ndim == 1:
            state.raw["n_features_in_"] = len(statistics)


_MISSING: Attributes = {"missing_values": _decode_missing}
_FILL: Attributes = {"fill_value": "label"}
_READS = "add_indicator keep_empty_features"

SCHEMAS = {
    "SimpleImputer": EstimatorSchema(
        "impute",
        {
            "statistics_": "label[features]",
            "indicator_?": "estimator(features)",
            "_fit_dtype?": decode_dtype,
            "_fill_dtype?": decode_dtype,
        },
        {**_MISSING, **_FILL, "strategy": one_of("mean", "median", "most_frequent", "constant")},
        reads=_READS,
        migrate=(_read_not_a_number,),
        complete=(_find_dtypes, _check_indicator),
    ),
    "MissingIndicator": EstimatorSchema(
        "impute",
        {"features_": "index(features)[*]", "_precomputed?": "bool"},
        _MISSING,
        reads="features sparse error_on_new",
        migrate=(renamed(_n_features="n_features_in_"),),  # 0.24
        complete=(_complete_indicator,),
    ),
    "KNNImputer": EstimatorSchema(
        "impute",
        {
            "_fit_X": "float[samples, features]",
            "_mask_fit_X": "bool[samples, features]",
            "indicator_?": "estimator(features)",
        },
        {
            **_MISSING,
            "n_neighbors": within(1, _MOST_NEIGHBORS),
            "weights": one_of("uniform", "distance"),
            "metric": one_of("nan_euclidean"),
        },
        reads=_READS,
        complete=(_find_valid_columns,),
    ),
    "IterativeImputer": EstimatorSchema(
        "impute._iterative",  # `impute` has it on a further import only
        {
            "initial_imputer_": "estimator(features)",
            "imputation_sequence_": _decode_sequence,
            "_min_value": _decode_limit,
            "_max_value": _decode_limit,
            "n_iter_": "int",
            "indicator_?": "estimator(features)",
            "_is_empty_feature?": "bool[features]",
            "n_features_with_missing_?": "int",
        },
        {
            **_MISSING,
            **_FILL,
            "min_value": left_out(),
            "max_value": left_out(),
        },
        reads=f"{_READS} sample_posterior",
        migrate=(_find_sequence_features,),
        complete=(_count_rounds,),
    ),
}
