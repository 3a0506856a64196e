"""A DictVectorizer, which takes a dict for each row, is served by the names that it keeps."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from model import NumberModel
from tests.loading import load_as
from tests.model.making.conftest import add
from tests.models import ModelFiles


@pytest.mark.parametrize("joined", [False, True])
def test_rows_are_answered_as_their_dicts_are(joined: bool, tmp_path: Path) -> None:
    """As a pair in one file, or as a pipeline."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"town": rng.choice(["Ulm", "Bonn", "Kiel"], 300)})
    table["size"] = rng.uniform(20, 200, 300).round(1)
    price = table["size"] * 30 + table["town"].map({"Ulm": 0, "Bonn": 900, "Kiel": 2000})
    table["rooms"] = rng.integers(1, 6, 300)
    rows = table.to_dict("records")
    dicts, line = DictVectorizer(sparse=False), Ridge()
    both = make_pipeline(dicts, line).fit(rows, price)
    saved = tmp_path / "model.bin"
    saved.write_bytes(pickle.dumps(both if joined else (dicts, line)))
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    root = tmp_path / "models"
    root.mkdir()
    result = add(ModelFiles(saved, tmp_path / "train.csv", "price"), "mine", root, "--yes")
    assert result.exit_code == 0, result.output
    model = load_as(NumberModel, root / "mine")
    found = [answer.value for answer in model.predict(rows[:25])]
    np.testing.assert_allclose(found, both.predict(rows[:25]), rtol=1e-5)
