"""Any folder in model/ with a card: it loads, and answers at and within its bounds."""

from pathlib import Path

import pytest

from model import ClassModel, NumberModel, load_model
from tests.tabular_checks import (
    MODEL_FOLDERS,
    TABULAR_FOLDERS,
    check_bounds,
    check_prediction,
    parse_features,
)


@pytest.fixture(scope="module", params=TABULAR_FOLDERS, ids=lambda folder: str(folder.name))
def model(request: pytest.FixtureRequest) -> NumberModel | ClassModel:
    found = load_model(request.param)
    assert isinstance(found, NumberModel | ClassModel)
    return found


@pytest.mark.parametrize("folder", MODEL_FOLDERS, ids=lambda folder: str(folder.name))
def test_it_loads_and_answers_its_golden_rows(folder: Path) -> None:
    load_model(folder).check_golden()


def test_its_examples_are_answered(model: NumberModel | ClassModel) -> None:
    for example in model.card.examples:
        check_prediction(model, parse_features(model, example.values))


def test_every_field_is_answered_up_to_its_bounds_and_refused_beyond(
    model: NumberModel | ClassModel,
) -> None:
    for field in model.card.fields:
        check_bounds(model, field, model.card.examples[0].values)


def test_every_optional_field_may_be_left_empty(model: NumberModel | ClassModel) -> None:
    examples = [example.values for example in model.card.examples]
    values = {name: value for given in examples for name, value in given.items()}
    check_prediction(model, parse_features(model, values))
    for name in model.card.optional:
        check_prediction(model, parse_features(model, {**values, name: ""}))
    bare = {name: value for name, value in values.items() if name not in model.card.optional}
    check_prediction(model, parse_features(model, bare))
