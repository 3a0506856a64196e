"""Scaling numbers and making others of them, and functions."""

from typing import Any

import numpy as np

from model.contract.pickles.records import Record
from model.serving.estimators.attributes import EstimatorSchema, Hook, State, decode
from model.serving.estimators.checks import require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.functions import decode_dtype, decode_function
from model.serving.estimators.kinds import defaulted, one_of, renamed, within

_MOST_COLUMNS = 1_000_000
_MOST_DEGREE = 20
_MOST_SPLINE_DEGREE = 100

# Numbers


def _require_scale(*parts: tuple[str, str]) -> Hook:
    """A hook that checks that what a parameter says is done can be done."""

    def complete(state: State) -> None:
        for parameter, name in parts:
            known = not state.values[parameter] or name in state.values
            require(known, state, f"has no {name}")
            if known and name == "scale_" and state.values[parameter]:
                require(bool((state.values[name] != 0).all()), state, "divides by 0")

    return complete


def _decode_degree(value: Any, state: State) -> Any:
    degree = decode("int | tuple[2] of int | list[2] of int", value, state)
    low, high = (degree, degree) if isinstance(degree, int) else degree
    if not 0 <= low <= high <= _MOST_DEGREE:
        raise MismatchError
    return degree


def _count_powers(made: Any, state: State) -> Any:
    """Compute how many columns come out, by fitting to no numbers at all."""
    features = state.sizes.get("features", 0)
    require(features > 0, state, "takes no columns")
    count = made._num_combinations(
        n_features=features,
        min_degree=0,
        max_degree=made.degree if isinstance(made.degree, int) else made.degree[1],
        interaction_only=made.interaction_only,
        include_bias=made.include_bias,
    )
    require(count <= _MOST_COLUMNS, state, f"makes {count:,} columns")
    names = vars(made).get("feature_names_in_")
    made.fit(np.zeros((1, features)))
    if names is not None:
        made.feature_names_in_ = names
    return made


def _decode_spline(value: Any, state: State) -> Any:
    """Build a spline anew; its C code follows the number of its knots."""
    from scipy.interpolate import BSpline

    if not isinstance(value, Record) or value.name != "BSpline":
        raise MismatchError
    parts = value.state
    if isinstance(parts, tuple) and parts and isinstance(parts[0], Record):
        parts = parts[0].state  # SciPy 1.18 put them into one within
    if not isinstance(parts, dict):
        raise MismatchError
    degree = decode(within(0, _MOST_SPLINE_DEGREE), parts.get("k"), state)
    # SciPy 1.16 renamed both
    knots = decode("float[*]", parts.get("t", parts.get("_t")), state)
    coefficients = decode("float[*, splines]", parts.get("c", parts.get("_c")), state)
    extrapolate = decode("bool | 'periodic'", parts.get("extrapolate"), state)
    # Of a column with one value all knots are that value, which only the checks of SciPy refuse.
    apart = knots if np.ptp(knots) else np.arange(len(knots), dtype=float)
    spline = BSpline(apart, coefficients, int(degree), extrapolate=extrapolate)
    return BSpline.construct_fast(knots, spline.c, spline.k, spline.extrapolate)


def _decode_splines(value: Any, state: State) -> Any:
    """Decode the spline of each column."""
    if not isinstance(value, list | tuple) or not value:
        raise MismatchError
    state.fit_sizes(("features",), (len(value),))
    return [_decode_spline(item, state) for item in value]


def _count_splines(state: State) -> None:
    values, features, splines = state.values, state.sizes["features"], state.sizes["splines"]
    require(values["degree"] == values["bsplines_"][0].k, state, "has splines of another degree")
    values["n_features_out_"] = features * (splines - (0 if values["include_bias"] else 1))


def _decode_range(value: Any, state: State) -> tuple[Any, Any]:
    low, high = decode("tuple[2] of float | list[2] of float", value, state)
    return low, high


def _decode_edges(value: Any, state: State) -> Any:
    """Decode the edges of each column's bins, shape (features,), object."""
    rows = list(value) if isinstance(value, np.ndarray) and value.ndim else value
    edges = decode("list[features] of float[*]", rows, state)
    return np.fromiter(edges, object, len(edges))


