"""Forests, and models that ask many others."""

from functools import partial
from typing import Any

import numpy as np

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, decode
from model.serving.estimators.checks import (
    check_parts,
    check_same_sizes,
    decode_template,
    rename_base,
    require,
    require_same_scores,
)
from model.serving.estimators.kinds import defaulted, one_of, renamed

_SYMMETRIC_VOTES = (1, 3)
_METHODS = ("predict_proba", "decision_function", "predict")


def _count_estimators(state: State) -> None:
    """Count the estimators: the parameter says how many there should have been."""
    estimators = state.values["estimators_"]
    state.values["n_estimators"] = len(estimators)
    estimator = state.values.get("estimator")  # an unfitted ensemble has no truth value
    state.values["estimator_"] = estimators[0] if estimator is None else estimator
    if "classes_" in state.values and not isinstance(state.values["classes_"], list):
        state.values["n_classes_"] = len(state.values["classes_"])


def _check_forest(state: State) -> None:
    """Check that the trees give the same outputs: their answers are added up."""
    _count_estimators(state)
    values, trees = state.values, state.values["estimators_"]
    kind = type(trees[0])
    require(
        kind.__module__ == "sklearn.tree._classes"
        and all(type(tree) is kind and hasattr(tree, "tree_") for tree in trees),
        state,
        "holds trees that are none",
    )
    first = trees[0].tree_
    for tree in trees:
        same = np.array_equal(tree.tree_.n_classes, first.n_classes)
        require(same, state, "holds trees of different outputs")
    values["n_outputs_"], values["estimator"], values["estimator_"] = (
        first.n_outputs,
        kind(),
        kind(),
    )
    for name in ("_n_samples", "_n_samples_bootstrap"):
        values.pop(name, None)  # so that no property, which `dir` tries, draws the samples again
    if "classes_" not in values:
        return
    several = isinstance(values["classes_"], list)
    classes = values["classes_"] if several else [values["classes_"]]
    for labels, size in zip(classes, first.n_classes, strict=True):
        check_same_sizes(len(labels), int(size), state, "classes and trees")
    sizes = [len(labels) for labels in classes]
    values["n_classes_"] = sizes if several else sizes[0]


def _check_weights(state: State) -> None:
    """Check that each estimator has a weight; a fit that stops early leaves further ones."""
    _count_estimators(state)
    weights = state.values["estimator_weights_"]
    require(
        len(weights) >= len(state.values["estimators_"]), state, "has estimators without a weight"
    )
    classes = state.sizes.get("classes", 0)
    if classes > 1 and state.release < _SYMMETRIC_VOTES:
        state.changed_scores = f"{state.name}, which scikit-learn 1.3 changed by a constant"
        # Since then a vote also counts against the other classes. A weight without an estimator is
        # in the sum that the votes are divided by, and keeps the probabilities as they were.
        extra = weights.sum() / (classes - 1)
        state.values["estimator_weights_"] = np.append(weights, extra)


def _refuse_boosting(state: State) -> None:
    """Refuse what answers otherwise today."""
    if "classes_" not in state.raw:
        return
    require(
        state.release >= (0, 22),
        state,
        f"was saved by scikit-learn {state.release[0]}.{state.release[1]}, and 0.22 changed how "
        "its votes become probabilities: it would answer otherwise",
    )
    require(
        state.raw.pop("algorithm", "SAMME") != "SAMME.R",
        state,
        "was boosted by SAMME.R, which scikit-learn took out in 1.6: it would answer otherwise",
    )


def _check_columns(state: State) -> None:
    """Check that each estimator takes as many columns as are chosen for it."""
    _count_estimators(state)
    values = state.values
    if "estimators_features_" not in values:
        every = np.arange(state.sizes["features"])
        values["estimators_features_"] = [every] * len(values["estimators_"])
    for estimator, columns in zip(
        values["estimators_"], values["estimators_features_"], strict=True
    ):
        features = getattr(estimator, "n_features_in_", len(columns))
        check_same_sizes(features, len(columns), state, "columns and estimators")
        if "classes" in state.sizes:  # a part may not have seen each class
            known = np.isin(estimator.classes_, np.arange(state.sizes["classes"]))
            require(bool(known.all()), state, "holds an estimator of other classes")


