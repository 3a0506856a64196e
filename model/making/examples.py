"""Rows of the data that a visitor can start from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from model.contract import formatting
from model.contract.fields import Value
from model.making.dataset import Dataset
from model.making.drafting import DraftCard, Output, str_value
from model.making.measuring import PredictFunction

Examples = tuple[tuple[str, Mapping[str, Value]], ...]
"""Title and values of each."""

_MOST_EXAMPLES = 4


def choose_examples(answer: PredictFunction, dataset: Dataset, output: Output) -> Examples:
    """Rows that stand for others: typical, low and high, or one of each class."""
    said = answer(dataset.matrix.astype(np.float32))
    chosen: dict[str, int] = {}
    if output.classes:
        named = said.argmax(axis=1)
        for place in np.argsort(-np.bincount(named, minlength=said.shape[1]))[:_MOST_EXAMPLES]:
            right = np.flatnonzero((named == place) & (dataset.truth == place))
            if len(right):
                best = right[np.argmax(said[right, place])]
                chosen[f"Probably {output.classes[place][1]}"] = int(best)
    else:
        noun = output.naming.noun
        order = np.argsort(said, kind="stable")
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
                item.name: _typed(item, code)
                for item, code in zip(dataset.fields, dataset.matrix[row].tolist(), strict=True)
                if not math.isnan(code)
            },
        )
        for title, row in chosen.items()
    )


def _typed(item: DraftCard, code: float) -> Value:
    """A value as a visitor would type it."""
    if item.column.kind == "choice":
        return str_value(item.column, int(code))
    if item.column.kind == "flag":
        return "yes" if code else "no"
    if item.column.kind == "integer":
        return round(code)
    # Nobody types sixteen digits; but a bound of the data's own may be one row away.
    near = formatting.round_short(code)
    code = near if item.low <= near <= item.high else code
    return format(Decimal(repr(code)), "f") if "e" in repr(code) else code