def _count_bins(state: State) -> None:
    """Compute the number of bins, and hold the encoder of them against it."""
    values = state.values
    bins = [len(edges) - 1 for edges in values["bin_edges_"]]
    require(min(bins, default=1) >= 1, state, "has a column without bins")
    values["n_bins_"] = np.array(bins, dtype=np.intp)
    encoder = values.get("_encoder")
    if values["encode"] != "ordinal":
        found = [len(each) for each in getattr(encoder, "categories_", [])]
        require(found == bins, state, "has bins that do not fit its encoder")


# Functions


def _decode_no_arguments(value: Any, state: State) -> None:
    """Decode arguments of a function: none, as some of them show memory."""
    if value not in (None, {}):
        raise MismatchError


def _decode_feature_names(value: Any, state: State) -> Any:
    return decode("none | 'one-to-one'", value if isinstance(value, str) else None, state)


SCHEMAS = {
    "StandardScaler": EstimatorSchema(
        "preprocessing",
        {
            "mean_?": "float[features]",
            "scale_?": "float[features]",
            "var_?": "float[features]",
            "n_samples_seen_?": "int | int[features] | float | float[features]",
        },
        reads="with_mean with_std",
        migrate=(renamed(std_="scale_"),),  # 0.17
        complete=(_require_scale(("with_mean", "mean_"), ("with_std", "scale_")),),
    ),
    "MinMaxScaler": EstimatorSchema(
        "preprocessing",
        {
            "min_": "float[features]",
            "scale_": "float[features]",
            "data_min_?": "float[features]",
            "data_max_?": "float[features]",
            "data_range_?": "float[features]",
            "n_samples_seen_?": "int",
        },
        {"feature_range": _decode_range},
        reads="clip",
    ),
    "MaxAbsScaler": EstimatorSchema(
        "preprocessing",
        {
            "scale_": "float[features]",
            "max_abs_?": "float[features]",
            "n_samples_seen_?": "int",
        },
        reads="clip",
    ),
    "RobustScaler": EstimatorSchema(
        "preprocessing",
        {"center_?": "float[features]", "scale_?": "float[features]"},
        reads="with_centering with_scaling",
        complete=(_require_scale(("with_centering", "center_"), ("with_scaling", "scale_")),),
    ),
    "Normalizer": EstimatorSchema("preprocessing", {}, reads="norm"),
    "Binarizer": EstimatorSchema("preprocessing", {}, {"threshold": "float"}),
    "PolynomialFeatures": EstimatorSchema(
        "preprocessing",
        {"n_output_features_": "int"},
        {"degree": _decode_degree},
        reads="interaction_only include_bias order",
        migrate=(renamed(n_input_features_="n_features_in_"),),  # 1.0
        finish=_count_powers,
    ),
    "SplineTransformer": EstimatorSchema(
        "preprocessing",
        {"bsplines_": _decode_splines},
        {"degree": within(0, _MOST_SPLINE_DEGREE), "knots": one_of("uniform", "quantile")},
        reads="extrapolation include_bias order sparse_output handle_missing",
        complete=(_count_splines,),
    ),
    "PowerTransformer": EstimatorSchema(
        "preprocessing",
        {"lambdas_": "float[features]", "_scaler?": "estimator(features)"},
        reads="method standardize",
        complete=(_require_scale(("standardize", "_scaler")),),
    ),
    "QuantileTransformer": EstimatorSchema(
        "preprocessing",
        {"quantiles_": "float[quantiles, features]", "references_": "float[quantiles]"},
        reads="output_distribution ignore_implicit_zeros",
    ),
    "KBinsDiscretizer": EstimatorSchema(
        "preprocessing",
        {"bin_edges_": _decode_edges, "_encoder?": "estimator(features)"},
        {"dtype": decode_dtype},
        reads="encode",
        complete=(_count_bins,),
    ),
    "FunctionTransformer": EstimatorSchema(
        "preprocessing",
        {},
        {
            "func": decode_function,
            "inverse_func": decode_function,
            "kw_args": _decode_no_arguments,
            "inv_kw_args": _decode_no_arguments,
            "feature_names_out": _decode_feature_names,
        },
        reads="validate accept_sparse",
        migrate=(defaulted("validate", True, (0, 22)),),
    ),
}
