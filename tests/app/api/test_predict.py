"""The JSON API: the same answers and the same words as the form, for programs."""

import gzip
import json
import logging
import urllib.request
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings
from app.kinds import parsing
from model import NumberModel
from tests.conftest import Server
from tests.html import FRAGMENT, HEADERS, data_of, post_fragment, text_of

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


def test_a_row_is_answered_as_the_form_answers_it(client: FlaskClient, house: NumberModel) -> None:
    soup = post_fragment(client, ROW)
    found = send(client, ROW)
    assert found["prediction"] == pytest.approx(data_of(soup, "prediction"), rel=1e-9)
    interval = found["interval"]
    assert interval["low"] == pytest.approx(data_of(soup, "interval-low"), rel=1e-9)
    assert interval["high"] == pytest.approx(data_of(soup, "interval-high"), rel=1e-9)
    assert interval["coverage"] == 0.9023
    assert interval["evidence"].startswith("Measured on 2,344 cases it had not seen: ")
    assert found["warnings"] == []
    assert found["model"] == {"name": "house-price", "version": house.version}
    assert "contributions" not in found


def test_the_contributions_are_those_of_the_page(client: FlaskClient) -> None:
    soup = post_fragment(client, ROW)
    found = send(client, ROW, query="?contributions=true")["contributions"]
    reference = found["reference"]
    assert reference["prediction"] == pytest.approx(data_of(soup, "reference"), rel=1e-9)
    assert reference["row"].keys() == found["values"].keys() == ROW.keys()
    for element in soup.select("#result data.contribution"):
        value = float(str(element["value"]))
        assert found["values"][element["data-field"]] == pytest.approx(value, rel=1e-6, abs=1e-6)
    for query in ("?contributions=false", "?", "?&"):
        assert send(client, ROW, query=query) == send(client, ROW)


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


def test_contributions_add_up_to_the_prediction(client: FlaskClient, house: NumberModel) -> None:
    for found in send(client, training_rows(house, 60), query="?contributions=true"):
        contributions = found["contributions"]
        total = contributions["reference"]["prediction"] + sum(contributions["values"].values())
        assert total == pytest.approx(found["prediction"], rel=1e-9)
        assert contributions["standard_error"] == 0


@pytest.mark.parametrize("query", ["", "?contributions=true"])
def test_a_list_is_answered_in_its_order_as_its_rows_alone(
    client: FlaskClient, house: NumberModel, query: str
) -> None:
    batch = [*training_rows(house, 150), OUTSIDE, ROW]
    assert len(json.dumps(batch)) > 4096  # answered in a thread
    found = send(client, batch, query=query)
    assert len(found) == len(batch)
    for row, answer in list(zip(batch, found, strict=True))[::15]:
        alone = send(client, row, query=query)
        for end in ("low", "high"):
            assert alone["interval"].pop(end) == pytest.approx(answer["interval"].pop(end))
        assert alone.pop("prediction") == pytest.approx(answer.pop("prediction"), rel=1e-6)
        if query:
            values = answer.pop("contributions")["values"]
            assert alone.pop("contributions")["values"] == pytest.approx(values, abs=0.1)
        assert alone == answer
    assert found[-2]["warnings"]
    assert send(client, [ROW], query=query) == [send(client, ROW, query=query)]


