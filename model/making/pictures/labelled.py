"""Pictures with their classes: a folder of pictures for each class, or a table of files."""

import hashlib
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from pydantic_core import PydanticCustomError

from model.contract.formatting import list_some
from model.contract.outputs import MOST_CLASSES
from model.contract.paths import find_path
from model.contract.pictures import ImageField, Picture, Transparency
from model.making.errors import AddError

_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif",
    ".ppm", ".pgm",
)  # fmt: skip
_OTHER_FORMATS = ("BMP", "TIFF", "GIF", "PPM")
"""Formats that training sets have and visitors' uploads must not have."""

_PARTS = {
    "train": "data", "training": "data", "train_set": "data", "training_set": "data",
    "test": "holdout", "testing": "holdout", "test_set": "holdout", "seg_train": "data",
    "seg_test": "holdout", "val": "holdout", "valid": "holdout", "validation": "holdout",
}  # fmt: skip
"""Names of folders that are no classes but parts of a set."""

_TRIED_ROWS = 50
_MOST_SIZES = 400
_MOST_NAMED = 5


@dataclass(frozen=True)
class LabelledPictures:
    """The files of pictures, and the index of each one's class in ``classes``, sorted by name."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    broken: list[str] = field(default_factory=list)
    """The files that could not be read so far, each with the reason."""

    def __len__(self) -> int:
        return len(self.files)

    def choose(self, most: int) -> list[int]:
        """Choose files: all, or so many, each class as often as the others as far as it goes."""
        if len(self.files) <= most:
            return list(range(len(self.files)))
        labels = pd.Series(self.labels)[np.random.default_rng(0).permutation(len(self.labels))]
        turns = labels.groupby(labels).cumcount().sort_index()
        return sorted(np.argsort(turns.to_numpy(), kind="stable")[:most].tolist())

    def read(
        self, chosen: Sequence[int], side: int, transparency: Transparency = "ignored"
    ) -> Iterator[tuple[int, Picture]]:
        """Read some of the files, and note those that are broken.

        ``chosen`` are places in ``files``, ``side`` is the longer one of what the network sees, in
        pixels, ``transparency`` is that of ``ImageField``.
        """
        picture = ImageField(
            kind="image",
            name="image",
            label="It",
            noun="picture",
            determiner="a",
            side=side,
            transparency=transparency,
        )
        for place in chosen:
            path = self.files[place]
            try:
                yield place, picture.read(_read_bytes(path))
            except (PydanticCustomError, OSError) as error:
                said = error.message() if isinstance(error, PydanticCustomError) else str(error)
                self._note_broken(path, said)

    def _note_broken(self, path: Path, said: str) -> None:
        text = f"{path.relative_to(self.root)} ({said.removeprefix('It ').partition(':')[0]})"
        if text not in self.broken:
            self.broken.append(text)

    def describe_broken(self) -> str:
        """Say how many files could not be read, and which; "" where all could."""
        if not self.broken:
            return ""
        named = list_some(sorted(self.broken), _MOST_NAMED)
        count = "One file" if len(self.broken) == 1 else f"{len(self.broken):,} files"
        return f"{count} could not be read and left out: {named}."

    def hash_files(self) -> str:
        """Hash the names, classes and sizes of all files, which tells another set apart."""
        listed = "".join(
            f"{path.relative_to(self.root).as_posix()}\t{label}\t{path.stat().st_size}\n"
            for path, label in zip(self.files, self.labels, strict=True)
        )
        return hashlib.sha256(listed.encode()).hexdigest()

    def find_size(self) -> tuple[int, int]:
        """Find the width and height of most files, of those whose header can be read.

        Raises:
            AddError: if no file's can, or the sizes differ.
        """
        sizes: Counter[tuple[int, int]] = Counter()
        for place in self.choose(_MOST_SIZES):
            # What a decoder raises depends on the file's bytes; it is named when it is read.
            with suppress(Exception), Image.open(self.files[place]) as image:
                sizes[image.size] += 1
        if not sizes:
            raise AddError(f"No picture in {self.root} can be read.")
        ((size, count),) = sizes.most_common(1)
        if count <= sizes.total() / 2:
            raise AddError(
                "The network's file does not say how large its pictures are, and yours are of many "
                "sizes. Say to which one your code scaled them: --size 224x224"
            )
        return size


def _read_bytes(path: Path) -> bytes:
    """The bytes of a file, as a PNG where visitors could not upload its format."""
    content = path.read_bytes()
    if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".avif"):
        return content
    try:
        with Image.open(BytesIO(content), formats=_OTHER_FORMATS) as image:
            file = BytesIO()
            mode = "L" if image.mode in ("1", "L") else "RGB"
            is_scan = image.mode.startswith("I")  # of 16 bits, which a PNG keeps
            (image if is_scan else image.convert(mode)).save(file, "PNG")
            return file.getvalue()
    except Exception:  # the field says what is wrong with it
        return content


def find_parts(data: Path) -> tuple[Path, Path | None]:
    """Find the folders of a set that is split: (train, test), or (data, None) where it is not."""
    if not data.is_dir():
        return data, None
    folders = _list_folders(data)
    parts: dict[str, Path] = {}
    for folder in sorted(folders, key=lambda path: path.name.lower().startswith("val")):
        parts.setdefault(_PARTS.get(folder.name.lower(), ""), folder)
    if "data" not in parts or "" in parts or len(folders) > 3:
        return data, None
    return parts["data"], parts.get("holdout")


def read_labelled(data: Path, target: str, classes: Sequence[str] = ()) -> LabelledPictures:
    """List the pictures in a folder or a table.

    Args:
        data: the folder with a folder for each class, or the CSV file.
        target: the column of the table with the classes, "" where it is to be found.
        classes: those of other pictures, which must be the same.

    Raises:
        AddError: if there are no two classes with pictures, and what to do.
    """
    pairs = _list_folder(data) if data.is_dir() else _list_table(data, target)
    names = sorted({label for _, label in pairs} | (set(classes) if classes else set()))
    if classes and (unknown := [name for name in names if name not in classes]):
        raise AddError(
            f"{data} has the class {unknown[0]!r}, which the pictures in --data do not have: they "
            f"have {', '.join(sorted(classes)[:10])}. Name it as there."
        )
    _check_classes(data, names, bool(classes))
    codes = {name: code for code, name in enumerate(names)}
    return LabelledPictures(
        data if data.is_dir() else data.parent,
        tuple(names),
        tuple(path for path, _ in pairs),
        tuple(codes[label] for _, label in pairs),
    )


def advise_on_numbers(names: Sequence[str]) -> str:
    """Say that networks which answer a number are not served, where classes look like numbers."""
    numbers = pd.to_numeric(pd.Series(names, dtype=str), errors="coerce").notna().all()
    said = " A network that answers a number for a picture, such as an age, is not served here."
    return f"{said} Bands of it are classes: train it to tell these." if numbers else ""


def _check_classes(data: Path, names: Sequence[str], known: bool) -> None:
    if len(names) < 2:
        what = f"only the class {names[0]!r}" if names else "no picture"
        raise AddError(
            f"{data} has {what}. Put the pictures of each class into a folder of its own, named "
            "like the class, and all of these folders into one; there must be two at least. Or "
            "give a CSV file with a column of file names and a column of classes."
        )
    if len(names) > MOST_CLASSES and not known:
        raise AddError(
            f"{data} has {len(names)} classes, and a page can show {MOST_CLASSES}."
            f"{advise_on_numbers(names)}"
        )
    by_letters: dict[str, str] = {}
    for name in names:
        other = by_letters.setdefault(name.casefold(), name)
        if other != name:
            raise AddError(
                f"{data} has the classes {other!r} and {name!r}, which differ only by capitals. "
                "Give both one name if they are one class; else rename one of them."
            )


def _list_folders(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))
    )


def _list_folder(folder: Path) -> list[tuple[Path, str]]:
    """The pictures in the folders of a folder, with the names of these."""
    folders = _list_folders(folder)
    if not folders and any(path.suffix.lower() in _SUFFIXES for path in folder.iterdir()):
        raise AddError(
            f"{folder} has pictures, but no folder for each class. Make one for each, named like "
            "the class, and move its pictures there; or give a CSV file with a column of file "
            "names and a column of classes."
        )
    pairs = []
    for own in folders:
        files = [
            path
            for path in sorted(own.rglob("*"))
            if path.suffix.lower() in _SUFFIXES and path.is_file() and path.name[:1] != "."
        ]
        if not files:
            raise AddError(
                f"{own} has no pictures. Put some there, or remove the folder if it is no class."
            )
        pairs += [(path, own.name) for path in files]
    return pairs


def are_packed(data: Path) -> bool:
    """Whether a file is an array of NumPy, or an archive of pictures or of such arrays."""
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(data) as archive:
        endings = {Path(name).suffix.lower() for name in archive.namelist()}
        is_workbook = "[Content_Types].xml" in archive.namelist()
        return not is_workbook and not endings.isdisjoint((*_SUFFIXES, ".npy"))
    return data.suffix.lower() == ".npy"


def names_pictures(data: Path, alone: bool = False) -> bool:
    """Whether a column of a table names pictures that are there.

    ``alone`` asks whether it has just one more, that of the classes.
    """
    try:
        table = pd.read_csv(data, dtype=str, sep=None, engine="python", nrows=_TRIED_ROWS)
    except Exception:  # pandas raises many types; what is wrong is said where the table is read
        return False
    if alone and len(table.columns) != 2:
        return False
    return any(_find_files(data.parent, table[column]) for column in table.columns)


def _list_table(data: Path, target: str) -> list[tuple[Path, str]]:
    """The pictures that a table names, with their classes."""
    with data.open("rb") as file:
        if file.read(6).startswith((b"PK\x03\x04", b"\x93NUMPY", b"\x1f\x8b")):
            raise AddError(
                f"{data} is an archive or an array of NumPy. Pictures are given as files: unpack "
                "it, or write each as a PNG, and name the folder with a folder for each class."
            )
    try:
        table = pd.read_csv(data, dtype=str, sep=None, engine="python", encoding="utf-8-sig")
    except Exception as error:  # pandas raises many types for a file that is no table
        raise AddError(
            f"{data} cannot be read as a CSV file with a column of file names and a column of "
            f"classes ({error})."
        ) from error
    table = table.dropna(how="all")
    found = {
        column: resolved
        for column in table.columns
        if (resolved := _find_files(data.parent, table[column]))
    }
    if not found:
        raise AddError(
            f"No column of {data} names pictures: {', '.join(map(str, table.columns))}. File names "
            f"count from {data.parent}, where the CSV file is. A network of PyTorch for rows of "
            "numbers is added as ONNX: export it by torch.onnx, and name that file and its scaler."
        )
    column = max(found, key=lambda name: len(found[name]))
    others = [str(name) for name in table.columns if name != column]
    if target and target not in others:
        raise AddError(f"{data} has no column {target!r}. It has: {', '.join(others)}.")
    if not target:
        fitting = [name for name in others if 2 <= table[name].nunique() <= MOST_CLASSES]
        if len(fitting) != 1:
            raise AddError(
                f"Which column of {data} has the classes? Say it with --target: "
                f"{', '.join(fitting or others) or 'there is none but the file names'}."
            )
        (target,) = fitting
    pairs = [
        (path, str(label).strip())
        for path, label in zip(found[column], table[target], strict=True)
        if path is not None and isinstance(label, str) and label.strip()
    ]
    missing = sum(path is None for path in found[column])
    if missing:
        first = table[column][[path is None for path in found[column]]].iloc[0]
        raise AddError(
            f"{missing:,} of the files that {data} names do not exist, such as {first!r}. Put them "
            f"below {data.parent}, or take their rows out."
        )
    return pairs


def _find_files(folder: Path, cells: pd.Series) -> list[Path | None]:
    """The file of each cell, None where there is none; empty for a column that names no files."""
    tried = cells.dropna().head(_TRIED_ROWS)
    places = [folder, *_list_folders(folder)]
    for place in places:
        for suffix in ("", ".jpg", ".png", ".jpeg"):
            hits = sum(_find_file(place, f"{cell}{suffix}") is not None for cell in tried)
            if hits and hits >= len(tried) / 2:
                return [
                    _find_file(place, f"{cell}{suffix}") if isinstance(cell, str) else None
                    for cell in cells
                ]
    return []


def _find_file(folder: Path, name: str) -> Path | None:
    path = find_path(str(folder / name))
    return path if path is not None and path.is_file() else None
