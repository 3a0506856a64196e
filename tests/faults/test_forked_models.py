"""Models that the master loaded predict in the workers."""

import urllib.request
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from tests.soak.models import write_model
from tests.soak.serving import serve_copy


def write_boosted(root: Path) -> None:
    rows = np.random.default_rng(0).uniform(0, 1000, (500, 1)).astype(np.float32)
    estimator = HistGradientBoostingRegressor(max_iter=20).fit(rows, rows[:, 0] * 2)
    write_model(root / "model" / "boosted", estimator)


@pytest.mark.second_tier
def test_a_scikit_learn_model_with_its_own_threads_predicts_after_the_fork() -> None:
    with (
        serve_copy(model="boosted", prepare=write_boosted) as server,
        urllib.request.urlopen(f"{server.url}/?size=500", timeout=300) as answer,
    ):
        assert b'data-state="fresh"' in answer.read()
