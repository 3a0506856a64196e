"""Steps one after another and side by side."""

from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np

from model.contract.pickles.labels import read_labels
from model.contract.pickles.records import GlobalName, Record
from model.serving.estimators.attributes import EstimatorSchema, State, decode
from model.serving.estimators.checks import check_same_sizes, decode_template, require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.functions import decode_function
from model.serving.estimators.kinds import left_out

_MOST_STEPS = 10_000
_PLACE = 40
"""Bytes of a column's place."""
_SAMPLERS = ("imblearn.over_sampling.", "imblearn.under_sampling.", "imblearn.combine.")
_MOST_OUTPUTS = 100_000_000
_MOST_NAMED = 2000
"""Columns whose names are made to count them."""


def _decode_step(value: Any, word: str, state: State) -> Any:
    """Decode an estimator, or the word for none; until 0.21 and 0.24 it was None."""
    if value is None or (isinstance(value, str) and value == word):
        return word
    if isinstance(value, Record) and value.path.startswith(_SAMPLERS):
        return "passthrough"  # it changes the rows of a fit alone
    if isinstance(value, str) and value == "passthrough":
        return value
    return decode("estimator", value, state)


def _decode_steps(value: Any, state: State) -> list[tuple[str, Any]]:
    """Decode steps one after another: each takes as many columns as the one before gives."""
    steps = [
        (name, _decode_step(step, "passthrough", state)) for name, step in _list_pairs(value, 2)
    ]
    width = None
    for place, (_, step) in enumerate(steps):
        if isinstance(step, str):
            continue
        features = getattr(step, "n_features_in_", None)
        if width is not None and features is not None:
            check_same_sizes(width, features, state, "steps")
        if place < len(steps) - 1:
            _require_transformer(step, state)
            width = _count_outputs(step)
    return steps


def _require_transformer(step: Any, state: State) -> None:
    name = type(step).__name__
    require(hasattr(step, "transform"), state, f"has {name} as a step, which transforms nothing")


def _count_outputs(step: Any) -> int | None:
    """Count the columns that a fitted step gives; None where that is not known."""
    if isinstance(step, str) or getattr(step, "split_sign", False):
        return None  # scikit-learn counts half of the columns of a coder that splits them
    if type(step).__name__ == "Pipeline":
        return _count_outputs(step.steps[-1][1])
    if type(step).__name__ == "FeatureUnion":
        counts = [_count_outputs(part) for _, part in step.transformer_list if part != "drop"]
        return None if None in counts else sum(filter(None, counts))
    for name in ("n_output_features_", "n_features_out_", "_n_features_out"):
        count = vars(step).get(name)
        if isinstance(count, int):
            return count
    if type(step).__name__ in ("HashingVectorizer", "FeatureHasher"):
        return int(step.n_features)
    if "vocabulary_" in vars(step):
        return len(step.vocabulary_)
    if hasattr(step, "get_support"):
        return int(step.get_support().sum())
    if getattr(step, "n_features_in_", 0) > _MOST_NAMED:
        return None
    with suppress(Exception):  # what a step raises that cannot name its columns is its own
        return len(step.get_feature_names_out())
    return None


def _decode_side_steps(value: Any, state: State) -> list[tuple[str, Any]]:
    """Decode steps side by side, which take the same columns."""
    steps = [(name, _decode_step(step, "drop", state)) for name, step in _list_pairs(value, 2)]
    features = set()
    for _, step in steps:
        if not isinstance(step, str):
            _require_transformer(step, state)
            features.add(getattr(step, "n_features_in_", None))
    require(len(features - {None}) < 2, state, "has steps of different numbers of columns")
    state.growth *= max(1, sum(_count_outputs(step) is None for _, step in steps))
    return steps


def _list_pairs(value: Any, length: int) -> list[Any]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= _MOST_STEPS:
        raise MismatchError
    for item in value:
        known = isinstance(item, list | tuple) and len(item) == length
        if not known or not isinstance(item[0], str):
            raise MismatchError
    return list(value)


def _decode_weights(value: Any, state: State) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise MismatchError
    return {name: decode("float", weight, state) for name, weight in value.items()}


