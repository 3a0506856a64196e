"""What the files of a model hold, by what it is and never by what it is called."""

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder

from model.contract.pickles import GlobalName, Opened, PickleError, read_pickle
from model.contract.pickles.records import Record
from model.making.assembly.inputs import Codes
from model.making.data.text_cells import KnownTexts, as_text
from model.making.errors import AddError, quote_error
from model.making.sources.estimator_sources import describe_estimator
from model.making.sources.file_contents import read_short_text
from model.making.sources.library_files import open_library_model
from model.making.sources.networks import read_network
from model.making.sources.pickles import find_in, find_other_release, load_file, refuse_file
from model.making.steps.fitted_steps import find_categories
from model.making.steps.texts import takes_texts_alone
from model.serving.estimators import Refused, revive, revive_all

_DEEPEST = 12
_INVERSES = {
    "log1p": "expm1", "expm1": "expm1", "log": "exp", "exp": "exp", "log10": "exp10",
    "exp10": "exp10", "sqrt": "square", "square": "square",
}  # fmt: skip
"""The inverse of the target's transformation, by a name that a file may have for either."""

_THRESHOLD = re.compile(r"thresh|cut[_ -]?off", re.IGNORECASE).search
"""Whether a number is called a threshold: what it is does not tell it from an accuracy."""


@dataclass(frozen=True)
class Transformer:
    """A fitted step that changes inputs, or a target; ``where`` is its file, with its key."""

    fitted: Any
    where: str
    path: Path

    @property
    def count(self) -> int:
        """The columns that it takes."""
        return int(getattr(self.fitted, "n_features_in_", 0))

    @property
    def names(self) -> tuple[str, ...] | None:
        """The columns' names, where it was fitted to a table."""
        found = getattr(self.fitted, "feature_names_in_", None)
        return None if found is None else tuple(map(str, found))


