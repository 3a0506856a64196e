"""Models that look for the training rows next to a row."""

from typing import Any

import numpy as np

from model.contract.pickles.records import Record
from model.serving.estimators.attributes import Attributes, EstimatorSchema, Hook, State, decode
from model.serving.estimators.checks import require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.kinds import one_of, sized, within

_MOST_NEIGHBORS = 100_000
_LEAST_LEAF, _MOST_LEAF = 1, 1_000_000


def _decode_metric(value: Any, state: State) -> Any:
    """Decode the name of a distance; one that takes distances instead of facts is refused."""
    from sklearn.neighbors import VALID_METRICS

    name = decode("text", value, state)
    known = {each for method in VALID_METRICS.values() for each in method}
    if name == "precomputed" or name not in known:
        raise MismatchError
    return name


def _decode_metric_parameters(value: Any, state: State) -> Any:
    """Decode what a distance takes: its power, weights or covariance."""
    if not isinstance(value, dict | None) or not set(value or {}) <= {"p", "w", "V", "VI"}:
        raise MismatchError
    kind = "float | float[features] | float[features, features]"
    given = {key: item for key, item in (value or {}).items() if item is not None}  # no weights
    return {key: decode(kind, item, state) for key, item in given.items()}


def _decode_templates(value: Any, state: State) -> Any:
    return None if value is None else _decode_metric_parameters(value, state)


def _complete_search(state: State) -> None:
    """Build the tree of the rows anew: C code follows the places in one that a file has."""
    from sklearn.neighbors import VALID_METRICS, BallTree, KDTree

    values = state.values
    method, metric = values["_fit_method"], values["effective_metric_"]
    require(metric in VALID_METRICS[method], state, f"cannot search by the distance {metric}")
    rows = values["_fit_X"]
    values["n_samples_fit_"], values["_tree"] = rows.shape[0], None
    neighbors = values.get("n_neighbors")
    require(
        neighbors is None or neighbors <= rows.shape[0], state, "looks for more rows than it has"
    )
    trees = {"kd_tree": KDTree, "ball_tree": BallTree}
    if method in trees:
        require(isinstance(rows, np.ndarray), state, "has a tree of rows that are no numbers")
        leaf = values["leaf_size"]
        require(_LEAST_LEAF <= leaf <= _MOST_LEAF, state, "has a leaf size out of range")
        values["_tree"] = trees[method](
            rows, leaf, metric=metric, **values["effective_metric_params_"]
        )


def _build_search(made: Any, state: State) -> Any:
    """Let a model that spreads labels build its search anew; it does so when it needs one."""
    made.nn_fit = None
    return made


def _complete_labels(state: State) -> None:
    """Check that each row's label is one of the classes."""
    values = state.values
    classes = values["classes_"]
    values["outputs_2d_"] = isinstance(classes, list)
    values["_y"] = values["_y"].astype(np.intp)
    labels = values["_y"].reshape(len(values["_y"]), -1)
    known = classes if isinstance(classes, list) else [classes]
    require(labels.shape[1] == len(known), state, "has labels that do not fit its classes")
    for column, each in zip(labels.T, known, strict=True):
        require(
            int(column.min(initial=0)) >= 0 and int(column.max(initial=0)) < len(each),
            state,
            "has a label that is none of its classes",
        )


def _complete_centroids(state: State) -> None:
    """Add what 1.7 brought; until then all classes counted the same."""
    classes = state.sizes["classes"]
    state.values.setdefault("class_prior_", np.full(classes, 1 / classes))
    state.values.setdefault("within_class_std_dev_", np.ones(state.sizes["features"]))
    state.values.setdefault("deviations_", np.zeros_like(state.values["centroids_"]))


def _decode_density_tree(value: Any, state: State) -> Any:
    """Build the tree of the rows anew, from the rows in it."""
    from sklearn.neighbors import BallTree, KDTree

    parts = value.state if isinstance(value, Record) else None
    names = [str(getattr(each, "path", "")) for each in value.args] if parts else []
    kind = next(
        (each for each in (KDTree, BallTree) if names[0].startswith(_tree_paths(each))), None
    )
    if kind is None or not isinstance(parts, tuple) or len(parts) < 12:
        raise MismatchError
    rows = decode("float[samples, features]", parts[0], state)
    # 0.20 brought weights
    weights = decode("none | float[samples]", parts[12] if len(parts) > 12 else None, state)
    leaf, metric = state.values["leaf_size"], state.values["metric"]
    require(_LEAST_LEAF <= leaf <= _MOST_LEAF, state, "has a leaf size out of range")
    parameters = state.values["metric_params"] or {}
    return kind(rows, leaf, metric=metric, sample_weight=weights, **parameters)


