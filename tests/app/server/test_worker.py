"""What never becomes a request is refused in words, too; what gunicorn is told must make sense."""

import runpy
import socket

import gevent
import pytest
from gunicorn.http.errors import InvalidResponseHeader, LimitRequestLine, UnsupportedTransferCoding
from werkzeug.exceptions import ServiceUnavailable

from app.http.headers import HEADERS
from app.server.worker import build_response, choose_status
from tests.conftest import Server
from tests.tools import ROOT
from tests.wire import RawResponse, send_request


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"GET /\r\n", 400, "This request could not be read"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400, "could not be read"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417, "It expects something"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 90_000 + b"\r\n\r\n", 431, "Its headers are too large"),
        (b"GET /" + b"a" * 900_000 + b" HTTP/1.1\r\n\r\n", 414, "This address is too long"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: tea\r\n\r\n", 400, "could not be read"),
    ],
)
def test_what_cannot_be_read_is_refused_on_a_page_with_every_header(
    server: Server, sent: bytes, status: int, says: str
) -> None:
    answer = send_request(server.port, sent)
    assert answer.status == status
    assert says in answer.text
    assert "<h1>" in answer.text
    assert {name.lower() for name, _ in HEADERS} <= answer.headers.keys()
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "sent",
    [
        b"HEAD / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"HEAD /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nX: " + b"a" * 90_000 + b"\r\n\r\n",
        b"HEAD / HTTP/7\r\n\r\n",
        b"HEAD /\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: tea\r\n\r\n",
    ],
)
def test_a_head_that_cannot_be_read_gets_no_body(server: Server, sent: bytes) -> None:
    answer: RawResponse = send_request(server.port, sent)
    assert 400 <= answer.status < 500
    assert answer.body == b""
    assert int(answer.headers["content-length"]) > 0


def test_a_head_that_cannot_be_read_gets_no_body_after_a_request_that_could(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=300) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        while not sock.recv(4096).endswith(b"ok\n"):
            pass
        sock.sendall(b"HEAD / HTTP/7\r\n\r\n")
        with sock.makefile("rb") as answers:
            assert answers.read().endswith(b"\r\n\r\n")


def test_a_fault_of_ours_is_500_and_that_of_a_client_never() -> None:
    assert choose_status(ZeroDivisionError()) == 500
    assert choose_status(InvalidResponseHeader("x")) == 500
    assert choose_status(gevent.GreenletExit()) == 503
    assert choose_status(ServiceUnavailable()) == 503
    assert choose_status(LimitRequestLine(1, 2)) == 414
    assert choose_status(UnsupportedTransferCoding("tea")) == 400


def test_an_app_that_is_not_ours_is_spoken_for_in_plain_words() -> None:
    answer = build_response(400, None, head=False, identity="0" * 16)
    assert answer.endswith(b"\r\n\r\nThis request could not be read.")


def test_the_fault_of_a_request_for_the_head_alone_has_no_body() -> None:
    answer = build_response(500, None, head=True, identity="0" * 16)
    assert b"Content-Length: 31\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "abc"), ("PORT", "70000"), ("WEB_CONCURRENCY", "0")]
)
def test_a_number_that_makes_no_sense_stops_the_start_in_one_line(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    says = f"^Formcast cannot start. {variable} is '{value}'. Write a whole number"
    with pytest.raises(SystemExit, match=says):
        runpy.run_path(str(ROOT / "gunicorn.conf.py"))
