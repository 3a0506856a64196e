"""A model out of its file, by what the file is: ONNX, or a saved estimator."""

from __future__ import annotations

from pathlib import Path

from model.making.errors import TOOLS, AddError
from model.making.estimator_sources import EstimatorSource
from model.making.model_sources import ModelSource
from model.making.pickles import load_estimator


def open_model(path: Path, trust: bool) -> ModelSource:
    """Load the model.

    Args:
        path: its file.
        trust: whether code in it may run, as it does when anything but ONNX is loaded.

    Raises:
        AddError: if it must not be loaded, or is no model that can be served.
    """
    if path.suffix == ".onnx":
        try:
            from model.making.onnx_sources import read_onnx
        except ModuleNotFoundError as error:
            raise AddError(
                f"{error.name} is not installed, which reading ONNX files needs. Run `{TOOLS}`."
            ) from None
        return read_onnx(path)
    if not trust:
        raise AddError(
            f"Loading {path} runs whatever code is in it. If you made it, or trust who did, "
            "add --trust to the command."
        )
    return EstimatorSource(load_estimator(path))
