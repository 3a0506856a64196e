"""A fitted estimator and its rows in memory become a served model, as in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from app import create_app
from app.config import Settings
from model.making import AddError, add_model

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "built": pd.date_range("2020-01-01", periods=200),
        "city": pd.Categorical(RNG.choice(["Bonn", "Ulm"], 200)),
        "is new": RNG.random(200) < 0.5,
        "size": RNG.integers(20, 90, 200),
    }
)
RENT = (ROWS["size"] * 11 + (ROWS["city"] == "Ulm") * 90 + ROWS["is new"] * 60).rename("rent")


def test_a_data_frame_with_a_date_and_a_category_is_served_as_it_answers(tmp_path: Path) -> None:
    encode = make_column_transformer(
        (OneHotEncoder(), ["city"]), ("passthrough", ["is new", "size"])
    )
    model = make_pipeline(encode, LinearRegression()).fit(ROWS[:120], RENT[:120])
    before = ROWS.copy()
    report = add_model(
        model, ROWS[:120], RENT[:120], holdout=(ROWS[120:], RENT[120:]), name="rents", root=tmp_path
    )
    pd.testing.assert_frame_equal(ROWS, before)
    assert "<h2>What is the rent?</h2>" in report._repr_html_()
    assert "<td>city</td><td>choice</td>" in report._repr_html_()
    app = create_app(Settings(models=("rents",), ratelimit="off"), models=tmp_path)
    for flag in (True, "yes"):
        row = {"city": "Ulm", "is_new": flag, "size": 50}  # the model drops the date
        answer = app.test_client().post("/api/predict", json=row).get_json()
        assert answer["prediction"] == pytest.approx(50 * 11 + 150, abs=1)
    with pytest.raises(AddError, match="exists"):
        add_model(model, ROWS, RENT, name="rents", root=tmp_path)
    add_model(model, ROWS, None, name="rents", root=tmp_path, force=True, where="size > 30")


@pytest.mark.parametrize("make", [np.asarray, csr_matrix, np.ndarray.tolist])
def test_rows_without_names_are_numbered(tmp_path: Path, make: Any) -> None:
    rows = RNG.normal(size=(90, 2)).round(2)
    words = np.where(rows[:, 0] > rows[:, 1], "over", "under")
    added = add_model(
        LogisticRegression().fit(rows, words), make(rows), words, name="over-under", root=tmp_path
    )
    assert "Is it over or under?" in str(added)
    assert [field[3] for field in added.added.fields] == [
        "column 0: numbers",
        "column 1: numbers",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": lambda rows: rows}, "cannot be saved"),
        ({"target": RENT[:5]}, "200 rows and 5 values"),
        ({"target": RENT.rename("size")}, "have a column 'size'"),
        ({"target": np.c_[RENT, RENT]}, "has 2 columns"),
        ({"name": "a/b"}, "lower-case letters"),
        ({"wher": "size > 3"}, "Did you mean 'where'"),
    ],
)
def test_what_cannot_be_added_is_said_and_leaves_nothing(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    model = LinearRegression().fit(ROWS[["size"]], RENT)
    asked: dict[str, Any] = {"model": model, "rows": ROWS[["size"]], "target": RENT, "name": "r"}
    with pytest.raises(AddError, match=words):
        add_model(**(asked | change), root=tmp_path)
    assert not list(tmp_path.iterdir())