def _tree_paths(kind: type) -> tuple[str, ...]:
    module = "kd_tree" if kind.__name__ == "KDTree" else "ball_tree"
    return f"sklearn.neighbors.{module}.", f"sklearn.neighbors._{module}."


def _find_bandwidth(state: State) -> None:
    """Compute the width, which 1.2 gave a name when it became a choice of rules."""
    width = state.values["bandwidth"]
    if not isinstance(width, str):
        state.values.setdefault("bandwidth_", float(width))
    require("bandwidth_" in state.values, state, "has no bandwidth")


def _compute_offset(state: State) -> None:
    """Compare the distances with the number of neighbors that the model was fitted with."""
    state.values["n_neighbors_"] = state.sizes["neighbors"]
    require(state.sizes["neighbors"] > 0, state, "looks for no neighbors")
    state.values.setdefault("negative_outlier_factor_", np.zeros(state.sizes["samples"]))
    require(
        state.values["novelty"] is True,
        state,
        "knows its training rows alone (novelty=False): fit it with novelty=True",
    )


_COUNT_ROWS = sized(samples="_n_features_out")
_SEARCH: Attributes = {
    "_fit_X": "number[samples, features] | sparse[samples, features]",
    "_fit_method": one_of("brute", "kd_tree", "ball_tree"),
    "effective_metric_": _decode_metric,
    "effective_metric_params_": _decode_metric_parameters,
}
_PARAMETERS: Attributes = {
    "n_neighbors": within(1, _MOST_NEIGHBORS),
    "radius": "float | none",
    "weights": one_of("uniform", "distance", None),
    "metric": _decode_metric,
    "metric_params": _decode_templates,
}
_RADIUS: Attributes = {**_PARAMETERS, "n_neighbors": "int | none"}
_OUTLIER = "none | label | list of label | label[*]"
_LABELS: Attributes = {
    "classes_": "label[classes] | list of label[*]",
    "_y": "int[samples] | int[samples, *]",
}
_VALUES: Attributes = {
    "_y": "finite[samples] | finite[samples, *] | int[samples] | int[samples, *]"
}


def _make_search(
    fitted: Attributes, parameters: Attributes, *complete: Hook, reads: str = ""
) -> EstimatorSchema:
    return EstimatorSchema(
        "neighbors",
        {**_SEARCH, **fitted},
        parameters,
        reads=f"p leaf_size {reads}",
        complete=(_complete_search, *complete),
    )


SCHEMAS = {
    "KNeighborsClassifier": _make_search(_LABELS, _PARAMETERS, _complete_labels),
    "KNeighborsRegressor": _make_search(_VALUES, _PARAMETERS),
    "RadiusNeighborsClassifier": _make_search(
        {**_LABELS, "outlier_label_": _OUTLIER},
        {**_RADIUS, "outlier_label": _OUTLIER},
        _complete_labels,
    ),
    "RadiusNeighborsRegressor": _make_search(_VALUES, _RADIUS),
    "KNeighborsTransformer": _make_search({}, _PARAMETERS, _COUNT_ROWS, reads="mode"),
    "RadiusNeighborsTransformer": _make_search({}, _RADIUS, _COUNT_ROWS, reads="mode"),
    "NearestNeighbors": _make_search({}, _PARAMETERS),
    "LocalOutlierFactor": _make_search(
        {
            "_lrd": "float[samples]",
            "_distances_fit_X_": "float[samples, neighbors]",
            "offset_": "float",
        },
        _PARAMETERS,
        _compute_offset,
        reads="novelty",
    ),
    **dict.fromkeys(
        ("LabelPropagation", "LabelSpreading"),
        EstimatorSchema(
            "semi_supervised",
            {
                "classes_": "label[classes]",
                "X_": "number[samples, features] | sparse[samples, features]",
                "label_distributions_": "float[samples, classes]",
            },
            {
                "kernel": one_of("rbf", "knn"),
                "gamma": "float",
                "n_neighbors": within(1, _MOST_NEIGHBORS),
            },
            finish=_build_search,
        ),
    ),
    "NearestCentroid": EstimatorSchema(
        "neighbors",
        {
            "classes_": "label[classes]",
            "centroids_": "finite[classes, features]",
            "class_prior_?": "float[classes]",
            "within_class_std_dev_?": "float[features]",
            "deviations_?": "float[classes, features]",
        },
        {"metric": one_of("euclidean", "manhattan")},
        complete=(_complete_centroids,),
    ),
    "KernelDensity": EstimatorSchema(
        "neighbors",
        {"tree_": _decode_density_tree, "bandwidth_?": "float"},
        {"metric": _decode_metric, "metric_params": _decode_templates},
        reads="leaf_size kernel atol rtol breadth_first",
        complete=(_find_bandwidth,),
    ),
}
