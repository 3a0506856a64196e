"""Linear models of numbers and of classes."""

from typing import Any

import numpy as np

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State
from model.serving.estimators.checks import check_same_sizes, require
from model.serving.estimators.kinds import renamed, translated

_MOST_CLASSES = 10_000
"""Classes that are told apart one against the rest, each by a model of its own."""

_COEFFICIENTS: Attributes = {
    "coef_": "finite[outputs, features] | finite[features]",
    "intercept_": "finite[outputs] | finite[1] | finite",
}
_CLASS_COEFFICIENTS: Attributes = {
    "classes_": "label[classes]",
    "coef_": "finite[rows, features]",
    "intercept_": "finite[rows] | finite",
}


def check_rows(state: State) -> None:
    """Check that there is a row of coefficients for each class, or one for two classes."""
    classes = state.sizes["classes"]
    require(classes > 1, state, "has a single class")
    check_same_sizes(
        state.sizes["rows"], 1 if classes == 2 else classes, state, "classes and coefficients"
    )


def _check_intercepts(state: State) -> None:
    """Check that there is an intercept for each row of coefficients, or a number for all."""
    coefficients, intercept = state.values["coef_"], state.values["intercept_"]
    rows = len(coefficients) if coefficients.ndim == 2 else 1
    known = isinstance(intercept, float) or len(intercept) == rows
    require(known, state, "has intercepts that do not fit its coefficients")


def _read_multi_class(state: State) -> None:
    """Say how the classes share the probability, which a parameter said until 1.8."""
    state.translate("solver", warn="liblinear")
    state.translate("multi_class", warn="ovr")
    way = state.raw.pop("multi_class", None)
    if way is None or "classes_" not in state.raw:
        return
    if way in ("auto", "deprecated"):
        classes = state.raw["classes_"]
        alone = state.raw.get("solver") == "liblinear" or len(classes) == 2
        way = "ovr" if alone else "multinomial"
    state.raw["_way"] = "multinomial" if way == "multinomial" else "ovr"


def _share_probability(made: Any, state: State) -> Any:
    """Return what answers today as the estimator did when it was saved.

    LogisticRegression of 1.8 and later takes the softmax of three or more classes, and the logistic
    function for two. Before, classes could also be told apart one against the rest, and that was
    the default up to 0.21.
    """
    way, classes = state.raw.get("_way"), made.classes_
    if way == "multinomial" and len(classes) == 2 and state.release >= (0, 20):
        made.coef_, made.intercept_ = made.coef_ * 2, made.intercept_ * 2
        state.changed_scores = f"{state.name}, which scikit-learn 1.8 doubled"
    if way != "ovr" or len(classes) < 3:
        return made
    require(len(classes) <= _MOST_CLASSES, state, "has far too many classes")
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import LabelBinarizer

    parts = []
    for place in range(len(classes)):
        part = LogisticRegression()
        part.classes_ = np.array([0, 1])
        part.coef_ = made.coef_[place : place + 1]
        part.intercept_ = np.broadcast_to(made.intercept_, len(classes))[place : place + 1].copy()
        part.n_features_in_ = made.n_features_in_
        parts.append(part)
    rest = OneVsRestClassifier(LogisticRegression())
    rest.estimators_, rest.n_features_in_ = parts, made.n_features_in_
    rest.label_binarizer_, rest.classes_ = LabelBinarizer(sparse_output=True).fit(classes), classes
    if hasattr(made, "feature_names_in_"):
        rest.feature_names_in_ = made.feature_names_in_
    return rest


def _find_classes(state: State) -> None:
    """Find the classes of a ridge classifier, which kept them in its binarizer until 1.9."""
    classes = state.values["_label_binarizer"].classes_
    state.values["classes_"] = classes
    rows = 1 if state.values["_label_binarizer"].y_type_ == "binary" else len(classes)
    check_same_sizes(
        state.values["coef_"].shape[0] if state.values["coef_"].ndim == 2 else 1,
        rows,
        state,
        "classes and coefficients",
    )


def _find_loss(made: Any, state: State) -> Any:
    made._base_loss = made._get_loss()
    return made


def _refuse_alone(state: State) -> None:
    """Refuse what answers otherwise today."""
    classes = state.sizes["classes"]
    require(
        state.release >= (0, 21) or classes == 2,
        state,
        f"was saved by scikit-learn {state.release[0]}.{state.release[1]}, and 0.21 changed the "
        f"probabilities of {classes} classes: it would answer otherwise",
    )


def _check_rotations(state: State) -> None:
    """Check that there is a scale for each direction of each class."""
    for rotation, scale in zip(state.values["rotations_"], state.values["scalings_"], strict=True):
        check_same_sizes(rotation.shape[1], len(scale), state, "directions and scales")


