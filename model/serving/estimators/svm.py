"""Support vector machines of LIBSVM; LIBLINEAR's are among the linear models."""

import sys

import numpy as np

from model.serving.estimators.attributes import Attributes, EstimatorSchema, Hook, State
from model.serving.estimators.checks import check_same_sizes, require
from model.serving.estimators.kinds import defaulted, one_of, within

_KERNELS = one_of("linear", "poly", "rbf", "sigmoid")
_MOST_DEGREE = 100


def _rename_parts(state: State) -> None:
    """Give attributes the names that they have since 0.22 and 0.23."""
    state.rename(n_support_="_n_support", probA_="_probA", probB_="_probB")
    for name in ("_probA", "_probB"):
        if state.raw.get(name) is None:
            state.raw[name] = np.empty(0)
    if state.raw.get("_gamma") is None and state.raw.get("gamma") is not None:
        state.raw["_gamma"] = state.raw["gamma"]


def _check_vectors(state: State) -> None:
    """Check every count that C code follows: vectors a class, coefficients, pairs of classes."""
    values, is_classifier = state.values, "classes_" in state.values
    for name in ("support_vectors_", "_dual_coef_", "_intercept_", "_probA", "_probB"):
        values[name] = values[name].astype(np.float64)
    classes = state.sizes["classes"] if is_classifier else 2
    vectors = state.sizes["vectors"]
    counts = values["_n_support"] if is_classifier else np.array([vectors, vectors])
    counts = counts.astype(np.int32)
    check_same_sizes(len(counts), classes, state, "classes and counts of support vectors")
    total = int(counts.astype(np.int64).sum()) if is_classifier else int(counts[0])
    require(int(counts.min()) >= 0, state, "has a count of support vectors below 0")
    check_same_sizes(total, vectors, state, "support vectors and their counts")
    check_same_sizes(state.sizes["rows"], classes - 1, state, "coefficients and classes")
    pairs = classes * (classes - 1) // 2
    check_same_sizes(state.sizes["pairs"], pairs, state, "intercepts and classes")
    for name in ("_probA", "_probB"):
        require(len(values[name]) in (0, pairs), state, "has probabilities that do not fit")
    require(len(values["_probA"]) == len(values["_probB"]), state, "has half of the probabilities")
    coefficients = values["_dual_coef_"]
    values["_sparse"] = not isinstance(coefficients, np.ndarray)
    if values["_sparse"]:
        require(
            coefficients.format == values["support_vectors_"].format == "csr"
            and coefficients.nnz == vectors * state.sizes["rows"],
            state,
            "has coefficients that are not whole",
        )
    places = values["support_"].astype(np.int32)
    check_same_sizes(len(places), vectors, state, "support vectors and their places")
    # scikit-learn turns the signs of two classes in what others read, such as skl2onnx.
    sign = -1 if is_classifier and classes == 2 else 1
    values.update(
        _n_support=counts,
        support_=places,
        dual_coef_=sign * coefficients,
        intercept_=sign * values["_intercept_"],
        shape_fit_=(int(places.max(initial=0)) + 1, state.sizes["features"]),
        fit_status_=0,
        class_weight_=np.ones(classes if is_classifier else 0),
        _num_iter=np.zeros(pairs, dtype=np.int32),
        _effective_probability=len(values["_probA"]) > 0,
    )
    for name in ("epsilon", "nu"):  # C code takes them whether it uses them or not
        values.setdefault(name, 0.0)
    if is_classifier:
        values["probability"] = len(values["_probA"]) > 0


def _note_scores(state: State) -> None:
    """Note that 0.21 changed how the votes of pairs of classes become scores."""
    shape = state.values.get("decision_function_shape")
    if state.release < (0, 21) and state.sizes["classes"] > 2 and shape == "ovr":
        state.changed_scores = f"{state.name}, which scikit-learn 0.21 changed"


def _find_offset(state: State) -> None:
    """Compute the offset of the novelty, which 0.20 gave a name."""
    state.values["offset_"] = -state.values["_intercept_"]


_VECTORS: Attributes = {
    "support_": "int[vectors]",
    "support_vectors_": "finite[vectors, features] | sparse[vectors, features]",
    "_n_support": "int[*]",
    "_dual_coef_": "finite[rows, vectors] | sparse[rows, vectors]",
    "_intercept_": "finite[pairs]",
    "_probA": "finite[*]",
    "_probB": "finite[*]",
    "_gamma": within(0, sys.float_info.max),
}
_PARAMETERS: Attributes = {
    "kernel": _KERNELS,
    "degree": within(0, _MOST_DEGREE),
    "cache_size": within(0, 100_000),
    "coef0": "finite",
}
_CLASSES: Attributes = {"classes_": "label[classes]"}
_READS = "decision_function_shape break_ties shrinking tol"


def _make_schema(reads: str, fitted: Attributes, *complete: Hook) -> EstimatorSchema:
    return EstimatorSchema(
        "svm",
        fitted,
        _PARAMETERS,
        reads=reads,
        migrate=(_rename_parts, defaulted("decision_function_shape", "ovo")),  # 0.18: pairs
        complete=(_check_vectors, *complete),
    )


SCHEMAS = {
    "NuSVC": _make_schema(_READS, {**_CLASSES, **_VECTORS}, _note_scores),
    "NuSVR": _make_schema("", _VECTORS),
    "OneClassSVM": _make_schema("", _VECTORS, _find_offset),
    "SVC": _make_schema(_READS, {**_CLASSES, **_VECTORS}, _note_scores),
    "SVR": _make_schema("", _VECTORS),
}
