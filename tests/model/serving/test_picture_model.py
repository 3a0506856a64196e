"""A model of pictures: its checks, its predictions and its refusals."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model import ModelError, PictureModel, load_model
from model.chest_xray import negatives
from model.chest_xray.manifest import make_manifest
from model.contract.pictures import Picture, measure_colourfulness, to_grey
from model.serving.kinds.pictures import NetworkOutput
from tests import pictures
from tests.loading import change_file, load_as
from tests.tools import ROOT

FOLDER = ROOT / "model" / "chest_xray"
XRAYS = ROOT.parent / "shared" / "data" / "chest_xray" / "train"


@pytest.fixture(scope="module")
def xray() -> PictureModel:
    return load_as(PictureModel, FOLDER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "chest_xray"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


class StubPredictor:
    """A predictor with the same output for every picture."""

    has_map = True

    def __init__(self, probability: float, ood_score: float = -1.0) -> None:
        shares = np.array([1 - probability, probability])
        self.output = NetworkOutput(shares, np.zeros((7, 7), np.float32), ood_score)

    def predict(self, seen: NDArray[np.uint8]) -> NetworkOutput:
        return self.output


def chest(colour: float = 0.0) -> Picture:
    return Picture(pictures.chest(), 224, 224, colour)


def change(folder: Path, key: str, spoil: Callable[[Any], Any]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest[key] = spoil(manifest[key])
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("probability", "value"), [(0.0, "NORMAL"), (0.49, "NORMAL"), (0.5, "PNEUMONIA")]
)
def test_the_threshold_decides(xray: PictureModel, probability: float, value: str) -> None:
    (answer,) = replace(xray, predictor=StubPredictor(probability)).predict([chest()])
    assert answer is not None
    assert answer.label == value
    assert xray.manifest.probabilities is not None
    most = xray.manifest.probabilities.most
    assert most < 0.9999
    assert answer.probabilities == pytest.approx(
        (max(1 - probability, 1 - most), min(max(probability, 1 - most), most)), abs=2e-4
    )
    assert answer.probabilities is not None
    assert max(answer.probabilities) <= most + 1e-12
    assert answer.probability == max(answer.probabilities)


def test_an_out_of_distribution_or_coloured_picture_is_not_predicted(xray: PictureModel) -> None:
    strange = replace(xray, predictor=StubPredictor(0.9, ood_score=0.1))
    known = replace(xray, predictor=StubPredictor(0.9))
    for model, picture, refused in (
        (strange, chest(), True),
        (known, chest(colour=25.1), True),
        (known, chest(), False),
    ):
        (explained,) = model.explain([picture])
        assert explained.out_of_distribution is refused
        assert (explained.prediction is None) is refused
        assert (explained.saliency is None) is refused


def test_saliency_is_left_out_where_nobody_asks_for_it(xray: PictureModel) -> None:
    model = replace(xray, predictor=StubPredictor(0.9))
    assert model.explain([chest()], contributions=False)[0].saliency is None


class PointPredictor:
    """A predictor without a map, which is sure as long as it sees one point of the picture."""

    has_map = False

    def __init__(self, point: tuple[int, int], sure: float, unsure: float) -> None:
        self.point, self.sure, self.unsure = point, sure, unsure
        self.asked: list[NDArray[np.uint8]] = []

    def predict(self, seen: NDArray[np.uint8]) -> NetworkOutput:
        self.asked.append(seen)
        is_there = seen[self.point] == self.asked[0][self.point]
        share = self.sure if is_there else self.unsure
        return NetworkOutput(np.array([1 - share, share]), None, -1.0)


@pytest.mark.parametrize(
    ("point", "rows", "columns"),
    [
        ((0, 223), [0], [6]),
        ((15, 16), [0], [0, 1]),
        ((48, 47), [1, 2], [0, 1]),
        ((111, 112), [2, 3], [3, 4]),
        ((207, 208), [5, 6], [6]),
    ],
)
def test_without_a_map_of_its_own_places_are_hidden_each_with_half_a_place_around_it(
    xray: PictureModel, point: tuple[int, int], rows: list[int], columns: list[int]
) -> None:
    image = np.full((224, 224), 100, np.uint8)
    image[point] = 255
    stub = PointPredictor(point, 0.9, 0.5)
    picture = Picture(Image.fromarray(image), 224, 224, 0.0)
    (explained,) = replace(xray, predictor=stub).explain([picture])
    expected = np.zeros((7, 7))
    expected[np.ix_(rows, columns)] = math.log(9)
    assert explained.saliency == pytest.approx(expected)
    assert explained.saliency_label == "PNEUMONIA"
    assert len(stub.asked) == 2 + 49
    assert all(set(np.unique(seen)) <= {100, 255} for seen in stub.asked)  # filled with the mean


def test_a_place_that_makes_all_certain_has_a_finite_weight(xray: PictureModel) -> None:
    image = np.full((224, 224), 100, np.uint8)
    image[0, 0] = 255
    model = replace(xray, predictor=PointPredictor((0, 0), 1.0, 0.0))
    (explained,) = model.explain([Picture(Image.fromarray(image), 224, 224, 0.0)])
    assert explained.saliency is not None
    assert explained.saliency[0, 0] == pytest.approx(2 * math.log(1e6), rel=1e-5)


@pytest.mark.parametrize("stub", [StubPredictor(float("nan")), StubPredictor(0.5, float("nan"))])
def test_an_output_that_is_not_finite_is_an_error(xray: PictureModel, stub: StubPredictor) -> None:
    with pytest.raises(ArithmeticError):
        replace(xray, predictor=stub).predict([chest()])


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.second_tier if number % 4 else ())
        for number, kind in enumerate(sorted(negatives.RENDERED))
    ],
)
def test_pictures_that_are_no_xray_are_refused(xray: PictureModel, kind: str) -> None:
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(20):
        image = negatives.RENDERED[kind](rng)
        picture = Picture(to_grey(image), *image.size, measure_colourfulness(image))
        refused += xray.predict([picture]) == [None]
    assert refused >= 19


@pytest.mark.second_tier
def test_real_xrays_are_answered_right_where_they_are_at_hand(xray: PictureModel) -> None:
    """The model was trained on these, so this tests the path from file to prediction."""
    if not XRAYS.is_dir():
        print(f"no X-rays at {XRAYS}: only the drawn one is tested")
        assert xray.predict([chest()]) != [None]
        return
    right = refused = total = 0
    for kind in ("NORMAL", "PNEUMONIA"):
        for path in sorted((XRAYS / kind).iterdir())[::40]:
            total += 1
            (answer,) = xray.predict([xray.card.field.validate_value(path.read_bytes())])
            refused += answer is None
            right += answer is not None and answer.label == kind
    assert refused <= max(1, total // 100)
    assert right / (total - refused) >= 0.93


def test_a_changed_network_is_not_loaded(folder: Path) -> None:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="is not the file that was trained"):
        load_model(folder)


def test_a_changed_prediction_stops_the_start(folder: Path) -> None:
    def change_probability(golden: Any) -> Any:
        golden[0]["probability"] = 0.1
        return golden

    change(folder, "golden", change_probability)
    with pytest.raises(ModelError, match=r"golden-1\.png gives"):
        load_model(folder)


def test_a_golden_answer_that_is_no_number_stops_the_start(
    folder: Path, xray: PictureModel
) -> None:
    """Whether the network gives it or the manifest has it."""
    for told in (
        StubPredictor(math.nan),
        StubPredictor(xray.manifest.golden[0].probability, math.nan),
    ):
        with pytest.raises(ModelError, match=r"golden-1\.png gives"):
            replace(xray, predictor=told).check_golden()

    def spoil(golden: Any) -> Any:
        golden[0]["ood_score"] = math.nan
        return golden

    change(folder, "golden", spoil)
    with pytest.raises(ModelError, match=r"golden\.0\.ood_score: .*finite"):
        load_model(folder)


@pytest.mark.parametrize("key", ["threshold", "colour_limit"])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_threshold_that_is_no_number_stops_the_start(
    folder: Path, key: str, number: float
) -> None:
    change(folder, key, lambda _: number)
    with pytest.raises(ModelError, match=key):
        load_model(folder)


def test_classes_in_another_order_are_refused(folder: Path) -> None:
    change(folder, "classes", lambda names: names[::-1])
    with pytest.raises(ModelError, match=r"output\.classes must be .*: PNEUMONIA, NORMAL"):
        load_model(folder)


def test_a_wrong_key_in_the_card_is_named(folder: Path) -> None:
    change_file(folder / "card.toml", "map_text", "mapp_text")
    with pytest.raises(ModelError, match=r"card\.toml, line \d+: output\."):
        load_model(folder)


def test_the_manifest_is_what_the_training_code_writes_from_its_figures(
    xray: PictureModel, folder: Path
) -> None:
    """The golden pictures are written beside the network."""
    metrics = json.loads((FOLDER / "metrics.json").read_text())
    kept = xray.manifest
    made = make_manifest(
        metrics, folder / "model.onnx", kept.samples, kept.data.sha256, kept.versions
    )
    left, right = (item.model_dump(exclude={"trained", "golden"}) for item in (made, kept))
    assert left == right


def test_the_readme_shows_the_measured_figures() -> None:
    metrics = json.loads((FOLDER / "metrics.json").read_text())
    readme = (FOLDER / "README.md").read_text()
    for figures in metrics["cross_validated"].values():
        row = [figures[name] for name in ("auc", "accuracy", "balanced_accuracy", "sensitivity",
                                          "specificity", "brier", "ece")]  # fmt: skip
        assert "| " + " | ".join(f"{value:.3f}" for value in row) + " |" in readme
