"""Every estimator in a file that holds several: in dicts, lists, tuples and arrays of objects."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from model.contract.pickles import PickleError, Record, read_labels
from model.serving.estimators.reviving import Reviver

_MOST_VALUES = 100_000
"""Objects and containers, each counted as often as it is used, since it is walked so often."""


@dataclass(frozen=True)
class Refused:
    """An object of a file that is not made, in the place where it stood."""

    record: Record
    error: PickleError
    """Why, in a sentence; an ``UnknownNameError`` where it needs code that is not known here."""


def revive_all(root: object) -> Any:
    """Make every estimator in what ``read_pickle`` read; nothing of the file runs.

    Dicts, lists, tuples, arrays and plain values stay what they are, and an index of pandas becomes
    the array of its labels, shape (labels,). An object that cannot be made becomes ``Refused``. An
    estimator may be one that was never fitted.

    Raises:
        PickleError: if a value holds itself, or holds far more than a bundle of models does.
    """
    return _Contents().convert(root)


class _Contents:
    """Converts each value once, however often it is used."""

    def __init__(self) -> None:
        self._reviver = Reviver()
        self._made: dict[int, tuple[Any, int] | None] = {}

    def convert(self, value: Any) -> Any:
        return self._convert(value)[0]

    def _convert(self, value: Any) -> tuple[Any, int]:
        """The value, and how many objects and containers it is made of."""
        if isinstance(value, Record):
            return self._make(value), 1
        holds_objects = isinstance(value, np.ndarray) and value.dtype.hasobject
        if not (isinstance(value, dict | list | tuple) or holds_objects):
            return value, 0  # plain values take no time to pass by
        if id(value) not in self._made:
            self._made[id(value)] = None
            self._made[id(value)] = self._convert_container(value)
        found = self._made[id(value)]
        if found is None:
            raise PickleError("The file has a value that holds itself.")
        return found

    def _convert_container(self, value: Any) -> tuple[Any, int]:
        cells = value.values() if isinstance(value, dict) else value
        if isinstance(value, np.ndarray):
            cells = value.ravel().tolist()
        pairs = [self._convert(cell) for cell in list(cells)]
        parts = [part for part, _ in pairs]
        count = 1 + sum(inside for _, inside in pairs)
        if count > _MOST_VALUES:
            raise PickleError("The file holds far more values than a bundle of models does.")
        if isinstance(value, dict):
            return dict(zip(value, parts, strict=True)), count
        if isinstance(value, np.ndarray):
            return np.fromiter(parts, object, len(parts)).reshape(value.shape), count
        return type(value)(parts), count

    def _make(self, record: Record) -> Any:
        labels = read_labels(record)
        if labels is not None:
            return labels
        try:
            return self._reviver.revive_root(record, fitted=False)
        except PickleError as error:
            return Refused(record, error)
