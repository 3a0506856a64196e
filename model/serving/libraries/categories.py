"""Columns of categories before a booster: their values become the codes that it was fitted to."""

from __future__ import annotations

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
    version = {"_sklearn_version": sklearn.__version__}
    count = state["n_features_in_"]
    named = {} if names is None else {"feature_names_in_": np.array(names, dtype=object)}
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
        if state[name] is not None:
            state[name] = state[name][order]
    encoder = Record(
        "sklearn.preprocessing._encoders.OrdinalEncoder",
        (),
        version
        | {
            "categories": "auto",
            "dtype": np.dtype(np.float64),
            "handle_unknown": "use_encoded_value",
            "unknown_value": np.nan,
            "encoded_missing_value": np.nan,
            "min_frequency": None,
            "max_categories": None,
            "categories_": [_make_values(categories[place]) for place in coded],
            "_missing_indices": {},
            "_infrequent_enabled": False,
            "n_features_in_": len(coded),
        }
        | {key: values[coded] for key, values in named.items()},
    )
    steps: list[tuple[str, object, list[int]]] = [("categories", encoder, coded)]
    if others:
        steps.append(("numbers", "passthrough", others))
    columns = Record(
        "sklearn.compose._column_transformer.ColumnTransformer",
        (),
        version
        | named
        | {
            "transformers": steps,
            "transformers_": steps,
            "remainder": "drop",
            "sparse_output_": False,
            "n_features_in_": count,
        },
    )
    chain = [("columns", columns), ("model", model)]
    return Record("sklearn.pipeline.Pipeline", (), version | {"steps": chain})


def _make_values(values: Sequence[Any]) -> Any:
    plain = all(isinstance(value, int | float) for value in values)
    return np.array(values, dtype=None if plain else object)
