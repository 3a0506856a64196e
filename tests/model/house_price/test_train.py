"""A small, seeded training run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.contract.manifest import Manifest
from model.house_price.features import FIELDS
from model.house_price.pipeline import TrainingConfig
from model.house_price.sales import SALES, read_reported_sales, read_sales
from model.house_price.train import train
from model.making.onnx.graphs import INPUT
from model.serving.predictors import open_session

pytestmark = pytest.mark.slow

QUICK = TrainingConfig(
    folds=3,
    teachers=1,
    trees=30,
    trees_learning_rate=0.2,
    teacher_copies=4,
    network_copies=8,
    hidden=(16, 8),
    epochs=12,
    scale_copies=4,
    scale_trees=15,
    scale_hidden=(8,),
    scale_epochs=3,
)
"""A quick training, which gives no good model."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    """The manifest of a quick run on 200 sales, and its folder."""
    folder = tmp_path_factory.mktemp("model")
    return train(read_sales().head(200), folder, QUICK), folder


@pytest.mark.second_tier
def test_the_same_seed_gives_the_same_model(trained: tuple[Manifest, Path], tmp_path: Path) -> None:
    """Equal hashes show that the bytes are the same."""
    again = train(read_sales().head(200), tmp_path, QUICK)
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


def test_reports_with_unknown_facts_are_learned_from_and_measure_nothing(
    trained: tuple[Manifest, Path], tmp_path: Path
) -> None:
    """Dear old two-bedroom houses, of which the sales have none, are dearer then."""
    header = SALES.read_text().partition("\n")[0]
    row = "2,1,900,,,,,,,,900000,,"
    (tmp_path / "new.csv").write_text("\n".join([header, *[row] * 60, ""]))
    reports = read_reported_sales(tmp_path / "new.csv")
    assert reports.features.shape == (60, 10)
    assert np.isnan(reports.features[:, 3:]).all()
    made = train(read_sales().head(200), tmp_path, QUICK, reports=reports)
    assert made.data.text.endswith("from 2006 to 2010, and the prices that 60 visitors knew")
    assert made.calibration is not None
    assert {group.rows for group in made.calibration.groups} == {200}
    assert made.data.rows == 200
    house = reports.features[:1].astype(np.float32)
    before, after = (
        open_session((folder / "model.onnx").read_bytes()).run(["value"], {INPUT: house})[0]
        for folder in (trained[1], tmp_path)
    )
    assert after > 2 * before


def test_a_file_of_reports_that_the_form_could_not_send_is_refused(tmp_path: Path) -> None:
    header, path = "beds,baths,sqft,year_built,neighborhood,condition,garage_cars,", tmp_path / "f"
    header += "lot_area,basement_sqft,fireplaces,price"
    for row, message in (
        ("3,2,1850,,Atlantis,,,,,,1", "a choice that is not on the card"),
        ("3,,1850,,,,,,,,1", "a row lacks beds, baths, sqft or a price"),
        ("3,2,1850,,,,,,,,", "a row lacks beds, baths, sqft or a price"),
        ("3,2,big,,,,,,,,1", "Unable to parse"),
    ):
        path.write_text(f"{header}\n{row}\n")
        with pytest.raises(ValueError, match=message):
            read_reported_sales(path)
    path.write_text("beds,price\n3,1\n")
    with pytest.raises(ValueError, match="no column baths, sqft"):
        read_reported_sales(path)
