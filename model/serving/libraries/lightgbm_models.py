"""LightGBM's models: its text form, and what its pickles hold."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model.contract.pickles import PickleError, Record
from model.contract.pickles.errors import printable
from model.serving.libraries.categories import encode_categories
from model.serving.libraries.trees import (
    MOST_TREES,
    AnyArray,
    TreeArrays,
    make_record,
    make_state,
)

_DAMAGED = "It is no whole model of LightGBM."
_LINKS = {
    "regression": "identity", "regression_l1": "identity", "huber": "identity",
    "fair": "identity", "quantile": "identity", "mape": "identity", "poisson": "exp",
    "gamma": "exp", "tweedie": "exp", "binary": "logistic", "multiclass": "softmax",
    "multiclassova": "logistic", "cross_entropy": "logistic", "xentropy": "logistic",
    "cross_entropy_lambda": "log1p exp", "xentlambda": "log1p exp",
}  # fmt: skip
"""What an objective's sums become."""
_CLASSES = ("binary", "multiclass", "multiclassova")
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_AS_ZERO, _ZERO_IS_MISSING = 0, 1
"""What a split does with a missing value, in the third and fourth bit of its kind; else 2."""
_ENTRY = "pandas_categorical:"


def read_lightgbm(data: bytes) -> Record:
    """Read a model's own text file.

    Raises:
        PickleError: if it is damaged, or answers in a way that no page has.
    """
    return _read(data.decode("utf-8", "replace"), None, None)


def read_lightgbm_pickle(record: Record) -> Record:
    """Read what a pickle holds: a booster, or scikit-learn's interface to one.

    Raises:
        PickleError: if it was never fitted, is damaged, or answers in a way that no page has.
    """
    state = record.attributes
    if record.name == "Booster":
        return _read_booster(record, None)
    booster = state.get("_Booster")
    if not isinstance(booster, Record):
        raise PickleError(f"Its {record.name} was never fitted. Fit it, and save it again.")
    classes = state.get("_classes")
    found = _read_booster(booster, classes if isinstance(classes, np.ndarray) else None)
    if record.name.endswith("Classifier") and "Regressor" in found.path:
        raise PickleError(f"Its {record.name} has an objective that gives no probabilities.")
    return found


def _read_booster(record: Record, classes: Any) -> Record:
    state = record.attributes
    text = state.get("handle") or state.get("_handle") or state.get("model_str")
    if not isinstance(text, str):
        raise PickleError("Its Booster was never fitted. Fit it, and save it again.")
    best = state.get("best_iteration")
    return _read(text, best if isinstance(best, int) and best > 0 else None, classes)


def _read(text: str, rounds: int | None, classes: Any) -> Record:
    try:
        return _make(text, rounds, classes)
    except PickleError:
        raise
    except Exception as error:  # what damaged content raises depends on where it is damaged
        raise PickleError(_DAMAGED) from error


def _make(text: str, rounds: int | None, classes: Any) -> Record:
    """Make the record of a model that answers with its first rounds, or with all for None."""
    head, *blocks = text.split("\nTree=")
    if len(blocks) > MOST_TREES:
        raise PickleError("It has far more trees than a booster has.")
    settings = _read_lines(head)
    name, options = _read_objective(settings)
    outputs = int(settings["num_tree_per_iteration"])
    if (outputs > 1) != name.startswith("multiclass"):
        raise PickleError(
            f"It answers {outputs} numbers for each row, and a page shows one. Fit a model for "
            "the number that you want to show."
        )
    if blocks:
        end = blocks[-1].find("\nend of trees")
        if end < 0:
            raise PickleError("The file is damaged: it breaks off.")
        blocks[-1] = blocks[-1][:end]
    blocks = blocks[: rounds * outputs] if rounds else blocks
    features = int(settings["max_feature_idx"]) + 1
    zeros: set[int] = set()
    trees = [_read_tree(_read_lines(block), zeros) for block in blocks]
    share = outputs / len(trees) if "average_output" in settings and trees else 1.0
    slope = float(options.get("sigmoid", 1)) if name in ("binary", "multiclassova") else 1.0
    for tree in trees:
        tree.value = tree.value * (share * slope)
    state = make_state(trees, [n % outputs for n in range(len(trees))], [0.0] * outputs, features)
    link = "signed square" if "sqrt" in options else _LINKS[name]
    state["link_"] = link
    if zeros:
        _require_alike(trees, zeros)
        state["absent_"] = np.where(np.isin(np.arange(features), list(zeros)), 0.0, np.nan)
    names = settings["feature_names"].split(" ")
    if len(names) != features:
        raise PickleError(_DAMAGED)
    named = None if names == [f"Column_{place}" for place in range(features)] else names
    categories = _read_categories(text, settings.get("feature_infos", ""))
    return encode_categories(make_record(state, name in _CLASSES, classes), named, categories)


