"""Shares and durations, from one command to page, API and file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic_core import PydanticCustomError
from sklearn.linear_model import LinearRegression

from app import create_app
from app.config import Settings
from app.kinds import make_adapter
from model import NumberModel
from model.contract.card import CardError
from model.contract.errors import ModelError
from tests.html import data_of, get_page, post_fragment, text_of
from tests.loading import load_as
from tests.model.making.conftest import add_fitted, run

TARGETS = {"travel": "travel_minutes", "clicks": "click_share", "humidity": "humidity_pct"}


def trips() -> pd.DataFrame:
    """Make trips with how long they took, and two shares that a line over- and undershoots."""
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"distance_km": rng.uniform(1, 200, 700).round(1)})
    far = table["distance_km"] / 200
    table["travel_minutes"] = (180 * far**2 * rng.lognormal(0, 0.1, 700)).round(0)
    table["click_share"] = np.clip(1.3 * far - 0.15 + rng.normal(0, 0.05, 700), 0, 1).round(3)
    table["humidity_pct"] = (100 * table["click_share"]).round(1)
    return table


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each target."""
    root, table = tmp_path_factory.mktemp("models"), trips()
    for name, target in TARGETS.items():
        (folder := root / "data" / name).mkdir(parents=True)
        columns = ["distance_km", target]
        table[:300][columns].to_csv(folder / "trips.csv", index=False)
        table[300:][columns].to_csv(folder / "unseen.csv", index=False)
        fitted = LinearRegression().fit(table[:300][columns[:1]], table[:300][target])
        given = ("--data", folder / "trips.csv", "--holdout", folder / "unseen.csv")
        add_fitted(root, name, fitted, *given, "--target", target)
    return root


@pytest.fixture(scope="module")
def app(root: Path) -> Flask:
    return create_app(Settings(models=tuple(TARGETS), ratelimit="off"), models=root)


def test_a_duration_is_told_in_hours_and_minutes_and_never_below_0(client: FlaskClient) -> None:
    soup = post_fragment(client, {"distance_km": "190"})
    answer = client.post("/api/predict", json={"distance_km": 190}).get_json()
    assert answer["unit"] == "minutes"
    hours, minutes = divmod(round(answer["prediction"]), 60)
    text = f"{hours}\u00a0h {minutes}\u00a0min"
    assert text_of(soup, "#result data.prediction") == text.replace("\u00a0", " ")
    assert data_of(soup, "prediction") == pytest.approx(answer["prediction"])
    assert " min" in text_of(soup, "#why")
    assert text_of(get_page(client, "/"), "h1") == "What is the travel time of this trip?"
    short = client.post("/api/predict", json={"distance_km": 2}).get_json()
    assert short["prediction"] == short["interval"]["low"] == 0
    assert text_of(post_fragment(client, {"distance_km": "2"}), "data.prediction") == "0 min"


@pytest.mark.parametrize(("name", "whole"), [("clicks", 1), ("humidity", 100)])
def test_a_share_is_told_in_percent_and_stays_between_none_and_all(
    client: FlaskClient, root: Path, tmp_path: Path, name: str, whole: float
) -> None:
    table = trips()
    answers = client.post(
        f"/{name}/api/predict", json=table[["distance_km"]].to_dict("records")
    ).get_json()
    values = np.array([answer["prediction"] for answer in answers])
    ends = np.array([[a["interval"]["low"], a["interval"]["high"]] for a in answers])
    assert values.min() == ends.min() == 0
    assert values.max() == ends.max() == whole
    truth = table[TARGETS[name]]
    assert np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))[()] >= 0.87
    soup = post_fragment(client, {"distance_km": "100"}, path=f"/{name}/predict-fragment")
    (answer,) = client.post(f"/{name}/api/predict", json=[{"distance_km": 100}]).get_json()
    share = round(answer["prediction"] / whole * 100)
    assert text_of(soup, "#result data.prediction") == f"{share}%"
    assert " points" in text_of(soup, "#why")
    table[["distance_km"]].to_csv(tmp_path / "in.csv", index=False)
    target = tmp_path / "out.csv"
    assert run("predict", name, tmp_path / "in.csv", target, "--models", root).exit_code == 0
    assert pd.read_csv(target)["prediction"].to_numpy() == pytest.approx(values, abs=1e-8 * whole)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("clicks", "23%", 0.23),
        ("clicks", "23.5 %", 0.235),
        ("clicks", "0.4", 0.4),
        ("humidity", "23%", 23),
        ("travel", "2 h 35 min", 155),
        ("travel", "2h35min", 155),
        ("travel", "1.5 hours", 90),
        ("travel", "90", 90),
    ],
)
def test_a_truth_may_be_typed_as_the_page_shows_it(
    root: Path, name: str, text: str, expected: float
) -> None:
    field = make_adapter(load_as(NumberModel, root / name)).make_truth_field()
    assert field.read(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [("clicks", "230%"), ("clicks", "a%"), ("travel", "2 h 35 kg"), ("travel", "2 h and more")],
)
def test_a_truth_that_is_none_is_refused(root: Path, name: str, text: str) -> None:
    field = make_adapter(load_as(NumberModel, root / name)).make_truth_field()
    with pytest.raises(PydanticCustomError):
        field.read(text)


def test_reasons_lead_to_the_limited_answer(client: FlaskClient) -> None:
    soup = post_fragment(client, {"distance_km": "199"}, path="/clicks/predict-fragment")
    parts = [float(str(tag["value"])) for tag in soup.select("data.contribution")]
    assert data_of(soup, "prediction") == 1
    assert data_of(soup, "reference") + sum(parts) == pytest.approx(1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unit = "minutes"', 'unit = "parsecs"', "is no unit of time"),
        ('format = "duration"', 'format = "percent"', 'has the unit "%"'),
        ("coverage = 0.9", "max = 0\ncoverage = 0.9", "must be below"),
    ],
)
def test_a_card_with_a_unit_that_does_not_suit_is_refused(
    root: Path, old: str, new: str, message: str
) -> None:
    card = root / "travel" / "card.toml"
    text = card.read_text()
    assert old in text
    try:
        card.write_text(text.replace(old, new))
        with pytest.raises((ModelError, CardError), match=message):
            load_as(NumberModel, root / "travel")
    finally:
        card.write_text(text)
