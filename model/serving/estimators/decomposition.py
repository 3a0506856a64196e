"""Turning columns into fewer ones."""

from typing import Any

import numpy as np

from model.contract.pickles.records import GlobalName
from model.serving.estimators.attributes import Attributes, EstimatorSchema, State
from model.serving.estimators.checks import check_same_sizes, require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.gaussian_processes import KERNELS
from model.serving.estimators.kinds import (
    defaulted,
    left_out,
    one_of,
    preset,
    renamed,
    sized,
    within,
)

_MOST_ITERATIONS = 100_000
_MOST_COMPONENTS = 100_000
_MOST_STEPS = 100


def _rename_whiten(state: State) -> None:
    """Say how the columns are whitened as since 1.1."""
    if state.raw.get("whiten") is True or state.raw.get("whiten") == "warn":
        state.raw["whiten"] = "arbitrary-variance"


def _find_gamma(state: State) -> None:
    gamma = state.values.get("gamma")
    state.values["gamma_"] = 1 / state.sizes["features"] if gamma is None else gamma


def _count_topics(state: State) -> None:
    state.values["n_components"] = state.sizes["components"]
    # what is left to compute once is whether the random state may be asked; it never is
    state.values["random_state_"] = np.random.RandomState(0)
    state.values.update(n_batch_iter_=1, n_iter_=1)


def _refuse_regularization(state: State) -> None:
    """Refuse what answers otherwise today, and say the rest in today's terms."""
    if state.release < (1, 2):
        alpha = state.raw.pop("alpha", 0)
        plain = alpha in (0, 0.0, "deprecated") and state.raw.get("alpha_W", 0) in (0, 0.0)
        require(
            plain, state, "has a penalty, which scikit-learn 1.2 scales by the number of columns"
        )
    solver = state.raw.get("solver", "cd")
    require(solver != "pg", state, "was solved by projected gradients, which 0.19 took out")


def _complete_factors(state: State) -> None:
    from sklearn.decomposition._nmf import _beta_loss_to_float

    components = state.sizes["components"]
    state.values.update(n_components=components, n_components_=components, _n_components=components)
    state.values["_beta_loss"] = _beta_loss_to_float(state.values["beta_loss"])
    require(state.values["beta_loss"] != "precomputed", state, "has a loss that is not known")


def _rename_scales(state: State) -> None:
    """Give attributes the names that they have since 0.24 and 1.1, and scale as since 1.5."""
    state.rename(x_mean_="_x_mean", x_std_="_x_std", y_mean_="_y_mean", y_std_="_y_std")
    state.rename(_coef_="coef_")
    coefficients, scale = state.raw.get("coef_"), state.raw.get("_x_std")
    if state.release >= (1, 5) or not isinstance(coefficients, np.ndarray):
        return
    if state.release < (1, 1):
        coefficients = coefficients.T
    require(
        isinstance(scale, np.ndarray) and coefficients.shape[1:] == scale.shape,
        state,
        "has coefficients that do not fit its scales",
    )
    state.raw["coef_"] = coefficients / scale
    if state.raw.get("intercept_") is None:
        state.raw["intercept_"] = state.raw.get("_y_mean")


def _check_hashes(state: State) -> None:
    """Check that each hash leads into the columns that come out, and there is one a column."""
    values = state.values
    components, width = values["n_components"], state.sizes["width"]
    hashes = values["indexHash_"]
    require(hashes.min() >= 0 and hashes.max() < components, state, "has hashes out of its columns")
    check_same_sizes(
        width, state.sizes["features"] + (values["coef0"] != 0), state, "columns and hashes"
    )
    check_same_sizes(values["degree"], state.sizes["degree"], state, "hashes and its degree")
    values["_n_features_out"] = components


def _take_interval(state: State) -> None:
    """Take the interval that fitting chose, as it did until 1.2; transforming read that one."""
    interval = state.raw.pop("sample_interval_", None)
    if interval is not None:
        state.raw["sample_interval"] = interval


def _multiply_columns(state: State) -> None:
    """Count the columns that come out: how many go in is known since 0.24 only."""
    steps = state.values["sample_steps"]
    chosen = steps in (1, 2, 3) or state.values.get("sample_interval") is not None
    require(chosen, state, "has no sample_interval")
    if "features" not in state.sizes:
        state.growth *= 2 * int(steps) - 1


def _check_pools(state: State) -> None:
    """Count the columns that come out; each is the pool of at least one."""
    pools = np.unique(state.values["labels_"])
    require(
        pools.tolist() == list(range(len(pools))), state, "has pools that are not of its columns"
    )
    state.values["n_clusters_"] = state.values["_n_features_out"] = len(pools)


