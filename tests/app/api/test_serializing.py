"""The JSON API of models that answer with a class: of rows and of pictures."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from app.config import Settings
from model import ClassModel
from tests.app.api.sending import check_problem
from tests.flowers import FEATURES, write_flowers
from tests.html import post_fragment
from tests.loading import load_as
from tests.pictures import REFUSED, XRAY, XRAY_FRAGMENT, body, chest, encoded, upload

PREDICT = XRAY + "api/predict"
JPEG = encoded(chest(), "JPEG", quality=95)


def predict(client: FlaskClient, path: str, rows: Any) -> Any:
    """Send a row or a list of them and parse the answer."""
    response = client.post(path, json=rows)
    assert response.status_code == 200
    return json.loads(response.data)


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    write_flowers(root / "flowers")
    write_flowers(root / "labels", probabilities=False)
    return root


@pytest.fixture(scope="module")
def flower_app(flowers: Path) -> Flask:
    return create_app(Settings(models=("flowers", "labels")), flowers)


@pytest.fixture
def flower_client(flower_app: Flask) -> FlaskClient:
    return flower_app.test_client()


def test_classes_are_answered_with_the_probability_of_each(
    flower_client: FlaskClient, flowers: Path
) -> None:
    found = predict(flower_client, "/api/predict", FEATURES)
    (classification,) = load_as(ClassModel, flowers / "flowers").predict([FEATURES])
    assert found["label"] == classification.label == "iris"
    assert found["probability"] == classification.probability == found["probabilities"]["iris"]
    assert list(found["probabilities"]) == ["rose", "iris"]
    assert sum(found["probabilities"].values()) == pytest.approx(1)
    assert "prediction" not in found


def test_the_contributions_lead_to_the_probability_of_the_label(
    flower_client: FlaskClient,
) -> None:
    rows = [FEATURES, {"length": 2, "width": 8}]
    for found in predict(flower_client, "/api/predict?contributions=true", rows):
        contributions = found["contributions"]
        total = contributions["reference"]["probability"] + sum(contributions["values"].values())
        assert total == pytest.approx(found["probability"])


def test_a_model_without_probabilities_gives_the_label_alone(
    flower_client: FlaskClient,
) -> None:
    for query in ("", "?contributions=true"):
        found = predict(flower_client, "/labels/api/predict" + query, [FEATURES])
        assert [sorted(answer) for answer in found] == [["label", "model", "warnings"]]


def test_a_list_of_classes_is_answered_in_its_order(flower_client: FlaskClient) -> None:
    rows = [{"length": place % 10, "width": 5.5} for place in range(300)]
    found = predict(flower_client, "/api/predict", rows)
    for row, answer in list(zip(rows, found, strict=True))[:10]:
        alone = predict(flower_client, "/api/predict", row)
        assert alone["label"] == answer["label"]
        assert alone["probabilities"] == pytest.approx(answer["probabilities"])
    assert {answer["label"] for answer in found} == {"rose", "iris"}


def test_a_picture_is_answered_as_the_page_answers_it(client: FlaskClient) -> None:
    soup = post_fragment(client, upload(JPEG), path=XRAY_FRAGMENT)
    (prediction,) = soup.select("#result data.prediction")
    for request in (body(JPEG), {"data": JPEG, "content_type": "image/jpeg"}):
        response = client.post(PREDICT, **request)
        assert response.status_code == 200
        found = json.loads(response.data)
        assert found["label"] == prediction["value"]
        assert found["probability"] == found["probabilities"][found["label"]]
        for element in soup.select("#result data.probability"):
            share = found["probabilities"][element["data-label"]]
            assert share == pytest.approx(float(str(element["value"])), abs=1e-4)
        assert found["warnings"] == [
            {"code": "use", "message": "Not a medical device, not for diagnosis."}
        ]
        assert found["model"]["name"] == "chest-xray"
        assert "contributions" not in found


def test_the_map_of_a_picture_is_given_on_request(client: FlaskClient) -> None:
    response = client.post(
        PREDICT + "?contributions=true", data=encoded(chest()), content_type="image/png"
    )
    contributions = json.loads(response.data)["contributions"]
    assert contributions["label"] == "PNEUMONIA"
    assert [len(line) for line in contributions["map"]] == [5] * 5


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_unreadable_picture_is_refused_in_the_words_of_the_form(
    client: FlaskClient, name: str
) -> None:
    data, words = REFUSED[name]
    for request in (body(data), {"data": data, "content_type": "image/jpeg"}):
        response = client.post(PREDICT, **request)
        assert response.status_code == 422
        (error,) = check_problem(response)["errors"]
        assert error == {"field": "image", "message": words, "pointer": None}


def test_a_picture_unlike_the_data_is_refused(client: FlaskClient) -> None:
    black = encoded(Image.new("L", (224, 224)))
    response = client.post(PREDICT, data=black, content_type="image/png")
    assert response.status_code == 422
    assert "does not look like" in check_problem(response)["errors"][0]["message"]


def test_no_picture_or_two_are_refused(client: FlaskClient) -> None:
    for request, words in (
        (body(), "Choose a picture"),
        ({"data": {"other": "x"}, "content_type": "multipart/form-data"}, "Choose a picture"),
        (body(JPEG, JPEG), "Choose a picture once"),
        ({"data": b"", "content_type": "image/png"}, "Chest X-ray is empty: choose another file"),
    ):
        response = client.post(PREDICT, **request)
        assert response.status_code == 422
        assert check_problem(response)["errors"][0]["message"] == words


def test_a_body_of_another_type_is_refused(client: FlaskClient) -> None:
    for kind in ("application/json", "image/gif", "text/plain", ""):
        response = client.post(PREDICT, data=JPEG, headers={"Content-Type": kind})
        assert response.status_code == 415
        check_problem(response)


def test_a_picture_over_the_limit_is_a_problem(client: FlaskClient) -> None:
    response = client.post(PREDICT, data=b"\0" * 11_000_000, content_type="image/png")
    assert response.status_code == 413
    check_problem(response)
    response = client.post(
        PREDICT, data=JPEG, content_type="image/png", headers={"Transfer-Encoding": "chunked"}
    )
    assert response.status_code == 411
    check_problem(response)
