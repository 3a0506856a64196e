"""Choices beyond 200 are typed, with and without a script, and everything else stays quick."""

from __future__ import annotations

import shutil
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from app import create_app
from app.config import Settings
from model import ModelError, NumberModel, load_model
from tests.model.making.conftest import add
from tests.models import ModelFiles
from tests.tabular_checks import check_bounds, check_pages

COUNTS = (260, 1500)


@pytest.fixture(scope="module", params=COUNTS, ids=lambda count: f"{count} names")
def count(request: pytest.FixtureRequest) -> int:
    """How many towns there are."""
    found: int = request.param
    return found


@pytest.fixture(scope="module")
def table(count: int) -> pd.DataFrame:
    """A price by town and size."""
    rng = np.random.default_rng(0)
    town = rng.permutation(np.arange(count * 3) % count)
    size = rng.uniform(20, 200, len(town)).round(1)
    return pd.DataFrame(
        {
            "town": [f"Town {number}" for number in town],
            "size": size,
            "price": size * 20 + (town % 17) * 100 + rng.normal(0, 10, len(town)),
        }
    )


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> Pipeline:
    """A line behind one column for each town."""
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town"]), remainder="passthrough"
    )
    return make_pipeline(encode, LinearRegression()).fit(table[["town", "size"]], table["price"])


@pytest.fixture(scope="module")
def root(table: pd.DataFrame, model: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of models with it."""
    given, root = tmp_path_factory.mktemp("given"), tmp_path_factory.mktemp("models")
    table.to_csv(given / "train.csv", index=False)
    joblib.dump(model, given / "model.joblib")
    result = add(ModelFiles(given / "model.joblib", given / "train.csv", "price"), "towns", root)
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture(scope="module")
def client(root: Path) -> FlaskClient:
    """The app that serves it."""
    return create_app(Settings(models=("towns",), ratelimit="off"), models=root).test_client()


def test_each_row_gets_the_models_answer_and_the_page_stays_light(
    client: FlaskClient, table: pd.DataFrame, model: Pipeline, count: int
) -> None:
    rows = table.iloc[:: len(table) // 25]
    for row, expected in zip(
        rows.to_dict("records"), model.predict(rows[["town", "size"]]), strict=True
    ):
        facts = {"town": row["town"].upper(), "size": str(row["size"])}
        page = client.post("/predict-fragment", data=facts)
        shown = BeautifulSoup(page.data, "html.parser").select_one("data.prediction")
        assert shown is not None
        assert float(str(shown["value"])) == pytest.approx(expected, abs=60)
        assert page.text.count("<option") <= 1  # that of the what-if, which names a fact
        answer = client.post("/api/predict", json={"town": row["town"], "size": row["size"]}).json
        assert answer is not None
        assert answer["prediction"] == pytest.approx(expected, rel=1e-4)
    soup = BeautifulSoup(client.get("/").data, "html.parser")
    field = soup.select_one("input[name=town]")
    assert field is not None
    assert len(soup.select(f"datalist#{field['list']} option")) == min(count, 1000)
    assert not soup.select("input[name=what_if][value=town]")


def test_a_wrong_name_gets_the_nearest_and_no_number(client: FlaskClient) -> None:
    page = client.post("/", data={"town": "Town 25x", "size": "100"})
    assert page.status_code == 422
    error = BeautifulSoup(page.data, "html.parser").select_one("#town-error")
    assert error is not None
    assert "from the list. Did you mean Town 25" in error.text
    fault = client.post("/api/predict", json={"town": "Twon 250", "size": 100.0})
    assert fault.status_code == 422
    assert "Did you mean Town 250" in fault.text


def test_what_the_api_and_the_address_ask_for_is_answered(client: FlaskClient) -> None:
    page = client.get("/?town=town+7&size=100&what_if=town")
    assert page.status_code == 200
    assert BeautifulSoup(page.data, "html.parser").select_one("data.prediction")
    for path in ("/about", "/api", "/api/openapi.json"):
        assert client.get(path).status_code == 200
        assert len(client.get(path).data) < 40_000


def test_a_card_cannot_draw_a_what_if_over_a_long_list(root: Path, tmp_path: Path) -> None:
    card = shutil.copytree(root / "towns", tmp_path / "towns") / "card.toml"
    text = card.read_text()
    assert 'what_if = "size"' in text
    card.write_text(text.replace('what_if = "size"', 'what_if = "town"'))
    with pytest.raises(ModelError, match="too many values for a picture"):
        load_model(card.parent)


def test_its_pages_are_well_formed_and_its_bounds_hold(client: FlaskClient, root: Path) -> None:
    found = load_model(root / "towns")
    assert isinstance(found, NumberModel)
    check_pages(client, "/", found)
    for field in found.card.fields:
        check_bounds(found, field, found.card.examples[0].values)
