"""Boosted trees: gradient boosting, with histograms and without."""

from functools import partial
from typing import Any

import numpy as np
from numpy.lib.recfunctions import rename_fields

from model.contract.pickles.records import Record
from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, decode
from model.serving.estimators.checks import (
    check_branches,
    check_same_sizes,
    convert_nodes,
    decode_template,
    require,
)
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.kinds import read_parts, renamed, translated

_rename_losses = translated(  # since 1.3
    "loss",
    deviance="log_loss",
    lad="absolute_error",
    least_absolute_deviation="absolute_error",
    least_squares="squared_error",
    ls="squared_error",
    binary_crossentropy="log_loss",
    categorical_crossentropy="log_loss",
    auto="log_loss",
)
_BITSET = 256
"""Bins of a column at most; a category is a whole number below it."""
_OLD_FIELDS = frozenset({"missing_go_to_left", "is_categorical", "bitset_idx"})
"""What 0.24 added to the nodes; 0.22 had the rest."""


# Gradient boosting


def _decode_stages(value: Any, state: State) -> Any:
    """Decode the trees of each stage, shape (stages, width), object."""
    if type(value) is not np.ndarray or value.dtype != object or value.ndim != 2:
        raise MismatchError
    if not value.size:
        raise MismatchError
    state.sizes["width"] = value.shape[1]
    stages = np.empty(value.shape, dtype=object)
    for place, cell in np.ndenumerate(value):
        tree = decode("estimator(features)", cell, state)
        # C code adds the first value of each leaf, without asking how many there are
        if type(tree).__name__ != "DecisionTreeRegressor" or tree.n_outputs_ != 1:
            raise MismatchError
        stages[place] = tree
    return stages


def _decode_init(value: Any, state: State) -> Any:
    """Decode the estimator of the first answer; until 0.20 it was of classes of its own."""
    if value == "zero":
        return "zero"
    if not isinstance(value, Record):
        raise MismatchError
    parts = value.attributes
    if value.name == "ZeroEstimator":
        return "zero"
    if value.name in ("MeanEstimator", "QuantileEstimator"):
        constant = decode("float", parts.get("mean", parts.get("quantile")), state)
        return _make_constant(constant)
    if value.name in ("LogOddsEstimator", "ScaledLogOddsEstimator"):
        scale = 0.5 if value.name.startswith("Scaled") else 1.0
        odds = decode("float", parts.get("prior"), state) / scale
        share = 1 / (1 + np.exp(-odds))
        return _make_prior(np.array([1 - share, share]), state)
    if value.name == "PriorProbabilityEstimator":
        # it answered with the shares themselves, and not with their logarithms
        scores = np.exp(decode("float[width]", parts.get("priors"), state))
        return _make_prior(scores / scores.sum(), state)
    return decode("estimator", value, state)


def _make_constant(constant: float) -> Any:
    from sklearn.dummy import DummyRegressor

    made = DummyRegressor()
    made.constant_, made.n_outputs_ = np.array([[constant]]), 1
    return made


def _make_prior(shares: Any, state: State) -> Any:
    from sklearn.dummy import DummyClassifier

    made = DummyClassifier(strategy="prior")
    made.class_prior_, made.classes_ = shares, np.arange(len(shares))
    made.n_classes_, made.n_outputs_, made.sparse_output_ = len(shares), 1, False
    made._strategy = "prior"
    return made


def _check_width(state: State) -> None:
    """Check that there is a tree a stage for each class, or one for two classes and a number."""
    width, classes = state.sizes["width"], state.sizes.get("classes")
    require(classes != 1, state, "has a single class")
    expected = 1 if classes in (None, 2) else classes
    what = "trees and outputs" if classes is None else "trees and classes"
    check_same_sizes(width, expected, state, what)
    state.values["n_trees_per_iteration_"] = width


def _count_stages(state: State) -> None:
    classes = state.sizes.get("classes")
    if classes is not None:
        state.values["n_classes_"] = classes
        if classes > 2 and state.release < (1, 4):
            state.changed_scores = f"{state.name}, which scikit-learn 1.4 changed by a constant"
    state.values["n_estimators_"] = len(state.values["estimators_"])
    state.values["max_features_"] = state.sizes["features"]


