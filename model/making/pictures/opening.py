"""Opens the file of a network for pictures, whatever library wrote it, as ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import inliner

from model.making.errors import AddError
from model.making.options import AddOptions
from model.making.pictures.networks import PictureNetwork, open_network, takes_pictures

SUFFIXES = (".onnx",)


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """A network in ONNX; ``made`` says how it was made of another file, "" where it was none."""

    network: PictureNetwork
    made: str = ""


def is_for_pictures(options: AddOptions) -> bool:
    """Whether a person brings a network for pictures: by the data, else by the file."""
    path = options.paths[0]
    if options.data.is_dir():
        return True
    return path.suffix == ".onnx" and _takes_pictures(path)


def _takes_pictures(path: Path) -> bool:
    try:
        return takes_pictures(onnx.load(path, load_external_data=False))
    except Exception:  # what is wrong with it is said where it is read as a model of rows
        return False


def open_file(options: AddOptions) -> OpenedFile:
    """Open the network.

    Raises:
        AddError: if it cannot be read, and what to do.
    """
    path, *others = (*options.paths, *options.before)
    if others or options.target_inverse or options.units:
        what = others[0] if others else "--target-inverse or --unit"
        raise AddError(f"A network for pictures stands alone: leave {what} out.")
    if path.suffix.lower() == ".onnx":
        return OpenedFile(open_network(_load_onnx(path), path))
    raise AddError(
        f"{options.data} is a folder of pictures, and {path} is no network for pictures that is "
        "known here. Export it to ONNX, and give the .onnx file."
    )


def _load_onnx(path: Path) -> onnx.ModelProto:
    if not path.is_file():  # opening a named pipe waits for who writes to it
        raise AddError(f"{path} is no regular file, and only those are opened.")
    try:
        model = onnx.load(path)
    except FileNotFoundError as error:
        raise AddError(
            f"{path} keeps its weights in a file of its own, {error.filename or 'beside it'}, "
            "which is missing. Put it into the same folder."
        ) from error
    except Exception as error:  # protobuf and onnx raise several types
        said = str(error).strip().splitlines()[0][:200] if str(error).strip() else ""
        if "external data" in said.lower() or ".data" in said:
            raise AddError(
                f"{path} keeps its weights in a file of its own, which cannot be read: {said}. Put "
                "it into the same folder."
            ) from error
        raise AddError(f"{path} is not an ONNX file, although its name says so.") from error
    try:
        onnx.checker.check_model(model)
        if model.functions:
            model = inliner.inline_local_functions(model)
    except Exception as error:
        said = str(error).strip().splitlines()[0][:200]
        raise AddError(f"{path} is not a valid ONNX file: {said}") from error
    return model
