"""The target: what is true of each row, and what the page calls it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from model.contract.arrays import Float64Array
from model.making.drafting import Output, round_step
from model.making.errors import AddError
from model.making.naming import name_target, readable
from model.making.request import Request
from model.making.tables import LabelledTable


def read_truth(rows: LabelledTable, request: Request, classes: tuple[Any, ...]) -> Float64Array:
    """What is true of each row, shape (rows,): a number, or the index of its class.

    Raises:
        AddError: if the target holds what the model cannot answer.
    """
    cells = rows.table[request.target]
    if not classes:
        try:
            truth = cells.to_numpy(dtype=float)
        except (TypeError, ValueError):
            raise AddError(
                f"The model answers with a number, but the target {request.target!r} holds "
                f"{cells.iloc[0]!r}. Name another --target."
            ) from None
        if not np.isfinite(truth).all():
            raise AddError(f"The target {request.target!r} holds infinite numbers.")
        if truth.min() == truth.max():
            raise AddError(f"The target {request.target!r} is {truth[0]:g} in every row.")
        return np.asarray(truth, dtype=float)
    places: dict[Any, int] = {item: place for place, item in enumerate(classes)}
    places |= {str(item): place for place, item in enumerate(classes)}
    named = {name: place for place, name in enumerate(request.classes)}
    found = [named.get(cell, places.get(cell, -1)) for cell in cells.tolist()]
    if -1 in found:
        strange = cells.iloc[found.index(-1)]
        distinct = sorted(cells.astype(str).unique())
        hint = ""
        if len(distinct) == len(classes):
            hint = (
                " If it was fitted on numbers that stand for these, say which is which, in the "
                f"order of its numbers: --classes '{','.join(distinct)}'"
            )
        raise AddError(
            f"The target {request.target!r} holds {strange!r}, but the model answers "
            f"{', '.join(str(item) for item in classes[:10])}.{hint}"
        )
    return np.array(found, dtype=float)


def draft_output(
    truth: Float64Array, request: Request, classes: tuple[str, ...], probabilities: bool
) -> Output:
    """How the answer is called and shown.

    Args:
        truth: what is true of each row, shape (rows,).
        request: what the person asked for.
        classes: what the model sorts rows into; empty for a model of numbers.
        probabilities: whether it says how sure it is of a class.

    Raises:
        AddError: if there are too many classes for a page.
    """
    naming = name_target(request.target, is_number=not classes)
    if not classes:
        step = round_step(float(np.std(truth)))
        return Output(naming, round_to=step, coverage=request.coverage)
    if len(classes) > 50:
        raise AddError(f"The model answers {len(classes)} classes; a page can show 50.")
    labels = [readable(item) for item in request.classes or classes]
    if sorted(map(str.lower, labels)) in (["0", "1"], ["false", "true"]):
        labels = ["Yes" if label.lower() in ("1", "true") else "No" for label in labels]
        naming = replace(naming, noun="answer")
    if request.classes:
        naming = replace(naming, noun="answer")  # the target's name is not that of its classes
    pairs = tuple(zip(classes, labels, strict=True))
    return Output(naming, pairs, probabilities)
