"""The language of the lists of attributes: what kind, dtype and shape a value may have.

A kind is text, such as ``"float[classes, features] | float[features]"``, or a function.
Alternatives stand between ``|``, and between ``/`` inside a list. Names in brackets are sizes,
which have to be the same wherever they stand in one estimator. The words:

- ``none``, ``bool``, ``int``, ``float``, ``text``: a value; ``label``: one of them;
- ``float[…]``, ``int[…]``, ``bool[…]``: an array, in native byte order and C order; ``number[…]``:
  one of the three, such as rows that an estimator keeps as it was given them;
- ``finite`` and ``finite[…]``: a float, and an array of floats, none of them infinite or missing;
- ``text[…]`` and ``label[…]``: an array of strings, or of strings, numbers, flags and None;
- ``index(SIZE)[…]``: an array of places, each at least 0 and below the size;
- ``sparse[…]``: a CSR or CSC matrix;
- ``list of KIND``, ``list[SIZE] of KIND``, and ``tuple`` for ``list``;
- ``estimator``, ``estimator(SIZE)``: one that takes as many features as the size says;
- ``'word'``: that text.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from model.contract.pickles import PickleError
from model.contract.pickles.errors import printable
from model.contract.pickles.records import Record
from model.serving.estimators.errors import MismatchError

_TEXT_LENGTH = 10_000
_USES = 4
"""Times that a model may use a part of its file."""
_USED = 64 * 2**20
"""Bytes of parts that may be used more often."""
_CELL = 64
"""Bytes that a cell of an array of objects, or an item of a list, counts for."""
_ARRAY = re.compile(r"(float|finite|int|bool|number|text|label|sparse)\[([\w*, ]+)\]")
_INDEX = re.compile(r"index\((\w+)\)\[([\w*, ]+)\]")
_SEQUENCE = re.compile(r"(list|tuple)(?:\[(\w+)\])? of (.+)")
_ESTIMATOR = re.compile(r"estimator(?:\((\w+)\))?")
_DTYPES = {
    "float": "f",
    "finite": "f",
    "int": "iu",
    "bool": "b",
    "number": "fiub",
    "text": "UO",
    "label": "biufUO",
}
_SPARSE = {
    f"scipy.sparse{module}.{name}": name
    for name in ("csr_matrix", "csc_matrix", "csr_array", "csc_array")
    for module in ("", f".{name[:3]}", f"._{name[:3]}")
}
"""The classes of sparse matrices, by their paths in any release of SciPy."""


@dataclass
class State:
    """What is known of an estimator while it is made."""

    name: str
    """Of its class."""
    release: tuple[int, int]
    """Of scikit-learn, that saved it."""
    raw: dict[str, Any]
    """The attributes as the file has them; migrations change them."""
    reviver: "PartReviver"
    """Makes the estimators in it."""
    changed_scores: str = ""
    """Why its decision function answers otherwise today; "" where it does not."""
    estimators: int = 1
    """It and those in it, each counted as often as it is used."""
    stateless: bool = False
    """Whether it needs nothing of its fit, though others of its class do."""
    growth: int = 1
    """By how much its steps can multiply the columns, where their number is not known."""
    sizes: dict[str, int] = field(default_factory=dict)
    """The sizes that are known so far, by name."""
    values: dict[str, Any] = field(default_factory=dict)
    """The attributes that are checked."""

    def refusal(self, reason: str) -> PickleError:
        """The error that says what is wrong with the estimator."""
        return PickleError(f"Its {self.name} {reason}.")

    def fit_sizes(self, names: tuple[str, ...], shape: tuple[int, ...]) -> None:
        """Hold a shape against the sizes that are known, and learn the others.

        Raises:
            MismatchError: if they differ.
        """
        if len(names) != len(shape):
            raise MismatchError
        for name, size in zip(names, shape, strict=True):
            expected = int(name) if name.isdecimal() else self.sizes.setdefault(name, size)
            if name == "*":
                del self.sizes[name]
            elif expected != size:
                raise MismatchError

    def rename(self, **names: str) -> None:
        """Give attributes of older releases today's names, where those are not there."""
        for old, new in names.items():
            if old in self.raw:
                value = self.raw.pop(old)
                if self.raw.get(new) is None:
                    self.raw[new] = value

    def translate(self, name: str, **words: Any) -> None:
        """Give a parameter's values of older releases today's words."""
        value = self.raw.get(name)
        if isinstance(value, str):
            self.raw[name] = words.get(value, value)


