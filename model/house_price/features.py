"""The features of a house as the model takes them, read from the card: columns, choices, codes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from model.contract.arrays import Float64Array
from model.contract.fields import ChoiceField
from model.contract.files import read_card
from model.serving import frames

CARD = read_card(Path(__file__).with_name("card.toml"))
FIELDS = CARD.names
OPTIONAL = CARD.optional
REQUIRED = tuple(name for name in FIELDS if name not in OPTIONAL)
# Conditions are listed worst first, so the teacher can split them by order. Landmark has one sale
# in the published table and none in the file, so it counts as unknown.
CHOICES: dict[str, tuple[str, ...]] = {
    field.name: tuple(choice.value for choice in field.choices)
    for field in CARD.fields
    if isinstance(field, ChoiceField)
}
NUMBERS = tuple(name for name in FIELDS if name not in CHOICES)


def to_matrix(frame: pd.DataFrame) -> Float64Array:
    """Return the features of a frame, coded by `serving.frames.to_matrix`, float64 [N, 10]."""
    return frames.to_matrix(frame, FIELDS, CHOICES)


def to_frame(matrix: Float64Array) -> pd.DataFrame:
    """Return the named columns of a matrix float64 [N, 10]; the inverse of `to_matrix`."""
    return frames.to_frame(matrix, FIELDS, CHOICES)
