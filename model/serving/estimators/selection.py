"""Choosing columns."""

from typing import Any

import numpy as np

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State
from model.serving.estimators.checks import check_same_sizes
from model.serving.estimators.kinds import left_out, one_of, preset


def _decode_default(value: Any, state: State) -> Any:
    """Leave out the function that gave the scores; prediction reads the scores."""
    from sklearn.feature_selection import f_classif

    return f_classif


def _count_chosen(state: State) -> None:
    """Compute how many columns are chosen, and hold that against the model of them."""
    chosen = int(state.values["support_"].sum())
    state.values["n_features_"] = state.values["n_features_to_select_"] = chosen
    estimator = state.values.get("estimator_")
    if estimator is not None:
        features = getattr(estimator, "n_features_in_", chosen)
        check_same_sizes(features, chosen, state, "columns and estimator")
    state.values.setdefault("ranking_", np.ones(state.sizes["features"], dtype=np.intp))


def _take_prefit(state: State) -> None:
    """Take the estimator that was given fitted, which has the other name since 1.1."""
    if state.raw.get("prefit") is True and state.raw.get("estimator_") is None:
        state.raw["estimator_"] = state.raw.get("estimator")


_SCORES: Attributes = {"scores_": "float[features]", "pvalues_?": "float[features]"}
_FUNCTION: Attributes = {"score_func": _decode_default}


def _make_univariate(reads: str) -> EstimatorSchema:
    return EstimatorSchema("feature_selection", _SCORES, _FUNCTION, reads=reads)


SCHEMAS = {
    "GenericUnivariateSelect": _make_univariate("mode param"),
    "SelectFdr": _make_univariate("alpha"),
    "SelectFpr": _make_univariate("alpha"),
    "SelectFwe": _make_univariate("alpha"),
    "SelectKBest": _make_univariate("k"),
    "SelectPercentile": _make_univariate("percentile"),
    **dict.fromkeys(
        ("RFE", "RFECV"),
        EstimatorSchema(
            "feature_selection",
            {"support_": "bool[features]", "ranking_?": "int[features]", "estimator_": "estimator"},
            {"scoring": left_out()},
            complete=(_count_chosen,),
        ),
    ),
    "SelectFromModel": EstimatorSchema(
        "feature_selection",
        {"estimator_": "estimator(features)"},
        {
            "importance_getter": one_of("auto", "coef_", "feature_importances_"),
            "threshold": "none | float | text",
            "max_features": "none | int",
        },
        reads="norm_order",
        migrate=(_take_prefit,),
        complete=(preset(prefit=False),),  # the importances are those of `estimator_`
    ),
    "SequentialFeatureSelector": EstimatorSchema(
        "feature_selection",
        {"support_": "bool[features]"},
        {"scoring": left_out()},
        complete=(_count_chosen,),
    ),
    "VarianceThreshold": EstimatorSchema(
        "feature_selection", {"variances_": "float[features]"}, reads="threshold"
    ),
}
