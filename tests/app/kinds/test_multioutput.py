"""Models of several numbers, from one command to page, API and file."""

import csv
import datetime as dt
from contextlib import closing
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.preprocessing import StandardScaler

from app import create_app
from app.config import Settings
from app.feedback.databases import SqliteDatabase
from app.feedback.outcomes import ReportedOutcome
from app.feedback.store import Store
from app.kinds import make_adapter
from app.monitoring.watcher import Watcher
from model import MultioutputModel
from tests.html import data_of, get_page, post_fragment, post_page, text_of
from tests.loading import load_as
from tests.model.making.conftest import add_fitted, run
from tests.tabular_checks import check_stream

TARGETS = ["heating_load", "cooling_load"]
ESTIMATORS: dict[str, Any] = {
    "lines": MultiOutputRegressor(Ridge()),
    "forest": RandomForestRegressor(8, random_state=0),
    "chain": RegressorChain(Ridge()),
}


def buildings() -> pd.DataFrame:
    """Make buildings with the energy that heating and cooling them takes."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"wall_area_m2": rng.uniform(200, 420, 400), "height_m": rng.uniform(3, 7, 400)}
    ).round(1)
    table["heating_load"] = 5 + 0.03 * table["wall_area_m2"] + rng.normal(0, 1.5, 400)
    table["cooling_load"] = 9 + 3 * table["height_m"] + rng.normal(0, 1.5, 400)
    return table.round(2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    buildings()[:200].to_csv(folder / "buildings.csv", index=False)
    buildings()[200:].to_csv(folder / "unseen.csv", index=False)
    return folder / "buildings.csv"


@pytest.fixture(scope="module")
def root(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model of each estimator."""
    root = tmp_path_factory.mktemp("models")
    for name, estimator in ESTIMATORS.items():
        table = buildings()[:200]
        fitted = estimator.fit(table.drop(columns=TARGETS), table[TARGETS])
        held = ["--holdout", data.with_name("unseen.csv")] if name == "lines" else []
        add_fitted(root, name, fitted, "--data", data, "--target", ",".join(TARGETS), *held)
    return root


def rows() -> pd.DataFrame:
    return buildings()[200:225].drop(columns=TARGETS)


