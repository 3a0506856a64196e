"""Folders that hold a model and what is known of it: those of MLflow and of Hugging Face."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.contract.pickles.errors import printable
from model.making.errors import AddError
from model.making.options import AddOptions
from model.making.sources.estimator_sources import WRAP
from model.making.sources.file_contents import read_short_text

_MLFLOW_FILE = re.compile(
    r"^\s+(?:pickled_model|model_data|model_path|data|path): *['\"]?([^'\"\n]+?)['\"]? *$", re.M
)
_MLFLOW_CODE = re.compile(r"^ {4}(?:python_model|model_code_path): *(?!null$)\S", re.M)
"""What a model has whose answers are those of code around it."""
_MLFLOW_INPUTS = re.compile(r"^ {2}inputs: *'((?:[^']|'')*)'", re.M)
"""The columns: one text in JSON, which YAML breaks into lines at blanks."""
_README_FILE = re.compile(r"^model_file: *['\"]?([^'\"\n]+?)['\"]? *$", re.M)
_SUFFIXES = (
    ".cbm", ".joblib", ".json", ".keras", ".onnx", ".pickle", ".pkl", ".skops", ".txt", ".ubj",
)  # fmt: skip


@dataclass(frozen=True)
class DescribedFolder:
    """A model's file in a folder, and the columns that the folder names, in their order.

    ``kind`` is what the folder is in words, ``source`` the file that names the columns.
    """

    kind: str
    file: Path
    columns: tuple[str, ...] = ()
    source: str = ""


NamedColumns = tuple[tuple[str, ...], str]
"""Names of columns, and the file that has them."""


def open_folders(options: AddOptions) -> tuple[AddOptions, list[NamedColumns]]:
    """Put a model's file in the place of each folder that a person gives.

    Returns:
        The options, and each list of columns with the name of the file that has it.

    Raises:
        AddError: if no model is in a folder, or it is not clear which.
    """
    found = [open_model_folder(path) if path.is_dir() else None for path in options.paths]
    paths = [
        path if folder is None else folder.file
        for path, folder in zip(options.paths, found, strict=True)
    ]
    listed = [(folder.columns, folder.source) for folder in found if folder and folder.columns]
    return replace(options, paths=tuple(paths)), listed


def open_model_folder(folder: Path) -> DescribedFolder:
    """Find the model in a folder; nothing in it runs.

    Raises:
        AddError: if there is none, or it is not clear which file it is.
    """
    described = read_short_text(folder / "MLmodel")
    if described is not None:
        if _MLFLOW_CODE.search(described):
            raise _refuse_code(folder, _MLFLOW_FILE.findall(described))
        file = _find_first(folder, _MLFLOW_FILE.findall(described))
        return DescribedFolder("An MLflow model", file, _read_signature(described), "MLmodel")
    config = _read_json(read_short_text(folder / "config.json")).get("sklearn")
    readme = read_short_text(folder / "README.md") or ""
    named = _README_FILE.findall(readme.partition("\n---")[0]) if readme[:3] == "---" else []
    if isinstance(config, dict):
        model = config.get("model")
        names = [model.get("file")] if isinstance(model, dict) else []
        file = _find_first(folder, [name for name in [*names, *named] if isinstance(name, str)])
        columns = config.get("columns")
        is_list = isinstance(columns, list) and all(isinstance(each, str) for each in columns)
        listed = tuple(columns) if isinstance(columns, list) and is_list else ()
        return DescribedFolder("A scikit-learn model of Hugging Face", file, listed, "config.json")
    if (folder / "saved_model.pb").is_file():
        raise AddError(
            f"{folder} is a SavedModel of TensorFlow. Save it as one file, "
            "model.save('model.keras'), or export it to ONNX, and name that file."
        )
    if (folder / "config.cfg").is_file() and (folder / "meta.json").is_file():
        raise AddError(f"{folder} is a pipeline of spaCy. {WRAP}")
    file = _find_first(folder, named)
    return DescribedFolder("A folder", file)


def _refuse_code(folder: Path, named: list[str]) -> AddError:
    """Say what to do with a model of MLflow that its author's code answers."""
    found = [folder / name for name in named if (folder / name).is_file()]
    inside = f", which may be {printable(str(found[0]), 4096)}" if found else ""
    return AddError(
        f"{folder} is an MLflow model of its author's own code (python_model), which nothing here "
        f"runs. If that code only hands the rows on to a model, add that model{inside}. Else write "
        "a class into a Python file with a method predict(self, rows) that answers alike, save an "
        "object of it, imported from that file, by joblib.dump, and add that file with --trust "
        "--module FILE.py."
    )


def _find_first(folder: Path, names: list[str]) -> Path:
    """The model's file: the first that is named and is in the folder, else the only one."""
    root = folder.resolve()
    for name in names:
        path = (folder / name).resolve()
        if path.is_relative_to(root) and path.is_file():
            return folder / name
        if path.is_relative_to(root) and path.is_dir() and path != root:
            return _find_only(path)
    return _find_only(folder)


def _find_only(folder: Path) -> Path:
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES]
    plain = [path for path in found if path.suffix.lower() not in (".json", ".txt")]
    if len(plain or found) == 1:
        return (plain or found)[0]
    names = ", ".join(printable(path.name) for path in found[:10])
    raise AddError(
        f"{folder} is a folder, and "
        + (f"it is not clear which of its files is the model: {names}. " if found else "")
        + ("Name that file." if found else "no model is in there. Name the file of the model.")
    )


def _read_signature(described: str) -> tuple[str, ...]:
    """The columns that the signature of MLflow names; none where it has none."""
    match = _MLFLOW_INPUTS.search(described)
    if match is None:
        return ()
    text = re.sub(r"\s*\n\s*", " ", match[1].replace("''", "'"))
    try:
        columns = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    names = [each.get("name") for each in columns if isinstance(each, dict)]
    return () if None in names else tuple(map(str, names))


def _read_json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