def test_a_thousand_rows_take_few_calls_of_the_predictor(
    client: FlaskClient, house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    predict = type(house.predictor).predict

    def counting(self: Any, matrix: Any) -> Any:
        calls.append(len(matrix))
        return predict(self, matrix)

    monkeypatch.setattr(type(house.predictor), "predict", counting)
    assert len(send(client, [ROW] * 1000)) == 1000
    assert calls == [1000]
    calls.clear()
    assert len(send(client, [ROW] * 1000, query="?contributions=true")) == 1000
    assert len(calls) <= 3


def test_a_row_unlike_the_data_is_answered_with_a_warning_and_no_coverage(
    client: FlaskClient,
) -> None:
    found = send(client, OUTSIDE)
    (warning,) = found["warnings"]
    assert warning["code"] == "outside"
    assert warning["fields"] == ["beds", "sqft"]
    words = "8\u00a0bedrooms and living area 700\u00a0sq ft do not go together."
    assert warning["message"].endswith(words)
    assert found["interval"]["coverage"] is None
    assert found["interval"]["evidence"] is None
    assert found["interval"]["low"] < found["prediction"] < found["interval"]["high"]


def test_an_optional_fact_can_be_null_or_left_out(client: FlaskClient, house: NumberModel) -> None:
    assert send(client, {**ROW, **dict.fromkeys(house.card.optional)}) == send(client, ROW)
    assert send(client, {**ROW, "garage_cars": 0}) != send(client, ROW)


def test_an_empty_list_gets_an_empty_list(client: FlaskClient) -> None:
    assert send(client, []) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beds", 99),
        ("beds", -1),
        ("beds", 2.5),
        ("baths", 1e300),
        ("sqft", 10**400),
        ("condition", "Splendid"),
        ("year_built", 1492),
    ],
)
def test_errors_have_the_words_of_the_form(client: FlaskClient, name: str, value: Any) -> None:
    soup = post_fragment(client, {**ROW, name: "9" * 30 if value == 10**400 else value}, 422)
    (error,) = send(client, {**ROW, name: value}, 422)["errors"]
    words = text_of(soup, f"#{name}-error").removeprefix("Error: ")
    if isinstance(value, float) and value == 1e300:
        words = "Bathrooms must be between 0.5 and 8"  # the form does not read 1e300 at all
    assert error == {"field": name, "message": words, "pointer": f"/{name}"}


@pytest.mark.parametrize("value", [True, False, "x", "", [], {}, [3], {"value": 3}], ids=repr)
def test_a_value_that_is_no_number_is_refused(client: FlaskClient, value: Any) -> None:
    found = send(client, {**ROW, "beds": value}, 422)
    assert by_pointer(found) == {"/beds": "Bedrooms must be a number, like 3"}


def test_a_number_as_text_is_read_as_the_form_reads_it(client: FlaskClient) -> None:
    plain = send(client, {**ROW, "lot_area": 9500})
    texts = {"beds": "3 bedrooms", "baths": "2½", "sqft": "1,850 sq ft", "lot_area": "9.500"}
    assert send(client, texts) == plain


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("basement_sqft", "1.000", "Basement: 1,000 or 1?"),
        ("baths", "2,5", "Bathrooms must be a plain number. Write 2.5"),
        ("sqft", "172 m²", "Square feet must be in sq ft: 172 m² is 1,851"),
        ("beds", "three", "Bedrooms must be a plain number. Write 3"),
    ],
)
def test_a_text_that_is_not_clear_gets_what_to_write(
    client: FlaskClient, name: str, value: str, says: str
) -> None:
    assert by_pointer(send(client, {**ROW, name: value}, 422)) == {f"/{name}": says}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1E+400"])
def test_a_number_beyond_all_floats_is_refused(client: FlaskClient, number: str) -> None:
    body = json.dumps(ROW).replace("2.5", number)
    response = client.post(PREDICT, data=body, content_type="application/json")
    assert response.status_code == 422
    assert by_pointer(check_problem(response)) == {"/baths": "Bathrooms must be a number, like 2.5"}


@pytest.mark.parametrize("value", ["", " ", 3, True, ["Good"], "good"], ids=repr)
def test_an_unknown_choice_is_refused(client: FlaskClient, value: Any) -> None:
    found = send(client, {**ROW, "condition": value}, 422)
    assert by_pointer(found) == {"/condition": "Condition must be one from the list"}


