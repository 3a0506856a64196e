"""What is in somebody's files, in words for people; nothing in them runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from model.contract.formatting import capitalize
from model.contract.pickles import Opened, PickleError, Record, read_labels, read_pickle
from model.contract.pickles.errors import printable
from model.making.assembly.contents import collect_contents, read_text
from model.making.errors import AddError
from model.making.looking.input_scales import find_scale, is_scaler
from model.making.looking.object_words import (
    describe_answers,
    describe_inputs,
    describe_record,
    list_printable,
    name_value,
)
from model.making.pictures.keras import read_keras
from model.making.pictures.opening import count_columns, is_picture_file, open_path
from model.making.pictures.pixel_rows import may_be_pixels
from model.making.sources.estimator_sources import describe_estimator
from model.making.sources.file_contents import advise_content, name_content
from model.making.sources.library_files import open_library_model
from model.making.sources.model_folders import open_model_folder
from model.making.sources.onnx_sources import read_onnx
from model.making.sources.pickles import advise
from model.serving.estimators import UnknownNameError, revive

_DATA = ("collections.", "datetime.", "numpy.", "pandas.", "scipy.")
"""Libraries whose objects are data."""
_BESIDE = "It holds no model: give it to `model add` together with the model that it belongs to."
_KNOWN_FILES = (
    "Only files of joblib, pickle, skops, ONNX, Keras, XGBoost and LightGBM can be added."
)
_NO_MODEL = "That is no model. Save the fitted estimator or Pipeline itself."
_NAME = re.compile(r"\w[^'\"{}\[\]<>;=]*")
"""What a name of a column looks like, and no line of a pickle that is text."""


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

    def refuse(self, *lines: str) -> None:
        """Say why it is a model that cannot be added."""
        self.refused = True
        self.lines += lines


def look(paths: Sequence[Path]) -> Look:
    """Say what is in files; whatever is in them, they run no code and raise no error."""
    files = [_look_at(path) for path in paths]
    _note_scales(files)
    blocks = [
        "\n  ".join(
            [f"{printable(str(file.path), 300)}:", *(printable(line, 1000) for line in file.lines)]
        )
        for file in files
    ]
    found, refused = any(file.servable for file in files), any(file.refused for file in files)
    return Look("\n".join(blocks), found and not refused, found and refused)


def _look_at(path: Path) -> _File:
    file = _File(path, [])
    try:
        if path.is_dir():
            _open_folder(file)
        path = file.path
        if count := count_columns(path):
            _describe_table_network(file, count)
        elif is_picture_file(path):
            _describe_network(file)
        elif path.suffix == ".onnx":
            _describe_onnx(file)
        else:
            _describe_pickle(file)
    except Exception as error:  # what a library raises depends on the file's bytes
        file.servable = False
        file.refuse(str(error) if isinstance(error, AddError) else _name_problem(error))
    return file


def _name_problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "It nests its values too deep to be read."
    if isinstance(error, OSError) and error.strerror:
        return f"It cannot be read: {error.strerror}."
    return f"It could not be read further ({type(error).__name__})."


def _open_folder(file: _File) -> None:
    """Say what a folder is, and go on with the model's file in it."""
    folder = open_model_folder(file.path)
    file.path = folder.file
    file.lines.append(f"{folder.kind}; its file is {folder.file.name}.")
    if folder.columns:
        names = list_printable(folder.columns)
        file.lines.append(f"{folder.source} names {len(folder.columns)} columns: {names}.")


def _describe_network(file: _File) -> None:
    opened = open_path(file.path)
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


def _describe_table_network(file: _File, count: int) -> None:
    file.lines += [
        f"It is {read_keras(file.path).described}.",
        describe_inputs(None, count),
        "Add it with --data FILE, a table, and its scaler and other parts beside it; or with "
        "--data FOLDER, pictures in a folder for each class, if these are the pixels of one.",
        "It can be served without --trust: reading it runs no code.",
    ]
    file.servable = True


