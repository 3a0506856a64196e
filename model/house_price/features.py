"""The features of a house as the model takes them, read from the card: columns, choices, codes."""

from pathlib import Path
from typing import cast

from model.contract.card import NumberCard
from model.contract.sources import Frame
from model.serving.loading import read_card

CARD = cast(NumberCard, read_card(Path(__file__).with_name("card.toml")))
FIELDS = CARD.names
OPTIONAL = CARD.optional
# Conditions are listed worst first, so the teacher can split them by order. Landmark has one sale
# in the published table and none in the file, so it counts as unknown.
CHOICES = CARD.categories
NUMBERS = tuple(name for name in FIELDS if name not in CHOICES)
FRAME = Frame.of_card(FIELDS, CHOICES)
"""The named columns that the pipelines take, for a matrix of codes float64 [N, 10]."""