# Columns


def _read_columns(state: State) -> None:
    """Read how many columns came in, and their names, as they were kept until 0.24 and 1.5."""
    raw = state.raw
    raw.pop("_columns", None)
    index = raw.get("_df_columns")
    known = read_labels(index) if isinstance(index, Record) else None
    names = raw.get("_feature_names_in") if known is None else known
    if raw.get("feature_names_in_") is None and names is not None:
        raw["feature_names_in_"] = np.asarray(names, dtype=object)
    if raw.get("n_features_in_") is None:
        raw["n_features_in_"] = raw.get("_n_features")
    if raw.get("n_features_in_") is None and raw.get("feature_names_in_") is not None:
        raw["n_features_in_"] = len(raw["feature_names_in_"])


def _decode_column_steps(value: Any, state: State) -> list[tuple[str, Any, Any]]:
    """Decode the fitted steps, with their columns as places."""
    from sklearn.preprocessing import FunctionTransformer

    require("features" in state.sizes, state, "does not say how many columns it takes")
    steps = []
    for name, step, columns in _list_pairs(value, 3):
        places = _find_places(columns, state)
        if isinstance(places, list):
            state.reviver.uses.take(value, _PLACE * len(places))
        # A step of no columns was never fitted, and does nothing.
        made = "drop" if places == [] else _decode_step(step, "drop", state)
        width = 1 if isinstance(places, int) else len(places)
        if isinstance(made, str) and made == "passthrough":
            # until 1.5 the word was kept, where the estimator is now
            made = FunctionTransformer(
                accept_sparse=True, check_inverse=False, feature_names_out="one-to-one"
            )
            made.n_features_in_ = width
        elif not isinstance(made, str) and not isinstance(places, int):
            features = getattr(made, "n_features_in_", width)
            check_same_sizes(features, width, state, "columns and steps")
        if not isinstance(made, str):
            _require_transformer(made, state)
        _pass_names(made, places, state)
        steps.append((name, made, places))
    return steps


def _pass_names(step: Any, places: Any, state: State) -> None:
    """Tell the first estimator of a step the names of its columns, which 1.0 began to keep."""
    names = state.values.get("feature_names_in_")
    while type(step).__name__ == "Pipeline":
        step = step.steps[0][1]
    if names is None or isinstance(step, str) or isinstance(places, int):
        return
    if getattr(step, "n_features_in_", None) == len(places) and state.release < (1, 0):
        vars(step).setdefault("feature_names_in_", names[places])


def _find_places(columns: Any, state: State) -> Any:
    """The places of columns that are given by place, name, flag, range or in a list of these."""
    features = state.sizes["features"]
    if isinstance(columns, Record) and columns.name == "_RemainderColsList":
        columns = columns.items or columns.attributes.get("data", [])
    if isinstance(columns, slice):
        return _find_range(columns, state)
    if isinstance(columns, np.ndarray):
        columns = decode("label[*]", columns, state).tolist()
    if not isinstance(columns, list | tuple):
        return _find_place(columns, state)
    if columns and all(isinstance(each, bool | np.bool_) for each in columns):
        if len(columns) != features:
            raise MismatchError
        return [place for place, chosen in enumerate(columns) if chosen]
    return [_find_place(each, state) for each in columns]


def _find_place(column: Any, state: State) -> int:
    if isinstance(column, str):
        require(
            "feature_names_in_" in state.values, state, "chooses columns by name, and has no names"
        )
        places = state.raw.get("_places")
        if places is None:
            names = state.values["feature_names_in_"]
            places = state.raw["_places"] = _index_names(names)
        if column not in places:
            raise MismatchError
        return int(places[column])
    place = int(decode("int", column, state))
    features = state.sizes["features"]
    if not -features <= place < features:
        raise MismatchError
    return place % features


def _index_names(names: Any) -> dict[str, int]:
    """The place of each name that only one column has."""
    count = Counter(names.tolist())
    return {name: place for place, name in enumerate(names.tolist()) if count[name] == 1}


