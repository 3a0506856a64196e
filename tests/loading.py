"""Loads a model whose kind a test knows."""

from pathlib import Path
from typing import Any, TypeVar

from model import ServedModel, load_model

ModelT = TypeVar("ModelT", bound=ServedModel[Any, Any])


def load_as(kind: type[ModelT], folder: Path) -> ModelT:
    """Load a model that is served by the class ``kind``."""
    model = load_model(folder)
    assert isinstance(model, kind)
    return model
