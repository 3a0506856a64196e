"""Clusters, densities and outliers."""

from typing import Any

import numpy as np

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, decode
from model.serving.estimators.checks import require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.kinds import left_out, one_of, preset, read_parts, sized

_DEEPEST = 300


def _decode_cluster(value: Any, state: State, depth: int = 0) -> Any:
    """Build the tree of clusters anew; prediction walks down it."""
    from sklearn.cluster._bisect_k_means import _BisectingTree

    parts = read_parts(value, "_BisectingTree")
    if depth > _DEEPEST:
        raise MismatchError
    center = decode("float[features]", parts.get("center"), state)
    made = _BisectingTree(center=center, indices=None, score=0.0)
    if parts.get("left") is None:
        made.label = decode("int", parts.get("label"), state)
        return made
    made.left = _decode_cluster(parts["left"], state, depth + 1)
    made.right = _decode_cluster(parts.get("right"), state, depth + 1)
    return made


def _compute_norms(state: State) -> None:
    """Compute the squared lengths of the centers, which the distances are computed of."""
    centers = state.values["subcluster_centers_"]
    state.values["_subcluster_norms"] = np.einsum("ij,ij->i", centers, centers)
    state.values["_n_features_out"] = len(centers)


def _check_covariance(state: State) -> None:
    """Check that the precisions have the shape that the kind of covariance asks for."""
    shape = state.values["precisions_cholesky_"].shape
    clusters, features = state.sizes["clusters"], state.sizes["features"]
    expected = {
        "full": (clusters, features, features),
        "tied": (features, features),
        "diag": (clusters, features),
        "spherical": (clusters,),
    }[state.values["covariance_type"]]
    require(shape == expected, state, "has precisions that do not fit its clusters")
    state.values["n_components"] = clusters
    state.values.update(converged_=True, n_iter_=1, lower_bound_=0.0)


def _rename_threshold(state: State) -> None:
    """Give the threshold the place and the sign that it has since 0.20."""
    if state.raw.get("offset_") is None and state.raw.get("threshold_") is not None:
        state.raw["offset_"] = -state.raw["threshold_"]


_COUNT = (sized(clusters="n_clusters _n_features_out"), preset(_n_threads=1))
_COVARIANCE: Attributes = {
    "location_": "finite[features]",
    "covariance_": "float[features, features]",
    "precision_?": "float[features, features]",
}
_MIXTURE: Attributes = {
    "weights_": "finite[clusters]",
    "means_": "finite[clusters, features]",
    "precisions_cholesky_": (
        "finite[clusters, features, features] | finite[clusters, features] | "
        "finite[features, features] | finite[clusters]"
    ),
    "covariances_?": "float[*, *, *] | float[*, *] | float[*]",
    "precisions_?": "float[*, *, *] | float[*, *] | float[*]",
}
_TYPES: Attributes = {"covariance_type": one_of("full", "tied", "diag", "spherical")}
_CENTERS: Attributes = {"cluster_centers_": "finite[clusters, features] | int[clusters, features]"}

SCHEMAS = {
    "KMeans": EstimatorSchema("cluster", _CENTERS, complete=_COUNT),
    "MiniBatchKMeans": EstimatorSchema("cluster", _CENTERS, complete=_COUNT),
    "BisectingKMeans": EstimatorSchema(
        "cluster",
        {**_CENTERS, "_X_mean?": "float[features]", "_bisecting_tree": _decode_cluster},
        complete=_COUNT,
    ),
    "MeanShift": EstimatorSchema("cluster", _CENTERS),
    "AffinityPropagation": EstimatorSchema("cluster", _CENTERS, {"affinity": one_of("euclidean")}),
    "Birch": EstimatorSchema(
        "cluster",
        {
            "subcluster_centers_": "finite[subclusters, features]",
            "subcluster_labels_": "int[subclusters]",
        },
        {"n_clusters": left_out()},
        complete=(_compute_norms,),
    ),
    "GaussianMixture": EstimatorSchema("mixture", _MIXTURE, _TYPES, complete=(_check_covariance,)),
    "BayesianGaussianMixture": EstimatorSchema(
        "mixture",
        {
            **_MIXTURE,
            "weight_concentration_": "tuple[2] of float[clusters] | float[clusters]",
            "mean_precision_": "float[clusters]",
            "degrees_of_freedom_": "float[clusters]",
        },
        _TYPES,
        reads="weight_concentration_prior_type",
        complete=(_check_covariance,),
    ),
    "EllipticEnvelope": EstimatorSchema(
        "covariance",
        {**_COVARIANCE, "offset_": "float", "dist_?": "float[*]"},
        reads="store_precision",
        migrate=(_rename_threshold,),
    ),
    **dict.fromkeys(
        (
            "EmpiricalCovariance",
            "GraphicalLasso",
            "GraphicalLassoCV",
            "LedoitWolf",
            "MinCovDet",
            "OAS",
            "ShrunkCovariance",
        ),
        EstimatorSchema("covariance", _COVARIANCE, reads="store_precision"),
    ),
}
