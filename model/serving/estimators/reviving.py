"""Makes estimators of the installed scikit-learn from records, attribute by attribute."""

import inspect
import re
import warnings
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import sklearn
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

from model.contract.pickles import PickleError
from model.contract.pickles.records import Record
from model.serving.estimators.attributes import (
    EstimatorSchema,
    Kind,
    PartReviver,
    State,
    Uses,
    decode,
    describe,
)
from model.serving.estimators.checks import decode_template
from model.serving.estimators.errors import MismatchError, UnknownNameError
from model.serving.estimators.families import ALIASES, PEERS, SCHEMAS
from model.serving.libraries.records import find_reader

_RELEASE = re.compile(r"(\d{1,3})\.(\d{1,3})\b")
_OLDEST = (0, 17)
"""The release of files that name none: 0.18 began to."""
_COLUMNS = 1_000_000
_DEEPEST = 40
"""How deep estimators may stand in each other."""
_MOST_USES = 4
_SHARED = 1000
"""Estimators that may be used more often: each use is asked for every answer."""
_MOST_GROWTH = 1_000_000

_RESET = frozenset({"memory", "n_jobs", "pre_dispatch", "random_state", "verbose", "warm_start"})
"""Parameters that keep their defaults: they start processes, write files or print."""
TEMPLATES = {
    "estimator": ("estimator_", "best_estimator_", "estimators_"),
    "final_estimator": (),
    "regressor": ("regressor_",),
    "transformer": (),
}
"""Parameters that hold an unfitted estimator, and what takes its place where it is not known."""
_MISSING = object()


def revive(record: object) -> Any:
    """Make the estimator of a record, as the installed scikit-learn would have fitted it.

    Nothing of the file runs: its class is looked up by name among those that are known here, and
    each of its attributes is checked.

    Raises:
        UnknownNameError: if it needs a class or function that is not known here.
        PickleError: if it is no fitted estimator, is damaged, or would answer otherwise today.
    """
    if not isinstance(record, Record):
        raise PickleError(f"It holds no estimator, but a {type(record).__name__}.")
    return Reviver().revive_root(record)


