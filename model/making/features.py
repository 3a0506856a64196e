"""Which columns of the data are the features of the model, and in which order."""

from __future__ import annotations

from model.making.errors import AddError
from model.making.model_sources import ModelSource
from model.making.request import Note, Request
from model.making.tables import LabelledTable, near, need_column


def match_features(
    subject: ModelSource, rows: LabelledTable, request: Request, note: Note
) -> list[str]:
    """The columns of the data that the model takes, in its order.

    Raises:
        AddError: if the data lack one, or as many as it takes cannot be told from them.
    """
    table = rows.table
    for name in request.features:
        need_column(table, name, request.data, "--features")
    there = [str(name) for name in table.columns if name not in (request.target, rows.marker)]
    known = subject.names_in(there)
    if known is not None:
        names = list(known)
        if request.features and list(request.features) != names:
            raise AddError(
                f"The model knows its columns itself: {', '.join(names)}. Leave --features out."
            )
        if request.target in names:
            raise AddError(
                f"The model was fitted on {request.target!r}, which is the target. Name the "
                "column that it answers with --target."
            )
        if missing := [name for name in names if name not in table.columns]:
            free = [name for name in there if name not in names]
            more = f" (nor {', '.join(map(repr, missing[1:]))})" if missing[1:] else ""
            raise AddError(
                f"{request.data} has no column {missing[0]!r}{more}, which the model was fitted on."
                f"{_hint(missing[0], there, free)}"
            )
    else:
        names = list(request.features) or there
        if subject.count is not None and len(names) != subject.count:
            raise AddError(
                f"The model takes {subject.count} columns, and does not say which; the data "
                f"have {len(names)}: {', '.join(names)}. Name those that it was fitted on, in "
                "their order: --features a,b,c"
            )
        if len(names) > 1 and not request.features and list(names) == there:
            note(
                "The model does not say what its columns are called: they were taken in the "
                f"order of the data, {', '.join(names[:4])}"
                f"{' …' if len(names) > 4 else ''}. Say --features if that is wrong."
            )
    if extra := [name for name in there if name not in names]:
        note(f"Columns that the model does not take: {', '.join(extra)}.")
    return names


def _hint(missing: str, there: list[str], free: list[str]) -> str:
    """What may have happened to a column that is not there, and what to do."""
    made_of = [name for name in free if missing.startswith(f"{name}_")]
    if made_of:
        return (
            f" Was it made of {made_of[0]!r}, by get_dummies for one? What makes it belongs into a "
            "Pipeline with the model: fit and save that."
        )
    return f"{near(missing, there, free)} Add it, or give the file that the model was fitted on."
