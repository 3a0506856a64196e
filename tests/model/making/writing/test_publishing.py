"""What visitors see of the data: rows only where somebody said so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from model import ClassModel, ClassPrediction
from tests.model.making.conftest import PUBLISHED, AddedModels, add
from tests.models import MODEL_FACTORIES, ModelFiles

SHARED = "Note: Visitors see no row of the data."


@pytest.mark.parametrize("name", list(MODEL_FACTORIES))
def test_one_line_says_what_visitors_see(added_models: AddedModels, name: str) -> None:
    said, model = added_models.outputs[name], added_models.load(name)
    if name in PUBLISHED:
        assert "Note: Visitors see rows of the data, as you say: 3 as examples and " in said
        assert model.neighbors is not None
    else:
        assert SHARED in said
        assert model.neighbors is None
        assert not (model.folder / "neighbors.npz").exists()


def make_files(
    folder: Path, find_outcome: Callable[[pd.DataFrame], pd.Series], model: Any
) -> ModelFiles:
    """Files of people, no two of whom are alike."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 300),
            "income": rng.gamma(3, 9000, 300).round(2),
            "weight": rng.normal(70, 12, 300).round(3),
        }
    )
    table["outcome"] = find_outcome(table)
    model.fit(table[["age", "income", "weight"]][:200], table["outcome"][:200])
    joblib.dump(model, folder / "model.joblib")
    table[:200].to_csv(folder / "train.csv", index=False)
    table[200:].to_csv(folder / "holdout.csv", index=False)
    return ModelFiles(
        folder / "model.joblib", folder / "train.csv", "outcome", folder / "holdout.csv"
    )


@pytest.mark.parametrize("kind", ["number", "classes"])
def test_without_a_word_no_file_of_the_model_holds_what_one_person_has(
    tmp_path: Path, kind: str
) -> None:
    model = LinearRegression() if kind == "number" else LogisticRegression(max_iter=5000)

    def find_outcome(table: pd.DataFrame) -> pd.Series:
        amount = table["income"] / 1000 + table["age"]
        return (
            amount if kind == "number" else (amount > amount.median()).map({True: "a", False: "b"})
        )

    given = make_files(tmp_path, find_outcome, model)
    root = tmp_path / "models"
    root.mkdir()
    result = add(given, "people", root)
    assert SHARED in result.output
    income = {f"{value}" for value in pd.read_csv(given.data)["income"]}
    outermost = {f"{value}" for value in pd.read_csv(given.data)["income"].agg(["min", "max"])}
    for name in ("card.toml", "manifest.json"):
        text = (root / "people" / name).read_text()
        assert not {value for value in income - outermost if f" {value}" in text}
    result = add(given, "people", root, "--force", "--publish-rows")
    assert "Visitors see rows of the data, as you say" in result.output
    text = (root / "people" / "card.toml").read_text()
    assert {value for value in income if f" {value}" in text}
    assert (root / "people" / "neighbors.npz").exists()


def test_the_middle_of_a_band_has_an_answer_in_that_band(added_models: AddedModels) -> None:
    answers: dict[str, dict[str, float]] = {}
    for name in set(MODEL_FACTORIES) - set(PUBLISHED):
        model = added_models.load(name)
        for example in model.card.examples:
            features, errors = model.card.validate_row(example.values)
            assert features is not None, errors
            (answer,) = model.predict([features])
            if isinstance(answer, ClassPrediction):
                assert isinstance(model, ClassModel)
                (label,) = (
                    item.label for item in model.card.output.classes if item.value == answer.label
                )
                assert example.title in (f"Probably {label}", "A typical case")
            elif example.title != "A typical case":
                (which,) = {"low", "medium", "high"} & set(example.title.lower().split())
                answers.setdefault(name, {})[which] = answer.value
    assert {"low", "medium", "high"} in map(set, answers.values())
    for values in answers.values():
        ordered = [values[which] for which in ("low", "medium", "high") if which in values]
        assert ordered == sorted(ordered)