class Reviver(PartReviver):
    """Makes each record into one estimator, however often it stands in the file."""

    def __init__(self) -> None:
        self.changed: dict[int, str] = {}
        self.uses = Uses()
        self._sizes: dict[int, tuple[int, int]] = {}
        self._made: dict[int, Any] = {}
        self._read: dict[int, Record] = {}  # what stands for a record of another library
        self._unfitted: set[int] = set()
        self._open: list[tuple[int, State]] = []

    def revive_root(self, record: Record, fitted: bool = True) -> Any:
        """Make an estimator that stands in no other one; see ``revive``.

        Raises:
            PickleError: if it is refused, or was never fitted and has to be.
        """
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore", FutureWarning)  # of classes that are to go
                return self.revive(record, _OLDEST, fitted)
        except PickleError:
            raise
        except Exception as error:  # what is raised depends on the attribute that lacks or is odd
            raise PickleError("It holds an estimator that is damaged or not complete.") from error

    def revive(self, record: Record, release: tuple[int, int], fitted: bool = True) -> Any:
        if (read := find_reader(record)) is not None:
            if id(record) not in self._read:
                self._read[id(record)] = read(record)
            record = self._read[id(record)]
        key = id(record)
        if key not in self._made:
            self._made[key] = self._make(record, release)
        made = self._made[key]
        if fitted and key in self._unfitted:
            raise PickleError(f"Its {record.name} was never fitted. Fit it, and save it again.")
        if self._open:
            outer, (estimators, growth) = self._open[-1][1], self._sizes[key]
            outer.estimators += estimators
            outer.growth *= growth
            outer.changed_scores = self.changed.get(id(made), outer.changed_scores)
        return made

    def _make(self, record: Record, release: tuple[int, int]) -> Any:
        name = PEERS.get(record.path, "")
        if record.path.startswith("sklearn."):
            name = ALIASES.get(record.name, record.name)
        if name not in SCHEMAS:
            raise UnknownNameError(record.path)
        raw = record.attributes
        state = State(name, _read_release(raw, release), dict(raw), self)
        key = id(record)
        if len(self._open) == _DEEPEST or any(key == other for other, _ in self._open):
            raise PickleError("It holds an estimator that holds itself, or too many others.")
        self._open.append((key, state))
        try:
            made = self._build(SCHEMAS[name], state, key)
        finally:
            self._open.pop()
        if state.changed_scores:
            self.changed[id(made)] = state.changed_scores
        most = _SHARED + _MOST_USES * (len(self._made) + 1)
        if state.estimators > most or state.growth > _MOST_GROWTH:
            raise PickleError("It uses its parts far more often than a model does.")
        self._sizes[key] = state.estimators, state.growth
        return made

    def _build(self, schema: EstimatorSchema, state: State, key: int) -> Any:
        cls = _find_class(state.name)
        for migrate in schema.migrate:
            migrate(state)
        self._read_parameters(cls, schema, state)
        fitted = (
            state.stateless
            or not schema.fitted
            or any(
                _is_set(state.raw.get(name.rstrip("?")))
                for name in (*schema.fitted, "n_features_in_")
            )
        )
        if fitted:
            self._read_features(state)
            for name, kind in schema.fitted.items():
                self._read_attribute(name, kind, state)
            _check_classes(state)
            if not len(state.values.get("estimators_", " ")):
                raise state.refusal("holds no estimators")
            for complete in schema.complete:
                complete(state)
            _keep_templates(state)
        else:
            self._unfitted.add(key)
        if "features" in state.sizes:
            state.values["n_features_in_"] = state.sizes["features"]
        values = state.values
        # no __setstate__ of scikit-learn runs: it trusts what it is given
        made = cls(**{name: values.pop(name) for name in _list_parameters(cls) if name in values})
        vars(made).update(
            (key, value)
            for key, value in values.items()
            if not isinstance(getattr(cls, key, None), property)
        )
        return schema.finish(made, state) if fitted and schema.finish else made

    def _read_parameters(self, cls: type, schema: EstimatorSchema, state: State) -> None:
        """Read the parameters of the class's signature; those that lack get their defaults."""
        reads = schema.reads.split()
        for name, default in _list_parameters(cls).items():
            value = state.raw.get(name, _MISSING)
            if name in schema.fitted or f"{name}?" in schema.fitted:
                continue  # of helper classes
            if name in TEMPLATES and name not in schema.parameters:
                state.values[name] = decode_template(value, state)
                continue
            if kind := schema.parameters.get(name):
                if value is _MISSING and default is inspect.Parameter.empty:
                    value = None  # it may not lack, unless its kind can do without
                if value is not _MISSING:
                    state.values[name] = self._decode(name, kind, value, state)
                    continue
            elif value is not _MISSING and name not in _RESET:
                plain = _copy_plain(value)
                if plain is not _MISSING and _is_allowed(cls, name, plain):
                    state.values[name] = plain
                    continue
                if name in reads:
                    reason = f"has a {name} that is not known: {describe('', value)}"
                    raise state.refusal(reason.removesuffix(", not "))
            state.values[name] = None if default is inspect.Parameter.empty else default

    def _read_features(self, state: State) -> None:
        """Read the number of features, and their names, which every estimator may have."""
        if state.raw.get("n_features_in_") is not None:
            features = self._decode("n_features_in_", "int", state.raw["n_features_in_"], state)
            if not 0 <= features <= _COLUMNS:
                raise state.refusal("takes far too many columns")
            if state.sizes.setdefault("features", features) != features:
                raise state.refusal("has parameters for another number of columns")
        if state.raw.get("feature_names_in_") is not None:
            self._read_attribute("feature_names_in_", "text[features]", state)
            names = state.values["feature_names_in_"].tolist()
            invented = names == [f"Column_{place}" for place in range(len(names))]
            if invented and "transformers_" not in state.raw:
                # A model around one of LightGBM takes over what it calls columns without names.
                del state.values["feature_names_in_"]

    def _read_attribute(self, key: str, kind: Kind, state: State) -> None:
        name = key.rstrip("?")
        value = state.raw.get(name)
        if value is None and key.endswith("?"):
            return
        state.values[name] = self._decode(name, kind, value, state)

    def _decode(self, name: str, kind: Kind, value: Any, state: State) -> Any:
        try:
            return decode(kind, value, state)
        except MismatchError:
            raise state.refusal(
                f"has a {name} that does not fit: {describe(kind, value)}"
            ) from None


