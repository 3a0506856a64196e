"""A small, seeded training run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.contract.manifest import Manifest
from model.house_price.features import FIELDS
from model.house_price.pipeline import QUICK
from model.house_price.sales import read_sales
from model.house_price.train import train
from model.making.onnx.graphs import INPUT
from model.serving.predictors import open_session

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    """The manifest of a quick run on 200 sales, and its folder."""
    folder = tmp_path_factory.mktemp("model")
    return train(read_sales().head(200), folder, QUICK, folds_count=3), folder


def test_the_same_seed_gives_the_same_model(trained: tuple[Manifest, Path], tmp_path: Path) -> None:
    """Equal hashes show that the bytes are the same."""
    again = train(read_sales().head(200), tmp_path, QUICK, folds_count=3)
    day = trained[0].trained
    assert trained[0] == again.model_copy(update={"trained": day})


def test_a_larger_house_is_never_cheaper(trained: tuple[Manifest, Path]) -> None:
    """This holds whichever of the other features are known."""
    session = open_session((trained[1] / "model.onnx").read_bytes())
    houses = read_sales().features[:50].copy()
    houses[::2, 3:] = np.nan
    sizes = np.linspace(300, 6000, 100)
    rows = np.repeat(houses[:, None], len(sizes), axis=1)
    rows[..., FIELDS.index("sqft")] = sizes
    (value,) = session.run(["value"], {INPUT: rows.reshape(-1, 10).astype(np.float32)})
    steps = np.diff(value.reshape(50, -1))
    assert (steps >= -0.02).all()  # float32 dollars


def test_more_features_give_a_narrower_range(trained: tuple[Manifest, Path]) -> None:
    """The range with three features is compared with that of all ten."""
    assert trained[0].calibration is not None
    groups = trained[0].calibration.groups
    assert groups[-1].width < groups[0].width
