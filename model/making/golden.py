"""Golden rows: questions whose answers the manifest keeps, to compare every later answer with."""

from __future__ import annotations

from model.contract.card import Card
from model.contract.manifest import GoldenRow, Manifest
from model.making.errors import AddError
from model.making.predicting import PredictFloat64
from model.serving.intervals import ConformalIntervals
from model.serving.temperature import apply_temperature

_LEAST_GOLDEN = 3


def answer_golden_rows(
    predict: PredictFloat64, card: Card, manifest: Manifest
) -> tuple[GoldenRow, ...]:
    """Answer the reference row and the examples.

    Raises:
        AddError: if the card does not allow one of them.
    """
    rows = [manifest.reference, *(example.values for example in card.examples)]
    while len(rows) < _LEAST_GOLDEN:
        rows.append(rows[-1])
    golden = []
    intervals = None
    if manifest.calibration is not None:
        intervals = ConformalIntervals(manifest.calibration, card.optional)
    for row in rows:
        features, errors = card.validate_row(row)
        if features is None:
            raise AddError(f"A row of the data does not fit its own card: {errors}")
        answers = predict(card.encode(features))
        if answers.ndim > 1:
            probabilities = apply_temperature(answers, manifest.temperature)[0]
            label = card.class_output.classes[int(probabilities.argmax())].value
            value = float(probabilities.max()) if card.class_output.probabilities else 1.0
            golden.append(GoldenRow(features=dict(features), value=value, label=label))
            continue
        value, low, high = float(answers[0]), None, None
        if intervals is not None:
            known = frozenset(name for name in card.optional if features[name] is not None)
            group = intervals.find_group(known)
            (low,), (high,) = intervals.compute_bounds([value], [1.0], group)
        golden.append(GoldenRow(features=dict(features), value=value, low=low, high=high))
    return tuple(golden)
