"""Scripts of other origins can use the API where a setting lists them, and nowhere else."""

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import SettingError, Settings
from tests.html import FRAGMENT, HEADERS

ROW = {"beds": 3, "baths": 2.5, "sqft": 1850}
FRIEND = "https://friend.example"
ASKS = {
    "Origin": FRIEND,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


@pytest.fixture(scope="module")
def sharing() -> FlaskClient:
    settings = Settings(models=("house-price",), api_origins=(FRIEND, "http://localhost:3000"))
    return create_app(settings).test_client()


def test_by_default_no_origin_is_allowed(client: FlaskClient) -> None:
    for response in (
        client.options("/api/predict", headers=ASKS),
        client.post("/api/predict", json=ROW, headers={"Origin": FRIEND}),
        client.get("/api/openapi.json", headers={"Origin": FRIEND}),
    ):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_preflight_of_a_listed_origin_is_answered(sharing: FlaskClient) -> None:
    headers = sharing.options("/api/predict", headers=ASKS).headers
    assert headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert headers["Access-Control-Allow-Headers"].startswith("Content-Type, Authorization")
    assert int(headers["Access-Control-Max-Age"]) > 0
    for header in HEADERS:
        assert header in headers


@pytest.mark.parametrize("origin", [FRIEND, "http://localhost:3000"])
def test_an_answer_can_be_read_by_a_listed_origin_and_refusals_too(
    sharing: FlaskClient, origin: str
) -> None:
    for body, status in ((ROW, 200), ({}, 422)):
        response = sharing.post("/api/predict", json=body, headers={"Origin": origin})
        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers.getlist("Cross-Origin-Resource-Policy") == ["cross-origin"]
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Origin" in response.headers.getlist("Vary")
    assert sharing.get("/api/nothing", headers={"Origin": origin}).headers[
        "Access-Control-Allow-Origin"
    ]


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "*",
        "http://friend.example",
        "https://friend.example.evil.example",
        "https://evil.example",
        "https://friend.example:8443",
        "https://FRIEND.example",
    ],
)
def test_another_origin_cannot(sharing: FlaskClient, origin: str | None) -> None:
    given = {"Origin": origin} if origin else {}
    for response in (
        sharing.post("/api/predict", json=ROW, headers=given),
        sharing.options("/api/predict", headers={**ASKS, "Origin": origin or "x"}),
    ):
        assert response.status_code == 200
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
        assert response.headers.getlist("Cross-Origin-Resource-Policy") == ["same-origin"]
        assert "Origin" in response.headers.getlist("Vary")


@pytest.mark.parametrize("path", ["/", FRAGMENT, "/about"])
def test_pages_and_fragments_stay_with_their_own_origin(sharing: FlaskClient, path: str) -> None:
    for response in (
        sharing.get(path, headers={"Origin": FRIEND}),
        sharing.options(path, headers=ASKS),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_setting_is_a_list_of_origins_as_browsers_send_them() -> None:
    text = "https://Friend.example, http://localhost:3000,http://[::1]:8080"
    settings = Settings.from_environment({"FORMCAST_API_ORIGINS": text})
    assert settings.api_origins == (FRIEND, "http://localhost:3000", "http://[::1]:8080")


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "friend.example",
        "https://friend.example/",
        "https://friend.example:443",
        "http://friend.example:80",
        "https://*.friend.example",
        "https://user@friend.example",
        "ftp://friend.example",
        "https://a.example https://b.example",
    ],
)
def test_what_is_no_origin_stops_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="Write scheme and name alone"):
        Settings.from_environment({"FORMCAST_API_ORIGINS": text})