class Uses:
    """How often parts of a file are used: each use takes memory and time."""

    def __init__(self) -> None:
        self._left = _USED
        self._known: dict[int, Any] = {}

    def take(self, value: Any, size: int) -> None:
        """Count a use of a part, of so many bytes.

        Raises:
            PickleError: if the file uses its parts far more often than a model does.
        """
        if id(value) not in self._known:
            self._known[id(value)] = value  # else its id could become another one's
            self._left += _USES * size
        self._left -= size
        if self._left < 0:
            raise PickleError("It uses its parts far more often than a model does.")


class PartReviver(Protocol):
    """Makes the estimators in an estimator."""

    changed: dict[int, str]
    """Why the decision function of an estimator that was made answers otherwise, by its id."""
    uses: Uses
    """What the parts of the file are used for."""

    def revive(self, record: Record, release: tuple[int, int], fitted: bool = True) -> Any:
        """Make the estimator of a record, which was saved by the release.

        Raises:
            PickleError: if it is refused, or was never fitted and has to be.
        """


Decoder = Callable[[Any, State], Any]
"""Checks a value of the file and returns what the estimator gets; raises MismatchError."""

Kind = str | Decoder
Attributes = Mapping[str, Kind]
Hook = Callable[[State], None]


@dataclass(frozen=True)
class EstimatorSchema:
    """What is known of a class."""

    module: str
    """Of scikit-learn, or with its whole name of the app, that has the class."""
    fitted: Attributes
    """The attributes that fitting sets and prediction needs. A name that ends with ``?`` may lack.
    They are read in this order, so a size is learned before something is held against it."""
    parameters: Attributes = field(default_factory=dict)
    """Parameters that are no plain values, or that need limits."""
    reads: str = ""
    """Further parameters that prediction reads: what scikit-learn does not allow there is refused.
    Elsewhere it is replaced by the default."""
    migrate: tuple[Hook, ...] = ()
    """What releases changed, on the attributes as the file has them."""
    complete: tuple[Hook, ...] = ()
    """Checks across attributes, and attributes that are computed of others."""
    finish: Callable[[Any, State], Any] | None = None
    """Computes what needs the estimator's own methods, and returns the estimator."""


def decode(kind: Kind, value: Any, state: State) -> Any:
    """Check a value of the file and return what the estimator gets.

    Raises:
        MismatchError: if it is not of the kind.
    """
    if isinstance(value, list | tuple | dict | set | frozenset):
        state.reviver.uses.take(value, _CELL * len(value))
    return _decode_any(kind.split(" | ") if isinstance(kind, str) else [kind], value, state)


def _decode_any(kinds: list[str] | list[Decoder], value: Any, state: State) -> Any:
    for kind in kinds:
        sizes = dict(state.sizes)
        try:
            return kind(value, state) if callable(kind) else _decode_one(kind, value, state)
        except MismatchError:
            state.sizes = sizes
    raise MismatchError


def _decode_one(kind: str, value: Any, state: State) -> Any:
    if scalar := _SCALARS.get(kind):
        return scalar(value)
    if match := _ARRAY.fullmatch(kind):
        word, sizes = match[1], tuple(match[2].split(", "))
        if word == "sparse":
            return _sparse(value, sizes, state)
        return _array(word, value, sizes, state)
    if match := _INDEX.fullmatch(kind):
        places = _array("int", value, tuple(match[2].split(", ")), state)
        return check_places(places, state.sizes[match[1]])
    if match := _SEQUENCE.fullmatch(kind):
        if not isinstance(value, list | tuple):
            raise MismatchError
        if match[2]:
            state.fit_sizes((match[2],), (len(value),))
        items = [_decode_any(match[3].split("/"), item, state) for item in value]
        return items if match[1] == "list" else tuple(items)
    if match := _ESTIMATOR.fullmatch(kind):
        return _estimator(value, match[1], state)
    if value == kind.strip("'") and isinstance(value, str):
        return value
    raise MismatchError