def _check_classes(state: State) -> None:
    """Check that each class is there once: the place of one is looked up in a dict."""
    classes = state.values.get("classes_", [])
    for labels in classes if isinstance(classes, list) else [classes]:
        if not len(labels):
            raise state.refusal("has no classes")
        if any(label != label for label in labels.tolist()):
            raise state.refusal("has a class that is missing")
        if len(set(labels.tolist())) != len(labels):
            raise state.refusal("has a class twice")


def _keep_templates(state: State) -> None:
    """Put a fitted estimator where the unfitted one is not known: some methods ask that one."""
    for name, fitted in TEMPLATES.items():
        # not by truth: that of an ensemble counts its trees, and it has none
        if name in state.values and state.values[name] is None:
            found = next((state.values[each] for each in fitted if each in state.values), None)
            state.values[name] = found[0] if isinstance(found, list | tuple) else found


def _is_set(value: Any) -> bool:
    """Whether fitting set an attribute; 0.18 began with None or with an empty list."""
    return value is not None and not (isinstance(value, list) and not value)


@cache
def _find_class(name: str) -> type:
    module = SCHEMAS[name].module
    own = module.startswith("model.")
    found: type = getattr(import_module(module if own else f"sklearn.{module}"), name)
    return found


@cache
def _list_parameters(cls: type) -> dict[str, Any]:
    """The parameters of a class with their defaults."""
    return {each.name: each.default for each in inspect.signature(cls).parameters.values()}


def _read_release(raw: dict[str, Any], outer: tuple[int, int]) -> tuple[int, int]:
    """The release that saved an estimator; of a part that does not say, the one around it.

    Raises:
        PickleError: if it is newer than the installed one, which cannot know what it changed.
    """
    version = raw.get("_sklearn_version")
    match = _RELEASE.match(version) if isinstance(version, str) else None
    if not match:
        return outer
    release = int(match[1]), int(match[2])
    installed = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    if release > installed:
        raise PickleError(
            f"It was saved by scikit-learn {match[0]}, which is newer than the installed "
            f"{sklearn.__version__}: its answers could differ."
        )
    return release


def _copy_plain(value: Any, depth: int = 0) -> Any:
    """Copy a plain value, or a short list, tuple or dict of them; else ``_MISSING``."""
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        value = value.item()
    if value is None or isinstance(value, bool | int | float):
        is_long = isinstance(value, int) and value.bit_length() > 63
        return _MISSING if is_long else value
    if isinstance(value, str):
        return value if len(value) <= 1000 else _MISSING
    if depth == 3 or not isinstance(value, dict | list | tuple) or len(value) > 100:
        return _MISSING
    cells = list(value.values() if isinstance(value, dict) else value)
    items = [_copy_plain(item, depth + 1) for item in cells]
    if any(item is _MISSING for item in items):
        return _MISSING
    if isinstance(value, dict):
        return dict(zip(value, items, strict=True))
    return items if isinstance(value, list) else tuple(items)


def _is_allowed(cls: type, name: str, value: Any) -> bool:
    """Whether scikit-learn allows a parameter's value."""
    if isinstance(value, dict | list | tuple):
        return _check(cls, name, value)
    return _check_cached(cls, name, type(value).__name__, value)


@lru_cache(maxsize=4096)
def _check_cached(cls: type[object], name: str, kind: str, value: Any) -> bool:
    return _check(cls, name, value)


def _check(cls: type, name: str, value: Any) -> bool:
    constraints = getattr(cls, "_parameter_constraints", {})
    try:
        validate_parameter_constraints(constraints, {name: value}, cls.__name__)
    except InvalidParameterError:
        return False
    return True
