"""The target: the true answer of each row, and what the page calls it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from model.contract.arrays import Float64Array
from model.making.drafting import DraftOutput, choose_rounding_step
from model.making.errors import AddError
from model.making.naming import format_choice, name_target
from model.making.options import AddOptions
from model.making.tables import LabelledTable

_MOST_CLASSES = 50


def read_truth(rows: LabelledTable, options: AddOptions, classes: tuple[Any, ...]) -> Float64Array:
    """Read the true answer of each row, shape (rows,): a number, or the index of its class.

    Raises:
        AddError: if the target holds what the model cannot answer.
    """
    cells = rows.table[options.target]
    if not classes:
        try:
            truth = cells.to_numpy(dtype=float)
        except (TypeError, ValueError):
            raise AddError(
                f"The model answers with a number, but the target {options.target!r} holds "
                f"{cells.iloc[0]!r}. Name another --target."
            ) from None
        if not np.isfinite(truth).all():
            raise AddError(
                f"The target {options.target!r} holds infinite numbers. Remove these rows from the "
                "data."
            )
        if truth.min() == truth.max():
            raise AddError(
                f"The target {options.target!r} is {truth[0]:g} in every row. Name another "
                "--target, or give more rows."
            )
        return np.asarray(truth, dtype=float)
    codes: dict[Any, int] = {item: code for code, item in enumerate(classes)}
    codes |= {str(item): code for code, item in enumerate(classes)}
    codes |= {name: code for code, name in enumerate(options.classes)}
    truth_codes = [codes.get(cell, -1) for cell in cells.tolist()]
    if -1 in truth_codes:
        unknown = cells.iloc[truth_codes.index(-1)]
        distinct = sorted(cells.astype(str).unique())
        hint = " Give the target that it was fitted on, or name another --target."
        if len(distinct) == len(classes):
            hint = (
                " If it was fitted on numbers that stand for these, name them in the order of "
                f"its numbers: --classes '{','.join(distinct)}'"
            )
        raise AddError(
            f"The target {options.target!r} holds {unknown!r}, but the model answers "
            f"{', '.join(str(item) for item in classes[:10])}.{hint}"
        )
    return np.array(truth_codes, dtype=float)


def draft_output(
    truth: Float64Array, options: AddOptions, classes: tuple[str, ...], probabilities: bool
) -> DraftOutput:
    """Draft what the answer is called and how it is shown.

    Args:
        truth: the true answer of each row, shape (rows,): a number, or the index of its class.
        options: what the person asked for.
        classes: the classes that the model answers; empty for a model of numbers.
        probabilities: whether it gives the probability of each class.

    Raises:
        AddError: if there are too many classes for a page.
    """
    naming = name_target(options.target, is_number=not classes)
    if not classes:
        step = choose_rounding_step(float(np.std(truth)))
        return DraftOutput(naming, round_to=step, coverage=options.coverage)
    if len(classes) > _MOST_CLASSES:
        raise AddError(
            f"The model answers {len(classes)} classes, and a page can show {_MOST_CLASSES}. Fit "
            "it on fewer classes."
        )
    labels = [format_choice(item) for item in options.classes or classes]
    if sorted(map(str.lower, labels)) in (["0", "1"], ["false", "true"]):
        labels = ["Yes" if label.lower() in ("1", "true") else "No" for label in labels]
        naming = replace(naming, noun="answer")
    if options.classes:
        naming = replace(naming, noun="answer")  # the target's name does not describe these names
    pairs = tuple(zip(classes, labels, strict=True))
    return DraftOutput(naming, pairs, probabilities)
