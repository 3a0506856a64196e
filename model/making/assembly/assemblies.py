"""One way in which parts may belong together: what it is, how it is built and how it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.making.assembly.chains import (
    Step,
    ZerosAsMissing,
    forget_names,
    miss_zeros,
    run_steps,
)
from model.making.assembly.inputs import Input, make_encoder
from model.making.assembly.inverses import Inverse
from model.making.data.text_cells import as_text
from model.making.kinds.output_kind import OutputKind

UNCHANGED = "the model as it is"
"""What an assembly of one part says of itself."""


@dataclass(frozen=True)
class Assembly:
    """One way in which parts may belong together.

    ``inputs`` are empty where the model takes the columns ``names`` as they are. ``guessed`` are
    the columns whose codes are in no file. ``classes`` are the names of the model's classes in
    their order. ``by_place`` is True where nothing but the data gives the order of the columns,
    ``is_window`` where it does not even say which ones, ``guesses_classes`` where the names are in
    no file. ``parts`` is where the parts stand that it takes besides the model. ``as_categories``
    is True where texts are categories of pandas, ``alone`` where the model takes the texts of one
    column, and no table.
    """

    names: tuple[str, ...]
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    inverse: Inverse | None
    words: tuple[str, ...]
    guessed: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    fitted: Any = None
    by_place: bool = False
    is_window: bool = False
    guesses_classes: bool = False
    parts: frozenset[str] = frozenset()
    as_categories: bool = False
    alone: bool = False

    @property
    def guesses(self) -> bool:
        """Whether it has something that is in no file."""
        return bool(self.guessed) or self.is_window or self.guesses_classes

    @property
    def text(self) -> str:
        """What sets it apart, in words."""
        return "; ".join(self.words) or UNCHANGED

    def invert(self, answers: Float64Array) -> Float64Array:
        """Turn the model's answers back into the target's unit, of the same shape."""
        return self.inverse.function(answers) if self.inverse else answers

    def list_codes(self, column: str) -> dict[str, float]:
        """The numbers of a column's values by their text, where it has any."""
        return {
            as_text(cell): code
            for item in self.inputs
            if item.source == column
            for cell, code in item.codes
        }


def select_raw(
    table: pd.DataFrame,
    names: Sequence[str],
    index: Any,
    as_categories: bool,
    alone: bool = False,
) -> Any:
    """Select rows of the columns that a model takes as the data have them.

    Args:
        table: the data.
        names: the columns.
        index: the labels of the rows.
        as_categories: whether texts become categories of pandas.
        alone: whether the model takes one column, and no table.
    """
    if alone:
        return table.loc[index, names[0]]
    rows = table.loc[index, list(names)]
    if as_categories:
        for name in names:
            if not pd.api.types.is_numeric_dtype(table[name].dtype):
                values = sorted(table[name].dropna().unique(), key=str)
                rows[name] = pd.Categorical(rows[name], categories=values)
    return rows


def join_steps(steps: Sequence[Any], estimator: Any) -> Pipeline:
    """Join fitted steps as a pipeline, of which the first alone knows the names of its inputs."""
    inner = [forget_names(step) for step in [*steps[1:], estimator]]
    named = [(f"step_{number}", step) for number, step in enumerate([steps[0], *inner[:-1]])]
    return Pipeline([*named, ("model", inner[-1])])


def build(assembly: Assembly, estimator: Any, table: pd.DataFrame) -> Any:
    """Put an assembly together as an ordinary fitted estimator on raw columns.

    Args:
        assembly: which parts, and how.
        estimator: the fitted model.
        table: rows of the data, whose columns' names and types are kept.
    """
    if assembly.fitted is not None:
        fitted = assembly.fitted
    else:
        steps = [step.fitted for step in assembly.steps]
        if steps and isinstance(steps[-1], ZerosAsMissing):
            steps, estimator = steps[:-1], miss_zeros(estimator, steps[-1].absent)
        names = [item.source for item in assembly.inputs]
        plain = all(item.is_plain for item in assembly.inputs) and len(set(names)) == len(names)
        known = getattr(steps[0] if steps else estimator, "feature_names_in_", None)
        if plain and (known is None or list(known) == names):
            fitted = join_steps(steps, estimator) if steps else estimator
        else:
            encoder = make_encoder(assembly.inputs, table)
            fitted = join_steps([encoder, *steps], estimator)
    return assembly.inverse.wrap(fitted) if assembly.inverse else fitted


def answer(assembly: Assembly, estimator: Any, kind: OutputKind, rows: Any) -> Float64Array:
    """Answer inputs, shape (rows, inputs), or a table of the raw columns.

    Returns:
        Values, shape (rows,), or probabilities, shape (rows, classes), before the inverse.
    """
    if assembly.fitted is not None:
        return kind.predict_quietly(assembly.fitted, rows)
    return ask_model(estimator, kind, run_steps(assembly.steps, rows))


def ask_model(estimator: Any, kind: OutputKind, values: Float64Array) -> Float64Array:
    """Answer what the model itself takes, shape (rows, inputs).

    Returns:
        Values, shape (rows,), or probabilities, shape (rows, classes).
    """
    names = getattr(estimator, "feature_names_in_", None)
    rows = values if names is None else pd.DataFrame(values, columns=names)
    return kind.predict_quietly(estimator, rows)
