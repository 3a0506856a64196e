"""A classifier: its checks and its calibrated probabilities."""

from pathlib import Path

import numpy as np
import pytest

from model import ClassModel, ModelError
from model.contract.manifest import ProbabilityCalibration
from model.serving.probabilities import apply_calibration, settle_ties
from tests.flowers import FEATURES, write_flowers
from tests.loading import change_file, load_as


@pytest.fixture
def flowers(tmp_path: Path) -> ClassModel:
    return load_as(ClassModel, write_flowers(tmp_path / "flowers"))


def test_a_classifier_answers_with_its_most_probable_class(flowers: ClassModel) -> None:
    (answer,) = flowers.predict([FEATURES])
    assert answer.label == "iris"
    assert answer.probabilities is not None
    assert answer.probability == max(answer.probabilities) == answer.probabilities[1]
    assert sum(answer.probabilities) == pytest.approx(1)


def test_its_classes_stand_in_the_order_of_the_card_and_not_of_the_estimator(
    flowers: ClassModel,
) -> None:
    (short,) = flowers.predict([{"length": 1.0, "width": 9.0}])
    assert short.label == "rose"
    assert short.probabilities is not None
    assert short.probabilities[0] > short.probabilities[1]


def test_a_classifier_without_probabilities_says_a_class_and_no_more(tmp_path: Path) -> None:
    flowers = load_as(ClassModel, write_flowers(tmp_path / "flowers", probabilities=False))
    (answer,) = flowers.predict([FEATURES])
    assert (answer.label, answer.probability, answer.probabilities) == ("iris", None, None)


def calibrated(given: np.ndarray, **figures: float) -> np.ndarray:
    calibration = ProbabilityCalibration.model_validate({"temperature": 1, **figures})
    return apply_calibration(given, calibration)


def test_a_temperature_makes_less_certain_and_changes_no_order() -> None:
    given = np.array([[0.9, 0.06, 0.04], [0.0, 1.0, 0.0]])
    scaled = calibrated(given, temperature=2.0)
    assert scaled.sum(axis=1) == pytest.approx(1)
    assert (np.argsort(scaled[0]) == np.argsort(given[0])).all()
    assert scaled[0, 0] < given[0, 0]
    assert apply_calibration(given, None) is given
    assert calibrated(given) == pytest.approx(given, abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 50])
def test_no_probability_is_above_what_the_rows_allow(classes: int) -> None:
    shown = calibrated(np.eye(classes), uniform=0.001, temperature=0.05, most=0.99)
    assert shown.sum(axis=1) == pytest.approx(1)
    assert shown.max() == pytest.approx(0.99)
    assert shown.min() == pytest.approx(0.01 / (classes - 1))


def test_what_rounding_alone_tells_apart_is_a_tie_of_the_first_classes() -> None:
    given = np.array([[0.2, 0.39999998, 0.40000002], [0.5, 0.25, 0.25], [0.49999, 0.50001, 0.0]])
    settled = settle_ties(given)
    np.testing.assert_allclose(settled[0], [0.2, 0.4, 0.4], rtol=1e-15)
    assert settled.argmax(axis=1).tolist() == [1, 0, 1]
    np.testing.assert_array_equal(settled[1:], given[1:])


def test_a_card_with_other_classes_than_the_estimators_is_refused(tmp_path: Path) -> None:
    folder = write_flowers(tmp_path / "flowers")
    change_file(folder / "card.toml", 'value = "rose"', 'value = "tulip"')
    with pytest.raises(ModelError, match=r"its classes are iris, rose, not those of the card"):
        load_as(ClassModel, folder)


def test_a_golden_row_of_another_class_is_refused(tmp_path: Path) -> None:
    folder = write_flowers(tmp_path / "flowers")
    change_file(folder / "manifest.json", '"label": "iris"', '"label": "rose"')
    with pytest.raises(ModelError, match="golden row 0 is iris, it was rose"):
        load_as(ClassModel, folder)


def test_a_class_named_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = write_flowers(tmp_path / "flowers")
    change_file(folder / "card.toml", 'value = "rose"', 'value = "iris"')
    with pytest.raises(ModelError, match=r"card\.toml, line \d+: output.*classes has iris twice"):
        load_as(ClassModel, folder)
