"""The bundled X-ray model: its samples, its map, and X-rays sent as they should not be."""

import numpy as np
import onnx
import pytest
from PIL import Image

from model import PictureModel
from model.chest_xray.deletion import measure_deletion
from model.contract.arrays import ByteArray
from tests.loading import load_as
from tests.tools import ROOT

FOLDER = ROOT / "model" / "chest_xray"


@pytest.fixture(scope="module")
def xray() -> PictureModel:
    return load_as(PictureModel, FOLDER)


def read_samples(model: PictureModel) -> list[ByteArray]:
    """The five samples that are X-rays, uint8 [224, 224] each."""
    return [
        np.asarray(Image.open(FOLDER / item.file).convert("L"))
        for item in model.manifest.samples[:5]
    ]


def test_the_samples_are_five_xrays_with_an_answer_and_one_refusal(xray: PictureModel) -> None:
    """Whether an answer is right does not matter: the samples were not chosen by it."""
    files = [FOLDER / item.file for item in xray.manifest.samples]
    assert sum(file.stat().st_size for file in files) <= 120_000
    answers = xray.predict([xray.card.field.validate_value(file.read_bytes()) for file in files])
    assert [answer is None for answer in answers] == [False] * 5 + [True]
    assert all(item.truth for item in xray.manifest.samples)
    labels = " ".join(item.label.lower() for item in xray.manifest.samples)
    assert "normal" not in labels
    assert "pneumonia" not in labels


def test_without_the_cells_that_the_map_names_the_answer_changes_most(xray: PictureModel) -> None:
    rng = np.random.default_rng(1)
    falls = [measure_deletion(xray.predictor, seen, rng) for seen in read_samples(xray)]
    named, others = np.array(falls).mean(0)
    assert named > others


def test_the_networks_pad_within_their_convolutions() -> None:
    """Steps that only pad copy the largest arrays: 10 MB of memory, and a tenth of the time."""
    steps = {node.op_type for node in onnx.load(FOLDER / "model.onnx").graph.node}
    assert "Conv" in steps
    assert "Pad" not in steps


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_an_xray_that_is_turned_is_refused(xray: PictureModel, turns: int) -> None:
    for seen in read_samples(xray):
        assert xray.predictor.predict(np.ascontiguousarray(np.rot90(seen, turns))).ood_score > 0


def test_an_xray_with_black_as_white_is_refused(xray: PictureModel) -> None:
    for seen in read_samples(xray):
        assert xray.predictor.predict(255 - seen).ood_score > 0


def test_a_mirrored_xray_is_refused_or_has_about_the_same_answer(xray: PictureModel) -> None:
    for seen in read_samples(xray):
        upright = xray.predictor.predict(seen)
        mirrored = xray.predictor.predict(np.ascontiguousarray(seen[:, ::-1]))
        assert mirrored.ood_score > 0 or abs(mirrored.probability - upright.probability) <= 0.1
