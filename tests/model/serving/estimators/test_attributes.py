"""The lists of attributes agree with the installed scikit-learn."""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import all_estimators

from model.serving.estimators.families import SCHEMAS
from tests.model.serving.estimators.fixtures import make

NOT_KNOWN = {
    "no prediction of further rows": {
        "AgglomerativeClustering", "ClassicalMDS", "DBSCAN", "HDBSCAN", "MDS", "OPTICS",
        "SpectralBiclustering", "SpectralClustering", "SpectralCoclustering", "SpectralEmbedding",
        "TSNE",
    },
    "not known here": {
        "PatchExtractor",
    },
}  # fmt: skip
"""The estimators that are refused by name."""

HARMLESS = {
    # reset, or not read for an answer
    "copy", "n_jobs", "random_state", "verbose", "max_features", "estimator_params",
    # computed of the fitted attributes
    "algorithm", "criterion", "gamma", "n_components", "n_estimators", "solver", "splitter",
    "svd_solver", "init", "init_params", "constant", "C", "refit", "prefit", "positive",
    "probability", "drop", "n_neighbors",
}  # fmt: skip


OLD_WORDS = ("algorithm='SAMME", "liblinear", "multi_class", "preprocessing.Imputer")
"""Parameters and classes that only older releases have."""


def test_each_estimator_of_scikit_learn_is_known_or_listed() -> None:
    known = {name for name, _ in all_estimators()}
    assert known - set(SCHEMAS) == set().union(*NOT_KNOWN.values())


def test_no_attribute_shadows_a_method() -> None:
    for name, schema in SCHEMAS.items():
        module = schema.module if schema.module.startswith("model.") else f"sklearn.{schema.module}"
        cls = getattr(import_module(module), name)
        for key in schema.fitted:
            attribute = key.rstrip("?")
            assert not attribute.startswith("__"), (name, key)
            assert not callable(getattr(cls, attribute, None)), (name, key)


@contextmanager
def traced() -> Iterator[dict[str, set[str]]]:
    """Note which attributes of which class are read."""
    read: dict[str, set[str]] = defaultdict(set)

    def note(self: Any, name: str) -> Any:
        if not name.startswith("__") and name in object.__getattribute__(self, "__dict__"):
            read[type(self).__name__].add(name)
        return object.__getattribute__(self, name)

    BaseEstimator.__getattribute__ = note
    try:
        yield read
    finally:
        del BaseEstimator.__getattribute__


def test_each_parameter_that_prediction_reads_is_checked() -> None:
    """What it reads of the parameters is limited, or refused where scikit-learn refuses it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of experimental modules that no longer are
        names = make.list_names()
    forgotten = set()
    for text, rows_of, target_of in make.KINDS.values():
        if any(word in text for word in OLD_WORDS):
            continue
        text = text.replace("loss='log'", "loss='log_loss'")
        rows = rows_of(make.SEED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = eval(text, names)  # noqa: S307  the texts of the fixtures
            estimator.fit(rows, *([target_of(rows)] if target_of else []))
        with traced() as read, np.errstate(all="ignore"):
            make.answers(estimator, rows_of(make.FRESH_SEED)[: make.FRESH])
        for name, attributes in read.items():
            schema = SCHEMAS.get(name)
            if schema is None:
                continue  # rebuilt by hand
            cls = getattr(import_module(f"sklearn.{schema.module}"), name)
            parameters = set(getattr(cls, "_parameter_constraints", {}))
            checked = set(schema.parameters) | set(schema.reads.split()) | HARMLESS
            forgotten |= {f"{name}.{each}" for each in (attributes & parameters) - checked}
    assert not forgotten
