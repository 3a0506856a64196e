"""Adding a model from a notebook: a fitted estimator and its rows in memory."""

import html
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from pickle import PicklingError
from typing import Any

import joblib
import numpy as np
import pandas as pd

from model.making.adding import add_from_files
from model.making.data.assigning import assign_columns
from model.making.data.tables import suggest_name
from model.making.errors import AddError
from model.making.options import AddOptions
from model.making.writing.report import format_report
from model.making.writing.summary import AddedModel

MODELS = Path(__file__).parents[1]


@dataclass(frozen=True)
class NotebookReport:
    """A model that was added, and its report, which a notebook shows as HTML."""

    added: AddedModel

    def __str__(self) -> str:
        return format_report(self.added)

    def _repr_html_(self) -> str:
        """The report in HTML."""
        parts = []
        for block in str(self).strip().split("\n\n"):
            if block.startswith("#"):
                level = len(block) - len(block.lstrip("#")) + 1
                parts.append(f"<h{level}>{html.escape(block.lstrip('# '))}</h{level}>")
            elif block.startswith("|"):
                parts.append(_format_table(block.splitlines()))
            else:
                parts.append(f"<p>{html.escape(block).replace(chr(10), '<br>')}</p>")
        return "\n".join(parts)


def _format_table(lines: Sequence[str]) -> str:
    rows = [
        "".join(
            f"<{tag}>{html.escape(cell.strip())}</{tag}>" for cell in line.strip("|").split("|")
        )
        for number, line in enumerate(lines)
        if number != 1
        for tag in ("td" if number else "th",)
    ]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def add_model(
    model: Any,
    rows: Any,
    target: Any,
    *,
    name: str,
    holdout: tuple[Any, Any] | None = None,
    root: Path | str = MODELS,
    **options: Any,
) -> NotebookReport:
    """Add a fitted model, as ``flask --app wsgi model add`` does from files.

    Args:
        model: the fitted estimator or Pipeline.
        rows: what it was fitted on: a table, a column of texts, or an array of shape (rows,
            columns), sparse or not.
        target: what it answers for each row, shape (rows,); None where that is not known.
        name: in its address, like "my-rents".
        holdout: rows and target that it has not seen, for figures and ranges.
        root: the folder of the models' folders.
        options: further fields of ``AddOptions``, such as ``force=True``; and ``yes=False``, which
            adds no model that has to be put together from parts.

    Raises:
        AddError: if it cannot be added; says why and what to do.
    """
    asked = bool(options.pop("yes", True))
    known = [item.name for item in fields(AddOptions)]
    if unknown := sorted(set(options) - set(known)):
        raise AddError(f"There is no option {unknown[0]!r}.{suggest_name(unknown[0], known)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        table, column = _join(rows, target)
        path, data = folder / "model.joblib", folder / f"{Path(name).name or 'rows'}.csv"
        try:
            joblib.dump(model, path)
        except (PicklingError, AttributeError, TypeError) as error:
            raise AddError(
                f"The model cannot be saved: {error}. Functions and classes that it uses must be "
                'named ones of a file: give that with trust=True and module=Path("FILE.py").'
            ) from error
        table.to_csv(data, index=False)
        held = None
        if holdout is not None:
            held = folder / "holdout.csv"
            _join(*holdout, column=column)[0].to_csv(held, index=False)
        asks = AddOptions((path,), name, data, column, str(held) if held else None, **options)
        added = add_from_files(asks, Path(root), lambda _: None, lambda _: asked)
    return NotebookReport(added)


def _join(rows: Any, target: Any, column: str = "") -> tuple[pd.DataFrame, str]:
    """The rows with the target in a column of its own, and that column's name, "" without one."""
    table = _make_table(rows)
    if target is None:
        return table, ""
    values = _make_table(target)
    if values.shape[1] != 1:
        raise AddError(f"The target has {values.shape[1]} columns. Give the one that it answers.")
    given = values.columns[0]
    column = column or ("target" if given == _UNNAMED else str(given))
    if column in table.columns:
        raise AddError(f"The rows have a column {column!r}, as the target is called. Rename one.")
    if len(table) != len(values):
        raise AddError(f"There are {len(table)} rows and {len(values)} values of the target.")
    return assign_columns(table, {column: values[given].to_numpy()}), column


_UNNAMED = "column 0"


def _make_table(rows: Any) -> pd.DataFrame:
    """Rows of whatever library as a table of its own; columns without a name are numbered."""
    if hasattr(rows, "to_pandas"):  # of Polars or Arrow
        rows = rows.to_pandas()
    if hasattr(rows, "toarray"):  # sparse
        rows = rows.toarray()
    table = pd.DataFrame(rows if isinstance(rows, pd.DataFrame | pd.Series) else np.asarray(rows))
    return table.set_axis(
        [f"column {name}" if isinstance(name, int) else str(name) for name in table], axis=1
    )
