"""Assemblies whose first step takes columns as the data have them, texts among them."""

import copy
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer

from model.making.assembly.assemblies import Assembly, join_steps, select_raw
from model.making.assembly.chains import (
    AS_MISSING,
    AS_ZEROS,
    Step,
    can_miss_zeros,
    describe_steps,
    make_dense_step,
)
from model.making.assembly.contents import Transformer
from model.making.assembly.search import AssemblySearch
from model.making.data.text_cells import looks_written
from model.making.steps.fitted_steps import (
    SCALERS,
    find_categories,
    find_dropped_columns,
    list_steps,
    unwrap_estimator,
)
from model.making.steps.texts import find_own_texts, takes_texts_alone
from model.serving.word_numbers import WordNumbers

MOST_WINDOWS = 12
"""So many runs of neighbouring columns are tried where nothing names those of a model."""


def list_raw(search: AssemblySearch) -> list[Assembly]:
    """List the assemblies whose first step takes raw columns by name, texts among them."""
    own = search.estimator
    if takes_texts_alone(own.fitted):
        return [_take_text(search, name, own.fitted) for name in _choose_texts(search, own.fitted)]
    if _takes_raw(search, own):
        return [take_raw(search, own.names or (), own.fitted)]
    found = []
    for order in search.list_orders():
        if not order or isinstance(order[0].fitted, SCALERS):
            continue
        steps = [Step(part.fitted, part.where) for part in order]
        words, parts = describe_steps(steps), frozenset(part.where for part in order)
        if takes_texts_alone(order[0].fitted):
            fitted_steps = [part.fitted for part in order]
            ways = (
                _pad_words(fitted_steps, search.estimator.fitted)
                if isinstance(fitted_steps[0], WordNumbers)
                else _join_after_texts(fitted_steps, search.estimator.fitted)
            )
            for (way, fitted), name in product(
                ways.items(), _choose_texts(search, order[0].fitted)
            ):
                made = _take_text(search, name, fitted)
                found.append(replace(made, words=(words, *made.words, *way), parts=parts))
            continue
        for names in _list_raw_columns(search, order[0]):
            ways = _join_sparse([part.fitted for part in order], search.estimator.fitted)
            for way, fitted in ways.items():
                made = replace(take_raw(search, names, fitted), words=(words, *way), parts=parts)
                if order[0].names is None and not search.features:
                    is_window = len(names) < len(search.available)
                    made = replace(made, by_place=not is_window, is_window=is_window)
                found.append(made)
    return found


def _list_text_columns(search: AssemblySearch) -> list[str]:
    """The columns that may hold the texts: those that look so, or all that are no numbers."""
    columns = search.features or search.available
    texts = [name for name in columns if not search.columns.is_number(name)]
    written = [name for name in texts if looks_written(search.table[name])]
    return written or texts


def _choose_texts(search: AssemblySearch, fitted: Any) -> list[str]:
    """Those of them that may be the model's: the ones with all of its words, where there are any.

    The texts that code made others of, as by stemming, lie beside these in many files.
    """
    names = _list_text_columns(search)
    return (find_own_texts(fitted, search.table[names]) if names[1:] else []) or names


_Ways = dict[tuple[str, ...], Any]
"""Pipelines of the same parts, by the words that set them apart."""


def _join_after_texts(steps: list[Any], estimator: Any) -> _Ways:
    """Join steps of which the first takes texts; the others get an array where they need it."""
    ways = _join_sparse(steps, estimator)
    with suppress(Exception), warnings.catch_warnings(action="ignore"):
        next(iter(ways.values())).predict(["a"])
        return ways
    width = steps[0].transform(["a"]).shape[1]
    return {(): join_steps([steps[0], make_dense_step(width), *steps[1:]], estimator)}