def _find_transform(state: State) -> None:
    """Compute how many columns the discriminant analysis keeps."""
    needed = {"svd": {"scalings_", "xbar_"}, "eigen": {"scalings_"}, "lsqr": set()}
    require(needed[state.values["solver"]] <= state.values.keys(), state, "has no scales")
    known = "scalings_" in state.values
    if known:
        state.values["_max_components"] = min(
            state.values.get("n_components") or state.sizes["components"], state.sizes["components"]
        )


def _build_function(made: Any, state: State) -> Any:
    made._build_f(made.X_thresholds_, made.y_thresholds_)
    return made


_REGRESSOR = EstimatorSchema("linear_model", _COEFFICIENTS, complete=(_check_intercepts,))
_POISSON = EstimatorSchema(
    "linear_model", _COEFFICIENTS, complete=(_check_intercepts,), finish=_find_loss
)
_CLASSIFIER = EstimatorSchema("linear_model", _CLASS_COEFFICIENTS, complete=(check_rows,))
_LOGISTIC = EstimatorSchema(
    "linear_model",
    _CLASS_COEFFICIENTS,
    reads="solver",
    migrate=(_read_multi_class,),
    complete=(check_rows,),
    finish=_share_probability,
)
_RIDGE_CLASSIFIER = EstimatorSchema(
    "linear_model",
    {**_COEFFICIENTS, "_label_binarizer": "estimator"},
    complete=(_find_classes,),
)
_SGD = EstimatorSchema(
    "linear_model",
    _CLASS_COEFFICIENTS,
    reads="loss",
    migrate=(translated("loss", log="log_loss", squared_loss="squared_error"),),  # 1.3, 1.2
    complete=(check_rows,),
)

SCHEMAS = {
    **dict.fromkeys(
        (
            "ElasticNet",
            "ElasticNetCV",
            "HuberRegressor",
            "Lars",
            "LarsCV",
            "Lasso",
            "LassoCV",
            "LassoLars",
            "LassoLarsCV",
            "LassoLarsIC",
            "LinearRegression",
            "MultiTaskElasticNet",
            "MultiTaskElasticNetCV",
            "MultiTaskLasso",
            "MultiTaskLassoCV",
            "OrthogonalMatchingPursuit",
            "OrthogonalMatchingPursuitCV",
            "PassiveAggressiveRegressor",
            "QuantileRegressor",
            "Ridge",
            "RidgeCV",
            "SGDRegressor",
            "TheilSenRegressor",
        ),
        _REGRESSOR,
    ),
    "ARDRegression": _REGRESSOR,
    "BayesianRidge": EstimatorSchema(
        "linear_model",
        {**_COEFFICIENTS, "alpha_?": "float", "sigma_?": "float[features, features]"},
        complete=(_check_intercepts,),
    ),
    "GammaRegressor": _POISSON,
    "PoissonRegressor": _POISSON,
    "TweedieRegressor": EstimatorSchema(
        "linear_model",
        _COEFFICIENTS,
        reads="link power",
        complete=(_check_intercepts,),
        finish=_find_loss,
    ),
    "LinearSVR": EstimatorSchema("svm", _COEFFICIENTS, complete=(_check_intercepts,)),
    "LogisticRegression": _LOGISTIC,
    "LogisticRegressionCV": _LOGISTIC,
    "PassiveAggressiveClassifier": _CLASSIFIER,
    "Perceptron": _CLASSIFIER,
    "RidgeClassifier": _RIDGE_CLASSIFIER,
    "RidgeClassifierCV": _RIDGE_CLASSIFIER,
    "SGDClassifier": _SGD,
    "SGDOneClassSVM": EstimatorSchema(
        "linear_model", {"coef_": "finite[features]", "offset_": "finite[1]"}
    ),
    "LinearSVC": EstimatorSchema("svm", _CLASS_COEFFICIENTS, complete=(check_rows,)),
    "LinearDiscriminantAnalysis": EstimatorSchema(
        "discriminant_analysis",
        {
            **_CLASS_COEFFICIENTS,
            "scalings_?": "float[features, components]",
            "xbar_?": "float[features]",
        },
        reads="solver n_components",
        complete=(check_rows, _refuse_alone, _find_transform),
    ),
    "QuadraticDiscriminantAnalysis": EstimatorSchema(
        "discriminant_analysis",
        {
            "classes_": "label[classes]",
            "means_": "finite[classes, features]",
            "priors_": "float[classes]",
            "rotations_": "list[classes] of finite[features, *]",
            "scalings_": "list[classes] of float[*]",
        },
        complete=(_check_rotations,),
    ),
    "RANSACRegressor": EstimatorSchema("linear_model", {"estimator_": "estimator(features)"}),
    "IsotonicRegression": EstimatorSchema(
        "isotonic",
        {
            "X_thresholds_": "finite[knots]",
            "y_thresholds_": "finite[knots]",
            "X_min_": "float",
            "X_max_": "float",
            "increasing_?": "bool",
        },
        reads="out_of_bounds",
        migrate=(renamed(_necessary_X_="X_thresholds_", _necessary_y_="y_thresholds_"),),  # 0.24
        finish=_build_function,
    ),
}
