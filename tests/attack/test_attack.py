"""The running server under more than two thousand bad requests, with good ones in between."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from app.http.headers import HEADERS
from tests.attack.naughty import QUOTE, TAG
from tests.attack.requests import FAMILIES, GOOD, Case, post, targets
from tests.conftest import HOUSE, Server, free_port
from tests.html import data_of, post_fragment
from tests.wire import PATIENCE, Answer, NoAnswerError, converse, exchange

NEEDED = {name.lower() for name, _ in HEADERS}
AT_ONCE = 4
EVERY = 10
"""After so many bad requests comes a good one."""


@pytest.fixture(scope="module")
def attacked() -> Iterator[Server]:
    running = Server(free_port(), settings={"FORMCAST_RATELIMIT": "off"})
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def price(app: Flask) -> float:
    """What the good request must be answered with, to the last digit."""
    return data_of(post_fragment(app.test_client(), HOUSE), "prediction")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.__name__))
def test_no_bad_request_breaks_anything(
    attacked: Server, app: Flask, price: float, family: Callable[[Flask], Iterator[Case]]
) -> None:
    def judge(numbered: tuple[int, Case]) -> str:
        number, case = numbered
        fault = fault_of(attacked.port, case)
        if not fault and number % EVERY == 0:
            fault = fault_of_good(attacked.port, price)
        return f"{case.name}: {fault}" if fault else ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        faults = [fault for fault in pool.map(judge, enumerate(family(app))) if fault]
    assert not faults, "\n".join(faults[:20])


def fault_of(port: int, case: Case) -> str:
    """What is wrong with the answers to a bad request; "" where nothing is."""
    started = time.monotonic()
    try:
        answers = exchange(port, case.sent, head=case.head)
    except NoAnswerError as error:
        return str(error)
    if time.monotonic() - started > PATIENCE:
        return "it hung"
    if not answers and not case.closes:
        return "closed without an answer"
    return next((fault for answer in answers if (fault := fault_in(answer, case.head))), "")


def fault_in(answer: Answer, head: bool) -> str:
    if answer.status >= 500 or answer.status < 200:
        return f"status {answer.status}"
    if lacking := NEEDED - answer.headers.keys():
        return f"{answer.status} lacks {', '.join(lacking)}"
    if head and answer.body:
        return f"{answer.status} to HEAD has a body"
    if "Traceback (most recent" in answer.text:
        return f"{answer.status} has a traceback"
    for bad in (TAG, QUOTE, "<script>alert"):
        if bad in answer.text and answer.headers.get("content-type", "").startswith("text/html"):
            return f"{answer.status} has {bad!r} in it"
    for name in ("set-cookie", "location"):
        if "evil.example" in answer.headers.get(name, "") or name == "set-cookie" in answer.headers:
            return f"{answer.status} has {name}: {answer.headers[name]}"
    return ""


def fault_of_good(port: int, price: float) -> str:
    answer = converse(port, post("/predict-fragment", GOOD))
    if answer.status != 200:
        return f"the good request got {answer.status}"
    soup = BeautifulSoup(answer.text, "html.parser")
    found = data_of(soup, "prediction")
    return "" if found == price else f"the good request got {found}, not {price}"


def test_there_are_many_and_none_is_there_twice(app: Flask) -> None:
    sent = [case.sent for family in FAMILIES for case in family(app)]
    assert len(set(sent)) > 2_000


def test_every_route_is_attacked(app: Flask) -> None:
    every, posts = targets(app)
    assert {"/", "/about", "/predict-fragment", "/chest-xray/", "/static/app.js"} <= set(every)
    assert {"/", "/predict-fragment", "/chest-xray/predict-fragment"} <= set(posts)


def test_what_is_smuggled_behind_a_refused_body_is_never_answered(attacked: Server) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /predict-fragment HTTP/1.1\r\nHost: localhost\r\n"
    for framing, body in (
        (b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: tea\r\n\r\n", b""),
        (b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n", b""),
    ):
        (answer,) = exchange(attacked.port, head + framing + body + smuggled)
        assert 400 <= answer.status < 500
        assert answer.headers["connection"] == "close"


def test_a_client_that_asks_again_and_again_on_one_connection_is_answered(
    attacked: Server, client: FlaskClient
) -> None:
    good = post("/predict-fragment", GOOD)
    with socket.create_connection(("127.0.0.1", attacked.port), PATIENCE) as connection:
        for _ in range(5):
            connection.sendall(good)
            data = b""
            while b"</p>\n</section>" not in data and b"oob" not in data[-2000:]:
                data += connection.recv(65536)
            assert data.startswith(b"HTTP/1.1 200 OK")