def to_text(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_page_and_api_answer_every_number_as_the_estimator_does(
    client: FlaskClient, name: str
) -> None:
    prefix = "" if name == "lines" else f"/{name}"
    expected = ESTIMATORS[name].predict(rows())
    answers = client.post(f"{prefix}/api/predict", json=rows().to_dict("records")).get_json()
    for answer, numbers in zip(answers, expected, strict=True):
        assert answer["prediction"] == answer["outputs"][TARGETS[0]]["prediction"]
        found = [answer["outputs"][target]["prediction"] for target in TARGETS]
        assert found == pytest.approx(numbers, rel=1e-5)
    row = to_text(rows().iloc[3].to_dict())
    fragment = post_fragment(client, row, path=f"{prefix}/predict-fragment")
    assert data_of(fragment, "prediction") == pytest.approx(expected[3, 0], rel=1e-5)
    assert data_of(fragment, "output") == pytest.approx(expected[3, 1], rel=1e-5)
    assert post_page(client, row, path=f"{prefix}/").select_one("#result") == (
        fragment.select_one("#result")
    )


def test_each_number_has_a_range_of_its_own_that_was_measured(
    client: FlaskClient, root: Path
) -> None:
    truth = buildings()[200:][TARGETS]
    table = buildings()[200:].drop(columns=TARGETS)
    answers = client.post("/api/predict", json=table.to_dict("records")).get_json()
    for target in TARGETS:
        intervals = [answer["outputs"][target]["interval"] for answer in answers]
        inside = [
            interval["low"] <= value <= interval["high"]
            for interval, value in zip(intervals, truth[target], strict=True)
        ]
        assert np.mean(inside) >= 0.88
    model = load_as(MultioutputModel, root / "lines")
    assert [other.name for other in model.manifest.others] == TARGETS[1:]
    about = get_page(client, "/about").get_text()
    assert "Heating load: Half the time" in about
    assert "Cooling load: Half the time" in about
    assert "Heating load: Guessing the middle every time" in about


def test_the_button_beside_another_number_leads_to_its_reasons(client: FlaskClient) -> None:
    row = rows().iloc[5].to_dict()
    assert not get_page(client, "/").select(".outputs button")  # an example has none
    fragment = post_fragment(client, to_text(row))
    assert text_of(fragment, "#result-title") == "Heating load"
    (button,) = fragment.select(".outputs button")
    assert button.get_text() == "Why? Cooling load"
    held = {"what_if": "height_m", str(button["name"]): str(button["value"])}
    page = post_page(client, to_text(row) | held, path="/")
    expected = ESTIMATORS["lines"].predict(pd.DataFrame([row]))[0]
    assert text_of(page, "#result-title") == "Cooling load"
    assert data_of(page, "prediction") == pytest.approx(expected[1], rel=1e-5)
    parts = [float(str(tag["value"])) for tag in page.select("data.contribution")]
    assert data_of(page, "reference") + sum(parts) == pytest.approx(expected[1], rel=1e-5)
    chosen = page.select("#what-if-fact option[selected]")
    assert [str(option["value"]) for option in chosen] == ["cooling_load.wall_area_m2"]
    (back,) = page.select(".outputs button")
    held = {"what_if": "cooling_load.height_m", str(back["name"]): str(back["value"])}
    again = post_page(client, to_text(row) | held, path="/")
    assert text_of(again, "#result-title") == "Heating load"


def test_what_was_right_is_the_first_number_and_the_page_waits_as_for_one(
    client: FlaskClient, root: Path
) -> None:
    model = load_as(MultioutputModel, root / "lines")
    adapter, alone = make_adapter(model), make_adapter(model.models[0])
    assert adapter.make_truth_field() == alone.make_truth_field()
    assert adapter.format_value(12.3456) == alone.format_value(12.3456)
    row = rows().iloc[3].to_dict()
    (explained,) = model.explain([row])
    kept, interval = adapter.summarize_answer(explained), explained.prediction.values[0].interval
    assert interval is not None
    assert (kept.low, kept.high) == (interval.low, interval.high)
    assert kept.value == explained.prediction.values[0].value
    wrong = post_fragment(client, to_text(row) | {"wall_area_m2": "much"}, 422)
    assert text_of(wrong, "#result .price") == "No heating load yet"
    assert not wrong.select("#result data, .outputs a")
    assert wrong.select("#result svg")


def test_a_file_gets_every_number(
    client: FlaskClient, root: Path, data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    table = data.with_name("facts.csv")
    rows().to_csv(table, index=False)
    assert run("predict", "lines", table, target, "--models", root).exit_code == 0
    with target.open(newline="") as file:
        answered = list(csv.DictReader(file))
    expected = ESTIMATORS["lines"].predict(rows())
    assert [float(row["prediction"]) for row in answered] == pytest.approx(expected[:, 0], rel=1e-5)
    other = [float(row["cooling_load"]) for row in answered]
    assert other == pytest.approx(expected[:, 1], rel=1e-5)
    assert float(answered[0]["cooling_load_low"]) < other[0]
    page = client.post("/batch", data={"file": (table.open("rb"), "facts.csv")})
    assert "Cooling load" in page.get_data(as_text=True)
    check_stream(client, "/", rows().to_dict("records"))
    assert run("check", "lines", "--models", root).exit_code == 0


def test_each_number_is_checked_by_its_own_truth(root: Path, data: Path, tmp_path: Path) -> None:
    check = ("check", "lines", "--models", root, "--data")
    unseen = data.with_name("unseen.csv")
    for target in (",".join(TARGETS), "cooling_load"):
        result = run(*check, unseen, "--target", target)
        assert result.exit_code == 0, result.output
        assert "as it should" in result.output
    wrong = buildings()[200:].assign(cooling_load=lambda table: table["heating_load"] * -900)
    wrong.to_csv(tmp_path / "wrong.csv", index=False)
    result = run(*check, tmp_path / "wrong.csv", "--target", ",".join(TARGETS))
    assert result.exit_code == 4
    assert "cooling_load: " in result.output
    result = run(*check, unseen, "--target", "wall_area_m2")
    assert "'wall_area_m2' is not the name of one" in " ".join(result.output.split())


def test_a_model_whose_second_number_is_another_target_is_refused(
    data: Path, tmp_path: Path
) -> None:
    table = buildings()[:200]
    logged = table.assign(cooling_load=np.log(table["cooling_load"]))
    model = MultiOutputRegressor(Ridge()).fit(table.drop(columns=TARGETS), logged[TARGETS])
    joblib.dump(model, tmp_path / "model.joblib")
    add = ("add", tmp_path / "model.joblib", "--name", "m", "--data", data)
    result = run(*add, "--target", ",".join(TARGETS), "--models", tmp_path)
    assert result.exit_code == 4
    assert "cooling_load: It answers as if" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("heating_load", "answers 2 numbers for each row. Name a column of the data for each"),
        ("heating_load,cooling", "Did you mean 'cooling_load'?"),
        ("heating_load,heating_load", "names 'heating_load' twice"),
    ],
)
def test_targets_that_do_not_fit_are_refused_with_what_to_write(
    root: Path, data: Path, tmp_path: Path, target: str, message: str
) -> None:
    add = ("add", root / "lines.joblib", "--name", "m", "--data", data, "--target", target)
    result = run(*add, "--models", tmp_path)
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())


