"""One engine predicts and explains a row alone, many together, and the points of a curve."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model import Features, NumberCard, NumberModel
from model.contract.arrays import Float32Array
from model.serving import tabular
from model.serving.predictors import open_session
from tests.tools import ROOT


class CountingPredictor:
    """The predictor of a model; ``sizes`` has the number of rows in each call."""

    def __init__(self, model: NumberModel) -> None:
        self.predictor = model.predictor
        self.sizes: list[int] = []

    def predict(self, matrix: Float32Array) -> Any:
        self.sizes.append(len(matrix))
        return self.predictor.predict(matrix)


def read(model: NumberModel, **values: object) -> Features:
    features, errors = model.card.validate_row(values)
    assert features is not None, errors
    return features


@pytest.fixture(scope="module")
def rows(house: NumberModel) -> list[Features]:
    examples = [read(house, **example.values) for example in house.card.examples]
    return [
        *examples,
        read(house, beds=3, baths=2, sqft=1850),
        read(house, beds=8, baths=1, sqft=300),
    ]


def test_many_rows_get_the_answers_that_each_gets_alone(
    house: NumberModel, rows: list[Features]
) -> None:
    counting = CountingPredictor(house)
    together = replace(house, predictor=counting).explain(rows, "condition")
    assert len(counting.sizes) == 1
    for row, explained in zip(rows, together, strict=True):
        (alone,) = house.explain([row], "condition")
        assert explained.prediction.value == pytest.approx(alone.prediction.value, rel=1e-6)
        assert explained.shapley is not None
        assert alone.shapley is not None
        assert explained.shapley.columns == alone.shapley.columns
        assert explained.shapley.contributions == pytest.approx(
            alone.shapley.contributions, rel=1e-4, abs=0.1
        )
        assert explained.ice_curve is not None
        assert alone.ice_curve is not None
        assert explained.ice_curve.predictions == pytest.approx(alone.ice_curve.predictions)
        assert explained[3:] == alone[3:]
    assert [explained.out_of_distribution for explained in together] == [False] * (
        len(rows) - 1
    ) + [True]


def test_without_contributions_or_a_curve_each_row_is_predicted_once(
    house: NumberModel, rows: list[Features]
) -> None:
    counting = CountingPredictor(house)
    model = replace(house, predictor=counting)
    found = model.explain(rows, contributions=False)
    assert counting.sizes == [len(rows)]
    assert [item.prediction for item in found] == model.predict(rows)
    assert all(item.shapley is None and item.ice_curve is None for item in found)
    assert model.explain([]) == []


def test_a_long_list_is_split_into_calls_that_fit_and_given_up_between_them(
    house: NumberModel, rows: list[Features], monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = CountingPredictor(house)
    model = replace(house, predictor=counting)
    for row in rows:
        model.explain([row])
    largest = max(counting.sizes)
    monkeypatch.setattr(tabular, "MAX_ROWS_PER_CALL", largest)
    counting.sizes.clear()
    assert len(model.explain(rows)) == len(rows)
    assert 1 < len(counting.sizes) <= len(rows)
    assert max(counting.sizes) == largest
    with pytest.raises(TimeoutError):
        model.explain(rows, timeout=0)
    assert len(model.explain(rows[:1], timeout=0)) == 1


@pytest.mark.parametrize("name", ["sqft", "baths", "condition"])
def test_each_point_of_a_curve_is_the_prediction_for_that_value(
    house: NumberModel, name: str
) -> None:
    row = read(house, beds=3, baths=2, sqft=1850, year_built=1990)
    (explained,) = house.explain([row], name)
    curve, field = explained.ice_curve, house.card.by_name[name]
    assert curve is not None
    assert curve.column == house.card.names.index(name)
    moved = [{**row, name: field.decode(code)} for code in curve.values]
    points = house.explain(moved, contributions=False)
    intervals = [point.prediction.interval for point in points]
    assert curve.predictions == pytest.approx([point.prediction.value for point in points])
    assert curve.low == pytest.approx([item.low for item in intervals if item is not None])
    assert curve.high == pytest.approx([item.high for item in intervals if item is not None])
    assert list(curve.in_distribution) == [not point.out_of_distribution for point in points]


def test_a_bound_that_is_not_finite_is_an_error(house: NumberModel, rows: list[Features]) -> None:
    class Wide:
        def predict(self, matrix: Float32Array) -> tuple[Float32Array, Float32Array]:
            return np.ones(len(matrix), np.float32), np.full(len(matrix), 1e30, np.float32)

    with (
        pytest.raises(ArithmeticError, match="a bound that is not finite"),
        np.errstate(over="ignore"),
    ):
        replace(house, predictor=Wide()).predict(rows)


def test_a_model_without_calibration_draws_its_curve_without_bounds(house: NumberModel) -> None:
    manifest = house.manifest.model_copy(update={"calibration": None})
    model = replace(house, manifest=manifest, neighbors=None, copula=None)
    row = read(house, beds=3, baths=2, sqft=1850)
    (explained,) = model.explain([row], "sqft")
    assert explained.prediction.interval is None
    assert explained.neighbors == ()
    curve = explained.ice_curve
    assert curve is not None
    assert curve.low == curve.high == curve.predictions
    assert all(curve.in_distribution)
    assert all(math.isfinite(value) for value in curve.predictions)


def test_a_session_takes_one_thread() -> None:
    artifact = (ROOT / "model" / "house_price" / "model.onnx").read_bytes()
    options = open_session(artifact).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_without_a_copula_nothing_is_called_out_of_distribution_but_neighbors_are_shown(
    house: NumberModel, rows: list[Features]
) -> None:
    for explained in replace(house, copula=None).explain(rows, "sqft"):
        assert len(explained.neighbors) == 3
        assert not explained.out_of_distribution
        assert explained.ice_curve is not None
        assert list(explained.ice_curve.in_distribution) == [True] * len(explained.ice_curve.values)


def test_without_training_rows_no_neighbors_are_shown(
    house: NumberModel, rows: list[Features]
) -> None:
    found = replace(house, neighbors=None).explain(rows, "sqft")
    assert [explained.neighbors for explained in found] == [()] * len(rows)
    assert [explained.mismatch for explained in found] == [
        explained.mismatch for explained in house.explain(rows, "sqft")
    ]


def test_a_model_of_before_compares_the_distance_to_its_neighbors(
    house: NumberModel, rows: list[Features]
) -> None:
    manifest = house.manifest.model_copy(update={"ood_thresholds": (1.0,) * 8})
    found = replace(house, manifest=manifest, copula=None).predict(rows)
    assert found == house.predict(rows)
    explained = replace(house, manifest=manifest, copula=None).explain(rows)
    assert [item.out_of_distribution for item in explained] == [False] * (len(rows) - 1) + [True]
    assert {item.mismatch for item in explained} == {None}


class ReversingPredictor(CountingPredictor):
    """The same behind columns in the opposite order, of which none may be empty."""

    def predict(self, matrix: Float32Array) -> Any:
        assert not np.isnan(matrix).any()
        return super().predict(np.ascontiguousarray(matrix[:, ::-1]))


def test_the_columns_of_an_artifact_may_stand_in_another_order_and_take_no_holes(
    house: NumberModel, rows: list[Features]
) -> None:
    typical = house.manifest.reference
    fields = [
        field.model_dump() | ({} if field.required else {"default": typical[field.name]})
        for field in house.card.fields
    ]
    card = NumberCard.model_validate(house.card.model_dump() | {"fields": fields})
    manifest = house.manifest.model_copy(update={"inputs": card.names[::-1]})
    turned = replace(house, card=card, manifest=manifest, predictor=ReversingPredictor(house))
    filled = [
        {name: typical[name] if value is None else value for name, value in row.items()}
        for row in rows
    ]
    predicted = turned.predict(rows), house.predict(filled)
    assert [found.value for found in predicted[0]] == [found.value for found in predicted[1]]
    explained = turned.explain(filled, "sqft"), house.explain(filled, "sqft")
    for found, expected in zip(*explained, strict=True):
        assert found.shapley == expected.shapley
        assert found.ice_curve == expected.ice_curve
