"""What a card may say of the model's answer."""

import pytest
from pydantic import ValidationError

from model.contract.fields import Option
from model.contract.outputs import ClassOutput


def make_output(count: int) -> ClassOutput:
    classes = tuple(Option(value=str(place), label=f"Kind {place}") for place in range(count))
    return ClassOutput(label="Kind", noun="kind", classes=classes)


@pytest.mark.parametrize("count", [2, 50])
def test_an_answer_is_one_of_2_to_50_classes(count: int) -> None:
    assert len(make_output(count).classes) == count


@pytest.mark.parametrize("count", [1, 51])
def test_a_card_of_fewer_or_more_classes_is_refused(count: int) -> None:
    with pytest.raises(ValidationError, match="classes"):
        make_output(count)