def test_missing_required_fields_are_errors(client: FlaskClient) -> None:
    assert by_pointer(send(client, {"beds": None}, 422)) == {
        "/beds": "Enter the number of bedrooms",
        "/baths": "Enter the number of bathrooms",
        "/sqft": "Enter the living area",
    }


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("year_build", 'There is no field "year_build". Did you mean "year_built"?'),
        ("Lot Area", 'There is no field "Lot Area". Did you mean "lot_area"?'),
        ("zzz", 'There is no field "zzz"'),
        ("x" * 5000, "There is no such field"),
        ("\ud800", "There is no such field"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(
    client: FlaskClient, key: str, says: str
) -> None:
    (error,) = send(client, {**ROW, key: 1}, 422)["errors"]
    assert error["field"] is None
    assert error["message"] == says
    assert error["pointer"] == ("" if says == "There is no such field" else f"/{key}")


def test_a_pointer_is_escaped(client: FlaskClient) -> None:
    (error,) = send(client, [{**ROW, "a/b~c": 1}], 422)["errors"]
    assert error["pointer"] == "/0/a~1b~0c"


def test_every_fault_of_a_list_has_its_place_and_nothing_is_predicted(
    client: FlaskClient,
) -> None:
    found = send(client, [ROW, {**ROW, "beds": 99}, 7, {"sqft": "x"}], 422)
    assert list(by_pointer(found)) == ["/1/beds", "/2", "/3/beds", "/3/baths", "/3/sqft"]
    assert found["detail"] == "3 of 4 rows have errors. No prediction was made."


def test_faults_are_counted_where_they_are_too_many_to_list(client: FlaskClient) -> None:
    found = send(client, [{}] * 400, 422)
    assert len(found["errors"]) == 1000
    assert found["detail"].endswith("The first 1,000 of 1,200 errors are listed.")


@pytest.mark.parametrize("body", [3, "row", None, True, 2.5], ids=repr)
def test_a_body_that_is_neither_row_nor_list_is_refused(client: FlaskClient, body: Any) -> None:
    assert "" in by_pointer(send(client, body, 422))


def test_more_than_a_thousand_rows_are_refused(client: FlaskClient) -> None:
    found = send(client, [ROW] * 1001, 422)
    assert by_pointer(found) == {"": "A list can have 1,000 rows at most; this one has 1,001"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "line 1, column 1"),
        (b"beds=3&baths=2&sqft=900", "line 1, column 1"),
        (b'{"beds": 3,}', "line 1, column 12"),
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


def test_an_internal_error_is_a_problem_without_its_detail(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = create_app(Settings())

    def explode(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("model.serving.tabular.TabularModel.explain", explode)
    with caplog.at_level(logging.ERROR):
        found = send(broken.test_client(), ROW, 500)
    assert "secret" not in json.dumps(found)
    assert "secret detail" in caplog.text
    assert "1850" not in caplog.text


def test_a_prediction_that_is_not_finite_is_an_internal_error(
    app: Flask, house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = type(house.predictor).predict

    def predict_nan(self: Any, matrix: Any) -> Any:
        values, spreads = predict(self, matrix)
        values[-1] = float("nan")
        return values, spreads

    monkeypatch.setattr(type(house.predictor), "predict", predict_nan)
    send(app.test_client(), [ROW, ROW], 500)


def test_a_large_answer_is_compressed_and_the_same(client: FlaskClient) -> None:
    plain = client.post(PREDICT, json=[ROW] * 50)
    small = client.post(PREDICT, json=[ROW] * 50, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data


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


def test_contributions_stop_at_the_time_limit(
    client: FlaskClient, house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.blueprint.TIMEOUT", 0)
    full = dict(house.card.examples[-1].values)
    assert "Send fewer" in send(client, [full] * 40, 413, "?contributions=true")["detail"]
    assert len(send(client, [full] * 40)) == 40
    assert len(send(client, [full], query="?contributions=true")) == 1


def test_predictions_and_refusals_are_counted_by_model_and_field() -> None:
    counted = create_app(Settings(models=("house-price",), metrics=True, log="text"))
    client = counted.test_client()

    def counts() -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    send(client, [ROW, OUTSIDE, ROW])
    send(client, [{**ROW, "beds": 99}, {"beds": None, "baths": "x"}], 422)
    seen = counts()
    assert seen['formcast_predictions_total{model="house-price"}'] == 3
    assert seen['formcast_out_of_support_total{model="house-price"}'] == 1
    refused = {name for name in seen if name.startswith("formcast_refused_inputs_total")}
    assert refused == {
        f'formcast_refused_inputs_total{{field="{name}",model="house-price"}}'
        for name in ("beds", "baths")
    }
    assert seen['formcast_requests_total{route="/api/predict",status="422"}'] == 1


def test_the_server_answers_a_batch_in_a_thread(server: Server, house: NumberModel) -> None:
    body = json.dumps([dict(house.card.examples[-1].values)] * 1000).encode()
    request = urllib.request.Request(
        server.url + PREDICT + "?contributions=true",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        found = json.load(response)
    assert len(found) == 1000
    assert all(answer == found[0] for answer in found)
