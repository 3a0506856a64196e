"""CatBoost's own files: exported by CatBoost, in an environment of the person's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from app import create_app
from app.config import Settings
from tests.model.making.conftest import run
from tests.tools import CATBOOST_PYTHON

TRAINING = """
import sys
import catboost, numpy as np, pandas as pd
table = pd.read_csv("people.csv")
options = dict(iterations=40, depth=3, verbose=0, allow_writing_files=False, thread_count=1)
rows = table[["age", "income"]]
def keep(name, model, answers, **how):
    model.save_model(name, **how)
    np.save(name + ".npy", answers)
model = catboost.CatBoostRegressor(**options).fit(rows, table["price"])
keep("price.cbm", model, model.predict(rows))
model = catboost.CatBoostRegressor(**options).fit(rows.to_numpy(), table["price"])
keep("price.json", model, model.predict(rows.to_numpy()), format="json")
model = catboost.CatBoostRegressor(loss_function="Poisson", **options).fit(rows, table["visits"])
keep("visits.cbm", model, model.predict(rows))
model = catboost.CatBoostClassifier(**options).fit(rows, table["level"])
keep("level.cbm", model, model.predict_proba(rows))
both = table[["age", "level"]]
model = catboost.CatBoostRegressor(cat_features=["level"], **options).fit(both, table["price"])
keep("choices.cbm", model, model.predict(both))
"""


def write_people(folder: Path) -> Path:
    """Write people with a price, counts and levels; some incomes are not known."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.integers(18, 80, 400), "income": rng.normal(40, 9, 400)})
    table["price"] = table["age"] * 2 + table["income"]
    table["visits"] = rng.poisson(table["age"] / 10)
    table["level"] = np.array(["low", "mid", "top"])[np.digitize(table["price"], [110, 150])]
    table.loc[rng.random(400) < 0.1, "income"] = np.nan
    table.round(1).to_csv(folder / "people.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that CatBoost has written, and what it answered."""
    if not CATBOOST_PYTHON.is_file():
        pytest.skip("CatBoost weighs 270 MB: python -m tests.install --catboost")
    folder = write_people(tmp_path_factory.mktemp("people"))
    subprocess.run([str(CATBOOST_PYTHON), "-c", TRAINING], cwd=folder, check=True)
    return folder


def add(file: Path, target: str, python: str, *options: str) -> Any:
    data = ("--data", file.parent / "people.csv", "--target", target, "--python", python)
    given = ("add", file, "--name", "m", *data, "--force", "--models", file.parent)
    return run(*given, *options)


@pytest.mark.second_tier
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("price.cbm", ()),
        ("price.json", ("--features", "age,income")),
        ("visits.cbm", ()),
        ("level.cbm", ()),
    ],
)
def test_a_file_of_catboost_answers_as_catboost_does(
    folder: Path, name: str, options: tuple[str, ...]
) -> None:
    result = add(folder / name, name.partition(".")[0], str(CATBOOST_PYTHON), *options)
    assert result.exit_code == 0, result.output
    assert "which CatBoost exported, compared with its own answers to all 400" in result.output
    client = create_app(Settings(models=("m",), ratelimit="off"), models=folder).test_client()
    table = pd.read_csv(folder / "people.csv")[["age", "income"]].astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    answers = client.post("/api/predict", json=rows).get_json()
    expected = np.load(folder / f"{name}.npy")
    if expected.ndim == 1:
        assert [a["prediction"] for a in answers] == pytest.approx(expected, rel=1e-4)
    else:
        found = [list(a["probabilities"].values()) for a in answers]
        assert np.array(found) == pytest.approx(expected, abs=1e-4)


@pytest.mark.second_tier
def test_what_catboost_does_not_export_is_said(folder: Path) -> None:
    result = add(folder / "choices.cbm", "price", str(CATBOOST_PYTHON))
    assert "no model with categorical features" in " ".join(result.output.split())


EXPORTER = """#!{python}
import json, shutil, sys
import numpy as np
task, given, out = sys.argv[4:]
if task == "export":
    shutil.copy("{folder}/export.onnx", given)
    with open(out, "w") as file:
        json.dump({{"names": ["age", "income"], "exponent": False}}, file)
else:
    np.save(out, np.load(given) @ np.array({weights}) + {intercept})
"""


@pytest.mark.parametrize("error", [0, 1])
def test_an_export_that_does_not_answer_as_catboost_does_is_refused(
    tmp_path: Path, error: int
) -> None:
    table = pd.read_csv(write_people(tmp_path) / "people.csv").dropna()
    rows = table[["age", "income"]].to_numpy()
    model = LinearRegression().fit(rows, table["price"])
    made = to_onnx(model, np.zeros((1, 2), np.float32)).SerializeToString()
    (tmp_path / "export.onnx").write_bytes(made)
    (tmp_path / "model.cbm").write_bytes(b"CBM1" + bytes(60))
    python = tmp_path / "python"
    python.write_text(
        EXPORTER.format(
            python=sys.executable,
            folder=tmp_path,
            weights=model.coef_.tolist(),
            intercept=model.intercept_ + error,
        )
    )
    python.chmod(0o755)
    said = " ".join(add(tmp_path / "model.cbm", "price", str(python)).output.split())
    assert ("rows get another answer from the file" in said) == bool(error), said
    assert ("which CatBoost exported, compared with its own answers" in said) != bool(error)
    joblib.dump(StandardScaler().fit(rows), tmp_path / "scaler.joblib")
    beside = add(tmp_path / "model.cbm", "price", str(python), str(tmp_path / "scaler.joblib"))
    assert "like --derive 'age = (age - 38.5)" in " ".join(beside.output.split())


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (sys.executable, "has no CatBoost (ModuleNotFoundError"),
        ("/nowhere/python", "could not be run"),
        ("", "Add it with --python PATH"),
    ],
)
def test_an_environment_without_catboost_is_said(tmp_path: Path, python: str, message: str) -> None:
    write_people(tmp_path)
    (tmp_path / "model.cbm").write_bytes(b"CBM1" + bytes(60))
    result = add(tmp_path / "model.cbm", "price", python)
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())
