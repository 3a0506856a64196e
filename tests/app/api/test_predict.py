"""The JSON API: the same answers as the form, for programs."""

import gzip
import json
import logging
import urllib.request
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from model import NumberModel
from tests.app.api.sending import (
    OUTSIDE,
    PREDICT,
    ROW,
    send,
    training_rows,
)
from tests.conftest import Server
from tests.html import data_of, post_fragment


def test_a_row_is_answered_as_the_form_answers_it(client: FlaskClient, house: NumberModel) -> None:
    soup = post_fragment(client, ROW)
    found = send(client, ROW)
    assert found["prediction"] == pytest.approx(data_of(soup, "prediction"), rel=1e-9)
    interval = found["interval"]
    assert interval["low"] == pytest.approx(data_of(soup, "interval-low"), rel=1e-9)
    assert interval["high"] == pytest.approx(data_of(soup, "interval-high"), rel=1e-9)
    assert interval["coverage"] == 0.9019
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
