"""The pictures that the model learns from: read from a folder, and dealt out into folds."""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.chest_xray.arrays import GreyArray
from model.chest_xray.manifest import SEED
from model.contract.arrays import BoolArray, IntArray


@dataclass(frozen=True)
class XRays:
    """The pictures of a folder, [N, 224, 224] uint8, with what their names say, each [N].

    `batch` and `patient` are words of the file name; `virus` is false for a normal picture.
    """

    pictures: GreyArray
    sick: BoolArray
    virus: BoolArray
    batch: NDArray[np.str_]
    patient: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.pictures)


def read_name(name: str) -> tuple[str, str, bool]:
    """Read batch, patient and "is a virus" from a file name.

    >>> read_name("person123_virus_456.jpeg")
    ('person', 'person123', True)
    >>> read_name("NORMAL2-IM-0383-0001.jpeg")
    ('NORMAL2', 'IM-0383', False)

    Both batches of normal pictures use the same patient numbers. Nobody knows whether the same
    number is the same child, so it counts as the same.

    Raises:
        ValueError: the name has another form.
    """
    match = re.match(r"(?:(NORMAL2-)?(IM-\d+)|(person\d+)_(bacteria|virus))[-_]", name)
    if match is None:
        raise ValueError(f"{name}: expected IM-0115-0001.jpeg or person123_bacteria_456.jpeg")
    second_batch, normal, person, cause = match.groups()
    if normal:
        return "NORMAL2" if second_batch else "IM", normal, False
    return "person", person, cause == "virus"


def list_files(folder: Path) -> list[Path]:
    """List the pictures of a folder in the order of `read_xrays`: normal ones first, by name."""
    return [
        path
        for label in ("NORMAL", "PNEUMONIA")
        for path in sorted((folder / "train" / label).glob("*.jp*g"))
    ]


def read_xrays(folder: Path) -> XRays:
    """Read all pictures under train/NORMAL and train/PNEUMONIA of a folder.

    Raises:
        ValueError: a picture is not 224 x 224, a name has another form, or there is no picture.
    """
    pictures, sick, virus, batches, patients = [], [], [], [], []
    for path in list_files(folder):
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None or picture.shape != (224, 224):
            raise ValueError(f"{path}: not a picture of 224 x 224 pixels")
        batch, patient, is_virus = read_name(path.name)
        pictures.append(np.asarray(picture, dtype=np.uint8))
        sick.append(path.parent.name == "PNEUMONIA")
        virus.append(is_virus)
        batches.append(batch)
        patients.append(patient)
    if not pictures:
        raise ValueError(f"{folder}: no pictures under train/NORMAL and train/PNEUMONIA")
    return XRays(
        np.stack(pictures),
        np.array(sick),
        np.array(virus),
        np.array(batches),
        np.array(patients),
    )


def assign_folds(patients: NDArray[np.str_], batches: NDArray[np.str_], folds: int) -> IntArray:
    """Return the fold [N] of each picture, so that a patient is in one fold and batches are even.

    Args:
        patients: patient of each picture, [N].
        batches: batch of each picture, [N].
        folds: how many folds there are.
    """
    rng = np.random.default_rng(SEED)
    fold_of: dict[str, int] = {}
    for batch in np.unique(batches):
        in_batch = np.unique(patients[batches == batch])
        for index, patient in enumerate(rng.permutation(in_batch)):
            fold_of.setdefault(str(patient), index % folds)
    return np.array([fold_of[str(patient)] for patient in patients])
