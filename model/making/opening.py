"""A model out of its file, by what the file is: ONNX, or an estimator that was saved."""

from __future__ import annotations

from pathlib import Path

from model.making.errors import AddError
from model.making.estimators import load_estimator
from model.making.model_sources import TOOLS, ModelSource, ready_estimator


def open_subject(path: Path, trust: bool) -> ModelSource:
    """Load the model.

    Args:
        path: its file.
        trust: whether code in it may run, which loading anything but ONNX does.

    Raises:
        AddError: if it is not to be trusted, or no model that can be served.
    """
    if path.suffix == ".onnx":
        try:
            from model.making.graphs import read_graph
        except ModuleNotFoundError as error:
            raise AddError(
                f"{error.name} is not installed, which reading ONNX files needs. Run `{TOOLS}`."
            ) from None
        return read_graph(path)
    if not trust:
        raise AddError(
            f"Loading {path} runs whatever code is in it. If you made it, or trust who did, "
            "say so: add --trust to the command."
        )
    estimator = load_estimator(path)
    return ready_estimator(estimator)
