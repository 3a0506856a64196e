"""What a folder of MLflow or Hugging Face says of its model reaches the card, checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from model import load_model
from model.making.writing.folder_cards import read_folder_card
from tests.model.making.conftest import run

README = """---
library_name: sklearn
tags: [tabular]
---

# Wine prices

# Model description

It estimates the **price** of a [bottle](https://example.org/wine) in euros.

## Intended uses

[More Information Needed]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as Hugging Face has it, beside its data."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": np.arange(80.0), "points": rng.uniform(80, 99, 80).round(1)})
    table["price"] = table["age"] + 2 * table["points"]
    table.to_csv(tmp_path / "wines.csv", index=False)
    folder = tmp_path / "repository"
    folder.mkdir()
    joblib.dump(
        LinearRegression().fit(table[["age", "points"]], table["price"]), folder / "model.joblib"
    )
    (folder / "README.md").write_text(README)
    write_example(folder, {"age": [10], "points": [90]})
    return folder


def write_example(folder: Path, example: Any) -> None:
    sklearn = {"columns": ["age", "points"], "example_input": example}
    (folder / "config.json").write_text(json.dumps({"sklearn": sklearn}))


def add(folder: Path, *options: str) -> Any:
    data = ("--data", folder.parent / "wines.csv", "--target", "price")
    return run("add", folder, "--name", "wine", *data, "--models", folder.parent, *options)


def test_title_description_and_example_of_a_folder_are_those_of_the_page(folder: Path) -> None:
    result = add(folder)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "Its title, description and example come from README.md and config.json" in said
    card: Any = load_model(folder.parent / "wine").card
    assert card.title == "Wine prices"
    assert card.summary == "It estimates the price of a bottle in euros."
    assert dict(card.examples[0].values) == {"age": 10, "points": 90}
    assert card.examples[0].title == "Example of the model"


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        ({"age": [10]}, "it does not say points"),
        ({"age": [100], "points": [90]}, "age is 100, and no row of the data is like that"),
        ({"age": ["old"], "points": [90]}, "age is 'old'."),
    ],
)
def test_an_example_that_the_data_contradict_is_left_out_with_the_reason(
    folder: Path, example: Any, reason: str
) -> None:
    write_example(folder, example)
    result = add(folder)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert f"An example of its folder is not shown: {reason}" in said
    assert "Its title and description come from README.md" in said


def test_an_example_that_is_a_row_of_the_data_needs_leave_to_be_shown(folder: Path) -> None:
    row = pd.read_csv(folder.parent / "wines.csv").iloc[7]
    write_example(folder, {"age": [row["age"]], "points": [row["points"]]})
    assert "and --publish-rows would show it" in " ".join(add(folder).output.split())
    add(folder, "--force", "--publish-rows")
    card: Any = load_model(folder.parent / "wine").card
    assert card.examples[0].values["points"] == pytest.approx(row["points"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("input_example.json", '{"columns": ["age", "points"], "data": [[10, 90]]}'),
        ("input_example.json", '[{"age": 10, "points": 90}]'),
        (
            "serving_input_example.json",
            '{"dataframe_split": {"columns": ["age", "points"], "data": [[10, 90]]}}',
        ),
    ],
)
def test_every_form_of_an_example_of_mlflow_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "MLmodel").write_text("metadata:\n  owner: me\n  description: Of wines.\nrun: 1\n")
    (tmp_path / name).write_text(text)
    found = read_folder_card([tmp_path])
    assert found.rows == ({"age": 10, "points": 90},)
    assert (found.summary, found.sources) == ("Of wines.", ("MLmodel", name))


@pytest.mark.parametrize(
    "text",
    ["<!--" * 5000, "[" * 20_000, "# " * 9000, "---\n" + "a: b\n" * 9000, "# \x00<b>\n\n" * 900],
)
def test_a_strange_description_is_no_trouble(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    (tmp_path / "config.json").write_text("[" * 5000)
    found = read_folder_card([tmp_path])
    assert len(found.title) <= 80
    assert len(found.summary) <= 402
    assert not found.rows
