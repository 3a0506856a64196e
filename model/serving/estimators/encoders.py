"""Encoding choices and labels."""

from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils._missing import is_scalar_nan

from model.serving.estimators.attributes import (
    Attributes,
    EstimatorSchema,
    State,
    check_places,
    decode,
)
from model.serving.estimators.checks import check_same_sizes, require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.functions import decode_dtype
from model.serving.estimators.kinds import left_out, one_of, preset, renamed

_MOST_COLUMNS = 1_000_000


def _read_ranges(state: State) -> None:
    """Read the categories of an encoder of whole numbers, as it was until 0.19."""
    raw = state.raw
    if raw.get("categories_") is not None or raw.get("feature_indices_") is None:
        return
    chosen = raw.get("categorical_features", "all")
    require(
        chosen is None or (isinstance(chosen, str) and chosen == "all"),
        state,
        "encodes some of its columns alone, which 0.22 took out",
    )
    starts = decode("int[*]", raw["feature_indices_"], state)
    require(len(starts) > 1, state, "encodes no columns")
    if raw.get("active_features_") is not None:
        active = decode("int[*]", raw["active_features_"], state)
    else:
        require(int(starts[-1]) <= _MOST_COLUMNS, state, "makes far too many columns")
        active = np.arange(int(starts[-1]))
    raw["categories_"] = [
        active[(active >= low) & (active < high)] - low for low, high in pairwise(starts)
    ]


def _decode_known(value: Any, state: State) -> list[Any]:
    """Decode each column's categories: each once, and numbers from the lowest on.

    Numbers are looked up by bisection. Out of order, that gives a column that is not there, and C
    code writes to it where the columns become a matrix.
    """
    known: list[Any] = decode("list[features] of label[*]", value, state)
    for categories in known:
        found = categories
        if not len(categories):
            raise MismatchError
        if categories.dtype.kind == "f" and len(categories) and np.isnan(categories[-1]):
            found = categories[:-1]  # what is missing comes last
        if categories.dtype.kind in "biuf":
            if not (found[1:] > found[:-1]).all():
                raise MismatchError
        elif len(set(found.tolist())) != len(found):
            raise MismatchError
    return known


def _decode_given(value: Any, state: State) -> Any:
    """Decode whether the categories were learned from rows, "auto", or given, for None.

    Prediction does not read which ones were given.
    """
    return "auto" if isinstance(value, str) else None


def _decode_drop_indices(value: Any, state: State) -> Any:
    """Decode which category of each column is left out, shape (features,), object."""
    if type(value) is not np.ndarray or value.dtype.kind not in "iuO":
        raise MismatchError
    state.fit_sizes(("features",), value.shape)
    places = [decode("none | int", each, state) for each in value]
    for place, known in zip(places, state.values["categories_"], strict=True):
        if place is not None and not 0 <= place < len(known):
            raise MismatchError
    return np.fromiter(places, object, len(places))


def _decode_places(value: Any, state: State) -> Any:
    """Decode for each column places of its categories, or None."""
    lists = decode("list[features] of int[*]/none", value, state)
    return [
        None if each is None else check_places(each, len(known))
        for each, known in zip(lists, state.values["categories_"], strict=True)
    ]


def _complete_groups(state: State) -> None:
    """Hold the groups of rare categories against the categories, and add what 1.1 brought."""
    values = state.values
    enabled = "_infrequent_indices" in values and any(
        each is not None for each in values["_infrequent_indices"]
    )
    values["_infrequent_enabled"] = enabled
    if not enabled:
        return
    require("_default_to_infrequent_mappings" in values, state, "has groups without categories")
    for known, rare, mapping in zip(
        values["categories_"],
        values["_infrequent_indices"],
        values["_default_to_infrequent_mappings"],
        strict=True,
    ):
        require((rare is None) == (mapping is None), state, "has a group without categories")
        if mapping is None:
            continue
        check_same_sizes(len(mapping), len(known), state, "categories and groups")
        require(0 < len(np.unique(rare)) == len(rare), state, "has a group that is none")
        groups = len(known) - len(rare) + 1
        require(int(mapping.max()) < groups, state, "has a category in a group that is not there")


