"""What a file of PyTorch holds, told without PyTorch, and its network as ONNX, made with it.

Nothing in a file runs here. A Python of the person's own, in a process of its own, converts it.
"""

import re
import zipfile
from pathlib import Path
from typing import Literal, NoReturn

import onnx

from model.making.errors import AddError, require_file
from model.making.options import AddOptions
from model.making.pictures.conversions import convert_elsewhere

TorchContent = Literal["TorchScript", "an exported program", "weights", "a pickled module"]
"""A module as a program, as a graph, its arrays alone, or as objects of its author's classes."""

OF_A_TABLE = (
    "For a network that takes the columns of a table, export torch.zeros(1, 8) in the same way, "
    "where 8 is their number."
)
_CONVERTER = Path(__file__).with_name("torch_converter.py")

_LONGEST_PICKLE = 5_000_000
_STATE_KEY = re.compile(rb"(?s)X.\0\0\0((?!optim|sched)\w*state_dict|model|net)q")
"""The key of the weights in a checkpoint."""

_SIDES = (224, 256, 299, 192, 180, 160, 150, 128, 112, 100, 96, 84, 64, 50, 48, 40, 32, 28)
"""Sides of pictures that are tried, those of pretrained networks first."""


def name_torch_content(path: Path) -> TorchContent:
    """Say what a file of PyTorch holds.

    Raises:
        AddError: if it is no file of PyTorch.
    """
    require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] or name for name in archive.namelist()]
            if "constants.pkl" in names and any(name.startswith("code/") for name in names):
                return "TorchScript"
            if any(name.startswith("models/") or name.endswith("exported_program.json")
                   for name in names):  # fmt: skip
                return "an exported program"
            if "data.pkl" not in names:
                raise AddError(f"{path} is a ZIP archive, but no file of PyTorch.")
    except zipfile.BadZipFile:
        if not path.read_bytes()[:1] == b"\x80":
            raise AddError(f"{path} is not a file of PyTorch, although its name says so.") from None
    content = _read_pickle(path)
    # A dictionary of arrays begins with its keys; a module begins with the name of its class.
    is_dictionary = b"collections\nOrderedDict" in content[:120] or content[2:3] == b"}"
    if is_dictionary and b"torch.nn.modules" not in content:
        return "weights"
    return "a pickled module"


def is_torch_archive(path: Path) -> bool:
    """Whether a file is a ZIP archive as PyTorch writes it, whatever its name."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _read_pickle(path: Path) -> bytes:
    """The pickle in a file, which has the names of classes and keys, but no array."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            with archive.open(name) as file:
                return file.read(_LONGEST_PICKLE)
    except zipfile.BadZipFile:
        with path.open("rb") as file:
            return file.read(_LONGEST_PICKLE)


def refuse_weights(path: Path) -> NoReturn:
    """Refuse a file of weights alone, with what to do.

    Raises:
        AddError: always.
    """
    key = _STATE_KEY.search(_read_pickle(path))
    inside = "" if key is None else f"['{key[1].decode()}']"
    raise AddError(
        f"{path} holds weights alone (a state dict) and not the network itself. Where your "
        "class is defined, load them into it and export the whole: "
        f"net.load_state_dict(torch.load({path.name!r}){inside}); net.eval(); "
        "torch.onnx.export(net, torch.zeros(1, 3, 224, 224), 'model.onnx'). Write the size "
        f"of your pictures for 224, and give model.onnx. {OF_A_TABLE}"
    )


def convert_torch(path: Path, options: AddOptions) -> tuple[TorchContent, onnx.ModelProto]:
    """Let the person's own Python convert a network, and compare the answers of both.

    Returns:
        What the file holds, and the network.

    Raises:
        AddError: if it cannot be converted, is not trusted or answers otherwise as ONNX.
    """
    content, pictures = name_torch_content(path), options.pictures
    if content == "weights":
        refuse_weights(path)
    if content == "a pickled module" and not options.trust:
        raise AddError(
            f"{path} is a pickled module: loading it runs code of whoever made it. If you trust "
            "them, add --trust, and --module FILE.py with its classes where they are not "
            "installed."
        )
    sizes = [pictures.size[::-1]] if pictures.size else [(side, side) for side in _SIDES]
    channels = [1] if pictures.channels == "grey" else [3] if pictures.channels else [3, 1]
    asked = {
        "path": str(path.absolute()),
        "beside": [str(path.absolute().parent), str(Path.cwd())],
        "content": content,
        "module": str(options.module.absolute()) if options.module else "",
        "sizes": sizes,
        "channels": channels,
    }

    def advise(said: str) -> str:
        if "get attribute" in said:
            return "Give --module FILE.py with its classes."
        asks = pictures.size or "--size" in said
        return "" if asks else f"If the size is what is wrong, give --size. {OF_A_TABLE}"

    return content, convert_elsewhere(path, options.python, _CONVERTER, "PyTorch", asked, advise)
