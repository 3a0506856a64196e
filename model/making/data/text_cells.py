"""Cells that are texts to a model, and that a CSV reader takes for numbers or for nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from model.contract.texts import fold_text
from model.making.data.assigning import assign_columns

_HOLES = frozenset(
    (
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    )
)  # fmt: skip
"""What pandas reads as a hole."""

_LOOKED_AT = 1000
_LEAST_WORDS = 3


def as_text(value: Any) -> str:
    """Write a cell as a key of JSON has it: 3.0 as 3."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def looks_written(cells: pd.Series) -> bool:
    """Whether a column holds free text: many different values, most of several words."""
    texts = [str(cell) for cell in cells.dropna().tolist()[:_LOOKED_AT]]
    words = sum(len(text.split()) >= _LEAST_WORDS for text in texts)
    return 2 * len(set(texts)) > len(texts) and 2 * words > len(texts)


@dataclass(frozen=True)
class KnownTexts:
    """The texts that the parts of a model know.

    ``by_column`` are the categories of columns by name, ``groups`` those of encoders that name no
    column, ``dummies`` the names of inputs, such as ``zip_00501``. ``kept`` are columns that a
    person calls choices: each of their texts is a value, but for one that no part knows and that
    stands for a hole elsewhere.
    """

    by_column: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups: Sequence[frozenset[str]] = ()
    dummies: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()

    def restore(self, table: pd.DataFrame, raw: pd.DataFrame) -> pd.DataFrame:
        """Give columns their texts back: 00501 where 501 was read, NA where nothing was.

        A question mark that no encoder of its column knows is a hole.

        Args:
            table: the data as they were read.
            raw: the same cells as they stand in the file; "" where one is empty.
        """
        restored = {}
        for name in table.columns:
            cells = dict(zip(raw[name], table[name], strict=True))
            texts = cells.keys() - {""}
            lost = {text for text in texts if as_text(cells[text]) != text}
            known = self._find(str(name), texts, lost)
            is_other_type = pd.api.types.is_numeric_dtype(table[name].dtype) and bool(
                texts and texts <= self.by_column.get(str(name), frozenset())
            )
            unknown = (texts & {"?"}) - self.by_column.get(str(name), frozenset("?"))
            if known or is_other_type or unknown:
                empty = {text for text in lost - known if pd.isna(cells[text])} | unknown
                restored[name] = raw[name].mask(raw[name].isin(empty | {""}))
        return assign_columns(table, restored)

    def find_spellings(self, name: str, texts: set[str]) -> dict[str, str]:
        """The text that a part knows for each that it does not know, but for case and blanks.

        The first level of a column may be in no name of a dummy, so a single text that is in none
        tells nothing.
        """
        prefix = f"{name}_"
        dummies = {item.removeprefix(prefix) for item in self.dummies if item.startswith(prefix)}
        known = self.by_column.get(name) or frozenset(dummies) or self._find_group(texts)
        unknown = texts - known
        if not unknown or (dummies and name not in self.by_column and len(unknown) == 1):
            return {}
        folded: dict[str, list[str]] = {}
        for text in known:
            folded.setdefault(fold_text(text), []).append(text)
        found = ((text, folded.get(fold_text(text), ())) for text in sorted(unknown))
        return {text: spelled[0] for text, spelled in found if len(spelled) == 1}

    def _find_group(self, texts: set[str]) -> frozenset[str]:
        """The one group of texts that these are, but for case and blanks; nothing without one."""
        folded = set(map(fold_text, texts))
        found = {
            group for group in self.groups if texts & group and folded <= set(map(fold_text, group))
        }
        return next(iter(found)) if len(found) == 1 else frozenset()

    def has_texts(self, name: str) -> bool:
        """Whether a part lists texts for a column."""
        return bool(self.by_column.get(name)) or name in self.kept

    def knows_any(self, name: str, texts: set[str]) -> bool:
        """Whether a part knows any of some texts as a column's."""
        return bool(replace(self, kept=frozenset())._find(name, texts, texts))

    def are_texts(self, name: str, cells: pd.Series) -> bool:
        """Whether a part knows the cells of a column as texts, and not as numbers."""
        texts = {cell for cell in cells.dropna().unique() if isinstance(cell, str)}
        return bool(self._find(name, texts, texts))

    def _find(self, name: str, texts: set[str], lost: set[str]) -> set[str]:
        """The lost texts that a part knows as this column's."""
        found = lost & self.by_column.get(name, frozenset())
        found |= {text for text in lost if f"{name}_{text}" in self.dummies}
        for group in self.groups:
            if texts <= group:
                found |= lost
        if name in self.kept:
            found |= lost - _HOLES if name in self.by_column else lost
        return found


NO_TEXTS = KnownTexts()
"""No part knows any."""
