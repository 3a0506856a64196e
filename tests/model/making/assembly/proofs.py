"""Parts put together as the data prove it, without files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.contract.arrays import Float64Array
from model.making.assembly.contents import Contents, Transformer
from model.making.assembly.inputs import Codes
from model.making.assembly.proving import Proof, prove
from model.making.assembly.search import AssemblySearch
from model.making.sources.estimator_sources import describe_estimator


def put_together(
    table: pd.DataFrame,
    fitted: Any,
    codes: Mapping[str, Mapping[str, float]] | None = None,
    steps: Mapping[str, Any] | None = None,
) -> Proof:
    """Prove what a model of the last column of a table is; ``codes`` by column, steps by file."""
    contents = Contents(estimators=[Transformer(fitted, "model.pkl", Path("model.pkl"))])
    contents.codes += [
        Codes(found, column, "codes.json") for column, found in (codes or {}).items()
    ]
    contents.transformers += [
        Transformer(step, where, Path(where)) for where, step in (steps or {}).items()
    ]
    *names, target = map(str, table.columns)
    kind = describe_estimator(fitted, "model.pkl").kind
    search = AssemblySearch(contents, table, target, tuple(names), kind)

    def read_truth(names: object) -> Float64Array:
        return np.array(table[target], dtype=np.float64)

    return prove(search, (), read_truth)
