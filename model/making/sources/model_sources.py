"""A model to add, out of any kind of file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from model.making.columns.describing import DataColumn
from model.making.kinds.output_kind import OutputKind
from model.making.rows.prepared import PreparedModel


class ModelSource(Protocol):
    """A model out of its file."""

    @property
    def count(self) -> int | None:
        """The number of columns that it takes; None where it does not say."""

    @property
    def kind(self) -> OutputKind:
        """How it answers."""

    def match_names(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        """Return the columns that it takes, as the data call them; None where it does not say."""

    def find_encoded(self, names: Sequence[str]) -> set[str]:
        """Return the columns that it treats as categories although they may hold numbers."""

    def find_texts(self, names: Sequence[str]) -> set[str]:
        """Return the columns of free text, which it splits into words."""

    def with_target(self, target: pd.Series, classes: Sequence[str]) -> "ModelSource":
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
