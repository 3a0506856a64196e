"""What is in somebody's files, in words for people; nothing in them runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from model.contract.pickles import GlobalName, Opened, PickleError, Record, read_pickle
from model.contract.pickles.errors import printable
from model.making.assembly.contents import collect_contents, read_text
from model.making.errors import AddError
from model.making.estimator_sources import describe_estimator
from model.making.file_contents import advise_content, name_content
from model.making.input_scales import find_scale, is_scaler
from model.making.kinds.output_kind import OutputKind
from model.making.library_files import open_library_model
from model.making.model_folders import open_model_folder
from model.making.onnx_sources import read_onnx
from model.making.pickles import advise
from model.making.pictures.opening import is_picture_file, open_path
from model.serving.estimators import UnknownNameError, revive

_MOST_NAMES = 20
"""Names of inputs, classes or steps that are shown."""
_DATA = ("collections.", "datetime.", "numpy.", "pandas.", "scipy.")
"""Libraries whose objects are data."""
_BESIDE = "It holds no model: give it to `model add` together with the model that it belongs to."
_KNOWN_FILES = (
    "Only files of joblib, pickle, skops, ONNX, Keras, XGBoost and LightGBM can be added."
)
_NO_MODEL = "That is no model. Save the fitted estimator or Pipeline itself."
_NAME = re.compile(r"\w[^'\"{}\[\]<>;=]*")
"""What a name of a column looks like, and no line of a pickle that is text."""
_DEEPEST = 4
_MOST_PARTS = 8
"""Steps in steps that are shown, and steps of each."""
_MOST_VALUES = 100
"""Values in which steps are looked for."""


@dataclass(frozen=True)
class Look:
    """What is in some files: text of one block a file, and whether a model can be served.

    It can where one of the files holds a model that ``model add`` takes without --trust, and none
    of them is a model that it refuses.
    """

    text: str
    servable: bool
    in_part: bool = False
    """A model can be added, but another of the files was refused."""


@dataclass
class _File:
    """What one file holds: lines of text, and what was read of it.

    ``fitted`` is the estimator, ``inputs`` how many it takes, ``scale`` how they look scaled.
    """

    path: Path
    lines: list[str]
    fitted: object = None
    inputs: int | None = None
    scale: str = ""
    servable: bool = False
    refused: bool = False


def look(paths: Sequence[Path]) -> Look:
    """Say what is in files; whatever is in them, they run no code and raise no error."""
    files = [_look_at(path) for path in paths]
    _note_scales(files)
    blocks = [
        "\n  ".join([f"{printable(str(file.path), 300)}:", *map(_clean, file.lines)])
        for file in files
    ]
    found, refused = any(file.servable for file in files), any(file.refused for file in files)
    return Look("\n".join(blocks), found and not refused, found and refused)


def _clean(line: str) -> str:
    return printable(line, 1000)


def _look_at(path: Path) -> _File:
    file = _File(path, [])
    try:
        if path.is_dir():
            _open_folder(file)
        if file.refused:
            return file
        path = file.path
        if is_picture_file(path):
            _describe_network(file)
        elif path.suffix == ".onnx":
            _describe_onnx(file)
        else:
            _describe_pickle(file)
    except Exception as error:  # what a library raises depends on the file's bytes
        file.refused, file.servable = True, False
        file.lines.append(f"It could not be read further ({type(error).__name__}).")
    return file


def _open_folder(file: _File) -> None:
    """Say what a folder is, and go on with the model's file in it."""
    try:
        folder = open_model_folder(file.path)
    except AddError as error:
        file.refused = True
        file.lines.append(str(error))
        return
    file.path = folder.file
    file.lines.append(f"{folder.kind}; its file is {folder.file.name}.")
    if folder.columns:
        names = _list(folder.columns)
        file.lines.append(f"{folder.source} names {len(folder.columns)} columns: {names}.")


def _describe_network(file: _File) -> None:
    try:
        opened = open_path(file.path)
    except AddError as error:
        file.lines.append(str(error))
        file.refused = True
        return
    shapes = opened.network.shapes
    listed = " or ".join(
        f"{shape.width or '?'} × {shape.height or '?'} pixels in "
        f"{'grey' if shape.channels == 1 else 'colour'} ({shape.layout})"
        for shape in shapes
    )
    file.lines += [
        f"{opened.made or 'An ONNX file'}.",
        f"It takes a picture of {listed}, as {opened.network.type}.",
        "Add it with --data FOLDER, which has a folder of pictures for each class.",
        "It can be served without --trust: reading it runs no code.",
    ]
    file.servable = True


