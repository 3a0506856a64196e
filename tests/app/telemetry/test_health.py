"""Whether the process lives, and whether its models answer."""

import logging

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.telemetry import health
from model import ModelError, NumberModel


@pytest.fixture
def own_client(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(health, "FRESH", 0.0)
    return create_app(Settings(log="text")).test_client()


def test_a_process_that_lives_says_so(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_ready_where_every_model_answers_as_when_it_was_made(own_client: FlaskClient) -> None:
    answer = own_client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "ready": True,
        "models": {"house-price": True, "chest-xray": True},
    }


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ("house-price", "model.serving.predictors.OnnxPredictor.predict"),
        ("chest-xray", "model.serving.kinds.pictures.OnnxPicturePredictor.predict"),
    ],
)
def test_it_is_not_ready_where_a_model_fails_and_says_which_and_logs_why(
    own_client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    where: str,
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(where, fail)
    answer = own_client.get("/readyz")
    assert answer.status_code == 503
    models = {"house-price": True, "chest-xray": True, broken: False}
    assert answer.get_json() == {"ready": False, "models": models}
    assert own_client.get("/healthz").status_code == 200
    assert f"{broken} is not ready" in caplog.text
    assert "no room" in caplog.text


def test_models_are_not_asked_more_than_once_in_a_few_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def check(model: NumberModel) -> None:
        asked.append(model)
        raise ModelError("broken")

    client = create_app(Settings(models=("house-price",), log="text")).test_client()
    monkeypatch.setattr(NumberModel, "check_golden", check)
    with caplog.at_level(logging.ERROR):
        assert [client.get("/readyz").status_code for _ in range(3)] == [503] * 3
    assert len(asked) == 1
    assert len(caplog.records) == 1
