"""Names, proxies and HTTPS: what is believed, and where visitors are led."""

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import SettingError, Settings
from app.http.headers import HEADERS
from tests.html import check_fragment, check_page, text_of

ON_DYNO = Settings.from_environment({"DYNO": "web.1"})
HTTPS = {"X-Forwarded-Proto": "https"}


def client_with(**chosen: Any) -> FlaskClient:
    return create_app(replace(Settings(models=("house-price",)), **chosen)).test_client()


@pytest.fixture(scope="module")
def on_dyno() -> FlaskClient:
    return create_app(replace(ON_DYNO, models=("house-price", "chest-xray"))).test_client()


def test_by_default_any_name_is_answered(client: FlaskClient) -> None:
    for name in ("localhost:8000", "formcast-1.herokuapp.com", "[::1]:80", "evil.example"):
        response = client.get("/", headers={"Host": name})
        assert response.status_code == 200
        assert "evil" not in response.get_data(as_text=True)


def test_only_the_trusted_names_are_answered() -> None:
    client = client_with(trusted_hosts=("example.org", ".example.net"))
    for name in ("example.org", "example.org:8000", "a.example.net", "example.net"):
        assert client.get("/", headers={"Host": name}).status_code == 200
    for name in ("evil.example", "example.org.evil.example", "notexample.org", "", "a b", "<b>"):
        response = client.get("/", headers={"Host": name})
        assert response.status_code == 400, name
        assert text_of(check_page(response), "h1") == "Nothing is served under this name"
    refused = client.post("/predict-fragment", headers={"Host": "evil.example"})
    assert check_fragment(refused).select_one("#error[data-status='400']")


def test_a_probe_by_address_is_answered_although_only_names_are_trusted() -> None:
    client = client_with(trusted_hosts=(".example.net",), metrics=True)
    for path in ("/healthz", "/readyz", "/metrics"):
        for name in ("10.1.2.3:8000", "[fd00::1]:8000", "localhost", "evil.example"):
            response = client.get(path, headers={"Host": name})
            assert response.status_code == 200, (path, name)
            assert "evil" not in response.get_data(as_text=True)
            assert "example.net" not in response.get_data(as_text=True)
    for path in ("/", "/healthz/", "/api", "/static/app.css"):
        assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 400


def test_a_redirect_to_the_missing_slash_names_no_host(client: FlaskClient) -> None:
    response = client.get("/chest-xray?a=%22&b=ö", headers={"Host": "evil.example"})
    assert response.status_code == 308
    assert response.headers["Location"] == "/chest-xray/?a=%22&b=%C3%B6"
    for path in (
        "//evil.example/..",
        "//chest-xray",
        "/\\evil.example",
        "//evil.example/chest-xray",
    ):
        location = client.get(path).headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


def test_forwarded_headers_are_not_trusted_without_a_proxy() -> None:
    client = client_with()
    response = client.get("/", headers={**HTTPS, "X-Forwarded-For": "1.2.3.4"})
    assert response.status_code == 200
    assert "Strict-Transport-Security" not in response.headers


def test_a_dyno_redirects_to_https_with_the_whole_address(on_dyno: FlaskClient) -> None:
    for path in ("/", "/?beds=3&baths=2.5&sqft=1,850", "/nowhere?a=%26b", "/chest-xray?x"):
        for headers in ({}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https, http"}):
            response = on_dyno.get(path, headers={"Host": "example.org:80", **headers})
            assert response.status_code == 308
            assert response.headers["Location"] == f"https://example.org{path}"
            assert "Strict-Transport-Security" not in response.headers
            assert {name for name, _ in HEADERS} <= set(response.headers.keys())
    assert on_dyno.post("/predict-fragment").status_code == 308


def test_a_redirect_to_https_leads_to_no_other_host(on_dyno: FlaskClient) -> None:
    for path in ("//evil.example/", "/\\evil.example"):
        location = on_dyno.get(path, headers={"Host": "example.org"}).headers["Location"]
        assert location.startswith("https://example.org/")
    for name in ("a b", "evil.example/x", "user@evil.example", ""):
        assert on_dyno.get("/", headers={"Host": name}).status_code == 400


def test_a_proxy_may_write_https_in_capitals(on_dyno: FlaskClient) -> None:
    answer = on_dyno.get("/", headers={"Host": "example.org", "X-Forwarded-Proto": "HTTPS"})
    assert answer.status_code == 200
    assert "Strict-Transport-Security" in answer.headers


def test_over_https_a_dyno_answers_with_hsts(on_dyno: FlaskClient) -> None:
    for path, status in (("/", 200), ("/nowhere", 404), ("/chest-xray", 308)):
        response = on_dyno.get(path, headers=HTTPS)
        assert response.status_code == status
        assert response.headers["Strict-Transport-Security"] == "max-age=63072000"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered_over_plain_http(on_dyno: FlaskClient, path: str) -> None:
    assert on_dyno.get(path).status_code != 308


def test_https_without_a_proxy_stops_the_start() -> None:
    with pytest.raises(SettingError, match="Write FORMCAST_PROXIES=1, or FORMCAST_HTTPS=off"):
        client_with(https=True)


@pytest.mark.parametrize("text", ["https://example.org", "example.org:80", "a b", "*", "a/b"])
def test_a_trusted_host_is_a_name_alone(text: str) -> None:
    with pytest.raises(SettingError, match="Write names alone"):
        Settings.from_environment({"FORMCAST_TRUSTED_HOSTS": text})
