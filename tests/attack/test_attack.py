"""A running server under more than two thousand bad requests, with good ones in between."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.http.headers import HEADERS
from tests.attack.naughty import QUOTE, TAG
from tests.attack.requests import FAMILIES, GOOD, Case, list_targets, post
from tests.conftest import HOUSE, Server, free_port
from tests.html import data_of, post_fragment
from tests.wire import TIMEOUT, NoResponseError, RawResponse, send_request, send_requests

REQUIRED = {name.lower() for name, _ in HEADERS}
CLIENTS = 4
GOOD_EVERY = 10
"""A good request follows every tenth bad one."""


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that let visitors report."""
    file = tmp_path_factory.mktemp("feedback") / "kept.sqlite3"
    return {
        "FORMCAST_RATELIMIT": "off",
        "FORMCAST_FEEDBACK": "on",
        "FORMCAST_DATA": str(file),
        "FORMCAST_SECRET_KEY": "a key of tests that has 32 characters",
    }


@pytest.fixture(scope="module")
def app(feedback: dict[str, str]) -> Flask:
    """The app with every route."""
    return create_app(Settings.from_environment(feedback))


@pytest.fixture(scope="module")
def attacked(feedback: dict[str, str]) -> Iterator[Server]:
    with Server(free_port(), settings=feedback) as running:
        yield running


@pytest.fixture(scope="module")
def price(app: Flask) -> float:
    """The price in the response to the good request, to the last digit."""
    return data_of(post_fragment(app.test_client(), HOUSE), "prediction")


@pytest.fixture(scope="module")
def under_path(feedback: dict[str, str]) -> Iterator[Server]:
    settings = {**feedback, "FORMCAST_ROOT_PATH": "/price"}
    with Server(free_port(), settings={**settings, "FORMCAST_PROXIES": "1"}) as running:
        yield running


@pytest.mark.second_tier
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.__name__))
def test_no_bad_request_breaks_anything_under_a_path_and_over_ipv6(
    under_path: Server, app: Flask, family: Callable[[Flask], Iterator[Case]]
) -> None:
    """Each with the path, the prefix that a proxy adds, or both."""
    host = "::1" if socket.has_dualstack_ipv6() else "127.0.0.1"

    def find_named_fault(numbered: tuple[int, Case]) -> str:
        number, case = numbered
        sent = re.sub(rb"^([A-Z]+) /", rb"\1 /price/", case.sent, count=1)
        if number % 2:
            sent = sent.replace(b"\r\n", b"\r\nX-Forwarded-Prefix: /price\r\n", 1)
        fault = find_fault(under_path.port, replace(case, sent=sent), host)
        return f"{case.name}: {fault}" if fault else ""

    with ThreadPoolExecutor(CLIENTS) as pool:
        faults = [fault for fault in pool.map(find_named_fault, enumerate(family(app))) if fault]
    assert not faults, "\n".join(faults[:20])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.__name__))
def test_no_bad_request_breaks_anything(
    attacked: Server, app: Flask, price: float, family: Callable[[Flask], Iterator[Case]]
) -> None:
    def find_named_fault(numbered: tuple[int, Case]) -> str:
        number, case = numbered
        fault = find_fault(attacked.port, case)
        if not fault and number % GOOD_EVERY == 0:
            fault = find_fault_of_good(attacked.port, price)
        return f"{case.name}: {fault}" if fault else ""

    with ThreadPoolExecutor(CLIENTS) as pool:
        faults = [fault for fault in pool.map(find_named_fault, enumerate(family(app))) if fault]
    assert not faults, "\n".join(faults[:20])


def find_fault(port: int, case: Case, host: str = "127.0.0.1") -> str:
    """Return what is wrong with the responses to a bad request; "" for nothing."""
    started = time.monotonic()
    try:
        responses = send_requests(port, case.sent, head=case.head, host=host)
    except NoResponseError as error:
        return str(error)
    if time.monotonic() - started > TIMEOUT:
        return "it hung"
    if not responses and not case.may_close:
        return "closed without a response"
    return next(
        (fault for response in responses if (fault := find_fault_in(response, case.head))), ""
    )


def find_fault_in(response: RawResponse, head: bool) -> str:
    if response.status >= 500 or response.status < 200:
        return f"status {response.status}"
    if lacking := REQUIRED - response.headers.keys():
        return f"{response.status} lacks {', '.join(lacking)}"
    if head and response.body:
        return f"{response.status} to HEAD has a body"
    if "Traceback (most recent" in response.text:
        return f"{response.status} has a traceback"
    is_html = response.headers.get("content-type", "").startswith("text/html")
    for bad in (TAG, QUOTE, "<script>alert"):
        if is_html and bad in response.text:
            return f"{response.status} has {bad!r} in it"
    if "set-cookie" in response.headers:
        return f"{response.status} has set-cookie: {response.headers['set-cookie']}"
    if "evil.example" in (location := response.headers.get("location", "")):
        return f"{response.status} has location: {location}"
    return ""


def find_fault_of_good(port: int, price: float) -> str:
    response = send_request(port, post("/predict-fragment", GOOD))
    if response.status != 200:
        return f"the good request got {response.status}"
    soup = BeautifulSoup(response.text, "html.parser")
    found = data_of(soup, "prediction")
    return "" if found == price else f"the good request got {found}, not {price}"


def test_there_are_more_than_two_thousand_different_bad_requests(app: Flask) -> None:
    sent = [case.sent for family in FAMILIES for case in family(app)]
    assert len(set(sent)) > 2_000


def test_every_route_is_attacked(app: Flask) -> None:
    addresses, posts = list_targets(app)
    assert {"/", "/about", "/predict-fragment", "/chest-xray/", "/static/app.js"} <= set(addresses)
    assert {"/feedback", "/feedback/app.js", "/chest-xray/feedback-fragment"} <= set(posts)
    assert {"/", "/predict-fragment", "/chest-xray/predict-fragment"} <= set(posts)


def test_a_request_smuggled_behind_a_refused_body_gets_no_response(attacked: Server) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /predict-fragment HTTP/1.1\r\nHost: localhost\r\n"
    for framing, body in (
        (b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: tea\r\n\r\n", b""),
        (b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n", b""),
    ):
        (response,) = send_requests(attacked.port, head + framing + body + smuggled)
        assert 400 <= response.status < 500
        assert response.headers["connection"] == "close"


def test_repeated_requests_on_one_connection_get_responses(
    attacked: Server, client: FlaskClient
) -> None:
    good = post("/predict-fragment", GOOD)
    with socket.create_connection(("127.0.0.1", attacked.port), TIMEOUT) as connection:
        for _ in range(5):
            connection.sendall(good)
            data = b""
            while b"</p>\n</section>" not in data and b"oob" not in data[-2000:]:
                data += connection.recv(65536)
            assert data.startswith(b"HTTP/1.1 200 OK")