def _read_objective(settings: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The objective and its options; a model of one's own objective answers the plain sum."""
    name, *options = settings.get("objective", "regression").split(" ")
    if name not in _LINKS:
        ranks = name in ("lambdarank", "rank_xendcg")
        what = "ranks rows among each other" if ranks else "is not known"
        raise PickleError(f"Its objective {printable(name)} {what}; a page cannot show that.")
    return name, {key: value for key, _, value in (option.partition(":") for option in options)}


def _read_lines(block: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in block.split("\n"))}


def _numbers(tree: Mapping[str, str], key: str, dtype: type, count: int) -> AnyArray:
    """So many numbers of a tree."""
    found: AnyArray = np.array(tree[key].split() if count else [], dtype=dtype)
    if len(found) != count:
        raise PickleError(_DAMAGED)
    return found


def _read_tree(tree: Mapping[str, str], zeros: set[int]) -> TreeArrays:
    """Read a tree: its splits come first, then its leaves.

    Args:
        tree: its lines.
        zeros: gets each column of which 0 counts as missing.
    """
    if tree.get("is_linear", "0").strip() != "0":
        raise PickleError(
            "Its leaves are linear models, which has no ONNX form. Fit it without linear_tree."
        )
    leaves = int(tree["num_leaves"])
    splits = leaves - 1
    left, right, feature, kinds = (
        _numbers(tree, key, np.int64, splits)
        for key in ("left_child", "right_child", "split_feature", "decision_type")
    )
    threshold = _numbers(tree, "threshold", np.float64, splits)
    value = _numbers(tree, "leaf_value", np.float64, leaves)
    missing = kinds >> 2 & 3
    categorical = (kinds & _CATEGORICAL) != 0
    zeros.update(feature[(missing == _ZERO_IS_MISSING) & ~categorical].tolist())
    missing_left = np.where(missing == _AS_ZERO, threshold >= 0, (kinds & _DEFAULT_LEFT) != 0)
    missing_left[categorical] = False  # what is in no set goes right
    sets = {}
    if categorical.any():
        count = int(tree["num_cat"])
        starts = _numbers(tree, "cat_boundaries", np.int64, count + 1)
        words = np.array(tree["cat_threshold"].split(), dtype=np.uint32)
        for node in np.flatnonzero(categorical).tolist():
            number = int(threshold[node])
            if not 0 <= number < count:
                raise PickleError(_DAMAGED)
            part = words[starts[number] : starts[number + 1]].astype("<u4")
            sets[node] = np.flatnonzero(np.unpackbits(part.view(np.uint8), bitorder="little"))
    total = splits + leaves

    def widen(values: AnyArray, fill: Any) -> AnyArray:
        return np.concatenate([values, np.full(leaves, fill, values.dtype)])

    def place(children: AnyArray) -> AnyArray:
        return widen(np.where(children < 0, splits + ~children, children), -1)

    return TreeArrays(
        widen(feature, 0),
        widen(threshold, 0),
        place(left),
        place(right),
        widen(missing_left, False),
        np.concatenate([np.zeros(total - leaves), value]),
        sets,
    )


def _require_alike(trees: Sequence[TreeArrays], zeros: set[int]) -> None:
    """Refuse trees that take a column as a category here and 0 of it as missing there."""
    for tree in trees:
        if any(int(tree.feature[node]) in zeros for node in tree.sets):
            raise PickleError(_DAMAGED)


def _read_categories(text: str, infos: str) -> dict[int, Sequence[Any]]:
    """The categories of each column that pandas called so, in the order of their codes.

    Raises:
        PickleError: if it is not clear which columns they are of.
    """
    start = text.rfind("\n" + _ENTRY)
    if start < 0:
        return {}
    lines = text[start + 1 + len(_ENTRY) :].split("\n", 1)
    listed = json.loads(lines[0])
    if not listed:
        return {}
    kinds = infos.split(" ")
    places = [place for place, kind in enumerate(kinds) if kind != "none" and kind[:1] != "["]
    if len(places) != len(listed):
        raise PickleError(
            f"It has {len(listed)} columns of categories, and used {len(places)} of them. Fit it "
            "without the columns that it does not use."
        )
    return dict(zip(places, listed, strict=True))
