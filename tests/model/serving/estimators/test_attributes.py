"""The lists of attributes agree with the installed scikit-learn."""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import all_estimators

from model.contract.pickles import PickleError
from model.contract.pickles.records import Record
from model.serving.estimators.attributes import State, Uses, decode, describe
from model.serving.estimators.checks import check_branches
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.families import SCHEMAS
from model.serving.estimators.reviving import TEMPLATES, Reviver
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
    with warnings.catch_warnings(action="ignore"):  # of experimental modules that no longer are
        names = make.list_names()
    forgotten = set()
    for text, rows_of, target_of in make.KINDS.values():
        if any(word in text for word in OLD_WORDS):
            continue
        text = text.replace("loss='log'", "loss='log_loss'")
        rows = rows_of(make.SEED)
        with warnings.catch_warnings(action="ignore"):
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
            checked = set(schema.parameters) | {*schema.reads.split(), *TEMPLATES} | HARMLESS
            forgotten |= {f"{name}.{each}" for each in (attributes & parameters) - checked}
    assert not forgotten


def make_state(**sizes: int) -> State:
    return State("Own", (1, 5), {}, Reviver(), sizes=sizes)


def sparse(name: str = "csr_matrix", **changes: Any) -> Record:
    """A matrix of two rows and three columns with three cells: 7 at 0, 0; 8 at 1, 0; 9 at 1, 2."""
    parts = {
        "_shape": (2, 3),
        "data": np.array([7.0, 8, 9]),
        "indices": np.array([0, 0, 2]),
        "indptr": np.array([0, 1, 3]),
    }
    return Record(f"scipy.sparse._{name[:3]}.{name}", state=parts | changes)


LIST = [np.zeros(2), np.zeros(3)]


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        ("none", [None], [0, "", False]),
        ("bool", [True, np.False_], [0, 1.0, None, "True"]),
        ("int", [0, -(2**63), 2**63 - 1, np.int8(3)], [True, 2**63, -(2**63) - 1, 1.0, "1", None]),
        ("float", [1, 1.5, np.float32(2), np.inf], [True, 10**400, "1", None]),
        ("finite", [1.5, 0], [np.inf, -np.inf, np.nan, True]),
        ("text", ["", "a" * 10_000], ["a" * 10_001, b"a", 1]),
        ("label", [None, True, 3, 2.5, "a"], [b"a", (), 2**63 * 10**400]),
        ("'word'", ["word"], ["'word'", "words", None]),
        ("none | text", [None, "a"], [1]),
        (
            "float[*]",
            [np.zeros(0), np.zeros(3, np.float32)],
            [np.zeros(3, int), [0.0], np.zeros((1, 1))],
        ),
        ("int[*]", [np.zeros(3, int), np.zeros(3, np.uint8)], [np.zeros(3), np.zeros(3, bool)]),
        ("bool[*]", [np.zeros(3, bool)], [np.zeros(3, int)]),
        ("number[*]", [np.zeros(3), np.zeros(3, bool)], [np.array(["a"]), np.zeros(3, complex)]),
        (
            "text[*]",
            [np.array(["a"]), np.array(["a"], object)],
            [np.array([1], object), np.zeros(1)],
        ),
        ("label[*]", [np.array(["a", 1, None, 2.5], object)], [np.array([b"a"], object)]),
        ("float[2, rows]", [np.zeros((2, 4))], [np.zeros((3, 4)), np.zeros((2, 3)), np.zeros(2)]),
        ("index(rows)[*]", [np.array([0, 3]), np.zeros(0, int)], [np.array([4]), np.array([-1])]),
        ("list of int", [[], [1, 2], (3,)], [[1.0], {}, 1, "12"]),
        ("list[rows] of none", [[None] * 4], [[None] * 3]),
        ("tuple of int/none", [[1, None]], [["a"]]),
        ("list of float[*]", [LIST], [[np.zeros((1, 1))]]),
        ("sparse[2, 3]", [sparse(), sparse(indptr=np.array([0, 0, 3]))], []),
    ],
)
def test_a_value_is_of_its_kind_or_refused(kind: str, taken: list[Any], refused: list[Any]) -> None:
    for value in taken:
        found = decode(kind, value, make_state(rows=4))
        if hasattr(value, "shape"):
            np.testing.assert_array_equal(found, value)
        elif not isinstance(value, list | tuple | Record):
            assert found == value
            assert not isinstance(found, np.generic)
    for value in refused:
        with pytest.raises(MismatchError):
            decode(kind, value, make_state(rows=4))


def test_a_sequence_is_a_list_or_a_tuple_as_its_kind_says() -> None:
    assert decode("list of int", (1, 2), make_state()) == [1, 2]
    assert decode("tuple of int", [1, 2], make_state()) == (1, 2)


