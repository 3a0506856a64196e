"""The step from the facts on the form to the columns of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from model.contract.derived import FeatureStep

STEP: dict[str, Any] = {
    "given": [
        {"column": "year", "type": "integer"},
        {"column": "Fuel type", "type": "text", "values": ["diesel", "petrol"]},
        {"column": "sold", "type": "integer"},
    ],
    "dates": ["sold"],
    "derived": [
        {"name": "age", "expression": "year(sold) - year"},
        {"name": "old", "expression": 'if(age > 10, "yes", "no")'},
        {"name": "tax", "expression": "lookup(`Fuel type`, taxes.json)"},
    ],
    "lookups": {"taxes.json": {"diesel": 2.5}},
    "takes": [
        {"column": "old", "type": "text", "values": ["no", "yes"]},
        {"column": "tax", "type": "float"},
        {"column": "age", "type": "integer"},
        {"column": "Fuel type", "type": "text", "values": ["diesel", "petrol"]},
    ],
}


def test_codes_of_the_fields_become_codes_of_the_columns() -> None:
    step = FeatureStep.model_validate(STEP)
    matrix = np.array([[2000, 0, 18262], [2015, 1, 18262], [np.nan, np.nan, 18262]], np.float32)
    expected = [[1, 2.5, 20, 0], [0, np.nan, 5, 1], [np.nan, np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(step.transform(matrix), expected)


def test_the_step_comes_back_from_the_manifest_as_it_was() -> None:
    step = FeatureStep.model_validate(STEP)
    assert FeatureStep.model_validate(step.model_dump(mode="json")) == step


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"derived": [{"name": "age", "expression": "2020 -"}]}, "a value is needed here"),
        ({"derived": [{"name": "age", "expression": "now - year"}]}, "computed from now"),
        ({"lookups": {}}, "looks up taxes.json"),
        ({"derived": []}, "the model takes old"),
    ],
)
def test_a_step_that_cannot_be_computed_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FeatureStep.model_validate({**STEP, **change})
