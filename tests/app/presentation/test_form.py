"""The form as the templates draw it: how much room a field needs, and what is said of its unit."""

import pytest

from app.presentation.form import build_field
from app.presentation.result import measure_size
from model.contract.fields import NumberField


def make_field(label: str, unit: str = "", help_text: str = "", example: float = 5) -> NumberField:
    return NumberField(
        name="a", kind="number", label=label, noun="a", min=0, max=1e9, example=example,
        unit=unit, help=help_text,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("label", "unit", "example", "width"),
    [
        ("Square feet", "sq ft", 1850, 9),
        ("Schwingungsgeschwindigkeit", "mm/s", 5, 26),
        ("Spending in the last twelve months of the year", "", 5, 16),
        ("Rate", "mol/l", 0.000025, 13),
    ],
)
def test_a_field_needs_room_for_its_longest_word_and_for_a_number_with_its_unit(
    label: str, unit: str, example: float, width: int
) -> None:
    assert build_field(make_field(label, unit, example=example), None).width == width


@pytest.mark.parametrize(
    ("unit", "help_text", "spoken"),
    [
        ("kg", "", "kg"),
        ("kg", "Before it is cut", "kg"),
        ("kg", "Usually 3 to 9 kg", ""),
        ("kg", "Usually 3kg.", ""),
        ("m", "From the mast", "m"),
    ],
)
def test_a_unit_is_spoken_once(unit: str, help_text: str, spoken: str) -> None:
    view = build_field(make_field("Weight", unit, help_text), None)
    assert (view.spoken_unit, view.described_by) == (spoken, "a-hint")


def test_a_hint_has_one_full_stop_before_what_an_empty_field_counts_as() -> None:
    field = make_field("Weight", help_text="Before it is cut.").model_copy(
        update={"required": False, "default": 3.0}
    )
    assert build_field(field, None).help.startswith("Before it is cut. ")


@pytest.mark.parametrize(("count", "size"), [(12, ""), (13, "long"), (40, "long"), (41, "longest")])
def test_a_long_answer_has_smaller_letters(count: int, size: str) -> None:
    assert measure_size("a" * count) == size
