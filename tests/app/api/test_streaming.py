"""Many rows in one request to the API: a line for each, in their order, as they are made."""

import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.kinds.streams import CHUNK_ROWS, CSV, JSON_LINES, MOST_LINE
from app.limits.upload_budget import get_upload_budget
from model import NumberModel
from tests.app.api.sending import check_problem, training_rows

PREDICT = "/api/predict"
ROW = {"beds": 3, "baths": 2.5, "sqft": 1850}


@pytest.fixture(scope="module")
def narrow() -> FlaskClient:
    """An app that answers ten rows and one megabyte."""
    return create_app(Settings(batch_rows=10, batch_megabytes=1)).test_client()


def send(
    client: FlaskClient, body: bytes | str, kind: str = JSON_LINES, query: str = ""
) -> list[Any]:
    """Send many rows and parse the lines of the answer."""
    response = client.post(PREDICT + query, data=body, content_type=kind)
    assert response.status_code == 200, response.text
    assert response.mimetype == JSON_LINES
    assert response.headers["Cache-Control"] == "no-store"
    return [json.loads(line) for line in response.text.splitlines()]


@pytest.mark.parametrize("query", ["", "?contributions=true"])
def test_each_line_is_the_answer_to_its_row_alone(
    client: FlaskClient, house: NumberModel, query: str
) -> None:
    rows = [*training_rows(house, 3 * CHUNK_ROWS // 2), ROW]
    found = send(client, "\n".join(map(json.dumps, rows)), query=query)
    assert len(found) == len(rows)
    listed = client.post(PREDICT + query, json=rows).json
    assert listed is not None
    for answer, expected in zip(found, listed, strict=True):
        assert answer.pop("prediction") == pytest.approx(expected.pop("prediction"), rel=1e-6)
        for end in ("low", "high"):
            assert answer["interval"].pop(end) == pytest.approx(expected["interval"].pop(end))
        if query:
            values = expected.pop("contributions")["values"]
            assert answer.pop("contributions")["values"] == pytest.approx(values, abs=0.1)
        assert answer == expected


def test_a_row_that_is_wrong_has_its_problem_in_its_line(client: FlaskClient) -> None:
    lines = [json.dumps(ROW), '{"beds": 3, "sqft": "big"}', "{", "[]", "", '{"beds": NaN}',
             '{"x": 1}', " " * 9 + "x" * MOST_LINE, json.dumps(ROW)]  # fmt: skip
    found = send(client, "\r\n".join(lines))
    assert [answer.get("status", 200) for answer in found] == [200, *[422] * 6, 200]
    assert {(error["field"], error["pointer"]) for error in found[1]["errors"]} == {
        ("baths", "/baths"), ("sqft", "/sqft"),
    }  # fmt: skip
    assert "Square feet must be a number" in str(found[1]["errors"])
    assert "64 KB" in found[6]["errors"][0]["message"]
    assert found[0] == found[-1]


def test_a_table_is_answered_as_its_rows_would_be_in_json(client: FlaskClient) -> None:
    table = "Square feet;baths;Beds;Agent\n1850;2,5;3;Ann\n185000;2;3;Bob\n;2;3\n1850;2;3;x;y\n"
    found = send(client, table, f"{CSV}; charset=utf-8")
    (single,) = send(client, json.dumps(ROW))
    assert found[0] == single
    assert found[1]["errors"] == [
        {"field": "sqft", "message": "Square feet must be between 300 and 6,000", "pointer": None}
    ]
    assert [answer.get("status") for answer in found] == [None, 422, 422, 422]
    assert "5 cells" in found[3]["errors"][0]["message"]


def test_the_rows_of_a_table_with_holes_get_the_answers_of_a_list(
    client: FlaskClient, house: NumberModel
) -> None:
    rows = training_rows(house, CHUNK_ROWS + 9)
    table = ",".join(house.card.names) + "\n"
    for place, row in enumerate(rows):
        if place == CHUNK_ROWS:
            table += "3,2\n"
        cells = (row.get(name) for name in house.card.names)
        table += ",".join("" if cell is None else str(cell) for cell in cells) + "\n"
    found = send(client, table, CSV)
    assert "2 cells" in found.pop(CHUNK_ROWS)["errors"][0]["message"]
    listed = client.post(PREDICT, json=rows).json
    assert listed is not None
    for answer, expected in zip(found, listed, strict=True):
        assert answer["prediction"] == pytest.approx(expected["prediction"], rel=1e-6)
        assert answer["warnings"] == expected["warnings"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"", JSON_LINES, 422, "empty"),
        (b"\n \r\n", JSON_LINES, 422, "empty"),
        (b"", CSV, 422, "empty"),
        (b"a,b\n1,2\n", CSV, 422, "beds, baths, sqft must be among them"),
        (b"{}\n" * 11, JSON_LINES, 413, "flask --app wsgi model predict house-price"),
        (b"beds,baths,sqft\n" + b"3,2,1\n" * 11, CSV, 413, "more than 10 rows"),
        (b" " * 2_000_000, JSON_LINES, 413, "10 rows and 1 MB"),
    ],
)
def test_a_body_that_cannot_be_answered_is_one_problem(
    narrow: FlaskClient, body: bytes, kind: str, status: int, said: str
) -> None:
    response = narrow.post(PREDICT, data=body, content_type=kind)
    assert response.status_code == status
    assert said in check_problem(response)["detail"]
    assert get_upload_budget().held == 0


def test_what_is_packed_or_without_a_length_is_refused(client: FlaskClient) -> None:
    packed = gzip.compress(json.dumps(ROW).encode())
    headers = {"Content-Encoding": "gzip"}
    response = client.post(PREDICT, data=packed, content_type=JSON_LINES, headers=headers)
    assert response.status_code == 415
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}
    response = client.post(PREDICT, data=b"{}", content_type=CSV, environ_overrides=chunked)
    assert response.status_code == 411
    query = PREDICT + "?contribution=true"
    assert client.post(query, data=b"{}", content_type=JSON_LINES).status_code == 422


def test_a_model_of_pictures_takes_no_rows(client: FlaskClient) -> None:
    response = client.post("/chest-xray/api/predict", data=b"{}", content_type=JSON_LINES)
    assert response.status_code == 415


def test_a_client_that_stops_reading_stops_the_work(client: FlaskClient) -> None:
    body = (json.dumps(ROW) + "\n") * 5000
    response = client.post(PREDICT, data=body, content_type=JSON_LINES, buffered=False)
    first = next(response.iter_encoded())
    assert first.count(b"\n") == CHUNK_ROWS
    assert get_upload_budget().held == len(body)
    response.close()
    assert get_upload_budget().held == 0


def test_openapi_and_the_page_for_people_say_it(client: FlaskClient) -> None:
    found = client.get("/api/openapi.json").json
    assert found is not None
    predict = found["paths"][PREDICT]["post"]
    assert {JSON_LINES, CSV} < predict["requestBody"]["content"].keys()
    assert JSON_LINES in predict["responses"]["200"]["content"]
    assert "100,000 rows and 20 MB" in predict["description"]
    assert "100,000 rows" in client.get("/api").text
