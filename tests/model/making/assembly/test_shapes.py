"""Models in parts are served so that every answer is the one of their author's own code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app import create_app
from app.config import Settings
from model import ClassModel, NumberModel, load_model
from tests.model.making.conftest import run
from tests.shapes import SHAPES
from tests.tools import ROOT

ROWS = 25
LINES = dict(
    re.findall(
        r"^\| (.+) \| `(.+)` \|$", (ROOT / "docs" / "own-model.md").read_text(), re.MULTILINE
    )
)
"""Files and options of the documentation, by what a person has."""


def type_rows(
    model: NumberModel | ClassModel, sources: Sequence[str], rows: pd.DataFrame
) -> list[dict[str, object]]:
    """Rows of the data as a program sends them; ``sources`` are the columns of the fields."""
    fields = dict(zip(model.card.names, sources, strict=True))
    return [
        {
            name: cell.item() if isinstance(cell, np.generic) else cell
            for name, cell in zip(fields, row, strict=True)
        }
        for row in rows[list(fields.values())].itertuples(index=False)
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_every_row_gets_the_answer_of_the_author_s_own_code(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name](tmp_path)
    root = tmp_path / "models"
    root.mkdir()
    words = shlex.split(LINES[str(SHAPES[name].__doc__).rstrip(".")])
    given = [str(tmp_path / word) if "." in word else word for word in words]
    data_file = tmp_path / "train.csv"
    result = run("add", *given, "--name", "mine", "--data", data_file, "--models", root, "--yes")
    assert result.exit_code == 0, result.output
    model = load_model(root / "mine")
    assert isinstance(model, NumberModel | ClassModel)
    data = pd.read_csv(tmp_path / "train.csv").dropna().sample(ROWS, random_state=1)
    assert model.manifest.frame is not None
    typed = type_rows(model, model.manifest.frame.names, data)
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    answers = client.post("/api/predict", json=typed).get_json()
    expected = list(shape.reference(data))
    if isinstance(model, ClassModel):
        assert [answer["label"] for answer in answers] == expected
    else:
        np.testing.assert_allclose(
            [answer["prediction"] for answer in answers], expected, rtol=1e-4
        )
