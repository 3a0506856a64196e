"""A target that was changed before the fit: by a logarithm, and by a scaler of its own."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from model import NumberModel, load_model
from model.making.kinds.number_evidence import fit_numbers
from tests.model.making.conftest import run
from tests.shapes import NUMBERS, cars


def add(folder: Path, root: Path, *options: str) -> Result:
    return run(
        "add", folder / "model.pkl", folder / "scaler.pkl", "--name", "mine",
        "--data", folder / "train.csv", "--target", "price", "--models", root, *options,
    )  # fmt: skip


def fit_scaled_logarithm(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Save a model of the scaled logarithm of a price; its data, and its prices."""
    data = cars()[[*NUMBERS, "price"]]
    scaler = StandardScaler()
    scaled = scaler.fit_transform(np.log1p(data[["price"]].to_numpy())).ravel()
    model = Ridge().fit(data[NUMBERS], scaled)
    for name, part in (("model", model), ("scaler", scaler)):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(part))
    data.to_csv(folder / "train.csv", index=False)
    answers = scaler.inverse_transform(model.predict(data[NUMBERS]).reshape(-1, 1))
    return data, np.expm1(answers.ravel())


def test_a_logarithm_that_was_scaled_is_asked_for_and_turned_back(
    tmp_path: Path, root: Path
) -> None:
    data, prices = fit_scaled_logarithm(tmp_path)
    result = add(tmp_path, root)
    assert result.exit_code == 4
    assert "answers unscaled by scaler.pkl, then turned back by exp" in result.output
    assert "Write --target-inverse exp" in result.output
    result = add(tmp_path, root, "--target-inverse", "expm1", "--yes")
    assert result.exit_code == 0, result.output
    assert "It was put together so: answers unscaled by scaler.pkl, then turned" in result.output
    served = load_model(root / "mine")
    assert isinstance(served, NumberModel)
    rows = [
        {field.name: value for field, value in zip(served.card.fields, row, strict=True)}
        for row in data[NUMBERS][:20].to_numpy().tolist()
    ]
    answered = [prediction.value for prediction in served.predict(rows)]
    np.testing.assert_allclose(answered, prices[:20], rtol=1e-5)


def test_a_logged_target_is_named_behind_a_scaler_where_the_model_is_weak(
    tmp_path: Path, root: Path
) -> None:
    data, scaler = cars(), StandardScaler()
    model = Ridge().fit(scaler.fit_transform(data[["km", "engine cc"]]), np.log(data["price"]))
    for name, part in (("model", model), ("scaler", scaler)):
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(part))
    data.to_csv(tmp_path / "train.csv", index=False)
    result = add(tmp_path, root)
    assert result.exit_code == 4
    assert "It answers as if it answered the logarithm of the target" in result.output
    assert "Write --target-inverse exp" in result.output


def test_two_causes_together_have_two_sentences_of_advice(tmp_path: Path, root: Path) -> None:
    data = cars()[[*NUMBERS, "price"]]
    scaled = StandardScaler().fit_transform(data[NUMBERS].to_numpy())
    model = Ridge().fit(scaled, data["price"] / 1000)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    data.to_csv(tmp_path / "train.csv", index=False)
    result = run(
        "add", tmp_path / "model.pkl", "--name", "mine", "--data", tmp_path / "train.csv",
        "--target", "price", "--models", root,
    )  # fmt: skip
    assert result.exit_code == 4
    assert "been standardised and it answered the target divided by 1000" in result.output
    assert """/ 12.1'. And write --target-inverse "scale 1000".""" in result.output


def test_the_target_is_found_with_the_blanks_of_the_file(tmp_path: Path, root: Path) -> None:
    data = cars()[[*NUMBERS, "price"]].rename(columns={"price": "price "})
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Ridge().fit(data[NUMBERS], data["price "])))
    data.to_csv(tmp_path / "train.csv", index=False)
    result = run(
        "add", tmp_path / "model.pkl", "--name", "mine", "--data", tmp_path / "train.csv",
        "--target", "price ", "--models", root,
    )  # fmt: skip
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("off", "text"), [(1.0, "R² −"), (1e90, "R² below −1,000,000,000,000")])
def test_a_figure_that_tells_nothing_has_few_digits(off: float, text: str) -> None:
    truth = np.arange(10.0)
    assert fit_numbers(truth + 10 * off, truth).text.startswith(text)
    assert len(fit_numbers(truth + 10 * off, truth).text) < 35
