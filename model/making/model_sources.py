"""A model to add, out of any kind of file, and the same model prepared to answer codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from model.contract.arrays import BoolArray, Float64Array
from model.contract.sources import Frame
from model.making.columns import DataColumn
from model.making.missing_values import MissingInTraining
from model.making.predicting import PredictFloat64


@dataclass(frozen=True)
class PreparedModel:
    """A model that answers codes.

    ``matrix`` (rows, fields) are the data's codes, without the rows that lack what the model needs;
    ``kept`` (all rows,) is True for the rows that are left. ``optional`` are the fields that may be
    unknown. ``frame`` is what a joblib file takes; ``reason`` says why a model did not compile.
    ``missing_in_training`` is what the model saw of a column of the data when it was fitted, where
    its file tells.
    """

    matrix: Float64Array
    kept: BoolArray
    optional: frozenset[str]
    predict: PredictFloat64
    frame: Frame | None
    files: tuple[str, ...]
    served: str
    probabilities: bool
    reason: str = ""
    notes: tuple[str, ...] = ()
    missing_in_training: Mapping[str, MissingInTraining] = field(default_factory=dict)


class ModelSource(Protocol):
    """A model out of its file."""

    @property
    def count(self) -> int | None:
        """The number of columns that it takes; None where it does not say."""

    @property
    def classes(self) -> tuple[Any, ...]:
        """The classes that it answers; empty for a model of numbers."""

    def match_names(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        """Return the columns that it takes, as the data call them; None where it does not say."""

    def find_encoded(self, names: Sequence[str]) -> set[str]:
        """Return the columns that it treats as categories although they may hold numbers."""

    def with_target(self, target: pd.Series, classes: Sequence[str]) -> ModelSource:
        """Return the same source with its classes, once the target is known.

        Args:
            target: the column of the data that it answers.
            classes: names of its classes in its order, as a person says; empty where not said.

        Raises:
            AddError: if these cannot be its classes.
        """

    def prepare(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        """Write its artifacts into ``work``, and compare their answers with its own on every row.

        Raises:
            AddError: if it cannot answer the data's rows, or the served form answers otherwise.
        """
