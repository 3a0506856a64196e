"""What is said of an object in a model's file: its name, its steps, its inputs, its answers."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from model.contract.formatting import list_some
from model.contract.pickles.errors import printable
from model.contract.pickles.records import GlobalName, Record
from model.making.kinds.output_kind import OutputKind

_MOST_NAMES = 20
"""Names of inputs, classes or steps that are shown."""
_DEEPEST = 4
_MOST_PARTS = 8
"""Steps in steps that are shown, and steps of each."""
_MOST_VALUES = 100
"""Values in which steps are looked for."""


def _read_vector(value: object) -> tuple[object, ...]:
    """The values of a list or of an array of one dimension; none of anything else."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return tuple(value.tolist())
    return tuple(value) if isinstance(value, list) else ()


def describe_record(root: object) -> list[str]:
    """Say of an estimator that was not made what its record tells."""
    state = root.state if isinstance(root, Record) and isinstance(root.state, dict) else {}
    names, classes = (_read_vector(state.get(key)) for key in ("feature_names_in_", "classes_"))
    count = state.get("n_features_in_")
    lines = []
    if names or isinstance(count, int):
        listed = tuple(map(_show, names)) or None
        lines.append(describe_inputs(listed, count if isinstance(count, int) else None))
    if classes and all(isinstance(value, (str, bool, int, float)) for value in classes):
        lines.append(_describe_classes("Classes", classes))
    return lines


def describe_inputs(names: Sequence[str] | None, count: int | None) -> str:
    """Say how many inputs a model takes, and their names where it has them."""
    if names is not None:
        return f"Inputs: {len(names)}, by name: {list_printable(names)}."
    if count is not None:
        return f"Inputs: {count}, by position; the file has no names for them."
    return "Inputs: the file does not say how many."


def describe_answers(kind: OutputKind) -> str:
    """Say what a model answers with, and its classes."""
    return _describe_classes(kind.answers_text, kind.classes) if kind.classes else kind.answers_text


def _describe_classes(text: str, classes: Sequence[object]) -> str:
    return f"{text}: {len(classes)}: {list_printable(map(_show, classes))}."


def list_printable(names: Iterable[str]) -> str:
    """List some names that a file has."""
    return list_some([printable(name) for name in names], _MOST_NAMES)


def _show(value: object) -> str:
    """A name or class as text; "?" for what is neither text nor a number."""
    plain = value is None or isinstance(value, (str, bool, int, float, np.generic))
    return str(value) if plain else "?"


def name_value(value: object, depth: int = 0) -> str:
    """Say what a value is, with the steps in it."""
    if isinstance(value, Record):
        inner = _name_parts(value, depth) if depth < _DEEPEST else ""
        library = value.path.partition(".")[0]
        name = value.name if library == "sklearn" else f"{value.name} of {library}"
        return name + (f" ({inner})" if inner else "")
    if isinstance(value, GlobalName):
        return f"only the name {printable(value.path)}, not what it stands for"
    if isinstance(value, (list, tuple, dict)):
        items = value.values() if isinstance(value, dict) else value
        parts = _name_all(_find_records(items), depth, ", ")
        return f"a {type(value).__name__} of {len(value)}" + (f": {parts}" if parts else "")
    if isinstance(value, np.ndarray):
        return f"an array of {' × '.join(map(str, value.shape)) or '1'} values"
    return "a value of the kind " + type(value).__name__


def _name_parts(record: Record, depth: int) -> str:
    """The names of the estimators in an estimator, in their order."""
    state: dict[Any, Any] = record.state if isinstance(record.state, dict) else {}
    for key in ("steps", "transformers_", "transformers", "transformer_list"):
        if isinstance(state.get(key), list):
            separator = ", then " if key == "steps" else ", "
            return _name_all(_find_records(state[key], 1), depth, separator)
    for key in ("best_estimator_", "estimators_", "regressor_", "estimator_", "estimator"):
        found = state.get(key)
        if isinstance(found, Record):
            return name_value(found, depth + 1)
        if isinstance(found, (list, np.ndarray)) and (records := _find_records(found)):
            count = found.size if isinstance(found, np.ndarray) else len(found)
            return f"{count} × {records[0].name}"
    return ""


def _name_all(records: Sequence[Record], depth: int, separator: str) -> str:
    """Name some records; more would take long where they hold each other many times."""
    named = [name_value(record, depth + 1) for record in records[:_MOST_PARTS]]
    if len(records) > _MOST_PARTS:
        named.append("and more")
    return separator.join(named)


def _find_records(values: Any, place: int | None = None) -> list[Record]:
    """The records among the first values, or at a place of the first of these, which are tuples."""
    first = list(islice(values.flat if isinstance(values, np.ndarray) else values, _MOST_VALUES))
    if place is not None:
        first = [value[place] for value in first if isinstance(value, tuple) and len(value) > place]
    return [value for value in first if isinstance(value, Record)]
