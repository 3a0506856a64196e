"""How values are formatted: to the card's step, in its format, without loss."""

import math

import pytest

from app.presentation.scales import NumberScale, format_signed, round_up
from model import NumberModel
from model.contract.outputs import NumberOutput


def scale_of(house: NumberModel, **output: object) -> NumberScale:
    """A scale for an output that differs from the house price's."""
    given = {"label": "L", "noun": "n", "format": "number", **output}
    return NumberScale(house.card.model_copy(update={"output": NumberOutput.model_validate(given)}))


@pytest.mark.parametrize(
    ("step", "value", "words"),
    [
        (0.0001, 0.012549, "0.0125"),
        (0.1, 0.30000000000000004, "0.3"),
        (1, 1849.6, "1,850"),
        (500, 183_730, "183,500"),
        (0.00001, -0.000125, "-0.00012"),
    ],
)
def test_a_value_is_rounded_to_the_step_of_the_card(
    house: NumberModel, step: float, value: float, words: str
) -> None:
    scale = scale_of(house, round_to=step)
    assert scale.format(scale.round(value)) == words


@pytest.mark.parametrize(("step", "value"), [(0.1, 0.3), (1, 0.999996), (1, 22.000004)])
def test_an_end_that_lies_on_a_step_but_for_its_digits_stays_there(
    house: NumberModel, step: float, value: float
) -> None:
    scale = scale_of(house, round_to=step)
    ends = [scale.round(value, rounding) for rounding in (math.floor, math.ceil)]
    assert ends == pytest.approx([value, value], abs=1e-5)


def test_a_unit_stands_behind_its_number(house: NumberModel) -> None:
    scale = scale_of(house, unit="kWh", round_to=0.5)
    assert scale.format(scale.round(12.3)) == "12.5\u00a0kWh"
    assert format_signed(scale, -2.5) == "−\u00a02.5\u00a0kWh"
    assert format_signed(scale, 0) == "0\u00a0kWh"


def test_an_error_is_never_stated_too_small(house: NumberModel) -> None:
    scale = scale_of(house, round_to=500)
    assert scale.fine_step == 100
    assert round_up(scale, 101) == 200