def _rename_threshold(state: State) -> None:
    """Give the threshold of the score the place that it has since 0.22."""
    threshold = state.raw.get("threshold_", state.raw.get("_threshold_"))
    if threshold is not None and state.raw.get("behaviour") != "new":
        state.raw["offset_"] = decode("float", threshold, state) - 0.5


def _compute_path_lengths(state: State) -> None:
    """Compute how deep each leaf is, which is kept since 1.3, of trees of one output."""
    from sklearn.ensemble._iforest import _average_path_length

    _check_columns(state)
    values = state.values
    is_old = state.release < (0, 21)
    average = (
        partial(_average_path_length_of_old, release=state.release)
        if is_old
        else _average_path_length
    )
    rows = np.array([values["_max_samples"]])
    require(rows[0] >= 1, state, "was fitted to no rows")
    lengths, depths = [], []
    for estimator in values["estimators_"]:
        require(hasattr(estimator, "tree_"), state, "holds estimators that are no trees")
        depth = estimator.tree_.compute_node_depths()
        length = average(estimator.tree_.n_node_samples)
        if is_old:
            # the score divides by the average path of all rows, which changed, too
            ratio = _average_path_length(rows)[0] / average(rows)[0]
            length = (depth + length - 1) * ratio - depth + 1
        lengths.append(length)
        depths.append(depth)
    values["_average_path_length_per_tree"] = tuple(lengths)
    values["_decision_path_lengths"] = tuple(depths)
    widths = {len(columns) for columns in values["estimators_features_"]}
    require(len(widths) == 1, state, "has trees of different numbers of columns")
    (values["_max_features"],) = widths
    values["max_samples_"] = values["_max_samples"]


def _average_path_length_of_old(samples: Any, release: tuple[int, int]) -> Any:
    """The average path to one of so many rows, shape (nodes,), as until 0.20."""
    length = np.ones(len(samples))
    many = samples > 1
    rest = samples[many].astype(np.float64)
    others = rest if release < (0, 19) else rest - 1
    length[many] = 2 * (np.log(others) + np.euler_gamma) - 2 * (rest - 1) / rest
    return length


def _check_stack(state: State) -> None:
    """Check that each estimator of a stack says by which method it is asked."""
    values = state.values
    check_same_sizes(
        len(values["estimators_"]), len(values["stack_method_"]), state, "estimators and methods"
    )
    for estimator, method in zip(values["estimators_"], values["stack_method_"], strict=True):
        require(hasattr(estimator, method), state, f"asks an estimator by {method}")
        if method == "decision_function":
            require_same_scores(estimator, state)
    if isinstance(values.get("classes_"), list):
        return  # the answers of several outputs are as wide as each estimator says
    classes = state.sizes.get("classes", 1)
    wide = sum(method != "predict" for method in values["stack_method_"]) if classes > 2 else 0
    check_parts((*values["estimators_"], values.get("_label_encoder")), state)
    width = len(values["stack_method_"]) + wide * (classes - 1)
    if values["passthrough"]:
        width += state.sizes.get("features", 0)
    features = getattr(values["final_estimator_"], "n_features_in_", width)
    check_same_sizes(width, features, state, "answers and its last estimator")


