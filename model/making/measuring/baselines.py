"""Plain models, fitted to the same rows as an added one and judged on the same others."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from model.contract.arrays import Float64Array
from model.contract.texts import BLANK, decode_text
from model.making.kinds.output_kind import OutputKind
from model.making.rows.dataset import Dataset

LEAST_ROWS = 30
"""Rows to fit on, and rows to judge on, below which a comparison says nothing."""

_MOST_FITTED = 10_000
_MOST_LEVELS = 100
_WORDS = 500
_CLEARLY = 2.0
"""Standard errors of the mean difference a row, above which one is said to be better."""


@dataclass(frozen=True)
class Comparison:
    """Scores on the held-out rows: the model's, each baseline's, and that of a constant.

    ``fitted`` are the rows that the baselines were fitted to. ``verdict`` says in a sentence which
    is better.
    """

    score_name: str
    scores: Mapping[str, float]
    fitted: int
    verdict: str


def compare_with_baselines(kind: OutputKind, dataset: Dataset) -> Comparison | None:
    """Fit the plain models to the training rows and judge all on the held-out rows.

    Returns:
        None where there are too few rows of either, or one answer in all of those to fit on.
    """
    seen, held_out = np.flatnonzero(~dataset.held_out), np.flatnonzero(dataset.held_out)
    if min(len(seen), len(held_out)) < LEAST_ROWS:
        return None
    if len(seen) > _MOST_FITTED:
        seen = np.random.default_rng(0).choice(seen, _MOST_FITTED, replace=False)
    if len(np.unique(dataset.truth[seen])) < 2:
        return None
    truth = dataset.truth[held_out]
    own = kind.decide(dataset.answer(dataset.matrix[held_out]))
    losses = {"This model": kind.compute_losses(own, truth)}
    for name, estimator in kind.make_baselines().items():
        plain = _prepare_codes(dataset, estimator)
        # On a busy machine the threads of boosted trees wait for each other, ten times as long.
        # Nobody waits for a baseline to converge.
        with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
            plain.fit(dataset.matrix[seen], dataset.truth[seen])
            answers = np.asarray(plain.predict(dataset.matrix[held_out]), dtype=float)
        losses[name] = kind.compute_losses(answers, truth)
    scores = {name: kind.compute_score(found, truth) for name, found in losses.items()}
    verdict = judge(losses, scores, kind.score_name)
    return Comparison(kind.score_name, scores, len(seen), verdict)


def _prepare_codes(dataset: Dataset, estimator: Any) -> Any:
    """The estimator behind steps that turn codes of fields into numbers without holes."""
    choices = [index for index, item in enumerate(dataset.fields) if item.field.categories]
    texts = list(dataset.texts)
    numbers = [index for index in range(len(dataset.fields)) if index not in [*choices, *texts]]
    encode = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=_MOST_LEVELS, sparse_output=False
    )
    fill = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    words = [
        (
            make_pipeline(FunctionTransformer(_decode_texts), TfidfVectorizer(max_features=_WORDS)),
            [column],
        )
        for column in texts
    ]
    columns = make_column_transformer(
        (encode, choices), (fill, numbers), *words, sparse_threshold=0
    )
    return make_pipeline(columns, clone(estimator))


def _decode_texts(codes: Float64Array) -> list[str]:
    """The texts of codes, shape (rows, 1); an unknown one is empty."""
    return [decode_text(code) for code in np.nan_to_num(codes[:, 0], nan=BLANK).tolist()]


def judge(losses: Mapping[str, Float64Array], scores: Mapping[str, float], score_name: str) -> str:
    """Say whether the model does better than the best plain one, and than a constant.

    Args:
        losses: of each, shape (rows,); the model's first, the constant's last.
        scores: of each.
        score_name: what they are.
    """
    model, *plain, constant = losses
    best = max(plain, key=scores.__getitem__)
    own, other = _format(scores[model], scores[best]), _format(scores[best], scores[model])
    baseline = f"{other} ({best[0].lower()}{best[1:]})"
    difference = _compare(losses[model], losses[best]) if own != other else 0.0
    if difference > _CLEARLY:
        sentence = f"A plain baseline does better: {score_name} {baseline} against {own}."
    elif difference < -_CLEARLY:
        sentence = f"It does better than a plain baseline: {score_name} {own} against {baseline}."
    else:
        sentence = f"A plain baseline does about as well: {score_name} {baseline} against {own}."
    if _compare(losses[model], losses[constant]) > -_CLEARLY:
        sentence += (
            " It is not clearly better than giving the same answer to every row "
            f"({_format(scores[constant], scores[model])})."
        )
    return sentence


def _compare(first: Float64Array, second: Float64Array) -> float:
    """The mean difference of two losses, shape (rows,), in standard errors; positive: more."""
    differences = first - second
    error = float(np.std(differences)) / np.sqrt(len(differences))
    return float(np.mean(differences)) / error if error else 0.0


def _format(score: float, other: float) -> str:
    """A score with two digits, or with three where two do not tell it from the other."""
    digits = 2 if f"{score:.2f}" != f"{other:.2f}" else 3
    return f"{round(score, digits) + 0.0:.{digits}f}"
