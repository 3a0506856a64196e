"""Every given model, added once by the command into one folder of models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app import create_app
from app.cli.models import model as commands
from app.config import Settings
from model import ClassModel, NumberModel, load_model
from tests.models import MODEL_FACTORIES, ModelFiles

PUBLISHED = ("penguins", "diabetes")
"""Models that are added with rows of their data to be seen."""


def run(*arguments: object, answer: str = "") -> Result:
    """``flask --app wsgi model`` with these arguments."""
    return CliRunner().invoke(commands, [str(item) for item in arguments], input=answer)


def add(given: ModelFiles, name: str, root: Path, *more: object) -> Result:
    """``model add`` for what a person has."""
    arguments = ["add", given.path, "--name", name, "--data", given.data, "--target", given.target]
    if given.holdout is not None:
        arguments += ["--holdout", given.holdout]
    return run(*arguments, "--models", root, *more)


def add_fitted(root: Path, name: str, fitted: Any, *options: object) -> str:
    """``model add`` for an estimator in memory; what the command says."""
    file = root / f"{name}.joblib"
    joblib.dump(fitted, file)
    result = run("add", file, "--name", name, "--models", root, *options)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder of models."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@dataclass(frozen=True)
class AddedModels:
    """The folder of models, what the command said about each, and the app that serves them all."""

    root: Path
    outputs: dict[str, str]
    app: Flask

    def load(self, name: str) -> NumberModel | ClassModel:
        found = load_model(self.root / name)
        assert isinstance(found, NumberModel | ClassModel)
        return found


@pytest.fixture(scope="session")
def added_models(tmp_path_factory: pytest.TempPathFactory) -> AddedModels:
    """All of them added, and served together."""
    root = tmp_path_factory.mktemp("models")
    said = {}
    for name, give in MODEL_FACTORIES.items():
        folder = tmp_path_factory.mktemp(name)
        publish = ["--publish-rows"] if name in PUBLISHED else []
        result = add(give(folder), name, root, "--trust", *publish)
        assert result.exit_code == 0, result.output
        said[name] = result.output
    app = create_app(Settings(models=tuple(MODEL_FACTORIES), ratelimit="off"), models=root)
    return AddedModels(root, said, app)