def _describe_onnx(file: _File) -> None:
    try:
        source = read_onnx(file.path)
    except AddError as error:
        file.lines.append(str(error))
        file.refused = True
        return
    file.lines += ["An ONNX file.", _describe_inputs(source.names, source.count)]
    file.lines.append("It can be served without --trust: loading ONNX runs no code.")
    file.servable = True


def _describe_library(file: _File) -> bool:
    """Say what is in another library's own file; False if it is none."""
    try:
        found = open_library_model(file.path)
    except AddError as error:
        file.refused = True
        file.lines.append(str(error))
        return True
    if found is None:
        return False
    file.lines.append(f"{found.name[:1].upper()}{found.name[1:]}.")
    _describe_model(file, found.fitted)
    return True


def _describe_model(file: _File, fitted: Any) -> None:
    """Say what an estimator takes and answers.

    Raises:
        AddError: if it is none that can be added.
    """
    found = describe_estimator(fitted, "The file")
    file.fitted, file.inputs, file.scale = fitted, found.count, find_scale(fitted)
    file.servable = True
    file.lines += [
        _describe_inputs(found.names, found.count),
        _describe_answers(found.kind),
        "It can be served without --trust.",
    ]


def _describe_pickle(file: _File) -> None:
    if _describe_library(file):
        return
    try:
        opened = read_pickle(file.path)
    except PickleError as error:
        _describe_other(file, error)
        return
    file.lines += [_describe_container(opened), f"It holds {_name_value(opened.root)}."]
    if not isinstance(opened.root, Record):
        _describe_bundle(file)
        return
    if opened.root.path.startswith(_DATA):
        file.lines.append(_NO_MODEL)
        return
    try:
        fitted = revive(opened.root)
    except UnknownNameError as error:
        file.refused = True
        file.lines += [
            *_describe_record(opened.root),
            f"It needs {error.path}, which is not known here. {advise(error.path)}",
        ]
        return
    except PickleError as error:
        file.refused = True
        file.lines += [*_describe_record(opened.root), f"It cannot be served. {error}"]
        return
    file.fitted = fitted  # a scaler is none that can be added
    try:
        _describe_model(file, fitted)
    except AddError as error:
        said = _BESIDE if _is_part(file.path) else str(error)
        file.lines += [*_describe_record(opened.root), said]


def _describe_other(file: _File, error: PickleError) -> None:
    """Say what a file is that holds no pickle; names of columns or classes may be in a text."""
    content = name_content(file.path)
    value = read_text(file.path) if content in ("", "text", "JSON") else None
    names = _list_names(value)
    if len(names) > 1 and (content == "JSON" or all(map(_NAME.fullmatch, names))):
        file.lines += [f"It holds {len(names)} names: {_list(names)}.", _BESIDE]
    elif content:
        file.lines.append(f"It is {content}. {advise_content(content) or _KNOWN_FILES}")
    else:
        file.refused = True
        file.lines.append(str(error))


