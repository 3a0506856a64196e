"""Every given model, added once by the command into one folder of models."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def app(self) -> Flask:
        settings = Settings(models=tuple(MODEL_FACTORIES), ratelimit="off")
        return create_app(settings, models=self.root)

    def load(self, name: str) -> NumberModel | ClassModel:
        found = load_model(self.root / name)
        assert isinstance(found, NumberModel | ClassModel)
        return found


@pytest.fixture(scope="session")
def added_models(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> AddedModels:
    """All of them added by the first test process that needs them; no test may change them."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "added"
    shared.mkdir(exist_ok=True)
    root, outputs = shared / "models", shared / "outputs.json"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not outputs.exists():
            root.mkdir()
            outputs.write_text(json.dumps(add_all(root, tmp_path_factory)))
    return AddedModels(root, json.loads(outputs.read_text()))


def add_all(root: Path, folders: pytest.TempPathFactory) -> dict[str, str]:
    """Add each given model; what the command said, by name."""
    said = {}
    for name, give in MODEL_FACTORIES.items():
        publish = ["--publish-rows"] if name in PUBLISHED else []
        result = add(give(folders.mktemp(name)), name, root, "--trust", *publish)
        assert result.exit_code == 0, result.output
        said[name] = result.output
    return said
