"""The JSON API answers what it cannot read or does not allow with problem details."""

import json

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.kinds import parsing
from model import NumberModel
from tests.app.api.sending import PREDICT, ROW, by_pointer, check_problem, send
from tests.html import FRAGMENT


def test_more_than_a_thousand_rows_are_refused(client: FlaskClient) -> None:
    found = send(client, [ROW] * 1001, 422)
    assert by_pointer(found) == {"": "A list can have 1,000 rows at most; this one has 1,001"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "line 1, column 1"),
        (b"beds=3&baths=2&sqft=900", "line 1, column 1"),
        (b'{"beds": 3,}', "line 1, column 1"),  # 11 since Python 3.13, 12 before
        (b"{'beds': 3}", "line 1, column 2"),
        (b'{"beds": NaN}', "NaN is not a number in JSON"),
        (b"[Infinity]", "Infinity is not a number in JSON"),
        (b"[-Infinity]", "-Infinity is not a number in JSON"),
        (b'{"beds": 3, "beds": 4}', "same key twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "same key twice"),
        (b'{"beds": "\xff"}', "byte 10 is not UTF-8"),
        (b"\xef\xbb\xbf{}", "UTF-8"),
        (b'{"beds": "\n"}', "control character"),
        (b"{} {}", "Extra data"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"9" * 5000, "thousands of digits"),
    ],
    ids=lambda part: repr(part[:20]),
)
def test_a_body_that_is_not_json_is_refused_with_the_place(
    client: FlaskClient, body: bytes, says: str
) -> None:
    response = client.post(PREDICT, data=body, content_type="application/json")
    assert response.status_code == 400
    assert says in check_problem(response)["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=str,
)
def test_another_type_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post(PREDICT, data=json.dumps(ROW), headers=headers)
    assert response.status_code == 415
    check_problem(response)
    assert response.get_json()["detail"].endswith("GET /api lists those that are.")
    page = client.get("/api").text
    assert all(kind in page for kind in ("application/json", "application/x-ndjson", "text/csv"))


def test_json_may_say_its_charset(client: FlaskClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post(PREDICT, data=json.dumps(ROW), headers=headers).status_code == 200


def test_a_body_over_two_megabytes_is_refused(client: FlaskClient) -> None:
    body = b" " * parsing.BODY_BYTES
    for more, status in ((b"", 400), (b" ", 413)):
        response = client.post(PREDICT, data=body + more, content_type="application/json")
        assert response.status_code == status
        check_problem(response)


def test_a_thousand_rows_with_every_field_fit(client: FlaskClient, house: NumberModel) -> None:
    full = dict(house.card.examples[-1].values)
    body = json.dumps([full] * 1000, indent=4)
    assert len(body) < parsing.BODY_BYTES
    response = client.post(PREDICT, data=body, content_type="application/json")
    assert len(json.loads(response.data)) == 1000


def test_a_body_of_unknown_length_is_refused(client: FlaskClient) -> None:
    response = client.post(PREDICT, json=ROW, headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 411
    check_problem(response)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?contribution=true", 'Did you mean "contributions"?'),
        ("?contributions=yes", "must be true or false"),
        ("?contributions=", "must be true or false"),
        ("?contributions=true&contributions=true", "given once"),
        ("?x=1&contributions=true", "no such option"),
    ],
)
def test_an_unknown_option_is_refused(client: FlaskClient, query: str, says: str) -> None:
    (error,) = send(client, ROW, 422, query)["errors"]
    assert says in error["message"]
    assert error["pointer"] is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_gets_the_allowed_ones(client: FlaskClient, method: str) -> None:
    response = client.open(PREDICT, method=method, json=ROW)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    if method != "HEAD":
        check_problem(response)


def test_options_lists_the_allowed_methods(client: FlaskClient) -> None:
    response = client.options(PREDICT)
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("path", ["/api", "/api/openapi.json", "/chest-xray/api"])
def test_what_get_answers_head_and_options_answer_too(client: FlaskClient, path: str) -> None:
    read, head = client.get(path), client.head(path)
    assert (read.status_code, head.status_code) == (200, 200)
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(read.data))
    assert set(client.options(path).headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    response = client.post(path, json=ROW)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    check_problem(response)


@pytest.mark.parametrize("path", ["/api/nothing", "/api/predict/", "/house-price/api/predict"])
def test_an_unknown_address_below_api_is_a_problem(client: FlaskClient, path: str) -> None:
    for response in (client.get(path), client.post(path, json=ROW)):
        assert response.status_code == 404
        check_problem(response)


def test_the_form_reads_no_json(client: FlaskClient) -> None:
    response = client.post(FRAGMENT, json=ROW)
    assert response.status_code == 422


def test_a_client_over_the_limit_gets_a_problem() -> None:
    client = create_app(Settings(models=("house-price",), ratelimit="2/hour")).test_client()
    for status in (200, 200, 429):
        response = client.post(PREDICT, json=ROW)
        assert response.status_code == status
    check_problem(response)
    assert 1 <= int(response.headers["Retry-After"]) <= 3600


def test_an_overloaded_worker_answers_with_a_problem() -> None:
    busy = create_app(Settings(models=("house-price",)))
    busy.extensions["load_monitor"].behind = True
    response = busy.test_client().post(PREDICT, json=ROW)
    assert response.status_code == 503
    check_problem(response)
    assert int(response.headers["Retry-After"]) > 0


def test_an_unknown_host_is_a_problem() -> None:
    settings = Settings(models=("house-price",), trusted_hosts=("forms.example",))
    client = create_app(settings).test_client()
    assert client.post(PREDICT, json=ROW, base_url="http://forms.example").status_code == 200
    response = client.post(PREDICT, json=ROW, base_url="http://other.example")
    assert response.status_code == 400
    assert check_problem(response)["detail"] == "Nothing is served under this name."