def test_a_scaler_of_all_targets_turns_the_answers_back(data: Path, tmp_path: Path) -> None:
    table = buildings()[:200]
    rows, truth = table.drop(columns=TARGETS), table[TARGETS]
    scalers = StandardScaler().fit(rows.to_numpy()), StandardScaler().fit(truth)
    model = MultiOutputRegressor(Ridge())
    model.fit(scalers[0].transform(rows.to_numpy()), scalers[1].transform(truth))
    files = [tmp_path / name for name in ("model.joblib", "inputs.joblib", "targets.joblib")]
    for file, part in zip(files, (model, *scalers), strict=True):
        joblib.dump(part, file)
    add = ("add", *files, "--name", "m", "--data", data, "--target", ",".join(TARGETS), "--yes")
    result = run(*add, "--models", tmp_path)
    assert result.exit_code == 0, result.output
    assert "Served: as ONNX" in result.output
    matrix = rows.to_numpy()
    found = load_as(MultioutputModel, tmp_path / "m").predict_matrix(matrix.astype(np.float32))
    expected = scalers[1].inverse_transform(model.predict(scalers[0].transform(matrix)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_codes_are_tried_for_several_numbers(data: Path, tmp_path: Path) -> None:
    """No file has the numbers of the walls' names, and the model is a poor one."""
    table = pd.read_csv(data)
    table["wall"] = np.resize(["brick", "wood", "stone"], len(table))
    table.to_csv(tmp_path / "walls.csv", index=False)
    codes = table["wall"].map({"stone": 5, "brick": 1, "wood": 9})
    model = MultiOutputRegressor(Ridge()).fit(
        table[["wall_area_m2", "height_m"]].assign(wall=codes).to_numpy(), table[TARGETS]
    )
    joblib.dump(model, tmp_path / "model.joblib")
    add = ("add", tmp_path / "model.joblib", "--name", "m", "--data", tmp_path / "walls.csv")
    features = ("--features", "wall_area_m2,height_m,wall")
    result = run(*add, *features, "--target", ",".join(TARGETS), "--models", tmp_path)
    assert result.exit_code == 4, result.output
    assert "wall" in result.output


@pytest.mark.parametrize("wrapper", [MultiOutputClassifier, OneVsRestClassifier])
def test_several_classes_for_a_row_are_refused(wrapper: type[Any], tmp_path: Path) -> None:
    table, file = buildings()[:200], tmp_path / "model.joblib"
    classes = (table[TARGETS] > table[TARGETS].median()).astype(int)
    model = wrapper(LogisticRegression(max_iter=500))
    joblib.dump(model.fit(table.drop(columns=TARGETS), classes), file)
    table.drop(columns=TARGETS).join(classes).to_csv(tmp_path / "classes.csv", index=False)
    add = ("add", file, "--name", "m", "--data", tmp_path / "classes.csv")
    result = run(*add, "--target", TARGETS[0], "--models", tmp_path)
    assert "The model answers 2 classes for each row" in " ".join(result.output.split())


def test_a_broken_promise_is_said_at_the_number_whose_truths_are_known(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(Watcher, "__call__", lambda self, record: None)
    settings = Settings(models=("lines",), feedback="on", data=str(tmp_path / "kept.sqlite3"))
    client = create_app(settings, models=root).test_client()
    version = load_as(MultioutputModel, root / "lines").version
    row, day = to_text(rows().iloc[5].to_dict()), dt.date(2026, 1, 1)
    missed = [
        ReportedOutcome(str(place), "lines", version, day, row, 14.0, 20.0 if place < 30 else 14.0,
                        12.0, 16.0, source="file")
        for place in range(100)
    ]  # fmt: skip
    with closing(Store(SqliteDatabase(tmp_path / "kept.sqlite3"))) as store:
        store.insert(missed)
    assert "70 of the last 100" in get_page(client, "/about/track-record").get_text()

    fragment = post_fragment(client, row)
    assert "held for 70 of the last 100" in text_of(fragment, ".range .wide")
    (button,) = fragment.select(".outputs button")
    other = post_page(client, row | {str(button["name"]): str(button["value"])}, path="/")
    assert "of the last 100" not in text_of(other, ".range .wide")
    answer = client.post("/api/predict", json=rows().iloc[5].to_dict()).get_json()
    assert "held for 70 of the last 100" in answer["interval"]["evidence"]
