"""The vectorisers in an estimator: which texts they take, and what is made of their columns."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from model.contract.arrays import Float32Array, Float64Array
from model.making.steps.fitted_steps import find_parts, is_step, list_steps, unwrap_estimator
from model.serving.texts.analyzer import Analyzer
from model.serving.texts.vectorizer import Options, Vectorizer, mark_seen
from model.serving.word_numbers import WordNumbers

VECTORIZERS = (CountVectorizer, HashingVectorizer)
"""The vectorisers of scikit-learn; one of tf-idf is one of counts, too."""

MOST_COLUMNS = 200_000
"""Columns of a vectoriser above which its model is not compiled: a row would take a megabyte."""

MOST_SPLIT = 20_000
"""Texts whose words are compared with those of a vectoriser."""
_COUNTED = 10
"""Texts with a term from which its frequency is compared."""
_COMPARED = 200
"""Texts that are compared with those of which code may have made them."""
_FROM_ORIGIN = 0.9
"""The share of their words that begin as one of the original text does; that of a title is less."""
_LOST, _LEAST_LOST = 0.02, 3
"""The share of such words that are in no text from which code made them, and the least of them."""


def find_vectorizers(fitted: Any) -> Iterator[Any]:
    """Yield the vectorisers anywhere in a fitted object."""
    return find_parts(fitted, lambda part: isinstance(part, VECTORIZERS))


def takes_texts_alone(fitted: Any) -> bool:
    """Whether a part takes a list of texts, and not a table."""
    first = list_steps(fitted)[0]
    if isinstance(first, FeatureUnion):
        return any(takes_texts_alone(step) for _, step in first.transformer_list if is_step(step))
    if isinstance(first, (*VECTORIZERS, WordNumbers)):
        return True
    names = getattr(fitted, "feature_names_in_", None)
    tables = isinstance(first, ColumnTransformer) or hasattr(fitted, "n_features_in_")
    return names is None and not tables and any(find_vectorizers(fitted))


def list_branches(fitted: Any, names: Sequence[str]) -> dict[str, tuple[str, list[Any]]]:
    """Find the columns whose texts are vectorised.

    ``names`` are the columns that it takes, in its order.

    Returns:
        By column: the branch of the ColumnTransformer that takes it, "" where there is none, and
        the steps up to where all columns come together.
    """
    first, *others = list_steps(fitted)
    if isinstance(first, FeatureUnion):
        # Several parts may take the same text, so the words of the union count, not of one part.
        parts = [list_branches(part, names) for _, part in first.transformer_list if is_step(part)]
        union = "", [first, *others[:-1]]
        return {name: union for part in parts for name in part}
    if isinstance(first, ColumnTransformer):
        found = {}
        for branch, transformer, _ in first.transformers_:
            places = first._transformer_to_input_indices[branch]
            if len(places) == 1 and is_step(transformer) and any(find_vectorizers(transformer)):
                found[names[places[0]]] = branch, list_steps(transformer)
        return found
    if len(names) == 1 and takes_texts_alone(fitted):
        return {names[0]: ("", [first, *others[:-1]])}
    return {}


def split_branch(steps: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Split the steps of a branch into the vectoriser, with its tf-idf, and those after it."""
    is_counted = len(steps) > 1 and isinstance(steps[1], TfidfTransformer)
    count = 1 + is_counted
    return list(steps[:count]), list(steps[count:])


