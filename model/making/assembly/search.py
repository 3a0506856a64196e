"""What an assembly may be made of: the files' parts, the data's columns, what a person says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from model.making.assembly.chains import find_order, list_orders, split_scaler
from model.making.assembly.contents import Contents, Transformer
from model.making.assembly.inputs import UNKNOWN, Codes, Input, RawColumns, encode_categories
from model.making.data.text_cells import as_text
from model.making.errors import AddError
from model.making.kinds.output_kind import OutputKind
from model.making.options import write_derivation
from model.making.steps.fitted_steps import ENCODERS, SCALERS


@dataclass
class AssemblySearch:
    """What may be put together: the parts, the data's columns and what a person says."""

    contents: Contents
    table: pd.DataFrame
    target: str
    available: tuple[str, ...]
    kind: OutputKind
    features: tuple[str, ...] = ()
    before: tuple[Path, ...] = ()
    target_inverse: str = ""
    derived_from: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.estimator = self.contents.estimators[0]
        self.dummies: list[Input] = []
        self.ordinals: list[Input] = []
        self.dummies_of: dict[str, list[Input]] = {}
        self.has_sparse_dummies = False
        self.columns = RawColumns(self.table[list(self.available)], self.contents.codes)
        found = [each for part in self.contents.transformers for each in self._split(part)]
        self.scalers_of_target = [part for part in found if self._scales_target(part)]
        self.transformers = [part for part in found if part not in self.scalers_of_target]
        for part in list(self.transformers):
            if isinstance(part.fitted, ENCODERS) and (
                self._take_apart(part) or self._take_class_names(part)
            ):
                self.transformers.remove(part)
        self.problems: list[str] = []

    @property
    def count(self) -> int | None:
        """The inputs that the model takes; None where it does not say."""
        found = getattr(self.estimator.fitted, "n_features_in_", None)
        return int(found) if found else None  # CatBoost forgets it, and says 0

    def list_orders(self) -> list[tuple[Transformer, ...]]:
        """List the orders in which the steps may stand.

        Raises:
            AddError: if a file that a person named holds no step.
        """
        if self.before:
            order = [
                part for path in self.before for part in self.transformers if part.path == path
            ]
            known = {part.path for part in order}
            if lacking := [path for path in self.before if path not in known]:
                raise AddError(
                    f"--before {lacking[0]}: it holds no step that takes all inputs, such as a "
                    "scaler. Give the encoder of some columns as a further FILE, without --before."
                )
            return [tuple(order)]
        return list(list_orders(self.transformers))

    def _split(self, part: Transformer) -> list[Transformer]:
        """Split a scaler of the whole table, the target among its columns, into two of a part."""
        named = [name for name in self.table.columns if name in (*self.available, self.target)]
        names = list(part.names or (named if part.count == len(named) else ()))
        if (
            not isinstance(part.fitted, SCALERS)
            or self.target not in names
            or part.count < 2
            or self.count not in (None, part.count - 1)
        ):
            return [part]
        halves = split_scaler(part.fitted, names.index(self.target))
        return [replace(part, fitted=half) for half in halves]

    def _take_apart(self, part: Transformer) -> bool:
        """Turn an encoder into codes, or into a list of dummies; False where it fits no column."""
        places = []
        taken: set[str] = set()
        for number, categories in enumerate(part.fitted.categories_):
            texts = {as_text(value) for value in categories.tolist()}
            named = part.names[number] if part.names else None
            fitting = [
                column
                for column in self.available
                if column not in taken and (column == named or named is None)
                and set(self.columns.cells(column)) <= texts
                and (named is not None or not self.columns.is_number(column))
            ]  # fmt: skip
            if not fitting:
                return False
            taken.add(fitting[0])
            places.append((fitting[0], categories.tolist()))
        if not isinstance(part.fitted, OneHotEncoder):
            encoded = encode_categories(part.fitted)
            if not encoded:
                return False
            for (column, categories), column_codes in zip(places, encoded, strict=True):
                numbers = dict(zip(map(as_text, categories), column_codes, strict=True))
                numbers |= _code_hole(part.fitted, numbers)
                codes = Codes(numbers, column, part.where)
                self.contents.codes.append(codes)
                self.ordinals.append(self.columns.make_input(column, codes))
            return True
        self.has_sparse_dummies |= bool(part.fitted.sparse_output)
        dropped = part.fitted.drop_idx_
        made = self.dummies_of[part.where] = []
        for number, (column, categories) in enumerate(places):
            left_out = None if dropped is None else dropped[number]
            made += [
                Input(column, level=value)
                for code, value in enumerate(categories)
                if code != left_out
            ]
        self.dummies += made
        return True

    def _take_class_names(self, part: Transformer) -> bool:
        """Take the classes' names from an encoder of the target; False where it is of no target."""
        if not self.kind.classes or part.count != 1 or self.target not in self.table:
            return False
        named = list(map(as_text, part.fitted.categories_[0].tolist()))
        if not set(map(as_text, self.table[self.target].unique().tolist())) <= set(named):
            return False
        numbers = {name: float(number) for number, name in enumerate(named)}
        self.contents.codes.append(Codes(numbers, self.target, part.where))
        return True

    def _scales_target(self, part: Transformer) -> bool:
        """Whether a step can have scaled the target, or all of several."""
        targets = getattr(self.kind, "targets", (self.target,))
        if part.count != len(targets) or not hasattr(part.fitted, "inverse_transform"):
            return False
        if isinstance(part.fitted, ENCODERS):  # of one column
            return False
        if part.names is not None or self.count != 1 or len(targets) > 1:
            is_other = part.names is None and self.count != part.count
            return is_other or part.names == targets
        # Of a model with one input it may have scaled that; what it saw tells.
        numbers = [
            name
            for name in (*self.available, self.target)
            if name and pd.api.types.is_numeric_dtype(self.table[name].dtype)
        ]
        matrix = self.table[numbers].to_numpy(dtype=float, na_value=np.nan)
        return find_order(part, numbers, matrix) == (self.target,)


def _code_hole(encoder: OrdinalEncoder | TargetEncoder, numbers: Mapping[str, float]) -> Any:
    """The code of a missing cell, where an encoder gives it the one of what it does not know."""
    unknown = getattr(encoder, "unknown_value", None)
    return {} if unknown is None or UNKNOWN in numbers else {UNKNOWN: float(unknown)}


def explain_none(search: AssemblySearch) -> str:
    """Say why the data have no columns of which the model's inputs can be made."""
    parts = [part.where for part in search.transformers]
    with_steps = f" with {' and '.join(parts)}" if parts else ""
    part = next((part for part in [search.estimator, *search.transformers] if part.names), None)
    takes = f"{search.count} columns" if search.count else "columns"
    if part is not None:
        columns = search.columns
        missing = [
            name
            for name in part.names or ()
            if columns.find(name) is None and columns.find_level(name, part.names or ()) is None
        ]
        if missing:
            others = f" and {', '.join(map(repr, missing[1:]))}" if missing[1:] else ""
            return (
                f"{part.where} takes {missing[0]!r}{others}, which the data do not have. If your "
                f"code computes it from other columns, say how: {write_derivation(missing[0], '…')}"
                ", with columns, numbers and functions."
            )
    return (
        f"The model takes {takes}{with_steps}, and does not say which; the data have "
        f"{len(search.available)}: {', '.join(search.available)}. Name those that it was fitted "
        "on, in their order: --features a,b,c."
    )
