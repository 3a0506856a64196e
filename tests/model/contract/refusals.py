"""What a field says to a value that it does not take."""

import pytest
from pydantic_core import PydanticCustomError

from model.contract.fields import BaseField


def refusal(field: BaseField, typed: object) -> str:
    """The message."""
    with pytest.raises(PydanticCustomError) as refused:
        field.validate_value(typed)
    return refused.value.message()