def _describe_onnx(file: _File) -> None:
    source = read_onnx(file.path)
    file.lines += ["An ONNX file.", describe_inputs(source.names, source.count)]
    file.lines.append("It can be served without --trust: loading ONNX runs no code.")
    file.servable = True


def _describe_model(file: _File, fitted: Any) -> None:
    """Say what an estimator takes and answers.

    Raises:
        AddError: if it is none that can be added.
    """
    found = describe_estimator(fitted, "The file")
    file.fitted, file.inputs, file.scale = fitted, found.count, find_scale(fitted)
    file.servable = True
    file.lines += [
        describe_inputs(found.names, found.count),
        describe_answers(found.kind),
        "It can be served without --trust.",
    ]


def _describe_pickle(file: _File) -> None:
    if found := open_library_model(file.path):
        name, fitted = found
        file.lines.append(f"{capitalize(name)}.")
        _describe_model(file, fitted)
        return
    try:
        opened = read_pickle(file.path)
    except PickleError as error:
        _describe_other(file, error)
        return
    root = opened.root
    labels = read_labels(root) if isinstance(root, Record) else root
    names = _list_names(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    file.lines.append(_describe_container(opened))
    if len(names) > 1 and not isinstance(root, Mapping):
        file.lines += [_count_names(names), _BESIDE]
        return
    file.lines.append(f"It holds {name_value(root)}.")
    if not isinstance(root, Record):
        _describe_bundle(file)
        return
    if root.path.startswith(_DATA):
        file.lines.append(_NO_MODEL)
        return
    try:
        fitted = revive(root)
    except UnknownNameError as error:
        needs = f"It needs {error.path}, which is not known here. {advise(error.path)}"
        file.refuse(*describe_record(root), needs)
        return
    except PickleError as error:
        file.refuse(*describe_record(root), f"It cannot be served. {error}")
        return
    file.fitted = fitted  # a scaler is none that can be added
    try:
        _describe_model(file, fitted)
    except AddError as error:
        said = _BESIDE if _is_part(file.path) else str(error)
        file.lines += [*describe_record(root), said]


def _describe_other(file: _File, error: PickleError) -> None:
    """Say what a file is that holds no pickle; names of columns or classes may be in a text."""
    content = name_content(file.path)
    value = read_text(file.path) if content in ("", "text", "JSON") else None
    names = _list_names(value)
    if len(names) > 1 and (content == "JSON" or all(map(_NAME.fullmatch, names))):
        file.lines += [_count_names(names), _BESIDE]
    elif content:
        file.lines.append(f"It is {content}. {advise_content(content) or _KNOWN_FILES}")
    else:
        file.refuse(str(error))


def _count_names(names: Sequence[str]) -> str:
    return f"It holds {len(names)} names: {list_printable(names)}."


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
    contents = collect_contents([file.path])
    models = contents.estimators
    if len(models) > 1:
        file.refuse(f"That is {len(models)} models. Save one of them alone.")
    elif models and not _is_fitted(models[0].fitted):
        name = type(models[0].fitted).__name__
        file.refuse(f"It cannot be served. Its {name} was never fitted.")
    elif models:
        file.lines.append(f"The model is {models[0].where}.")
        _describe_model(file, models[0].fitted)
        file.scale = ""  # what it was scaled by may be beside it
    elif contents.refused:
        file.refuse(f"It cannot be served. {contents.refused[0][0].error}")
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
        missing = "no scaler is in these files. People would have to type scaled numbers."
        if file.inputs is not None and may_be_pixels(file.inputs):
            missing = "if they are pixels, give pictures as --data: how is found by trying."
        file.lines.append(
            f"Its inputs look {file.scale}; "
            + (
                f"{beside[0]} holds a scaler of as many inputs. Give both to `model add`."
                if beside
                else missing
            )
        )