def _decode_pooling(value: Any, state: State) -> Any:
    """Decode how columns become one."""
    name = value.path.rpartition(".")[2] if isinstance(value, GlobalName) else ""
    if not name or not value.path.startswith("numpy."):
        raise MismatchError
    return getattr(np, one_of("mean", "median", "max", "amax", "min", "amin")(name, state))


def _check_distances(state: State) -> None:
    """Check that the parts of an embedding know the same training rows."""
    values, samples = state.values, state.sizes["samples"]
    search = values["nbrs_"]
    check_same_sizes(getattr(search, "n_samples_fit_", 0), samples, state, "rows and neighbors")
    if values["n_neighbors"] is not None:  # else it looks within a radius
        values["n_neighbors"] = search.n_neighbors
    values["_n_features_out"] = values["n_components"] = state.sizes["components"]


_COUNT = sized(components="n_components_ _n_features_out")
_COUNT_SAMPLED = sized(components="n_components _n_features_out")
_COMPONENTS: Attributes = {"components_": "float[components, features]"}
_NEIGHBORS: Attributes = {"nbrs_": "estimator(features)"}
_EMBEDDING: Attributes = {"embedding_": "float[samples, components]"}
_CODER: Attributes = {
    "transform_alpha": "float | none",
    "transform_max_iter": within(1, _MOST_ITERATIONS),
    "transform_n_nonzero_coefs": "int | none",
}
_CODER_READS = "alpha transform_algorithm split_sign positive_code"
_DICTIONARY = EstimatorSchema(
    "decomposition", _COMPONENTS, _CODER, reads=_CODER_READS, complete=(_COUNT,)
)
_MEAN: Attributes = {"mean_": "float[features]"}
_VARIANCES: Attributes = {"explained_variance_": "float[components]", "noise_variance_?": "float"}
_SQUARES: Attributes = {
    "x_weights_": "float[features, components]",
    "x_rotations_": "float[features, components]",
    "_x_mean": "float[features]",
    "_x_std": "float[features]",
    "_y_mean": "float[outputs]",
    "_y_std": "float[outputs]",
    "coef_": "float[outputs, features]",
    "intercept_": "float[outputs]",
    "_predict_1d?": "bool",
}


_LEAST_SQUARES = EstimatorSchema(
    "cross_decomposition",
    _SQUARES,
    migrate=(_rename_scales, defaulted("_predict_1d", False)),  # 1.3: a column until then
    complete=(sized(components="_n_features_out"),),
)
_WAVES: Attributes = {
    "random_weights_": "float[features, components]",
    "random_offset_": "float[components]",
}
_PCA = EstimatorSchema(
    "decomposition",
    {**_COMPONENTS, **_MEAN, **_VARIANCES},
    reads="whiten",
    complete=(_COUNT,),
)
_SPARSE_PCA = EstimatorSchema(
    "decomposition",
    {**_COMPONENTS, **_MEAN},
    reads="ridge_alpha",
    complete=(_COUNT,),
)
_KERNEL: Attributes = {
    "kernel": one_of(*KERNELS),
    "gamma": "float | none",
    "degree": "float | none",
    "coef0": "float | none",
    "kernel_params": left_out(),
}

