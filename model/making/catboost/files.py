"""A CatBoost file as an ONNX model, held against what CatBoost itself answers to the data."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from model.contract.arrays import Float64Array
from model.making.columns.describing import DataColumn
from model.making.errors import AddError
from model.making.onnx.converting import append_inverse
from model.making.rows.prepared import PreparedModel
from model.making.sources.file_contents import name_content
from model.making.sources.onnx_sources import OnnxSource, read_onnx

_SCRIPT = Path(__file__).with_name("ask_catboost.py")
_SECONDS = 600


@dataclass(frozen=True)
class CatBoostSource(OnnxSource):
    """A model that CatBoost exported; ``file`` is its own, ``python`` that of its environment."""

    file: Path = Path()
    python: str = ""

    def prepare(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        return replace(super().prepare(table, columns, work), exporter="CatBoost")

    def answer(self, table: pd.DataFrame) -> Float64Array:
        """Let CatBoost answer, shape (rows,) or (rows, classes); see ``OnnxSource.answer``."""
        rows = table.to_numpy(dtype=np.float64)
        with tempfile.TemporaryDirectory() as folder:
            given, out = Path(folder) / "rows.npy", Path(folder) / "answers.npy"
            np.save(given, rows.astype(np.float32))
            _ask(self.python, self.file, "answer", given, out)
            return np.asarray(np.load(out), dtype=float)


def is_catboost(path: Path) -> bool:
    """Whether a file is one of CatBoost's, by how it begins."""
    return "CatBoost" in name_content(path)


def read_catboost(path: Path, python: str) -> CatBoostSource:
    """Let CatBoost export a file, and read what it made.

    ``python`` is that of an environment that has CatBoost.

    Raises:
        AddError: if that cannot be run, or CatBoost does not export such a model.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, said = Path(folder) / "model.onnx", Path(folder) / "names.json"
        _ask(python, path, "export", out, said)
        found = read_onnx(out)
        told = json.loads(said.read_text(encoding="utf-8"))
    kept = {item.name: getattr(found, item.name) for item in fields(OnnxSource)}
    names = tuple(map(str, told["names"]))
    if not all(name.isdecimal() for name in names):  # else they are only places
        kept["names"] = names
    if told["exponent"]:  # the trees give its logarithm, and CatBoost exports only them
        kept["output"] = append_inverse(found.model.graph, found.output, [("Exp", None)])
    return CatBoostSource(**kept, file=path.resolve(), python=python)


def _ask(python: str, *arguments: Path | str) -> None:
    """Run the script in the environment of CatBoost.

    Raises:
        AddError: if that fails.
    """
    file, task, *others = arguments
    command = [python, "-I", _SCRIPT, Path(file).resolve(), task, *others]
    try:
        done = subprocess.run(  # noqa: S603 (the person names this Python)
            command,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            cwd=_SCRIPT.parent,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AddError(f"--python {python} could not be run: {error}") from None
    if done.returncode:
        raise AddError(_explain(python, done.stderr.strip().splitlines()))


def _explain(python: str, lines: Sequence[str]) -> str:
    last = lines[-1][:300] if lines else "it said nothing"
    if "No module named" in last:
        return f"--python {python} has no CatBoost ({last}). Name the Python of one that has it."
    if "categorical" in last.casefold():
        return (
            "CatBoost exports no model with categorical features to ONNX. Fit it on numbers: "
            "encode the choices by OneHotEncoder or OrdinalEncoder first."
        )
    return f"CatBoost does not do it: {last}"