def _pad_words(steps: list[Any], estimator: Any) -> _Ways:
    """Join the numbers of words and a network, in each way to bring them to its length.

    A step that says how, because its author wrote it there, is taken at its word.
    """
    words, *others = steps
    ways: _Ways = {}
    for padding, truncating in product(("pre", "post"), repeat=2):
        if words.padding in ("", padding) and words.truncating in ("", truncating):
            made = copy.copy(words)
            made.maxlen, made.padding, made.truncating = (
                estimator.n_features_in_, padding, truncating,
            )  # fmt: skip
            way = f"padding={padding!r}, truncating={truncating!r}"
            ways[way,] = join_steps([made, *others], estimator)
    return ways


def _join_sparse(steps: list[Any], estimator: Any) -> _Ways:
    """Join steps; both ways where a model of XGBoost may have got their sparse matrix, or an array.

    What such a matrix does not store is missing to it, and not 0.
    """
    joined = join_steps(steps, estimator)
    last = list_steps(steps[-1])[-1]
    is_sparse = getattr(last, "sparse_output_", getattr(last, "sparse_output", None))
    if is_sparse is None:
        is_sparse = takes_texts_alone(steps[0])
    if not is_sparse or not can_miss_zeros(estimator):
        return {(): joined}
    dense = join_steps([*steps, make_dense_step(estimator.n_features_in_)], estimator)
    return {(AS_MISSING,): joined, (AS_ZEROS,): dense}


def _take_text(search: AssemblySearch, name: str, fitted: Any) -> Assembly:
    """The assembly of a model that takes the texts of one column."""
    many = len(_list_text_columns(search)) > 1
    words = (f"the texts of {name}",) if many else ()
    return Assembly((name,), (), (), None, words, fitted=fitted, alone=True)


def _list_raw_columns(search: AssemblySearch, part: Transformer) -> list[tuple[str, ...]]:
    """The columns that a first step may take as the data have them, texts among them."""
    if part.names is not None:
        return [part.names] if _takes_raw(search, part) else []
    starts = range(min(len(search.available) - part.count + 1, MOST_WINDOWS))
    windows = [search.available[start : start + part.count] for start in starts]
    return [
        names
        for names in ([search.features] if search.features else windows)
        if len(names) == part.count
        and _are_texts(search, part, names)
        and _find_texts(search, part.fitted, names) is not None
    ]


def take_raw(search: AssemblySearch, names: tuple[str, ...], fitted: Any) -> Assembly:
    """Make the assembly of a model that takes columns as the data have them."""
    as_categories = bool(_find_texts(search, fitted, names))
    return Assembly(names, (), (), None, (), fitted=fitted, as_categories=as_categories)


def _takes_raw(search: AssemblySearch, part: Transformer) -> bool:
    """Whether a part takes named columns that are all there, and at least one is no number."""
    names = part.names
    if names is None or not set(names) <= set(search.available):
        return False
    columns = isinstance(unwrap_estimator(part.fitted), ColumnTransformer)
    if not columns and not _are_texts(search, part, names):
        return False
    return _find_texts(search, part.fitted, names) is not None


def _are_texts(search: AssemblySearch, part: Transformer, names: Sequence[str]) -> bool:
    """Whether there are texts among columns, and none that a part would take for a number."""
    encoded = {*find_categories(part.fitted, names), *find_dropped_columns(part.fitted, names)}
    texts = [name for name in names if not search.columns.is_number(name)]
    return bool(texts) and all(
        name in encoded or pd.to_numeric(search.table[name].dropna(), errors="coerce").isna().any()
        for name in texts
    )


def _find_texts(search: AssemblySearch, fitted: Any, names: Sequence[str]) -> bool | None:
    """Whether a part takes texts as categories of pandas; None where it takes no texts."""
    table = search.table[list(names)]
    rows = table.dropna().head(3) if len(table.dropna()) else table.head(3)
    for as_categories in (False, True):
        # It may take them in another form.
        with suppress(Exception), warnings.catch_warnings(action="ignore"):
            ask = getattr(fitted, "predict", None) or fitted.transform
            ask(select_raw(search.table, names, rows.index, as_categories))
            return as_categories
    return None
