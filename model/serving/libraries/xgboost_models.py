"""XGBoost's models: its JSON, its UBJSON and its old binary form, and what its pickles hold."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from model.contract.pickles import PickleError, Record
from model.contract.pickles.errors import printable
from model.serving.libraries.categories import encode_categories
from model.serving.libraries.trees import TreeArrays, make_record, make_state
from model.serving.libraries.ubjson import read_ubjson
from model.serving.libraries.xgboost_binary import read_binary
from model.serving.libraries.xgboost_content import XGBoostModel

_DAMAGED = "It is no whole model of XGBoost."
_LINKS = {
    "reg:squarederror": "identity", "reg:linear": "identity", "reg:squaredlogerror": "identity",
    "reg:pseudohubererror": "identity", "reg:absoluteerror": "identity",
    "reg:quantileerror": "identity", "reg:expectileerror": "identity",
    "reg:logistic": "logistic", "binary:logistic": "logistic", "binary:logitraw": "logistic",
    "binary:hinge": "step", "reg:gamma": "exp", "reg:tweedie": "exp", "count:poisson": "exp",
    "survival:cox": "exp", "survival:aft": "exp", "multi:softmax": "softmax",
    "multi:softprob": "softmax",
}  # fmt: skip
"""What an objective's sums become."""
_CLASSES = ("binary:", "multi:")
_MOST_TARGETS = 1000
_NUMBER = re.compile(r"[-+0-9.eE]+")


def read_xgboost(data: bytes) -> Record:
    """Read a model's own file: JSON, UBJSON or the old binary form.

    A file that scikit-learn's interface saved answers with the best round, as that one does; any
    other with all of them.

    Raises:
        PickleError: if it is damaged, or answers in a way that no page has.
    """
    model = _read(data)
    interface = _read_json(model.attributes.get("scikit_learn"))
    rounds = _read_rounds(model) if interface is not None else None
    labels = ((interface or {}).get("_le") or {}).get("classes_")
    classes = np.asarray(labels) if isinstance(labels, list) and labels else None
    return _make(model, rounds, classes, math.nan)


