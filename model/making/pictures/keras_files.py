"""Models of Keras that are not read layer by layer: a Python that has Keras converts them."""

from pathlib import Path

import onnx

from model.making.errors import AddError
from model.making.options import AddOptions, AskPerson, Progress
from model.making.pictures import keras_environment
from model.making.pictures.conversions import convert_elsewhere
from model.making.pictures.keras import KerasFile, UnknownLayerError, find_code

_CONVERTER = Path(__file__).with_name("keras_converter.py")


def refuse_unknown(file: KerasFile, error: UnknownLayerError) -> AddError:
    """Say what to do with a model of which a layer is not known."""
    return AddError(
        f"{_describe(file, error)} Add it with --python PATH, a Python that has TensorFlow and "
        "tf2onnx; without it, `model add` offers to install them by uv, where that is (`pip "
        "install uv`). Or convert it where Keras is, and give the .onnx file: "
        "model.export('model.onnx', format='onnx') in Keras 3, or "
        "`python -m tf2onnx.convert --keras model.h5 --output model.onnx` for Keras 2."
    )


def convert_with_keras(
    file: KerasFile,
    error: UnknownLayerError,
    options: AddOptions,
    ask: AskPerson,
    report: Progress,
) -> onnx.ModelProto:
    """Let Keras convert a model, in the person's own Python or in one that is made for it.

    Args:
        file: as it was read.
        error: why it cannot be converted without Keras.
        options: with the ``python``, or "".
        ask: asked before anything is installed.
        report: told that something is installed.

    Raises:
        AddError: if it cannot be converted, is not trusted or answers otherwise as ONNX.
    """
    code = "" if options.trust else find_code(file.config)
    if code:
        raise AddError(
            f"{file.path} is {file.described} with {code}: loading it runs code of whoever made "
            "it. If you trust them, add --trust, and --module FILE.py with its classes where they "
            "are not part of Keras."
        )
    python = options.python or keras_environment.find_environment()
    if not python:
        uv = keras_environment.find_uv()
        if not uv:
            raise refuse_unknown(file, error)
        installs = (
            f"{_describe(file, error)} TensorFlow, Keras and tf2onnx are installed to convert it, "
            f"once: {keras_environment.SIZE} in {keras_environment.choose_folder()}. If you have "
            "a Python with TensorFlow and tf2onnx, say no, and add --python PATH."
        )
        if not ask(installs):
            raise AddError("Nothing was installed and nothing added. Add --python PATH.")
        report(f"installing TensorFlow ({keras_environment.SIZE})")
        python = keras_environment.make_environment(uv)
    asked = {
        "path": str(file.path.absolute()),
        "release": file.release,
        "module": str(options.module.absolute()) if options.module else "",
        "trust": options.trust,
        "shape": _find_built_shape(file, options),
    }
    return convert_elsewhere(file.path, python, _CONVERTER, "Keras", asked, _advise)


def _find_built_shape(file: KerasFile, options: AddOptions) -> list[int | None] | None:
    """Height, width and channels that an author's own class was built for, else those asked for."""
    built, size = file.config.get("build_config"), options.pictures.size
    shape = built.get("input_shape") if isinstance(built, dict) else None
    if isinstance(shape, list) and len(shape) == 4:
        return shape[1:]
    return [size[1], size[0], 1 if options.pictures.channels == "grey" else 3] if size else None


def _describe(file: KerasFile, error: UnknownLayerError) -> str:
    reason = str(error).rstrip(".")
    return f"{file.path} is {file.described}, and only Keras reads all of it. {reason}."


def _advise(said: str) -> str:
    if "Could not locate" in said or "Unknown layer" in said:
        return "Give --module FILE.py with its classes."
    return ""
