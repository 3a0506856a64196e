"""Neural networks, and models that answer the same for every row."""

from typing import Any

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State
from model.serving.estimators.checks import check_parts, check_same_sizes, require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.kinds import one_of, sized

_ACTIVATIONS = ("identity", "logistic", "tanh", "relu", "softmax")


def _check_layers(state: State) -> None:
    """Check that each layer takes what the one before gives."""
    weights, biases = state.values["coefs_"], state.values["intercepts_"]
    require(len(weights) > 0, state, "has no layers")
    check_same_sizes(len(weights), len(biases), state, "layers and intercepts")
    width = state.sizes.setdefault("features", weights[0].shape[0])
    for layer, bias in zip(weights, biases, strict=True):
        check_same_sizes(width, layer.shape[0], state, "layers")
        width = layer.shape[1]
        check_same_sizes(width, len(bias), state, "layers and intercepts")
    if "classes_" in state.values:
        classes = state.sizes["classes"]
        check_same_sizes(width, 1 if classes == 2 else classes, state, "outputs and classes")
        labels = state.values["_label_binarizer"]
        check_parts([labels], state)
        require((labels.y_type_ == "binary") == (width == 1), state, "has labels that do not fit")
    state.values["n_layers_"], state.values["n_outputs_"] = len(weights) + 1, width


def _complete_prior(state: State) -> None:
    """Count the classes, and add what 0.22 and 0.24 brought."""
    values = state.values
    classes, prior = values["classes_"], values["class_prior_"]
    several = isinstance(classes, list)
    known, shares = (classes, prior) if several else ([classes], [prior])
    for labels, share in zip(known, shares, strict=True):
        check_same_sizes(len(labels), len(share), state, "classes and shares")
    values["n_classes_"] = [len(labels) for labels in known] if several else len(classes)
    values["n_outputs_"], values["_strategy"] = len(known), values["strategy"]
    values.setdefault("sparse_output_", False)


_LAYERS: Attributes = {
    "coefs_": "list of finite[*, *]",
    "intercepts_": "list of finite[*]",
    "out_activation_": one_of(*_ACTIVATIONS, "exp"),  # exp since 1.7, of a Poisson loss
}
_ACTIVATION: Attributes = {"activation": one_of(*_ACTIVATIONS)}


def _decode_content(value: Any, _: State) -> bytes:
    if not isinstance(value, bytes):
        raise MismatchError
    return value


_NETWORK: Attributes = {"n_features_in_": "int", "content_": _decode_content}

SCHEMAS = {
    "NetworkRegressor": EstimatorSchema("model.serving.network", _NETWORK),
    "NetworkClassifier": EstimatorSchema(
        "model.serving.network",
        {
            **_NETWORK,
            "classes_": "label[classes]",
            "link_": one_of("identity", "logistic", "softmax"),
        },
    ),
    "MLPClassifier": EstimatorSchema(
        "neural_network",
        {"classes_": "label[classes]", "_label_binarizer": "estimator", **_LAYERS},
        _ACTIVATION,
        complete=(_check_layers,),
    ),
    "MLPRegressor": EstimatorSchema(
        "neural_network", _LAYERS, _ACTIVATION, complete=(_check_layers,)
    ),
    "BernoulliRBM": EstimatorSchema(
        "neural_network",
        {
            "components_": "float[components, features]",
            "intercept_hidden_": "float[components]",
            "intercept_visible_": "float[features]",
        },
    ),
    "DummyClassifier": EstimatorSchema(
        "dummy",
        {
            "classes_": "label[classes] | list of label[*]",
            "class_prior_": "finite[classes] | list of finite[*]",
            "sparse_output_?": "bool",
        },
        {"constant": "none | label | label[*] | label[*, 1]"},
        reads="strategy",
        complete=(_complete_prior,),
    ),
    "DummyRegressor": EstimatorSchema(
        "dummy",
        {"constant_": "finite[1, outputs]"},
        {"constant": "none | float | float[*] | float[1, *]"},
        complete=(sized(outputs="n_outputs_"),),
    ),
}
