"""Opens the file of a network as ONNX: for pictures of any library, for a table of Keras."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import joblib
import onnx

from model.making.errors import AddError
from model.making.onnx.signatures import load_onnx
from model.making.options import AddOptions, AskPerson, Progress
from model.making.pictures.kept_rows import KeptRows
from model.making.pictures.keras import UnknownLayerError, convert_keras, read_keras
from model.making.pictures.keras.calls import find_input_shape
from model.making.pictures.keras.files import KerasFile, list_layers
from model.making.pictures.keras.words import split_words
from model.making.pictures.keras_files import convert_with_keras, refuse_unknown
from model.making.pictures.labelled import are_packed, names_pictures
from model.making.pictures.networks import (
    PictureNetwork,
    open_network,
    takes_pictures,
    takes_rows,
)
from model.making.pictures.pixel_rows import (
    PixelClassifier,
    find_shapes,
    read_classifier,
    take_answer,
    take_pictures,
)
from model.making.pictures.torch_files import (
    OF_A_TABLE,
    convert_torch,
    is_torch_archive,
    name_torch_content,
    refuse_weights,
)

_KERAS = (".h5", ".hdf5", ".keras")
_TORCH = (".pt", ".pth", ".pt2", ".ckpt")


_WRITTEN = ", written as ONNX layer by layer"
_TABLE = (
    "A network of Keras that takes the columns of a table is added with its data in a CSV file, "
    "and its scaler and other parts beside it; one of PyTorch alike, as ONNX: torch.onnx.export("
    "net, torch.zeros(1, 8), 'model.onnx'), where 8 is the number of its columns."
)


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """A network in ONNX; ``made`` says how it was made of another file, "" where it was none.

    ``classifier`` is that of scikit-learn of which it was made, None where it is another network.
    """

    network: PictureNetwork
    made: str = ""
    classifier: PixelClassifier | None = None


def is_for_pictures(options: AddOptions) -> bool:
    """Whether a person brings a network for pictures: by the file, else by the data.

    Pictures lie in a folder for each class, or a table has nothing but their names and classes; a
    folder without folders may be of tables.
    """
    if find_table_network(options) is not None:
        return False
    if is_picture_file(options.paths[0]):
        return True
    data = options.data
    if data.is_dir():
        return any(item.is_dir() for item in data.iterdir())
    return data.is_file() and (are_packed(data) or names_pictures(data, alone=True))


def find_table_network(options: AddOptions) -> Path | None:
    """Find the file of Keras that takes the columns of a table; None where there is none."""
    found = [path for path in options.paths if path.suffix.lower() in _KERAS]
    if not found or not options.data.is_file() or names_pictures(options.data):
        return None
    try:
        return found[0] if count_columns(found[0]) else None
    except UnknownLayerError:  # it takes several inputs
        return found[0]


def count_columns(path: Path) -> int | None:
    """Count the numbers in the row that a network of Keras takes; None for any other file.

    Raises:
        UnknownLayerError: if it takes several inputs.
    """
    if path.suffix.lower() not in _KERAS:
        return None
    try:
        shape = find_input_shape(read_keras(path).config)
    except UnknownLayerError:
        raise
    except AddError:
        return None  # what is wrong with it is said where it is opened
    return shape[0] if shape is not None and len(shape) == 1 else None


def write_table_network(
    options: AddOptions, folder: Path, ask: AskPerson, report: Progress
) -> tuple[AddOptions, str]:
    """Write a network of Keras that takes the columns of a table as ONNX.

    Returns:
        The options with that file, in ``folder``, in its place, and how it was made; the same and
        "" where there is no such network.

    Raises:
        AddError: if it cannot be converted, and what to do.
    """
    path = find_table_network(options)
    if path is None:
        return options, ""
    try:
        find_input_shape(read_keras(path).config)
    except UnknownLayerError as error:
        raise AddError(
            f"{path}: {error} Where Keras is, put a model around it that takes all columns as one "
            "input and parts them, and give its ONNX file: x = keras.Input((8,)); keras.Model(x, "
            "model([x[:, :3], x[:, 3:]])).export('model.onnx', format='onnx'), where 8 is the "
            "number of the columns."
        ) from error
    file, beside = read_keras(path), [other for other in options.paths if other != path]
    if parted := split_words(file):
        file, words = parted
        beside.append(folder / f"{path.stem}.words.joblib")
        joblib.dump(words, beside[-1])
    else:
        _require_words(file, options)
    model, made = _convert_keras(file, options, ask, report)
    written = folder / f"{path.stem}.onnx"
    onnx.save(model, written)
    paths = (written, *beside)
    return replace(options, paths=paths, python=""), f"{path.name}: {made}."


def _require_words(file: KerasFile, options: AddOptions) -> None:
    """Refuse a network of texts without a file that numbers their words.

    Raises:
        AddError: with what to give.
    """
    layers = [layer["class_name"] for layer in list_layers(file.config)]
    if "Embedding" in layers[:2] and not options.paths[1:]:
        raise AddError(
            f"{file.path} begins with an Embedding: it takes the numbers of words, and no file "
            "says which words these are. Give the file of its Tokenizer, too, from "
            "pickle.dump(tokenizer, open('tokenizer.pkl', 'wb')) or tokenizer.to_json()."
        )


def _convert_keras(
    file: KerasFile, options: AddOptions, ask: AskPerson, report: Progress
) -> tuple[onnx.ModelProto, str]:
    """Convert a file of Keras, by itself where its layers are known; the network, and how."""
    try:
        return convert_keras(file), f"It is {file.described}{_WRITTEN}"
    except UnknownLayerError as error:
        model = convert_with_keras(file, error, options, ask, report)
        return model, f"It is {file.described}, converted by Keras itself"


def is_picture_file(path: Path) -> bool:
    """Whether a file is one of a network for pictures, by its name, or ONNX that takes pictures."""
    if not path.is_file():  # a named pipe would be waited for
        return False
    if path.suffix.lower() in (*_KERAS, *_TORCH):
        return True
    return path.suffix == ".onnx" and _takes_pictures(path)


def _takes_pictures(path: Path) -> bool:
    try:
        return takes_pictures(onnx.load(path, load_external_data=False))
    except Exception:  # what is wrong with it is said where it is read as a model of rows
        return False


def open_file(options: AddOptions, ask: AskPerson, report: Progress) -> OpenedFile:
    """Open the network.

    ``ask`` is asked before anything is installed.

    Raises:
        AddError: if it cannot be read, and what to do.
    """
    path, *others = (*options.paths, *options.before)
    is_torch = path.suffix.lower() in _TORCH or is_torch_archive(path)
    if path.suffix.lower() not in (".onnx", *_KERAS) and not is_torch:
        classifier = read_classifier(options)
        network = next(open_classifier(classifier, options))
        return OpenedFile(network, f"It is {classifier.described}, converted", classifier)
    if others or options.target_inverse or options.units:
        what = str(others[0]) if others else "--target-inverse or --unit"
        raise AddError(f"A network for pictures stands alone: leave {what} out. {_TABLE}")
    if is_torch and options.python:
        content, model = convert_torch(path, options)
        made = f"It is {content} of PyTorch, converted there"
        return OpenedFile(_open(model, options), made)
    if path.suffix.lower() in _KERAS:
        model, made = _convert_keras(read_keras(path), options, ask, report)
        if not options.data.is_dir():
            _check_pictures(model, path)
        return OpenedFile(_open(model, options), made)
    if is_torch:
        refuse_torch(path)
    return OpenedFile(_open(load_onnx(path), options))


def _open(model: onnx.ModelProto, options: AddOptions) -> PictureNetwork:
    """Look at a network that takes a picture, or all of its pixels as one row."""
    path = options.paths[0]
    if not takes_rows(model):
        return open_network(model, path)
    shapes = find_shapes(model, path, options.pictures.size)
    model, names_only = take_answer(model, path)
    network = open_network(take_pictures(model, shapes), path, shapes)
    return replace(network, names_only=names_only)


def open_classifier(classifier: PixelClassifier, options: AddOptions) -> Iterator[PictureNetwork]:
    """Open each of the forms that a classifier of scikit-learn has in ONNX.

    Raises:
        AddError: if it has none, or takes no pictures.
    """
    names_only, kept = not classifier.kind.probabilities, KeptRows(classifier.fitted)
    for model in classifier.convert():
        yield replace(_open(model, options), names_only=names_only, kept=kept)


def open_path(path: Path) -> OpenedFile:
    """Open a file of ONNX, Keras or PyTorch by its name.

    Raises:
        AddError: if it cannot be read, and what to do.
    """
    if path.suffix.lower() in _KERAS:
        file = read_keras(path)
        try:
            model = convert_keras(file)
        except UnknownLayerError as error:
            raise refuse_unknown(file, error) from error
        _check_pictures(model, path)
        return OpenedFile(open_network(model, path), f"It is {file.described}{_WRITTEN}")
    if path.suffix.lower() in _TORCH:
        refuse_torch(path)
    return OpenedFile(open_network(load_onnx(path), path))


def _check_pictures(model: onnx.ModelProto, path: Path) -> None:
    if not takes_pictures(model):
        raise AddError(f"{path} takes no pictures. {_TABLE}")


def refuse_torch(path: Path) -> NoReturn:
    """Refuse a file of PyTorch with what to do, by what it holds.

    Raises:
        AddError: always.
    """
    content = name_torch_content(path)
    if content == "weights":
        refuse_weights(path)
    if content == "a pickled module":
        raise AddError(
            f"{path} is a pickled module, which needs PyTorch and its author's classes, and runs "
            "code when it is loaded. Add --python PATH, where these are, and --trust; or export "
            "it there: net.eval(); torch.onnx.export(net, torch.zeros(1, 3, 224, 224), "
            "'model.onnx'). Write the size of your pictures for 224, and give model.onnx. "
            f"{OF_A_TABLE}"
        )
    raise AddError(
        f"{path} is {content} of PyTorch, which is not installed here. Add --python PATH with a "
        "Python in which it is, or export the network to ONNX there: "
        "torch.onnx.export(torch.jit.load('model.pt').eval(), torch.zeros(1, 3, 224, 224), "
        "'model.onnx', dynamo=False). Write the size of your pictures for 224, and give "
        f"model.onnx. {OF_A_TABLE}"
    )