def _find_loss(made: Any, state: State) -> Any:
    made._loss = made._get_loss(sample_weight=None)
    return made


def _check_first_answer(made: Any, state: State) -> Any:
    """Check that the first answer is as wide as a stage: C code adds to it without asking."""
    made = _find_loss(made, state)
    first = made._raw_predict_init(np.zeros((1, state.sizes["features"]), dtype=np.float32))
    require(first.shape == (1, state.sizes["width"]), state, "has a first answer that does not fit")
    return made


_STAGES: Attributes = {"estimators_": _decode_stages, "init_": _decode_init}

# Boosting with histograms


def _decode_predictors(value: Any, state: State) -> Any:
    """Decode the trees: for each iteration one a class."""
    if not isinstance(value, list | tuple) or not value:
        raise MismatchError
    width = len(value[0]) if isinstance(value[0], list | tuple) else 0
    state.sizes["width"] = width
    predictors = []
    for stage in value:
        if not isinstance(stage, list | tuple) or len(stage) != width:
            raise MismatchError
        predictors.append([_decode_predictor(tree, state) for tree in stage])
    return predictors


def _decode_predictor(value: Any, state: State) -> Any:
    from sklearn.ensemble._hist_gradient_boosting.common import (
        PREDICTOR_RECORD_DTYPE,
        X_BITSET_INNER_DTYPE,
    )
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    parts = read_parts(value, "TreePredictor")
    old = parts.get("nodes")
    if type(old) is np.ndarray and old.dtype.names and "threshold" in old.dtype.names:
        # 0.24 gave the threshold of a number its own name
        old = rename_fields(old, {"threshold": "num_threshold"})
    optional = _OLD_FIELDS if state.release < (0, 24) else frozenset()
    nodes = convert_nodes(old, PREDICTOR_RECORD_DTYPE, optional, state)
    leaf = nodes["is_leaf"] != 0
    check_branches(nodes["left"], nodes["right"], leaf, state)
    require(bool(np.isfinite(nodes["value"][leaf]).all()), state, "has leaves that are no numbers")
    features = nodes["feature_idx"][~leaf]
    require(
        bool(((features >= 0) & (features < state.sizes["features"])).all()),
        state,
        "has a tree that asks for a column that it does not take",
    )
    sets = [
        decode(f"int[*, {_BITSET // 32}]", parts[name], state).astype(X_BITSET_INNER_DTYPE)
        if parts.get(name) is not None
        else np.zeros((0, _BITSET // 32), dtype=X_BITSET_INNER_DTYPE)
        for name in ("binned_left_cat_bitsets", "raw_left_cat_bitsets")
    ]
    chosen = nodes[~leaf & (nodes["is_categorical"] != 0)]
    require(
        bool((chosen["bitset_idx"] < min(map(len, sets))).all()),
        state,
        "has a tree that asks for a set of categories that is not there",
    )
    categorical = state.sizes["features"] * [False]
    for place in np.unique(chosen["feature_idx"]):
        categorical[int(place)] = True
    state.raw.setdefault("_asked", []).append(categorical)
    return TreePredictor(nodes, *sets)


def _decode_bin_mapper(value: Any, state: State) -> Any:
    """Decode the bins; prediction reads which columns hold categories, and which ones."""
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

    parts = read_parts(value, "_BinMapper")
    kind = "list[features] of float[*]"
    thresholds = decode(kind, parts.get("bin_thresholds_"), state)
    made = _BinMapper()
    made.bin_thresholds_ = thresholds
    categorical = np.zeros(len(thresholds), dtype=np.uint8)
    if parts.get("is_categorical_") is not None:
        categorical = decode("int[features] | bool[features]", parts["is_categorical_"], state)
    made.is_categorical_ = (categorical != 0).astype(np.uint8)
    for place in np.flatnonzero(made.is_categorical_):
        # C code sets the bit of each category in 256 bits
        known = thresholds[place]
        require(
            bool(((known >= 0) & (known < _BITSET)).all()),
            state,
            "has a category that is not below 256",
        )
    made.missing_values_bin_idx_ = made.n_bins - 1
    made.n_bins_non_missing_ = np.array([len(each) + 1 for each in thresholds], dtype=np.uint32)
    return made


def _check_categories(state: State) -> None:
    """Check that trees ask for the categories of columns that hold categories alone."""
    categorical = state.values["_bin_mapper"].is_categorical_ != 0
    asked = np.array(state.raw.pop("_asked")).any(axis=0)
    require(
        not (asked & ~categorical).any(),
        state,
        "has a tree that asks for the category of a number",
    )


def _decode_baseline(value: Any, state: State) -> Any:
    """Decode the first answer, shape (1, width); a number or (width, 1) until 0.24."""
    if isinstance(value, float | np.floating):
        value = np.array([[value]], dtype=np.float64)
    baseline = decode("finite[1, width] | finite[width, 1]", value, state)
    return baseline.reshape(1, state.sizes["width"])


def _decode_preprocessor(value: Any, state: State) -> Any:
    """Build anew what sends the categories, as numbers, before the other columns (since 1.5).

    It is built and not taken, because it decides how many columns the trees' C code finds.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.utils import check_array

    if value is None:
        return None
    steps = read_parts(value, "ColumnTransformer").get("transformers_")
    if not isinstance(steps, list) or [step[0] for step in steps[:2]] != ["encoder", "numerical"]:
        raise MismatchError
    mask = decode("bool[features]", steps[0][2], state)
    encoder = decode("estimator", steps[0][1], state)
    check_same_sizes(encoder.n_features_in_, int(mask.sum()), state, "categories")
    # as scikit-learn's own: what is missing stays missing
    numbers = FunctionTransformer(partial(check_array, dtype=np.float64, ensure_all_finite=False))
    numbers.n_features_in_ = int((~mask).sum())
    features = state.sizes["features"]
    made = ColumnTransformer([("encoder", encoder, mask), ("numerical", numbers, ~mask)])
    made.transformers_, made._columns = list(made.transformers), [mask, ~mask]
    made._transformer_to_input_indices = {
        "encoder": np.flatnonzero(mask).tolist(),
        "numerical": np.flatnonzero(~mask).tolist(),
        "remainder": [],
    }
    made._remainder, made.sparse_output_ = ("remainder", "drop", []), False
    made._name_to_fitted_passthrough, made.n_features_in_ = {}, features
    if "feature_names_in_" in state.values:
        made.feature_names_in_ = state.values["feature_names_in_"]
    return made


_HISTOGRAMS: Attributes = {
    "_bin_mapper": _decode_bin_mapper,
    "_predictors": _decode_predictors,
    "_baseline_prediction": _decode_baseline,
    "_preprocessor": _decode_preprocessor,
}

_MIGRATE = (
    _rename_losses,
    renamed(  # 0.23
        bin_mapper_="_bin_mapper",
        predictors_="_predictors",
        baseline_prediction_="_baseline_prediction",
    ),
)


def _make_boosting(reads: str, **classes: str) -> EstimatorSchema:
    return EstimatorSchema(
        "ensemble",
        {**classes, **_STAGES},
        {"init": decode_template},
        reads=f"learning_rate loss {reads}",
        migrate=(_rename_losses,),
        complete=(_check_width, _count_stages),
        finish=_check_first_answer,
    )


def _make_histograms(reads: str, **classes: str) -> EstimatorSchema:
    return EstimatorSchema(
        "ensemble",
        {**classes, **_HISTOGRAMS},
        reads=f"loss {reads}",
        migrate=_MIGRATE,
        complete=(_check_categories, _check_width),
        finish=_find_loss,
    )


SCHEMAS = {
    "GradientBoostingClassifier": _make_boosting("", classes_="label[classes]"),
    "GradientBoostingRegressor": _make_boosting("alpha"),
    "HistGradientBoostingClassifier": _make_histograms("", classes_="label[classes]"),
    "HistGradientBoostingRegressor": _make_histograms("quantile"),
}
