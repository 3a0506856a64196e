"""Rows of the data that a visitor can start from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from model.contract import formatting
from model.contract.fields import Value
from model.making.dataset import Dataset
from model.making.drafting import DraftField, DraftOutput, format_choice_value
from model.making.predicting import PredictFloat64

Examples = tuple[tuple[str, Mapping[str, Value]], ...]
"""Title and values of each."""

_MOST_EXAMPLES = 4


def choose_examples(predict: PredictFloat64, dataset: Dataset, output: DraftOutput) -> Examples:
    """Choose rows that stand for others: typical, low and high ones, or one of each class."""
    answers = predict(dataset.matrix.astype(np.float32))
    chosen: dict[str, int] = {}
    if output.classes:
        predicted = answers.argmax(axis=1)
        by_frequency = np.argsort(-np.bincount(predicted, minlength=answers.shape[1]))
        for code in by_frequency[:_MOST_EXAMPLES]:
            right = np.flatnonzero((predicted == code) & (dataset.truth == code))
            if len(right):
                best = right[np.argmax(answers[right, code])]
                chosen[f"Probably {output.classes[code][1]}"] = int(best)
    else:
        noun = output.naming.noun
        order = np.argsort(answers, kind="stable")
        for title, share in (
            (f"A typical {noun}", 0.5),
            (f"A low {noun}", 0.1),
            (f"A high {noun}", 0.9),
        ):
            chosen[title] = int(order[int(share * (len(order) - 1))])
    if not chosen:
        chosen["A row of the data"] = 0
    return tuple(
        (
            title,
            {
                item.name: _decode(item, code)
                for item, code in zip(dataset.fields, dataset.matrix[row].tolist(), strict=True)
                if not math.isnan(code)
            },
        )
        for title, row in chosen.items()
    )


def _decode(item: DraftField, code: float) -> Value:
    """A value as a visitor would type it."""
    if item.column.kind == "choice":
        return format_choice_value(item.column, int(code))
    if item.column.kind == "flag":
        return "yes" if code else "no"
    if item.column.kind == "integer":
        return round(code)
    # Nobody types sixteen digits, but rounding may pass a bound that is the outermost row.
    rounded = formatting.round_short(code)
    code = rounded if item.low <= rounded <= item.high else code
    return format(Decimal(repr(code)), "f") if "e" in repr(code) else code
