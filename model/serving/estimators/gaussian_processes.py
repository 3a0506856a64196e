"""Gaussian processes and their kernels, and regression by kernels."""

from typing import Any

from model.contract.pickles.records import Record
from model.serving.estimators.attributes import Decoder, EstimatorSchema, State, decode
from model.serving.estimators.checks import require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.kinds import left_out, one_of, within

KERNELS = (
    "additive_chi2", "chi2", "cosine", "laplacian", "linear", "poly", "polynomial", "rbf",
    "sigmoid",
)  # fmt: skip
"""Kernels that take facts; all of scikit-learn's but ``precomputed``."""

_PARTS = frozenset(
    {
        "CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation",
        "Matern", "PairwiseKernel", "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel",
    }
)  # fmt: skip


def _decode_kernel(value: Any, state: State) -> Any:
    if not isinstance(value, Record) or value.name not in _PARTS:
        raise MismatchError
    return state.reviver.revive(value, state.release)


def _decode_optional_kernel(value: Any, state: State) -> Any:
    return None if value is None else _decode_kernel(value, state)


def _decode_kernels(value: Any, state: State) -> Any:
    if not isinstance(value, list | tuple):
        raise MismatchError
    return [_decode_kernel(item, state) for item in value]


def _make_kernel(**parameters: str | Decoder) -> EstimatorSchema:
    fitted = {
        name: kind
        for parameter, kind in parameters.items()
        for name, kind in ((parameter, kind), (f"{parameter}_bounds?", left_out("fixed")))
    }
    return EstimatorSchema("gaussian_process.kernels", fitted)


def _decode_weights(value: Any, state: State) -> Any:
    """Decode the weight of each training row, for each output."""
    weights = decode("finite[samples] | finite[samples, outputs]", value, state)
    if weights.ndim == 1:
        state.sizes["outputs"] = 1
    return weights


def _rename_means(state: State) -> None:
    """Give attributes the names that they have since 0.19, and add the scale of 0.23."""
    state.rename(y_train_mean="_y_train_mean")
    if state.raw.get("_y_train_std") is None:
        state.raw["_y_train_std"] = 1.0


def _count_classes(state: State) -> None:
    state.values["n_classes_"] = state.sizes["classes"]
    require(state.sizes["classes"] > 1, state, "has a single class")


_NUMBER = "finite"
_SCALES = "finite | finite[*] | list of finite"

SCHEMAS = {
    "CompoundKernel": _make_kernel(kernels=_decode_kernels),
    "ConstantKernel": _make_kernel(constant_value=_NUMBER),
    "DotProduct": _make_kernel(sigma_0=_NUMBER),
    "ExpSineSquared": _make_kernel(length_scale=_NUMBER, periodicity=_NUMBER),
    "Exponentiation": _make_kernel(kernel=_decode_kernel, exponent=_NUMBER),
    "Matern": _make_kernel(length_scale=_SCALES, nu=_NUMBER),
    "PairwiseKernel": _make_kernel(gamma=_NUMBER, metric=one_of(*KERNELS)),
    "Product": _make_kernel(k1=_decode_kernel, k2=_decode_kernel),
    "RBF": _make_kernel(length_scale=_SCALES),
    "RationalQuadratic": _make_kernel(length_scale=_NUMBER, alpha=_NUMBER),
    "Sum": _make_kernel(k1=_decode_kernel, k2=_decode_kernel),
    "WhiteKernel": _make_kernel(noise_level=_NUMBER),
    "GaussianProcessRegressor": EstimatorSchema(
        "gaussian_process",
        {
            "X_train_": "number[samples, features]",
            "alpha_": _decode_weights,
            "L_": "float[samples, samples]",
            "kernel_": _decode_kernel,
            "_y_train_mean": "float | float[1] | float[outputs]",
            "_y_train_std": "float | float[1] | float[outputs]",
        },
        {"kernel": _decode_optional_kernel},
        migrate=(_rename_means,),
    ),
    "GaussianProcessClassifier": EstimatorSchema(
        "gaussian_process",
        {"classes_": "label[classes]", "base_estimator_": "estimator(features)"},
        {"kernel": _decode_optional_kernel},
        reads="multi_class",
        complete=(_count_classes,),
    ),
    "_BinaryGaussianProcessClassifierLaplace": EstimatorSchema(
        "gaussian_process._gpc",
        {
            "X_train_": "number[samples, features]",
            "y_train_": "int[samples] | bool[samples] | float[samples]",
            "classes_": "label[2]",
            "pi_": "float[samples]",
            "W_sr_": "float[samples]",
            "L_": "float[samples, samples]",
            "kernel_": _decode_kernel,
        },
        {"kernel": _decode_optional_kernel},
    ),
    "KernelRidge": EstimatorSchema(
        "kernel_ridge",
        {
            "X_fit_": "number[samples, features] | sparse[samples, features]",
            "dual_coef_": "finite[samples] | finite[samples, outputs]",
        },
        {
            "kernel": one_of(*KERNELS),
            "gamma": "float | none",
            "degree": within(0, 100),
            "kernel_params": left_out(),
        },
        reads="coef0",
    ),
}
