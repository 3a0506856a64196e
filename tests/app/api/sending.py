"""What tests send to the JSON API, and what they check of every answer."""

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from model import NumberModel
from tests.html import HEADERS

PREDICT = "/api/predict"
ROW = {"beds": 3, "baths": 2.5, "sqft": 1850}
OUTSIDE = {"beds": 8, "baths": 1, "sqft": 700}
PROBLEM = "application/problem+json"


def send(client: FlaskClient, body: Any, status: int = 200, query: str = "") -> Any:
    """Send a body and parse the answer; a problem is checked to be one."""
    text = json.dumps(body)
    response = client.post(PREDICT + query, data=text, content_type="application/json")
    assert response.status_code == status, response.text
    if status != 200:
        return check_problem(response)
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    return response.json


def check_problem(response: TestResponse) -> Any:
    """Check problem details by RFC 9457, with the headers of every answer."""
    assert response.mimetype == PROBLEM, response.headers
    for header in HEADERS:
        assert header in response.headers, header
    found = json.loads(response.data)
    assert found["status"] == response.status_code
    assert {"type", "title", "detail"} <= found.keys()
    return found


def by_pointer(found: Any) -> dict[str, str]:
    """The messages of a problem by their pointers."""
    return {error["pointer"]: error["message"] for error in found["errors"]}


def training_rows(house: NumberModel, count: int) -> list[dict[str, Any]]:
    """Rows of the training data, each without some of its optional fields."""
    assert house.neighbors is not None
    fields, optional = house.card.fields, house.card.optional
    return [
        {
            field.name: field.decode(code)
            for place, (field, code) in enumerate(zip(fields, row, strict=True))
            if field.name not in optional or (number + place) % 3
        }
        for number, row in enumerate(house.neighbors.rows[:count].tolist())
    ]