@dataclass
class Contents:
    """The parts that files hold.

    ``lists`` are lists of texts, ``lists_sparse`` says whether a ``DictVectorizer`` made a sparse
    matrix of such columns. ``class_names`` are the name of each class number, ``inverses`` names
    of functions that undo the target's transformation. ``thresholds`` are those for probabilities.
    ``files`` are the names of all that were read; ``opened`` are the pickles, ``texts`` are the
    files that are none, with the reason. ``runs_code`` says whether a file's code ran,
    ``other_release`` which scikit-learn saved that file, where it is not the installed one.
    """

    estimators: list[Transformer] = field(default_factory=list)
    transformers: list[Transformer] = field(default_factory=list)
    codes: list[Codes] = field(default_factory=list)
    lists: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    lists_sparse: bool = False
    inverses: list[tuple[str, str]] = field(default_factory=list)
    thresholds: list[tuple[float, str]] = field(default_factory=list)
    refused: list[tuple[Refused, Path]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    opened: dict[Path, Opened] = field(default_factory=dict)
    texts: dict[Path, PickleError] = field(default_factory=dict)
    runs_code: bool = False
    module: Path | None = None
    other_release: str = ""

    def trust(self, module: Path | None, releases: Iterable[str] = ()) -> None:
        """Note that a file's code runs, with its module and the releases that saved it."""
        self.runs_code, self.module = True, module
        self.other_release = self.other_release or find_other_release(releases)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in there that has to do with a model."""
        found = (self.estimators, self.transformers, self.codes, self.lists, self.inverses)
        return not (any(found) or self.refused)

    def list_unused(self, used: Iterable[str]) -> list[str]:
        """List the files of which nothing is used, and the steps that are left out of the others.

        Args:
            used: where the parts stand that are used, such as ``model.pkl['scaler']``.
        """
        told = {where for _, where in self.thresholds}
        parts = {part.where for part in self.estimators}.union(used, told)
        files = {where.partition("[")[0] for where in parts}
        steps = [part.where for part in self.transformers if part.where not in parts]
        inside = [where for where in steps if where.partition("[")[0] in files]
        return [name for name in self.files if name not in files] + inside

    @property
    def refusal(self) -> str:
        """Why a part could not be read; "" where all could."""
        if not self.refused:
            return ""
        refused, path = self.refused[0]
        return str(refuse_file(path, refused.error, self.opened[path]))

    def require_all_read(self) -> None:
        """Refuse a part that could not be read, with the reason.

        Raises:
            AddError: if there is one.
        """
        if self.refusal:
            raise AddError(self.refusal)

    def list_known_texts(self) -> KnownTexts:
        """List the texts that the parts know, which a CSV reader may take for something else."""
        by_column: dict[str, frozenset[str]] = {}
        groups = [frozenset(codes.numbers) for codes in self.codes if not codes.is_list]
        dummies = {name for names, _ in self.lists for name in names}
        for part in [*self.transformers, *self.estimators]:
            places = [str(place) for place in range(part.count)]
            for column, values in find_categories(part.fitted, part.names or places).items():
                texts = frozenset(value for value in values if isinstance(value, str))
                if part.names:  # a file is read without the blanks around its headers
                    by_column[column] = by_column[column.strip()] = texts
                elif texts:
                    groups.append(texts)
            dummies |= set(part.names or ())
        for part in self.estimators:  # which knows its target's texts, too
            classes = getattr(part.fitted, "classes_", ())
            groups.append(frozenset(item for item in classes if isinstance(item, str)))
        return KnownTexts(by_column, groups, frozenset(dummies))


def read_contents(paths: Sequence[Path], trust: bool, module: Path | None) -> Contents:
    """Find the parts in files: pickles, joblib files, JSON and text.

    Args:
        paths: the files.
        trust: whether a file's own code may run where it needs it.
        module: a Python file with that code, which is trusted alike.

    Raises:
        AddError: if a file cannot be read, or no file holds a model.
    """
    found = collect_contents(paths, trust, module)
    if not found.estimators:
        found.require_all_read()
        if len(paths) == 1:
            (path,) = paths
            if path in found.texts:
                raise refuse_file(path, found.texts[path], None)
            describe_estimator(_read_file(path, trust, module, found), str(path))  # says why not
        raise AddError(
            f"{', '.join(path.name for path in paths)}: no fitted model is in there, which has a "
            "method predict. Give the file of the model, too."
        )
    if len(found.estimators) > 1:
        listed = ", ".join(
            f"{type(part.fitted).__name__} in {part.where}" for part in found.estimators
        )
        raise AddError(f"The files hold {len(found.estimators)} models: {listed}. Give one alone.")
    return found


def collect_contents(
    paths: Sequence[Path], trust: bool = False, module: Path | None = None
) -> Contents:
    """Find the parts in files, whether or not a model is among them; see ``read_contents``.

    Raises:
        AddError: if a file cannot be read.
    """
    if module is not None and not trust:
        raise AddError(
            f"--module runs the code in {module}. If you wrote it, or trust who did, add --trust "
            "to the command."
        )
    found = Contents()
    for path in paths:
        value = _read_file(path, trust, module, found)
        _sort_in(value, path.name, path.stem if _is_number(value) else "", path, found, 0)
        found.files.append(path.name)
    return found


def _read_file(path: Path, trust: bool, module: Path | None, found: Contents) -> Any:
    if path.suffix == ".onnx" and (network := read_network(path)):
        return network
    if library := open_library_model(path):
        return library[1]
    try:
        opened = found.opened[path] = read_pickle(path)
        root = revive_all(opened.root)
    except PickleError as error:
        text = read_text(path)
        if text is not None:
            found.texts[path] = error
            return text
        raise refuse_file(path, error, found.opened.get(path)) from error
    if trust and _holds_refused(root):
        found.trust(module, opened.versions)
        with find_in(module, opened.names) if module else nullcontext():
            return load_file(path, opened.versions)
    return root


def read_text(path: Path) -> Any:
    """Read the value of a JSON file, or the lines of a text; None where it is neither."""
    text = read_short_text(path)
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        parts = text.split("\n") if "\n" in text.strip() else text.split(",")
        names = [part.strip().rstrip(",").strip("\"'") for part in parts]
        names = [name for name in names if name]
        return names if all(name.isprintable() for name in names) else None


def _holds_refused(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_refused, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_refused, value))
    return isinstance(value, Refused)


def _sort_in(value: Any, where: str, hint: str, path: Path, found: Contents, depth: int) -> None:
    """Put a value, and what is in it, where it belongs; what is of no use is passed over."""
    if isinstance(value, Refused):
        name = ".".join(str(part) for part in value.record.args if isinstance(part, str))
        inverse = _INVERSES.get(name.rpartition(".")[2])
        if inverse is not None and "numpy" in name:
            found.inverses.append((inverse, where))
        else:
            found.refused.append((value, path))
    elif isinstance(value, GlobalName):
        inverse = _INVERSES.get(value.path.rpartition(".")[2])
        if inverse is not None:
            found.inverses.append((inverse, where))
    elif isinstance(value, LabelEncoder):
        found.codes.append(_number_texts(value.classes_.tolist(), hint, where))
    elif isinstance(value, DictVectorizer):  # it makes the dummies that its names tell
        found.lists.append((tuple(value.feature_names_), where))
        found.lists_sparse |= bool(value.sparse)
    elif isinstance(value, Pipeline) and isinstance(value[0], DictVectorizer) and len(value) > 1:
        _sort_in(value[0], where, hint, path, found, depth)
        _sort_in(value[1:], where, hint, path, found, depth)
    elif isinstance(value, dict) and value.get("class_name") == "Tokenizer":
        found.transformers.append(Transformer(_read_tokenizer(value, path), where, path))
    elif isinstance(value, dict):
        _sort_dict(value, where, hint, path, found, depth)
    elif isinstance(value, list | tuple | np.ndarray):
        _sort_list(list(value), where, hint, path, found, depth)
    elif _is_number(value):
        if 0 < value < 1 and _THRESHOLD(hint):
            found.thresholds.append((float(value), where))
    elif isinstance(value, str):
        if value in _INVERSES:
            found.inverses.append((_INVERSES[value], where))
    elif (hasattr(value, "predict") and not hasattr(value, "transform")) or (
        hasattr(value, "predict") and _answers(value)
    ):
        found.estimators.append(Transformer(value, where, path))
    elif hasattr(value, "transform") and (
        hasattr(value, "n_features_in_") or takes_texts_alone(value)
    ):
        found.transformers.append(Transformer(value, where, path))


def _read_tokenizer(value: dict[str, Any], path: Path) -> Any:
    """Read what ``to_json`` of Keras's Tokenizer wrote, as its pickle is read."""
    try:
        config = value["config"]
        attributes = {**config, "word_index": json.loads(config["word_index"])}
        return revive(Record("keras.preprocessing.text.Tokenizer", state=attributes))
    except (PickleError, KeyError, TypeError, ValueError) as error:
        raise AddError(
            f"{path} is no Tokenizer as its to_json() writes it: {quote_error(error)}. Write the "
            "file anew, or give pickle.dump(tokenizer, open('tokenizer.pkl', 'wb'))."
        ) from error


def _answers(value: Any) -> bool:
    """Whether it is a model although it can transform as well, as discriminant analysis can."""
    try:
        describe_estimator(value, "")
    except AddError:
        return False
    return True


def _sort_dict(
    value: dict[Any, Any], where: str, hint: str, path: Path, found: Contents, depth: int
) -> None:
    numbers = all(isinstance(each, Real) for each in value.values())
    if value and numbers and not any(_THRESHOLD(as_text(key)) for key in value):
        codes = {as_text(key): float(each) for key, each in value.items()}
        found.codes.append(Codes(codes, hint, where))
    elif value and all(isinstance(each, str) and _is_code(key) for key, each in value.items()):
        pairs = {as_text(each): float(key) for key, each in value.items()}
        found.codes.append(Codes(pairs, hint, where))
    elif depth < _DEEPEST:
        for key, each in value.items():
            _sort_in(each, f"{where}[{key!r}]", as_text(key), path, found, depth + 1)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_code(key: Any) -> bool:
    return isinstance(key, Real) or (isinstance(key, str) and key.isdecimal())


def _sort_list(
    value: list[Any], where: str, hint: str, path: Path, found: Contents, depth: int
) -> None:
    if value and all(isinstance(each, str) for each in value):
        found.lists.append((tuple(value), where))
        if len(set(value)) == len(value):
            found.codes.append(replace(_number_texts(value, hint, where), is_list=True))
    elif depth < _DEEPEST:
        for number, each in enumerate(value[:10_000]):
            _sort_in(each, f"{where}[{number}]", "", path, found, depth + 1)


def _number_texts(values: Sequence[Any], hint: str, where: str) -> Codes:
    numbers = {as_text(value): float(number) for number, value in enumerate(values)}
    return Codes(numbers, hint, where)
