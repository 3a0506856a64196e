"""Models that a test module fits, added by the command and served by one app."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flask import Flask

from app import create_app
from app.config import Settings
from tests.model.making.conftest import add_fitted


def add_without_target(
    root: Path,
    estimators: Mapping[str, Any],
    table: pd.DataFrame,
    options: Mapping[str, Sequence[str]],
) -> Path:
    """Fit each estimator on a table, data.csv in the folder, and add it there with its options."""
    data = root / "data.csv"
    table.to_csv(data, index=False)
    for name, estimator in estimators.items():
        fitted = estimator.fit(table)
        said = add_fitted(root, name, fitted, "--data", data, *options.get(name, ()))
        assert "no accuracy is claimed" in said
    return root


@pytest.fixture(scope="module")
def app(request: pytest.FixtureRequest, root: Path) -> Flask:
    """An app that serves the module's ``ESTIMATORS`` from its ``root``, the first at /."""
    settings = Settings(models=tuple(request.module.ESTIMATORS), ratelimit="off")
    return create_app(settings, models=root)