def _complete_one_hot(state: State) -> None:
    """Compute what is left out of the columns."""
    _complete_groups(state)
    values = state.values
    values.setdefault("drop_idx_", None)
    values.setdefault("_drop_idx_after_grouping", values["drop_idx_"])
    if values["drop_idx_"] is None:
        values["_drop_idx_after_grouping"] = None
    elif values["_infrequent_enabled"]:
        for dropped, mapping in zip(
            values["_drop_idx_after_grouping"],
            values["_default_to_infrequent_mappings"],
            strict=True,
        ):
            known = dropped is None or mapping is None or dropped <= int(mapping.max())
            require(known, state, "leaves out a group that is not there")
    values["drop"] = None if values["drop_idx_"] is None else "first"


def _count_columns(made: Any, state: State) -> Any:
    made._n_features_outs = made._compute_n_features_outs()
    return made


def _find_missing(state: State) -> None:
    """Compute which category of each column stands for what is missing: the last, if any."""
    _complete_groups(state)
    state.values["_missing_indices"] = {
        place: len(known) - 1
        for place, known in enumerate(state.values["categories_"])
        if len(known) and is_scalar_nan(known[-1])
    }


def _check_encodings(state: State) -> None:
    """Check that each category has its number, for each class where there are several."""
    values = state.values
    values["_infrequent_enabled"] = False
    several = values["target_type_"] == "multiclass"
    classes = len(values["classes_"]) if several else 1
    encodings, known = values["encodings_"], values["categories_"]
    check_same_sizes(len(encodings), len(known) * classes, state, "categories and encodings")
    for place, each in enumerate(encodings):
        check_same_sizes(len(each), len(known[place // classes]), state, "categories and encodings")


def _check_label_kind(state: State) -> None:
    classes, kind = len(state.values["classes_"]), state.values["y_type_"]
    require(
        classes > 0 and (kind != "binary" or classes <= 2), state, "has classes that do not fit"
    )


_CATEGORIES: Attributes = {"categories_": _decode_known}


_GROUPS: Attributes = {
    "_infrequent_indices?": _decode_places,
    "_default_to_infrequent_mappings?": _decode_places,
}


_ENCODER: Attributes = {"dtype": decode_dtype, "categories": _decode_given}


SCHEMAS = {
    "OneHotEncoder": EstimatorSchema(
        "preprocessing",
        {
            **_CATEGORIES,
            **_GROUPS,
            "drop_idx_?": _decode_drop_indices,
            "_drop_idx_after_grouping?": _decode_drop_indices,
        },
        {**_ENCODER, "drop": left_out()},
        reads="handle_unknown sparse_output",
        migrate=(renamed(sparse="sparse_output"), _read_ranges),  # 1.2, 0.20
        complete=(_complete_one_hot,),
        finish=_count_columns,
    ),
    "OrdinalEncoder": EstimatorSchema(
        "preprocessing",
        {**_CATEGORIES, **_GROUPS},
        {
            **_ENCODER,
            "unknown_value": "none | int | float",
            "encoded_missing_value": "int | float",
        },
        reads="handle_unknown",
        complete=(_find_missing,),
    ),
    "TargetEncoder": EstimatorSchema(
        "preprocessing",
        {
            **_CATEGORIES,
            "encodings_": "list of float[*]",
            "target_mean_": "float | float[*]",
            "target_type_": one_of("continuous", "binary", "multiclass"),
            "classes_?": "label[*]",
        },
        {"categories": left_out("auto")},
        complete=(_check_encodings,),
    ),
    "LabelEncoder": EstimatorSchema("preprocessing", {"classes_": "label[classes]"}),
    "LabelBinarizer": EstimatorSchema(
        "preprocessing",
        {
            "classes_": "label[classes]",
            "y_type_": one_of(
                "binary", "multiclass", "multilabel-indicator", "multiclass-multioutput"
            ),
            "sparse_input_": "bool",
        },
        {"neg_label": "int", "pos_label": "int"},
        reads="sparse_output",
        complete=(_check_label_kind,),
    ),
    "MultiLabelBinarizer": EstimatorSchema(
        "preprocessing",
        {"classes_": "label[classes]"},
        {"classes": left_out()},
        reads="sparse_output",
        complete=(preset(_cached_dict=None),),
    ),
}