def describe_vectorizer(steps: Sequence[Any], texts: Iterable[str]) -> Vectorizer:
    """Describe the vectoriser at the beginning of a branch.

    Args:
        steps: of the branch.
        texts: those of the data; of a vectoriser that is not known here, the words in them count as
            those that it knows.
    """
    (first, *weighing), _ = split_branch(steps)
    known = first if isinstance(first, VECTORIZERS) else next(find_vectorizers(first), None)
    own_code = known is None or any(
        callable(part) for part in (known.tokenizer, known.preprocessor, known.analyzer)
    )
    analyzer = Analyzer() if own_code else _describe_analyzer(known)
    if own_code or known is not first or isinstance(known, HashingVectorizer):
        made = Vectorizer(Options(analyzer=analyzer, transforms=False), {})
        if isinstance(first, WordNumbers):
            texts = [" ".join(first.words)]
        return Vectorizer(
            made.options, {}, seen=mark_seen({w for t in texts for w in made.shortest.split(t)})
        )
    weights = weighing[0] if weighing else known if isinstance(known, TfidfVectorizer) else None
    options = Options(
        analyzer=analyzer,
        binary=bool(known.binary),
        sublinear_tf=bool(weights is not None and weights.sublinear_tf),
        norm=None if weights is None else weights.norm,
    )
    # Numbers of NumPy, and texts that are no plain ones, stand in some files.
    vocabulary = {str(term): int(place) for term, place in known.vocabulary_.items()}
    idf = weights.idf_ if weights is not None and weights.use_idf else None
    return Vectorizer(options, vocabulary, None if idf is None else np.asarray(idf, np.float64))


def _describe_analyzer(vectorizer: Any) -> Analyzer:
    low, high = vectorizer.ngram_range
    return Analyzer(
        analyzer=vectorizer.analyzer,
        ngram_range=(int(low), int(high)),
        token_pattern=vectorizer.token_pattern,
        lowercase=bool(vectorizer.lowercase),
        strip_accents=vectorizer.strip_accents or None,
        stop_words=frozenset(vectorizer.get_stop_words() or ()),
    )


def find_coefficients(
    fitted: Any, branch: str, steps: Sequence[Any], width: int
) -> Float32Array | None:
    """Find what a linear model makes of a vectoriser's columns, by class.

    Args:
        fitted: the whole estimator.
        branch: of the ColumnTransformer, "" where there is none.
        steps: of this branch.
        width: the columns of the vectoriser.

    Returns:
        Shape (classes, width), or (1, width) for a number; None where the model is not linear in
        them.
    """
    whole = unwrap_estimator(fitted)
    first, *others = list_steps(whole)
    between = others[:-1]
    coefficients = None if isinstance(whole, TransformedTargetRegressor) else _read_linear(
        others[-1] if others else None
    )  # fmt: skip
    if coefficients is None:
        return None
    inside = split_branch(steps)[1]
    if not branch:
        between = []  # they are the branch's own
    for step in reversed(between):
        coefficients = _undo(step, coefficients)
        if coefficients is None:
            return None
    if branch:
        coefficients = coefficients[:, first.output_indices_[branch]]
        coefficients = coefficients * (first.transformer_weights or {}).get(branch, 1)
    for step in reversed(inside):
        coefficients = _undo(step, coefficients)
        if coefficients is None:
            return None
    return coefficients.astype(np.float32) if coefficients.shape[1] == width else None


def _read_linear(last: Any) -> Float64Array | None:
    """The coefficients of a linear model, a row a class, or one row for a number."""
    if not type(last).__module__.startswith(
        ("sklearn.linear_model.", "sklearn.svm.", "sklearn.naive_bayes")
    ):
        return None
    found = getattr(last, "coef_", None)
    if found is None and type(last).__name__ in ("MultinomialNB", "ComplementNB"):
        found = last.feature_log_prob_
    if found is None or hasattr(found, "toarray"):
        return None
    coefficients = np.atleast_2d(np.asarray(found, dtype=np.float64))
    classes = getattr(last, "classes_", None)
    if classes is None:
        return coefficients if len(coefficients) == 1 else None
    if len(coefficients) == 1 and len(classes) == 2:
        return np.vstack([0 * coefficients, coefficients])
    return coefficients if len(coefficients) == len(classes) else None


