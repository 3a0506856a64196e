"""Columns of categories before a booster: their values become the codes that it was fitted to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sklearn

from model.contract.pickles import PickleError, Record


def encode_categories(
    model: Record, names: Sequence[str] | None, categories: Mapping[int, Sequence[Any]]
) -> Record:
    """Return the record of a model that takes values in place of codes.

    Args:
        model: the record of an additive model, which takes codes.
        names: of its columns, where it has any.
        categories: the values of columns by their place, in the order of their codes.

    Raises:
        PickleError: if a column has a category twice.
    """
    state: Any = model.state
    count = state["n_features_in_"]
    named = name_columns(names)
    if not categories:
        state |= named
        return model
    coded = sorted(categories)
    for place in coded:
        if len(set(categories[place])) != len(categories[place]):
            raise PickleError("It has a column with a category twice.")
    others = [place for place in range(count) if place not in categories]
    order = [*coded, *others]
    place_of = np.empty(count, dtype=np.int64)
    place_of[order] = np.arange(count)
    state["feature_"] = place_of[state["feature_"]]
    for name in ("coefficients_", "absent_"):
        if name in state:
            state[name] = state[name][order]
    encoder = {
        "handle_unknown": "use_encoded_value",
        "unknown_value": np.nan,
        "categories": None,  # given, not learned: a booster takes missing values, too
        "categories_": [make_values(categories[place]) for place in coded],
    }
    own = {key: values[coded] for key, values in named.items()}
    made = Record("sklearn.preprocessing._encoders.OrdinalEncoder", (), encoder | own)
    return put_before(
        model, [("categories", made, coded)], others, named | {"n_features_in_": count}
    )


def name_columns(names: Sequence[str] | None) -> dict[str, Any]:
    """Return scikit-learn's attribute for the names of columns; none where these have no names."""
    return {} if names is None else {"feature_names_in_": np.array(names, dtype=object)}


def put_before(
    model: Record,
    encoders: Sequence[tuple[str, Record, list[int]]],
    others: list[int],
    columns: Mapping[str, Any],
) -> Record:
    """Return the record of a pipeline that encodes columns before a model.

    Args:
        model: the record of what takes the encoded columns, and behind them the others.
        encoders: the records of encoders, each with a name and the places of its columns.
        others: the places of the other columns.
        columns: how many come in, and what they are called, as scikit-learn's attributes.
    """
    steps: list[tuple[str, object, list[int]]] = [*encoders]
    if others:
        steps.append(("numbers", "passthrough", others))
    state = {"transformers": steps, "transformers_": steps, "sparse_output_": False, **columns}
    first = Record("sklearn.compose._column_transformer.ColumnTransformer", (), state)
    chain = [("columns", first), ("model", model)]
    return Record(
        "sklearn.pipeline.Pipeline", (), {"_sklearn_version": sklearn.__version__, "steps": chain}
    )


def make_values(values: Sequence[Any]) -> Any:
    """Make the categories of a column: an array of numbers where all are, else of objects."""
    plain = all(isinstance(value, int | float) for value in values)
    return np.array(values, dtype=None if plain else object)
