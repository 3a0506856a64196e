"""A form in another order than the model's columns."""

import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from tests.conftest import HOUSE
from tests.html import get_page, post_fragment, post_page
from tests.tools import ROOT


@pytest.fixture
def reordered(tmp_path: Path) -> FlaskClient:
    """A client of an app whose card has the house's fields the other way round."""
    shutil.copytree(ROOT / "model" / "house_price", tmp_path / "house_price")
    card = tmp_path / "house_price" / "card.toml"
    head, *fields = card.read_text().split("[[fields]]")
    last, examples, tail = fields.pop().partition("[[examples]]")
    fields = ["\n" + field.strip() + "\n\n" for field in (last, *reversed(fields))]
    card.write_text("[[fields]]".join([head, *fields]) + examples + tail)
    return create_app(Settings(models=("house_price",)), tmp_path).test_client()


def names_of(client: FlaskClient) -> list[str]:
    """The names of the form's fields, as they stand in the page."""
    found = get_page(client, "/").select("#form :is(input, select):not([type=hidden])")
    return [str(item["name"]) for item in found if item.has_attr("name")]


def test_the_form_has_the_order_of_the_card_and_the_model_that_of_its_columns(
    client: FlaskClient, reordered: FlaskClient
) -> None:
    usual, turned = names_of(client), names_of(reordered)
    assert turned[:3] == usual[2::-1]
    assert turned[3:] != usual[3:]
    assert sorted(turned) == sorted(usual)
    row = {**HOUSE, "year_built": "1999", "neighborhood": "Gilbert", "fireplaces": "2"}
    answers = [post_fragment(each, row).select("data") for each in (client, reordered)]
    assert len(answers[0]) >= 3
    assert [*map(str, answers[0])] == [*map(str, answers[1])]


def test_errors_and_what_is_missing_follow_the_form(reordered: FlaskClient) -> None:
    page = post_page(reordered, {"sqft": "many", "baths": "none", "beds": "few"}, 422)
    assert [link["href"] for link in page.select("#errors a")] == ["#sqft", "#baths", "#beds"]
    sent = {"beds": "few", "baths": "none", "sqft": "many"}
    faults = reordered.post("/api/predict", json=sent).get_json()["errors"]
    assert [fault["field"] for fault in faults] == ["sqft", "baths", "beds"]
    table = "beds,baths,sqft\nfew,none,many\n"
    streamed = reordered.post("/api/predict", data=table, content_type="text/csv").get_json(True)
    assert [fault["field"] for fault in streamed["errors"]] == ["sqft", "baths", "beds"]


def test_the_description_of_the_api_follows_the_form(reordered: FlaskClient) -> None:
    row = reordered.get("/api/openapi.json").get_json()["components"]["schemas"]["Row"]
    assert row["required"] == ["sqft", "baths", "beds"]