SCHEMAS = {
    "PCA": _PCA,
    "IncrementalPCA": _PCA,
    "TruncatedSVD": EstimatorSchema("decomposition", _COMPONENTS, complete=(_COUNT,)),
    "SparsePCA": _SPARSE_PCA,
    "MiniBatchSparsePCA": _SPARSE_PCA,
    "FactorAnalysis": EstimatorSchema(
        "decomposition",
        {**_COMPONENTS, **_MEAN, "noise_variance_": "float[features]"},
        complete=(_COUNT,),
    ),
    "FastICA": EstimatorSchema(
        "decomposition",
        {**_COMPONENTS, "mean_?": "float[features]"},
        {"whiten": one_of("arbitrary-variance", "unit-variance", False)},
        migrate=(_rename_whiten,),
        complete=(_COUNT,),
    ),
    "KernelCenterer": EstimatorSchema(
        "preprocessing", {"K_fit_rows_": "float[features]", "K_fit_all_": "float"}
    ),
    "KernelPCA": EstimatorSchema(
        "decomposition",
        {
            "X_fit_": "number[samples, features] | sparse[samples, features]",
            "eigenvalues_": "float[components]",
            "eigenvectors_": "float[samples, components]",
            "_centerer": "estimator(samples)",
        },
        {
            **_KERNEL,
            "kernel": one_of(*KERNELS, "precomputed"),  # of distances, in an Isomap
            "degree": within(0, 100),
            "coef0": "float",
        },
        migrate=(renamed(lambdas_="eigenvalues_", alphas_="eigenvectors_"),),  # 1.0
        complete=(_find_gamma,),
    ),
    "LatentDirichletAllocation": EstimatorSchema(
        "decomposition",
        {
            **_COMPONENTS,
            "exp_dirichlet_component_": "float[components, features]",
            "doc_topic_prior_": "float",
            "topic_word_prior_?": "float",
        },
        {"max_doc_update_iter": within(0, 10_000)},
        reads="mean_change_tol",
        migrate=(renamed(n_topics="n_components"),),  # 0.19
        complete=(_count_topics,),
    ),
    "NMF": EstimatorSchema(
        "decomposition",
        _COMPONENTS,
        {"max_iter": within(1, _MOST_ITERATIONS)},
        reads="solver beta_loss tol alpha_W alpha_H l1_ratio shuffle",
        migrate=(_refuse_regularization,),
        complete=(_complete_factors,),
    ),
    "MiniBatchNMF": EstimatorSchema(
        "decomposition",
        {**_COMPONENTS, "_transform_max_iter": within(1, _MOST_ITERATIONS), "_gamma": "float"},
        reads="beta_loss tol alpha_W alpha_H l1_ratio",
        complete=(_complete_factors,),
    ),
    "DictionaryLearning": _DICTIONARY,
    "MiniBatchDictionaryLearning": _DICTIONARY,
    "SparseCoder": EstimatorSchema(
        "decomposition",
        {},
        {**_CODER, "dictionary": "float[components, features]"},
        reads=_CODER_READS,
        migrate=(renamed(components_="dictionary"),),  # 0.24
        complete=(_COUNT,),
    ),
    "FeatureAgglomeration": EstimatorSchema(
        "cluster",
        {"labels_": "index(features)[features]"},
        {"pooling_func": _decode_pooling},
        complete=(_check_pools,),
    ),
    "Isomap": EstimatorSchema(
        "manifold",
        {
            **_EMBEDDING,
            **_NEIGHBORS,
            "dist_matrix_": "float[samples, samples]",
            "kernel_pca_": "estimator(samples)",
        },
        reads="radius",
        complete=(_check_distances,),
    ),
    "LocallyLinearEmbedding": EstimatorSchema(
        "manifold", {**_EMBEDDING, **_NEIGHBORS}, reads="reg", complete=(_check_distances,)
    ),
    "PLSSVD": EstimatorSchema(
        "cross_decomposition",
        {name: _SQUARES[name] for name in ("x_weights_", "_x_mean", "_x_std")},
        migrate=(_rename_scales,),
        complete=(_COUNT_SAMPLED,),
    ),
    **dict.fromkeys(("CCA", "PLSCanonical", "PLSRegression"), _LEAST_SQUARES),
    "GaussianRandomProjection": EstimatorSchema(
        "random_projection",
        _COMPONENTS,
        complete=(_COUNT, preset(compute_inverse_components=False)),
    ),
    "SparseRandomProjection": EstimatorSchema(
        "random_projection",
        {"components_": "sparse[components, features] | float[components, features]"},
        reads="dense_output",
        complete=(_COUNT, preset(compute_inverse_components=False)),
    ),
    "NeighborhoodComponentsAnalysis": EstimatorSchema("neighbors", _COMPONENTS),
    "RBFSampler": EstimatorSchema("kernel_approximation", _WAVES, complete=(_COUNT_SAMPLED,)),
    "PolynomialCountSketch": EstimatorSchema(
        "kernel_approximation",
        {"indexHash_": "int[degree, width]", "bitHash_": "int[degree, width]"},
        {
            "n_components": within(1, _MOST_COMPONENTS),
            "degree": within(1, _MOST_STEPS),
            "gamma": "float",
            "coef0": "int | float",
        },
        complete=(_check_hashes,),
    ),
    "AdditiveChi2Sampler": EstimatorSchema(
        "kernel_approximation",
        {},
        {"sample_steps": within(1, _MOST_STEPS), "sample_interval": "float | none"},
        migrate=(_take_interval,),
        complete=(_multiply_columns,),
    ),
    "SkewedChi2Sampler": EstimatorSchema(
        "kernel_approximation", _WAVES, reads="skewedness", complete=(_COUNT_SAMPLED,)
    ),
    "Nystroem": EstimatorSchema(
        "kernel_approximation",
        {
            "components_": "number[components, features] | sparse[components, features]",
            "normalization_": "float[components, components]",
        },
        _KERNEL,
        complete=(_COUNT_SAMPLED,),
    ),
}
