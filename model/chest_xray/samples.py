"""The pictures that a visitor can try: five X-rays chosen by rule, and a drawn hand.

The rule is the first picture by file name of each class in a fold, whatever the networks say of
it. Chosen by how well they come out, samples would promise too much.
"""

import shutil
from pathlib import Path

import numpy as np

from model.chest_xray.data import XRays, list_files
from model.chest_xray.rendered_anatomy import draw_hand
from model.contract.arrays import IntArray
from model.contract.image_card import SamplePicture

_CHOSEN = ((0, False), (0, True), (1, True), (1, False), (2, True))
"""Fold and whether it shows pneumonia, of each sample."""

_FILE = "samples/{}.jpg"


def write_samples(folder: Path, data: XRays, fold: IntArray, out: Path) -> list[SamplePicture]:
    """Write the samples as `samples/1.jpg` to `samples/6.jpg` into a folder, and describe them.

    Args:
        folder: the pictures' folder.
        data: what it holds.
        fold: the fold of each picture, [N].
        out: the model's folder.
    """
    paths = list_files(folder)
    (out / "samples").mkdir(exist_ok=True)
    samples = []
    for number, (index, sick) in enumerate(_CHOSEN, start=1):
        first = np.flatnonzero((fold == index) & (data.sick == sick))[0]
        shutil.copyfile(paths[first], out / _FILE.format(number))
        answer = "pneumonia" if sick else "normal"
        truth = f"Its label in the data is {answer}. The network learned from this picture."
        samples.append(_describe(number, f"Sample {number}", truth))
    hand = draw_hand(np.random.default_rng(1)).convert("L").resize((224, 224))
    hand.save(out / _FILE.format(len(_CHOSEN) + 1), quality=85)
    return [*samples, _describe(len(_CHOSEN) + 1, "A drawn hand", "It is a drawing of a hand.")]


def _describe(number: int, label: str, truth: str) -> SamplePicture:
    return SamplePicture(file=_FILE.format(number), label=label, truth=truth)