def _list_names(value: object) -> list[str]:
    """The names in a list of texts, or of codes with their names; none in anything else."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    if not isinstance(value, Mapping):
        return []
    plain = all(isinstance(name, (str, int)) for name in value.values())
    return [f"{key} = {name}" for key, name in value.items()] if plain else []


def _describe_bundle(file: _File) -> None:
    """Say which model is among the things in a file."""
    try:
        contents = collect_contents([file.path])
    except AddError as error:
        file.refused = True
        file.lines.append(str(error))
        return
    models = contents.estimators
    if len(models) > 1:
        file.refused = True
        file.lines.append(f"That is {len(models)} models. Save one of them alone.")
    elif models and not _is_fitted(models[0].fitted):
        file.refused = True
        name = type(models[0].fitted).__name__
        file.lines.append(f"It cannot be served. Its {name} was never fitted.")
    elif models:
        found = describe_estimator(models[0].fitted, "The file")
        file.servable = True
        file.lines += [
            f"The model is {models[0].where}.",
            _describe_inputs(found.names, found.count),
            _describe_answers(found.kind),
            "It can be served without --trust.",
        ]
    elif contents.refused:
        file.refused = True
        file.lines.append(f"It cannot be served. {contents.refused[0][0].error}")
    elif contents.is_empty:
        file.lines.append(_NO_MODEL)
    else:
        file.lines.append(_BESIDE)


def _is_fitted(estimator: Any) -> bool:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _is_part(path: Path) -> bool:
    """Whether a file without a model holds something that goes with one."""
    try:
        return not collect_contents([path]).is_empty
    except AddError:
        return False


def _describe_container(opened: Opened) -> str:
    compression = f", compressed with {opened.compression}" if opened.compression else ""
    versions = " and ".join(sorted(opened.versions))
    saved = f", saved by scikit-learn {versions}" if versions else ""
    more = " More follows in the file, which is not read." if opened.more else ""
    return f"A {opened.container} file{compression}{saved}.{more}"


def _describe_record(root: object) -> list[str]:
    """Say of an estimator that was not made what its record tells."""
    state = root.state if isinstance(root, Record) and isinstance(root.state, dict) else {}
    names, classes = (_read_vector(state.get(key)) for key in ("feature_names_in_", "classes_"))
    count = state.get("n_features_in_")
    lines = []
    if names or isinstance(count, int):
        listed = tuple(map(_show, names)) or None
        lines.append(_describe_inputs(listed, count if isinstance(count, int) else None))
    if classes and all(isinstance(value, (str, bool, int, float)) for value in classes):
        lines.append(_describe_classes("Classes", classes))
    return lines


def _read_vector(value: object) -> tuple[object, ...]:
    """The values of a list or of an array of one dimension; none of anything else."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return tuple(value.tolist())
    return tuple(value) if isinstance(value, list) else ()


def _describe_inputs(names: Sequence[str] | None, count: int | None) -> str:
    if names is not None:
        return f"Inputs: {len(names)}, by name: {_list(names)}."
    if count is not None:
        return f"Inputs: {count}, by position; the file has no names for them."
    return "Inputs: the file does not say how many."


def _describe_answers(kind: OutputKind) -> str:
    return _describe_classes(kind.answers_text, kind.classes) if kind.classes else kind.answers_text


def _describe_classes(text: str, classes: Sequence[object]) -> str:
    return f"{text}: {len(classes)}: {_list(map(_show, classes))}."


def _list(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _MOST_NAMES} more" if len(shown) > _MOST_NAMES else ""
    return ", ".join(printable(name) for name in shown[:_MOST_NAMES]) + more


def _show(value: object) -> str:
    """A name or class as text; "?" for what is neither text nor a number."""
    plain = value is None or isinstance(value, (str, bool, int, float, np.generic))
    return str(value) if plain else "?"


def _name_value(value: object, depth: int = 0) -> str:
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
            return _name_value(found, depth + 1)
        if isinstance(found, (list, np.ndarray)) and (records := _find_records(found)):
            count = found.size if isinstance(found, np.ndarray) else len(found)
            return f"{count} × {records[0].name}"
    return ""


def _name_all(records: Sequence[Record], depth: int, separator: str) -> str:
    """Name some records; more would take long where they hold each other many times."""
    named = [_name_value(record, depth + 1) for record in records[:_MOST_PARTS]]
    if len(records) > _MOST_PARTS:
        named.append("and more")
    return separator.join(named)


def _find_records(values: Any, place: int | None = None) -> list[Record]:
    """The records among the first values, or at a place of the first of these, which are tuples."""
    first = list(islice(values.flat if isinstance(values, np.ndarray) else values, _MOST_VALUES))
    if place is not None:
        first = [value[place] for value in first if isinstance(value, tuple) and len(value) > place]
    return [value for value in first if isinstance(value, Record)]


def _note_scales(files: Sequence[_File]) -> None:
    """Say which models were fitted to scaled inputs without their scaler."""
    scalers = [file for file in files if is_scaler(file.fitted)]
    for file in files:
        if not file.scale:
            continue
        beside = [
            scaler.path.name
            for scaler in scalers
            if getattr(scaler.fitted, "n_features_in_", None) == file.inputs
        ]
        file.lines.append(
            f"Its inputs look {file.scale}; "
            + (
                f"{beside[0]} holds a scaler of as many inputs. Give both to `model add`."
                if beside
                else "no scaler is in these files. People would have to type scaled numbers."
            )
        )
