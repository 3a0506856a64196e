"""The OpenAPI text says what the API does: held against it here, and attacked by Schemathesis."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from model import NumberModel
from model.contract.pictures import MEDIA_TYPES
from tests.conftest import Server
from tests.flowers import write_flowers
from tests.servers import serve_app
from tests.soak.fuzzing import attack_api

pytestmark = pytest.mark.slow

ROW = {"beds": 3, "baths": 2.5, "sqft": 1850}


@pytest.fixture(scope="module")
def text(app: Any) -> Any:
    return app.test_client().get("/api/openapi.json").json


def validator(text: Any, name: str) -> Any:
    """One of the text's schemas, strictly."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": text["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


def test_it_is_made_from_the_card(text: Any, house: NumberModel) -> None:
    assert text["openapi"] == "3.1.0"
    assert text["info"]["title"] == house.card.title
    assert text["info"]["version"] == house.version
    fields = text["components"]["schemas"]["Row"]["properties"]
    assert list(fields) == list(house.card.names)
    assert fields["sqft"] == {
        "type": ["integer", "string"],
        "minimum": 300,
        "maximum": 6000,
        "pattern": "^(?:0*(?:(?:[3-9][0-9]{2})|(?:6000|[1-5][0-9]{3})))$",
        "title": "Square feet",
        "description": "Living area above ground. In sq ft.",
        "examples": [1850],
    }
    assert fields["condition"]["type"] == ["string", "null"]
    assert fields["condition"]["enum"][-1] is None
    assert text["components"]["schemas"]["Row"]["required"] == ["beds", "baths", "sqft"]


def test_every_example_is_answered_as_the_text_says(client: FlaskClient, text: Any) -> None:
    operation = text["paths"]["/api/predict"]["post"]
    answers = validator(text, "Answer")
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) == 4
    for example in examples.values():
        for query in ("", "?contributions=true"):
            found = client.post("/api/predict" + query, json=example["value"]).json
            for answer in found if isinstance(found, list) else [found]:
                answers.validate(answer)


def test_what_the_schema_allows_is_answered_and_all_else_refused(
    client: FlaskClient, text: Any, house: NumberModel
) -> None:
    rows, problems = validator(text, "Row"), validator(text, "Problem")
    tried: list[Any] = [None, "", " ", "x", "1", "7", 0, 0.5, True, [], {}, 1e300, 10**30]
    seen = Counter[int]()
    for field in house.card.fields:
        edges: list[Any] = []
        if field.kind in ("integer", "number"):
            edges = [field.min, field.max, field.min - 1, field.max + 1, field.max - 0.5]
        elif field.kind == "choice":
            edges = [field.choices[0].value, field.choices[0].value.lower()]
        for value in [*tried, *edges]:
            row = {**ROW, field.name: value}
            response = client.post("/api/predict", json=row)
            assert response.status_code == (200 if rows.is_valid(row) else 422), row
            seen[response.status_code] += 1
            if response.status_code == 422:
                problems.validate(json.loads(response.data))
        row = {key: value for key, value in ROW.items() if key != field.name}
        status = client.post("/api/predict", json=row).status_code
        assert status == (200 if rows.is_valid(row) else 422)
    assert seen[200] > 10
    assert seen[422] > 10


def test_each_model_has_its_own(client: FlaskClient) -> None:
    response = client.get("/chest-xray/api/openapi.json")
    assert response.mimetype == "application/json"
    found = json.loads(response.data)
    assert list(found["paths"]) == ["/chest-xray/api/predict", "/chest-xray/api/openapi.json"]
    sent = found["paths"]["/chest-xray/api/predict"]["post"]["requestBody"]["content"]
    assert set(sent) == {"multipart/form-data", *MEDIA_TYPES}


def test_what_the_form_shows_for_a_label_is_the_title_of_its_value(client: FlaskClient) -> None:
    text = json.loads(client.get("/chest-xray/api/openapi.json").data)
    answer = text["components"]["schemas"]["Answer"]["properties"]
    words = {"NORMAL": "Normal", "PNEUMONIA": "Pneumonia"}
    assert {item["const"]: item["title"] for item in answer["label"]["oneOf"]} == words
    shares = answer["probabilities"]["properties"]
    assert {value: share["title"] for value, share in shares.items()} == words


@pytest.fixture(scope="module")
def flowers_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A model of classes, served on a port of its own."""
    root = tmp_path_factory.mktemp("models")
    write_flowers(root / "flowers")
    with serve_app(create_app(Settings(models=("flowers",)), root)) as url:
        yield url


@pytest.mark.sample
@pytest.mark.parametrize("prefix", ["", "/chest-xray"], ids=["number", "picture"])
def test_schemathesis_finds_nothing(server: Server, prefix: str, tmp_path: Path) -> None:
    check_attacked(server.url + prefix, tmp_path)


@pytest.mark.sample
def test_schemathesis_finds_nothing_in_a_model_of_classes(flowers_url: str, tmp_path: Path) -> None:
    check_attacked(flowers_url, tmp_path)


def check_attacked(url: str, folder: Path) -> None:
    """A few examples; the second tier tries many."""
    seen = attack_api(url, folder, examples=3)
    assert not seen.found, seen.found
    assert min(seen.statuses[status] for status in (200, 422, 405)) > 3
