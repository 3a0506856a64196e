"""Loads a model whose kind a test knows."""

from pathlib import Path
from typing import Any, TypeVar

from model import ServedModel, load_model

ModelT = TypeVar("ModelT", bound=ServedModel[Any, Any])


def change_file(path: Path, old: str, new: str) -> None:
    """Replace a text, wherever it stands in a file; it must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def load_as(kind: type[ModelT], folder: Path) -> ModelT:
    """Load a model that is served by the class ``kind``."""
    model = load_model(folder)
    assert isinstance(model, kind)
    return model
