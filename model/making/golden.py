"""Golden rows: questions whose answers are kept, to hold every later answer against."""

from __future__ import annotations

from model.contract.card import Card
from model.contract.manifest import GoldenRow, Manifest
from model.making.errors import AddError
from model.making.measuring import PredictFunction
from model.serving.intervals import ConformalIntervals
from model.serving.temperature import apply_temperature

_LEAST_GOLDEN = 3


def golden_rows(answer: PredictFunction, card: Card, manifest: Manifest) -> tuple[GoldenRow, ...]:
    """The reference and the examples with their answers.

    Raises:
        AddError: if one of them is not allowed by the card.
    """
    rows = [manifest.reference, *(example.values for example in card.examples)]
    while len(rows) < _LEAST_GOLDEN:
        rows.append(rows[-1])
    golden = []
    ranges = None
    if manifest.calibration is not None:
        ranges = ConformalIntervals(manifest.calibration, card.optional)
    for given in rows:
        features, errors = card.validate_row(given)
        if features is None:
            raise AddError(f"A row of the data does not fit its own card: {errors}")
        said = answer(card.encode(features))
        if said.ndim > 1:
            shares = apply_temperature(said, manifest.temperature)[0]
            label = card.class_output.classes[int(shares.argmax())].value
            value = float(shares.max()) if card.class_output.probabilities else 1.0
            golden.append(GoldenRow(features=dict(features), value=value, label=label))
            continue
        value, low, high = float(said[0]), None, None
        if ranges is not None:
            known = frozenset(name for name in card.optional if features[name] is not None)
            (low,), (high,) = ranges.compute_bounds([value], [1.0], ranges.find_group(known))
        golden.append(GoldenRow(features=dict(features), value=value, low=low, high=high))
    return tuple(golden)