def read_xgboost_pickle(record: Record) -> Record:
    """Read what a pickle holds: a booster, or scikit-learn's interface to one.

    Raises:
        PickleError: if it was never fitted, is damaged, or answers in a way that no page has.
    """
    state = record.attributes
    if record.name == "Booster":
        return _make(_read_booster(record), None, None, math.nan)
    booster = state.get("_Booster")
    if not isinstance(booster, Record):
        raise PickleError(f"Its {record.name} was never fitted. Fit it, and save it again.")
    model = _read_booster(booster)
    rounds = _read_rounds(model)
    for name, more in (("best_ntree_limit", 0), ("best_iteration", 1)):
        if isinstance(state.get(name), int):  # in trees of one output, and in rounds
            per_round = max(model.ends[0] // model.outputs, 1) if len(model.ends) else 1
            rounds = state[name] + 1 if more else -(-state[name] // per_round)
            break
    missing = state.get("missing")
    missing = float(missing) if isinstance(missing, int | float) else math.nan
    if record.name.endswith("Classifier") and not model.objective.startswith(_CLASSES):
        raise PickleError(
            f"Its {record.name} was fitted with the objective {printable(model.objective)}, which "
            "gives no probabilities."
        )
    return _make(model, rounds, _find_classes(state), missing)


def _find_classes(state: Mapping[str, Any]) -> Any:
    encoder = state.get("_le")
    for values in (state, encoder.attributes if isinstance(encoder, Record) else {}):
        if isinstance(found := values.get("classes_"), np.ndarray):
            return found
    return None


def _read_booster(record: Record) -> XGBoostModel:
    state = record.attributes
    handle = state.get("handle")
    if not isinstance(handle, bytes | bytearray):
        raise PickleError("Its Booster was never fitted. Fit it, and save it again.")
    model = _read(bytes(handle))
    if not model.names and isinstance(names := state.get("feature_names"), list):
        model.names = names
    return model


def _read(data: bytes) -> XGBoostModel:
    """Read a model in any form."""
    try:
        if data[:1] != b"{":
            return read_binary(data)
        text = data[1:2] not in (b"L", b"i", b"U", b"I", b"l")
        document = json.loads(data) if text else read_ubjson(data)
        return _read_document(document.get("Model", document))
    except PickleError:
        raise
    except Exception as error:  # what damaged content raises depends on where it is damaged
        raise PickleError(_DAMAGED) from error


def _read_document(document: Mapping[str, Any]) -> XGBoostModel:
    learner = document["learner"]
    parameters = learner["learner_model_param"]
    targets = int(parameters.get("num_target", 1))
    outputs = max(int(parameters["num_class"]), targets, 1)
    objective = learner["objective"]
    quantiles = objective.get("quantile_loss_param", {}).get("quantile_alpha", "0")
    if len(_read_numbers(quantiles)) > 1:
        outputs = max(outputs, 2)
    model = XGBoostModel(
        str(objective["name"]),
        _read_numbers(parameters["base_score"]),
        outputs,
        int(parameters["num_feature"]),
        targets,
        attributes=learner.get("attributes", {}),
        names=list(learner.get("feature_names", [])),
        version=tuple(map(int, document["version"])),
    )
    booster = learner["gradient_booster"]
    drops = booster.get("weight_drop")
    booster = booster.get("gbtree", booster)
    inner = booster["model"]
    if booster.get("name") == "gblinear":
        model.coefficients = np.asarray(inner["weights"], dtype=np.float32).astype(float)
        return model
    weights = np.ones(len(inner["trees"])) if drops is None else np.asarray(drops, dtype=float)
    if len(weights) != len(inner["trees"]):
        raise PickleError(_DAMAGED)
    trees = [_read_trees(*pair) for pair in zip(inner["trees"], weights, strict=True)]
    model.trees = [tree for split in trees for tree in split]
    model.groups = np.asarray(inner["tree_info"], dtype=np.int64).tolist()
    several = len(model.trees) > len(trees)
    if several:  # each of its trees has become one for each number
        if {len(split) for split in trees} != {outputs}:
            raise PickleError(_DAMAGED)
        model.groups = list(range(outputs)) * len(trees)
    parallel = int(inner["gbtree_model_param"].get("num_parallel_tree", 0)) or 1
    per_round = parallel * outputs
    ends = inner.get("iteration_indptr")
    model.ends = (
        range(per_round, len(model.trees) + 1, per_round)
        if ends is None
        else (np.asarray(ends, dtype=np.int64) * (outputs if several else 1)).tolist()[1:]
    )
    model.categories = _read_categories(inner.get("cats") or {}, learner.get("feature_types", []))
    return model


def _read_numbers(text: Any) -> list[float]:
    """Numbers in a text: one, or since 3.1 several in brackets."""
    return [float(np.float32(number)) for number in _NUMBER.findall(str(text))]


def _read_trees(tree: Mapping[str, Any], weight: float) -> list[TreeArrays]:
    """A tree; one that has several numbers in each leaf as a tree for each of them."""
    first = _read_tree(tree, weight)
    size = int(tree["tree_param"].get("size_leaf_vector", 0) or 0)
    if size < 2:
        return [first]
    if size > _MOST_TARGETS:
        raise PickleError(_DAMAGED)
    leaf = first.left < 0
    values = np.asarray(tree["base_weights"], dtype=np.float32).reshape(len(leaf), size)
    values = np.where(leaf[:, None], values * np.float32(weight), 0)
    return [replace(first, value=column) for column in values.T]


def _read_tree(tree: Mapping[str, Any], weight: float) -> TreeArrays:
    left, right = (np.asarray(tree[side], dtype=np.int64) for side in _SIDES)
    threshold = np.asarray(tree["split_conditions"], dtype=np.float32)
    missing_left = np.asarray(tree["default_left"], dtype=bool)
    sets = {}
    if len(nodes := np.asarray(tree.get("categories_nodes", []), dtype=np.int64)):
        values = np.asarray(tree["categories"], dtype=np.int64)
        starts = np.asarray(tree["categories_segments"], dtype=np.int64)
        sizes = np.asarray(tree["categories_sizes"], dtype=np.int64)
        # what is in the set goes right: the sides change places
        left[nodes], right[nodes] = right[nodes], left[nodes]
        missing_left[nodes] = ~missing_left[nodes]
        for node, start, size in zip(nodes.tolist(), starts.tolist(), sizes.tolist(), strict=True):
            sets[node] = values[start : start + size]
    leaf = left < 0
    value = np.where(leaf, threshold * np.float32(weight), 0)
    feature = np.asarray(tree["split_indices"], dtype=np.int64)
    return TreeArrays(feature, threshold, left, right, missing_left, value, sets)


_SIDES = ("left_children", "right_children")


def _read_categories(cats: Mapping[str, Any], types: Sequence[Any]) -> dict[int, Sequence[Any]]:
    """The categories of each column that had some, in the order of their codes.

    Files of before 3.1 have only the codes.
    """
    found: dict[int, Sequence[Any]] = {}
    for place, each in enumerate(cats.get("enc", [])):
        values = np.asarray(each.get("values", [])).tolist()
        if "offsets" in each:
            offsets = np.asarray(each["offsets"], dtype=np.int64).tolist()
            data = bytes(value & 0xFF for value in values)
            values = [data[a:b].decode() for a, b in pairwise(offsets)]
        if values:
            found[place] = values
    return found


def _read_rounds(model: XGBoostModel) -> int | None:
    """The rounds up to the best one, where fitting stopped early."""
    best = model.attributes.get("best_iteration")
    return int(best) + 1 if isinstance(best, str) and best.isdecimal() else None


def _read_json(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _make(model: XGBoostModel, rounds: int | None, classes: Any, missing: float) -> Record:
    """Make the record of a model that answers with its first rounds.

    Args:
        model: as its file has it.
        rounds: how many count; None for all.
        classes: their names, where the file has them.
        missing: the value that stands for a missing one.
    """
    objective = model.objective
    if objective not in _LINKS:
        what = "ranks rows among each other" if objective.startswith("rank:") else "is not known"
        raise PickleError(f"Its objective {printable(objective)} {what}; a page cannot show that.")
    classifies = objective.startswith(_CLASSES)
    if model.outputs > 1 and classifies != objective.startswith("multi:"):
        raise PickleError(
            f"It answers {model.outputs} times yes or no for each row, and a page shows one. Fit a "
            "model for the one that you want to show."
        )
    if not classifies and model.outputs > model.targets:
        raise PickleError(
            f"It answers {model.outputs} quantiles for each row, and a page shows one number with "
            "a range of its own. Fit a model for the number that you want to show."
        )
    trees = model.trees
    if rounds is not None and 0 < rounds <= len(model.ends):
        trees = trees[: model.ends[rounds - 1]]
    groups = list(model.groups[: len(trees)])
    if len(groups) != len(trees) or not all(0 <= group < model.outputs for group in groups):
        raise PickleError(_DAMAGED)
    base = _find_margins(model)
    state = make_state(trees, groups, base, model.features)
    state |= {"link_": _LINKS[objective], "single_": True, "strict_": True}
    state["unstored_missing_"] = True
    if model.coefficients is not None:
        shape = (model.features + 1, model.outputs)
        if model.coefficients.size != shape[0] * shape[1]:
            raise PickleError(_DAMAGED)
        weights = model.coefficients.reshape(shape)
        # 3.1 and later have a base for each output, of which linear models add the first to all
        bias = weights[-1] + base[0]
        state |= {"coefficients_": weights[:-1], "skips_missing_": True, "base_": bias}
    if not math.isnan(missing):
        state["absent_"] = np.full(model.features, float(np.float32(missing)))
    names = [str(name) for name in model.names]
    # releases before 1.0 name the columns of an array so
    by_place = names == [f"f{place}" for place in range(model.features)]
    named = None if by_place or len(names) != model.features else names
    return encode_categories(make_record(state, classifies, classes), named, model.categories)


def _find_margins(model: XGBoostModel) -> list[float]:
    """What is added to each output's sum: files have it as an answer, old ones as a sum."""
    base = np.asarray(model.base, dtype=float)
    if not model.base_is_margin:
        link = _LINKS[model.objective]
        if model.objective == "binary:logitraw" and model.version >= (1, 6):
            link = "identity"  # of which the base is a sum since
        with np.errstate(all="ignore"):
            if link == "logistic":
                base = -np.log(1 / base - 1)
            elif link == "exp":
                base = np.log(base)
    if not np.isfinite(base).all() or len(base) not in (1, model.outputs):
        raise PickleError(_DAMAGED)
    margins: list[float] = np.broadcast_to(base.astype(np.float32), (model.outputs,)).tolist()
    return margins