def _find_range(columns: slice, state: State) -> list[int]:
    """The places of a range, whose end counts where it is a name."""
    ends = [columns.start, columns.stop]
    if any(isinstance(end, str) for end in ends):
        low = 0 if ends[0] is None else _find_place(ends[0], state)
        high = state.sizes["features"] - 1 if ends[1] is None else _find_place(ends[1], state)
        return list(range(low, high + 1))  # scikit-learn takes no steps here
    bounds = [decode("none | int", end, state) for end in (*ends, columns.step)]
    if bounds[2] == 0:
        raise MismatchError
    return list(range(state.sizes["features"]))[slice(*bounds)]


def _decode_asked_steps(value: Any, state: State) -> Any:
    """Decode the steps that were asked for; those that came of them are read."""
    return [
        (str(item[0]), "drop" if isinstance(item[1], str) else decode_template(item[1], state), [])
        for item in _list_pairs(value, 3)
    ]


def _decode_remainder(value: Any, state: State) -> Any:
    return value if value in ("drop", "passthrough") else decode_template(value, state)


def _complete_columns(state: State) -> None:
    """Compute where each step finds its columns, and what is done with the rest."""
    values = state.values
    steps = values["transformers_"]
    names = [name for name, _, _ in steps]
    require(len(set(names)) == len(names), state, "has two steps of one name")
    values["_transformer_to_input_indices"] = {
        name: [places] if isinstance(places, int) else places for name, _, places in steps
    }
    values["_transformer_to_input_indices"].setdefault("remainder", [])
    asked = [step for step in steps if step[0] != "remainder"]
    values["transformers"] = asked
    values["_columns"] = [places for _, _, places in asked]
    rest = values["_transformer_to_input_indices"]["remainder"]
    values["_remainder"] = ("remainder", values["remainder"], rest)
    values["output_indices_"] = _find_outputs(state)
    values["_n_features"], values["_name_to_fitted_passthrough"] = state.sizes["features"], {}


def _find_outputs(state: State) -> dict[str, slice]:
    """Find the columns that each step gives, which 1.0 began to keep; they stand side by side."""
    kept = state.raw.get("output_indices_")
    found, start = {}, 0
    for name, step, places in state.values["transformers_"]:
        known = kept.get(name) if isinstance(kept, dict) else None
        width = 0 if isinstance(step, str) else 1 if isinstance(places, int) else len(places)
        if width and isinstance(known, slice):
            low, high = (decode("int", end, state) for end in (known.start, known.stop))
            require(0 <= low <= high <= _MOST_OUTPUTS, state, "gives columns that are not there")
            width = high - low
        elif width:
            width = _count_outputs(step) or width
        found[name] = slice(start, start + width)
        start += width
    return {"remainder": slice(0, 0), **found}


# The target


def _check_dimensions(state: State) -> None:
    require(state.values["_training_dim"] in (1, 2), state, "has a target of other dimensions")


def _leave_names(value: Any, state: State) -> Any:
    """Leave out a function that names columns; prediction does not read it."""
    return True if isinstance(value, GlobalName | Record) else decode("bool | text", value, state)


SCHEMAS = {
    "Pipeline": EstimatorSchema(
        "pipeline",
        {},
        {"steps": _decode_steps, "transform_input": left_out()},
    ),
    "FeatureUnion": EstimatorSchema(
        "pipeline",
        {},
        {"transformer_list": _decode_side_steps, "transformer_weights": _decode_weights},
    ),
    "ColumnTransformer": EstimatorSchema(
        "compose",
        {"transformers_": _decode_column_steps, "sparse_output_": "bool"},
        {
            "transformers": _decode_asked_steps,
            "transformer_weights": _decode_weights,
            "remainder": _decode_remainder,
            "verbose_feature_names_out": _leave_names,
        },
        migrate=(_read_columns,),
        complete=(_complete_columns,),
    ),
    "TransformedTargetRegressor": EstimatorSchema(
        "compose",
        {
            "regressor_": "estimator",
            "transformer_": "estimator",
            "_training_dim": "int",
        },
        {
            "func": decode_function,
            "inverse_func": decode_function,
        },
        complete=(_check_dimensions,),
    ),
}