def _decode_named(value: Any, state: State) -> Any:
    """Decode pairs of a name and an unfitted estimator, or a word for none.

    Until 0.23 None was such a word; of our own files it is an estimator that is not known.
    """
    pairs = value if isinstance(value, list | tuple) else []
    none = ("drop", None) if state.release < (0, 24) else ("drop",)
    return [
        (str(pair[0]), "drop" if pair[1] in none else decode_template(pair[1], state))
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def _check_votes(state: State) -> None:
    """Check that there is a weight for each estimator that votes."""
    weights, estimators = state.values.get("weights"), state.values["estimators_"]
    if weights is not None:
        check_same_sizes(len(weights), len(state.values["estimators"]), state, "weights and votes")
    used = [name for name, part in state.values["estimators"] if part != "drop"]
    check_same_sizes(len(used), len(estimators), state, "estimators and votes")
    check_parts((*estimators, state.values.get("le_")), state)


def _complete_embedding(state: State) -> None:
    _check_forest(state)
    check_same_sizes(
        state.values["one_hot_encoder_"].n_features_in_,
        len(state.values["estimators_"]),
        state,
        "trees and the encoder",
    )


_LABELS = "label[classes] | list of label[*]"
_TREES: Attributes = {"estimators_": "list of estimator(features)"}
_FOREST = EstimatorSchema("ensemble", _TREES, migrate=(rename_base,), complete=(_check_forest,))
_CLASS_FOREST = EstimatorSchema(
    "ensemble",
    {"classes_": _LABELS, **_TREES},
    migrate=(rename_base,),
    complete=(_check_forest,),
)
_BAG: Attributes = {
    "estimators_": "list of estimator",
    "estimators_features_?": "list of index(features)[*]",
}


_BAG_MIGRATE = (rename_base, renamed(n_features_="n_features_in_"))  # 0.24
_STACK: Attributes = {
    "estimators_": "list of estimator(features)",
    "final_estimator_": "estimator",
    "stack_method_": lambda value, state: [one_of(*_METHODS)(item, state) for item in value],
}
_STACK_PARAMETERS: Attributes = {"estimators": _decode_named}

SCHEMAS = {
    "ExtraTreesClassifier": _CLASS_FOREST,
    "ExtraTreesRegressor": _FOREST,
    "RandomForestClassifier": _CLASS_FOREST,
    "RandomForestRegressor": _FOREST,
    "RandomTreesEmbedding": EstimatorSchema(
        "ensemble",
        {**_TREES, "one_hot_encoder_": "estimator"},
        migrate=(rename_base,),
        complete=(_complete_embedding,),
    ),
    "IsolationForest": EstimatorSchema(
        "ensemble",
        {**_BAG, "_max_samples": "int", "offset_": "finite"},
        migrate=(*_BAG_MIGRATE, _rename_threshold),
        complete=(_compute_path_lengths,),
    ),
    "AdaBoostClassifier": EstimatorSchema(
        "ensemble",
        {"classes_": "label[classes]", **_TREES, "estimator_weights_": "finite[*]"},
        migrate=(rename_base, _refuse_boosting),
        complete=(_check_weights,),
    ),
    "AdaBoostRegressor": EstimatorSchema(
        "ensemble",
        {**_TREES, "estimator_weights_": "finite[*]"},
        migrate=(rename_base,),
        complete=(_check_weights,),
    ),
    "BaggingClassifier": EstimatorSchema(
        "ensemble",
        {"classes_": "label[classes]", **_BAG},
        migrate=_BAG_MIGRATE,
        complete=(_check_columns,),
    ),
    "BaggingRegressor": EstimatorSchema(
        "ensemble", _BAG, migrate=_BAG_MIGRATE, complete=(_check_columns,)
    ),
    "StackingClassifier": EstimatorSchema(
        "ensemble",
        {
            "classes_": _LABELS,
            **_STACK,
            "_label_encoder": "estimator | list of estimator",
        },
        _STACK_PARAMETERS,
        reads="passthrough",
        migrate=(renamed(_le="_label_encoder"),),  # 1.2
        complete=(_check_stack,),
    ),
    "StackingRegressor": EstimatorSchema(
        "ensemble", _STACK, _STACK_PARAMETERS, reads="passthrough", complete=(_check_stack,)
    ),
    "VotingClassifier": EstimatorSchema(
        "ensemble",
        {"classes_": "label[classes]", **_TREES, "le_": "estimator"},
        {"estimators": _decode_named, "weights": "none | list of float | float[*]"},
        reads="voting flatten_transform",
        migrate=(defaulted("flatten_transform", False, (0, 21)),),  # each in its own table
        complete=(_check_votes,),
    ),
    "VotingRegressor": EstimatorSchema(
        "ensemble",
        _TREES,
        {"estimators": _decode_named, "weights": "none | list of float | float[*]"},
        complete=(_check_votes,),
    ),
}
