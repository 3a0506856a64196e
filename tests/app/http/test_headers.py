"""Headers, limits and error pages."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from tests.conftest import HOUSE
from tests.html import FRAGMENT, check_fragment, check_page, get_page, text_of


def test_an_unknown_address_is_a_page_in_the_same_style(client: FlaskClient) -> None:
    soup = get_page(client, "/nowhere", status=404)
    assert text_of(soup, "h1") == "Page not found"
    assert soup.select_one('link[rel="stylesheet"]')
    assert soup.select_one('a[href="/"]')


def test_a_wrong_method_is_a_page_or_a_fragment_and_says_what_is_allowed(
    client: FlaskClient,
) -> None:
    response = client.put("/")
    assert response.status_code == 405
    check_page(response)
    response = client.get(FRAGMENT)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert check_fragment(response).select_one("#error[data-status='405']")


def test_a_body_over_64_kb_is_refused(client: FlaskClient) -> None:
    data = {**HOUSE, "beds": "9" * 65_537}
    response = client.post("/", data=data)
    assert response.status_code == 413
    assert "more than the form can take" in text_of(check_page(response), "#error")
    response = client.post(FRAGMENT, data=data)
    assert response.status_code == 413
    soup = check_fragment(response)
    assert soup.select("#result[data-state=withdrawn]")
    assert not soup.select("data")
    sentence = "That is more than the form can take: shorten what you typed"
    assert text_of(soup, "#beds-error") == f"Error: {sentence}"
    assert text_of(soup, '#result a[href="#beds"]') == sentence


def test_a_body_of_unknown_length_is_refused(client: FlaskClient) -> None:
    response = client.post(FRAGMENT, data=HOUSE, headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 411
    check_fragment(response)


@pytest.fixture
def broken_app(monkeypatch: pytest.MonkeyPatch) -> Flask:
    app = create_app(Settings())

    def explode(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("model.serving.tabular.TabularModel.explain", explode)
    return app


@pytest.mark.parametrize("path", ["/", FRAGMENT])
def test_a_fault_of_ours_is_said_without_a_traceback_and_logged(
    broken_app: Flask, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = broken_app.test_client().post(path, data=HOUSE)
    assert response.status_code == 500
    soup = check_fragment(response) if path == FRAGMENT else check_page(response)
    assert "wrong on our side" in text_of(soup, "#error")
    assert text_of(soup, "#error code") == response.headers["X-Request-ID"]
    assert "secret" not in response.get_data(as_text=True)
    assert "secret detail" in caplog.text
    assert "1850" not in caplog.text


def test_the_policy_is_strict(client: FlaskClient) -> None:
    headers = client.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"
    assert client.post(FRAGMENT, data=HOUSE).headers["Cache-Control"] == "no-store"


def test_nothing_is_remembered_about_a_visitor(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.post("/", data=HOUSE).headers