def _undo(step: Any, coefficients: Float64Array) -> Float64Array | None:
    """The coefficients of what a step takes, from those of what it gives."""
    if isinstance(step, SelectorMixin):
        chosen = step.get_support()
        wide = np.zeros((len(coefficients), len(chosen)))
        wide[:, chosen] = coefficients
        return wide
    if isinstance(step, TruncatedSVD):
        return np.asarray(coefficients @ step.components_)
    if isinstance(step, MaxAbsScaler):
        return np.asarray(coefficients / step.scale_)
    if isinstance(step, StandardScaler) and not step.with_mean:
        return coefficients if step.scale_ is None else np.asarray(coefficients / step.scale_)
    return None


def count_texts(
    split: Callable[[str], list[str]], texts: Iterable[str], by_occurrence: bool = False
) -> Counter[str]:
    """Count in how many texts each term is, or how often it is in all of them."""
    counts: Counter[str] = Counter()
    for text in texts:
        terms = split(text)
        counts.update(terms if by_occurrence else set(terms))
    return counts


def list_texts(cells: pd.Series) -> list[str]:
    """List the different texts of a column, at most as many as are split."""
    return list(map(str, cells.dropna().unique()[:MOST_SPLIT]))


def measure_frequencies(
    vocabulary: Mapping[str, int], kept: Float64Array | None, counts: Counter[str], texts: int
) -> float:
    """How far the frequencies of terms in some texts are from those of the fit.

    Args:
        vocabulary: the place of each term that is known.
        kept: the logarithm of each term's frequency, shape (columns,); where the model keeps none,
            the distance is 0.
        counts: in how many of the texts each term is, or how often.
        texts: how many they are.
    """
    terms = [term for term, count in counts.items()
             if count >= _COUNTED and term in vocabulary]  # fmt: skip
    if kept is None or not terms:
        return 0.0
    here = np.log((1 + np.array([counts[term] for term in terms])) / (1 + texts))
    differences = kept[[vocabulary[term] for term in terms]] - here
    return float(np.abs(differences - np.median(differences)).mean())


def find_own_texts(fitted: Any, columns: pd.DataFrame) -> list[str]:
    """Find the columns whose texts have every word that the model's vectoriser knows."""
    found = []
    for name in columns:
        ((_, steps),) = list_branches(fitted, [str(name)]).values()
        vectorizer = describe_vectorizer(steps, ())
        if vectorizer.options.transforms and (
            vectorizer.vocabulary.keys()
            <= count_texts(vectorizer.options.analyzer.split, list_texts(columns[name])).keys()
        ):
            found.append(str(name))
    return found


def find_origin(table: pd.DataFrame, name: str) -> str:
    """Find the longer texts that have the beginnings of the words in a column's; "" without."""
    rows = table.dropna(subset=[name])[:_COMPARED]
    texts = rows[name].astype(str)
    begun = texts.map(_list_beginnings)
    for other in table.columns:
        longer = rows[other].fillna("").astype(str)
        if other == name or longer.str.len().mean() <= texts.str.len().mean():
            continue
        pairs = zip(begun, longer.map(_list_beginnings), strict=True)
        if np.mean([len(own & its) / len(own) for own, its in pairs if own] or [0]) > _FROM_ORIGIN:
            return str(other)
    return ""


def _list_beginnings(text: str) -> set[str]:
    return {word[:3] for word in re.findall(r"\w+", text.lower())}


def describe_texts(
    fitted: Any, names: Sequence[str], texts: Mapping[str, Sequence[str]]
) -> dict[str, Vectorizer]:
    """Describe the vectoriser of each column of free text.

    Args:
        fitted: the estimator.
        names: the columns that it takes, in its order.
        texts: the different texts of each of these columns.
    """
    branches = list_branches(fitted, names)
    found = {}
    for name, known in texts.items():
        branch, steps = branches.get(name, ("", [None]))
        made = describe_vectorizer(steps, known)
        if made.options.transforms:
            made.coefficients = find_coefficients(fitted, branch, steps, made.width)
        found[name] = made
    return found