def check_places(places: Any, size: int) -> Any:
    """Return places as they are, of any shape, if each is at least 0 and below the size.

    Raises:
        MismatchError: if one is not.
    """
    if places.size and not (places.min() >= 0 and places.max() < size):
        raise MismatchError
    return places.astype(np.intp, copy=False)


def _none(value: Any) -> None:
    if value is not None:
        raise MismatchError


def _bool(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise MismatchError
    return bool(value)


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise MismatchError
    if not -(2**63) <= value < 2**63:  # C code takes no larger one
        raise MismatchError
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise MismatchError
    try:
        return float(value)
    except OverflowError:
        raise MismatchError from None


def _finite(value: Any) -> float:
    number = _float(value)
    if not math.isfinite(number):
        raise MismatchError
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_LENGTH:
        raise MismatchError
    return str(value)


def _label(value: Any) -> Any:
    for scalar in (_none, _bool, _int, _float, _text):
        try:
            return scalar(value)
        except MismatchError:
            pass
    raise MismatchError


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "none": _none,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "finite": _finite,
    "text": _text,
    "label": _label,
}


def _array(word: str, value: Any, sizes: tuple[str, ...], state: State) -> Any:
    if type(value) is not np.ndarray or value.dtype.kind not in _DTYPES[word]:
        raise MismatchError
    state.fit_sizes(sizes, value.shape)
    if word == "finite" and not np.isfinite(value).all():
        raise state.refusal("has coefficients that are not finite numbers: it would answer nothing")
    state.reviver.uses.take(value, value.nbytes * (_CELL // 8 if value.dtype.hasobject else 1))
    if value.dtype.kind == "O":
        cells = map(_text if word == "text" else _label, value.flat)
        return np.fromiter(cells, object, value.size).reshape(value.shape)
    dtype = value.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float64)
    # Cython's code asks for memory that is in order and may be written
    return np.require(value, dtype=dtype, requirements=["A", "C", "W"])


def _sparse(value: Any, sizes: tuple[str, ...], state: State) -> Any:
    import scipy.sparse

    if not isinstance(value, Record) or value.path not in _SPARSE:
        raise MismatchError
    parts = value.attributes
    shape = parts.get("_shape", parts.get("shape"))
    if not isinstance(shape, tuple | list) or len(shape) != 2:
        raise MismatchError
    rows, columns = _int(shape[0]), _int(shape[1])
    state.fit_sizes(sizes, (rows, columns))
    compressed = rows if _SPARSE[value.path].startswith("csr") else columns
    data = _array("number", parts.get("data"), ("*",), state)
    places, starts = (
        _array("int", parts.get(name), ("*",), state) for name in ("indices", "indptr")
    )
    if len(starts) != compressed + 1 or len(places) != len(data):
        raise MismatchError
    # it is checked whole, so that no place is out of the matrix and every row begins in order
    check_places(places, rows + columns - compressed)
    check_places(starts, len(data) + 1)
    if starts[0] != 0 or starts[-1] != len(data) or (np.diff(starts.astype(np.int64)) < 0).any():
        raise MismatchError
    made = getattr(scipy.sparse, _SPARSE[value.path])((data, places, starts), shape=(rows, columns))
    made.check_format(full_check=True)
    made.sum_duplicates()
    return made


def _estimator(value: Any, size: str | None, state: State) -> Any:
    if not isinstance(value, Record):
        raise MismatchError
    made = state.reviver.revive(value, state.release)
    features = getattr(made, "n_features_in_", None)
    if size and features is not None:
        state.fit_sizes((size,), (features,))
    return made


def describe(kind: Kind, value: Any) -> str:
    """Say what a value is, and what it should have been, in a few words."""
    if isinstance(value, np.ndarray):
        found = f"{value.dtype.kind}{value.dtype.itemsize}{list(value.shape)}"
    elif isinstance(value, str | bool | int | float | None):
        found = repr(value)
    else:  # the text of a value that holds others may be of any length
        found = f"a {type(value).__name__}"
    expected = f", not {kind}" if isinstance(kind, str) else ""
    return printable(found) + expected
