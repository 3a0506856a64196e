"""The page of the API: its examples are taken from it, pasted and run."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.kinds.row_api import _format_literal
from model import NumberModel
from tests.conftest import Server
from tests.flowers import write_flowers
from tests.html import get_page, text_of
from tests.pictures import chest, encoded


def example(soup: BeautifulSoup, name: str) -> str:
    """One example as it is copied from the page."""
    (block,) = soup.select(f"pre#{name} code")
    return block.get_text()


def run(program: list[str], folder: Path) -> str:
    """Run a pasted example and return its output."""
    done = subprocess.run(
        program, cwd=folder, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout


def served_page(server: Server, path: str) -> BeautifulSoup:
    with urllib.request.urlopen(server.url + path, timeout=300) as response:
        return BeautifulSoup(response.read(), "html.parser")


def test_the_examples_work_as_pasted(server: Server, tmp_path: Path) -> None:
    soup = served_page(server, "/api")
    found = json.loads(run(["bash", "-c", example(soup, "curl")], tmp_path))
    sample = json.loads(example(soup, "sample"))
    assert found["prediction"] == pytest.approx(sample["prediction"])
    printed = run([sys.executable, "-c", example(soup, "python")], tmp_path).splitlines()
    assert len(printed) == 2
    assert float(printed[0].split()[0]) == pytest.approx(found["prediction"])
    assert "'coverage': 0.9" in printed[0]


def test_the_examples_with_a_picture_work_as_pasted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(encoded(chest(), "JPEG"))
    soup = served_page(server, "/chest-xray/api")
    found = json.loads(run(["bash", "-c", example(soup, "curl")], tmp_path))
    label, probability = run([sys.executable, "-c", example(soup, "python")], tmp_path).split()
    assert label == found["label"]
    assert float(probability) == pytest.approx(found["probability"])


def test_it_names_every_field_and_what_it_takes(client: FlaskClient, house: NumberModel) -> None:
    soup = get_page(client, "/api")
    assert text_of(soup, "h1") == "JSON API"
    names = [name.get_text() for name in soup.select(".takes th[scope=row] code")]
    assert names == list(house.card.names)
    assert "whole number, 300 to 6,000" in text_of(soup, ".takes")
    assert soup.select('a[href="/api/openapi.json"]')
    assert soup.select('a[href="/"]')


def test_a_model_of_classes_has_its_page(tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers")
    client = create_app(Settings(models=("flowers",)), tmp_path).test_client()
    soup = get_page(client, "/api")
    assert json.loads(example(soup, "sample"))["label"] in ("rose", "iris")
    assert 'answer["label"]' in example(soup, "python")


def test_it_says_what_the_form_shows_for_each_label(tmp_path: Path, client: FlaskClient) -> None:
    write_flowers(tmp_path / "flowers")
    flowers = create_app(Settings(models=("flowers",)), tmp_path).test_client()
    for asked, path, words in (
        (flowers, "/api", {"rose": "Rose", "iris": "Iris"}),
        (client, "/chest-xray/api", {"NORMAL": "Normal", "PNEUMONIA": "Pneumonia"}),
    ):
        rows = get_page(asked, path).select("#labels div")
        assert {text_of(row, "dt"): text_of(row, "dd") for row in rows} == words
    assert not get_page(client, "/api").select("#labels")


def test_the_about_page_links_to_it(client: FlaskClient) -> None:
    for prefix in ("", "/chest-xray"):
        assert get_page(client, f"{prefix}/about").select(f'a[href="{prefix}/api"]')
        get_page(client, f"{prefix}/api/")


def test_the_address_comes_from_the_request_and_is_never_stored(client: FlaskClient) -> None:
    response = client.get("/api", base_url="https://forms.example")
    assert "https://forms.example/api/predict" in response.text
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["x'$(id)", "a b", '"><script>', "a/b", "x:99999999"])
def test_an_invalid_host_is_refused_and_not_put_into_an_example(
    client: FlaskClient, host: str
) -> None:
    response = client.get("/api", headers={"Host": host})
    assert response.status_code == 400
    assert host not in response.text


@pytest.mark.parametrize(
    ("letters", "literal"),
    [
        (48, '{"town": "%s", "rooms": 3}'),
        (49, '{\n        "town": "%s",\n        "rooms": 3,\n    }'),
    ],
)
def test_a_row_stands_in_the_sample_as_people_write_it(letters: int, literal: str) -> None:
    town = "ö" * letters
    assert _format_literal({"town": town, "rooms": 3}) == literal % town