def test_a_size_is_learned_of_what_fits_and_held_against_the_rest() -> None:
    state = make_state()
    with pytest.raises(MismatchError):
        decode("float[rows, rows]", np.zeros((2, 3)), state)
    assert state.sizes == {}  # what is refused teaches nothing
    decode("float[columns] | float[rows, columns]", np.zeros((2, 3)), state)
    assert state.sizes == {"rows": 2, "columns": 3}
    decode("float[*, *]", np.zeros((5, 6)), state)
    assert state.sizes == {"rows": 2, "columns": 3}
    with pytest.raises(MismatchError):
        decode("float[rows]", np.zeros(3), state)


def test_numbers_are_of_the_precisions_that_c_code_takes() -> None:
    for given, kept in ((np.float16, "f8"), (np.longdouble, "f8"), (">f4", "f4"), ("<f8", "f8")):
        found = decode("float[*]", np.arange(3).astype(given), make_state())
        assert (found.dtype, found.tolist()) == (np.dtype(kept), [0, 1, 2])
    turned = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    turned.flags.writeable = False
    found = decode("float[*, *]", turned, make_state())
    assert found.flags.c_contiguous
    assert found.flags.writeable


def test_coefficients_that_are_not_finite_are_said_so() -> None:
    with pytest.raises(PickleError, match="it would answer nothing"):
        decode("finite[*]", np.array([1, np.nan]), make_state())


@pytest.mark.parametrize("name", ["csr_matrix", "csr_array"])
def test_a_sparse_matrix_is_as_it_was(name: str) -> None:
    found = decode("sparse[rows, columns]", sparse(name), make_state())
    assert found.toarray().tolist() == [[7, 0, 0], [8, 0, 9]]
    assert type(found).__name__ == name
    twice = sparse(name, indices=np.array([0, 2, 2]))
    assert decode("sparse[2, 3]", twice, make_state()).toarray().tolist() == [[7, 0, 0], [0, 0, 17]]
    columns = {"indices": np.array([0, 1, 1]), "indptr": np.array([0, 2, 2, 3])}
    found = decode("sparse[2, 3]", sparse(name.replace("csr", "csc"), **columns), make_state())
    assert found.toarray().tolist() == [[7, 0, 0], [8, 0, 9]]


@pytest.mark.parametrize(
    "changes",
    [
        {"_shape": (2,)},
        {"_shape": (2, 3, 1)},
        {"_shape": "23"},
        {"_shape": (2.0, 3)},
        {"_shape": (3, 3)},
        {"data": np.zeros(2)},
        {"data": [7.0, 8, 9]},
        {"indices": np.array([0, 0, 3])},
        {"indices": np.array([0, 0, -1])},
        {"indices": np.zeros(3)},
        {"indptr": np.array([0, 3])},
        {"indptr": np.array([0, 1, 2])},
        {"indptr": np.array([1, 1, 3])},
        {"indptr": np.array([0, 4, 3])},
        {"indptr": np.array([0, 2, 1])},
    ],
)
def test_a_sparse_matrix_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MismatchError):
        decode("sparse[*, *]", sparse(**changes), make_state())


def test_a_part_is_used_four_times_and_a_small_one_more_often() -> None:
    uses, large, small = Uses(), object(), object()
    for _ in range(4):
        uses.take(large, 100 * 2**20)
    uses.take(small, 0)
    with pytest.raises(PickleError, match="far more often than a model does"):
        uses.take(large, 100 * 2**20)
    uses = Uses()
    for _ in range(4 + 64):
        uses.take(large, 2**20)
    with pytest.raises(PickleError, match="far more often than a model does"):
        uses.take(large, 1)


@pytest.mark.parametrize(("depth", "is_taken"), [(1, True), (2000, True), (2001, False)])
def test_a_tree_is_at_most_2000_deep(depth: int, is_taken: bool) -> None:
    """A chain: each node has a leaf on its right."""
    left, right, leaf = np.full((3, 2 * depth + 1), -1)
    left[:depth], right[:depth] = np.arange(1, depth + 1), np.arange(depth + 1, 2 * depth + 1)
    leaf[:depth] = 0
    with nullcontext() if is_taken else pytest.raises(PickleError, match="far deeper"):
        check_branches(left, right, leaf != 0, make_state())


def test_what_does_not_fit_is_described_with_what_should() -> None:
    assert describe("int", np.zeros((2, 3), np.float32)) == "f4[2, 3], not int"
    assert describe("int", "a") == "'a', not int"
    assert describe(lambda value, state: value, [1, 2]) == "a list"
