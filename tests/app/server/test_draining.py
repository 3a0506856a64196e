"""Answers leave in one piece: a worker that dies leaves none without its body."""

import socket
import time

import gevent
import pytest
from gevent.socket import socket as green_socket
from werkzeug.exceptions import RequestTimeout

from app.limits.upload_budget import MIN_RATE
from app.server import draining
from app.server.draining import ClientTimeout, FirstBytesSocket, JoiningSocket


class Sent(list[bytes]):
    """A socket that remembers what was sent."""

    def sendall(self, data: bytes) -> None:
        self.append(data)

    def fileno(self) -> int:
        return 7


def test_a_head_leaves_with_the_first_piece_of_its_body() -> None:
    sent = Sent()
    joining = JoiningSocket(sent)
    for piece in (b"head ", b"body ", b"more"):
        joining.sendall(piece)
    joining.flush()
    assert sent == [b"head body ", b"more"]


def test_a_head_without_a_body_leaves_at_the_end() -> None:
    sent = Sent()
    joining = JoiningSocket(sent)
    joining.sendall(b"head")
    assert sent == []
    joining.flush()
    joining.flush()
    assert sent == [b"head"]


def test_a_client_that_stops_reading_a_stream_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(Sent):
        def sendall(self, data: bytes) -> None:
            if self:
                gevent.sleep(60)
            super().sendall(data)

    monkeypatch.setattr(draining, "SEND_TIMEOUT", 0.01)
    joining = JoiningSocket(Stuck())
    joining.sendall(b"head ")
    joining.sendall(b"first piece")
    with pytest.raises(BrokenPipeError):
        joining.sendall(b"second piece")


def test_the_rest_of_a_head_that_is_too_long_is_read_to_its_end_and_no_further() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reading = FirstBytesSocket(ours)
        theirs.sendall(b"GET /" + b"a" * 4096)
        reading.recv(65_536)
        theirs.sendall(b" HTTP/1.1\r\nX-Forwarded-Prefix: /price\r\n\r\n")
        reading.read_head()
        assert b"X-Forwarded-Prefix: /price" in reading.first
        theirs.sendall(b"of the next")
        reading.read_head()
        assert ours.recv(100) == b"of the next"
        theirs.shutdown(socket.SHUT_WR)
        reading.first = b"GET /"
        reading.read_head()
        assert reading.first == b"GET /"


def test_everything_else_is_the_sockets_own() -> None:
    assert JoiningSocket(Sent()).fileno() == 7
    with socket.socket() as sock:
        assert JoiningSocket(sock).getsockname() == sock.getsockname()


@pytest.mark.parametrize(
    ("sent", "read"), [(b"GET /", b"GET /"), (b"", b"")], ids=["came in time", "never came"]
)
def test_what_came_in_time_is_read_after_the_process_stood_still(sent: bytes, read: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs, green_socket(fileno=ours.detach()) as reading:
        found = b""

        def wait() -> None:
            nonlocal found
            with ClientTimeout(0.05, False):
                found = reading.recv(100)

        waiting = gevent.spawn(wait)
        gevent.sleep(0)
        theirs.sendall(sent)
        time.sleep(0.1)
        assert gevent.joinall([waiting], timeout=30)
        assert found == read


def test_a_body_that_stops_coming_is_given_up_and_one_that_comes_gains_time() -> None:
    ours, theirs = socket.socketpair()
    with theirs, green_socket(fileno=ours.detach()) as sock:
        reading = FirstBytesSocket(sock)
        reading.patience = 0.05
        theirs.sendall(b"a" * MIN_RATE)
        assert len(reading.recv(MIN_RATE)) == MIN_RATE
        assert 1 < reading.patience <= 1.05
        reading.patience = 0.05
        with pytest.raises(RequestTimeout):
            reading.recv(100)
        theirs.sendall(b"late")
        assert reading.recv(100) == b"late"


def test_a_client_that_takes_nothing_of_an_answer_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "SEND_TIMEOUT", 0.05)
    monkeypatch.setattr(draining, "MIN_RATE", 10**12)
    ours, theirs = socket.socketpair()
    with theirs, green_socket(fileno=ours.detach()) as sock:
        joining = JoiningSocket(FirstBytesSocket(sock))
        joining.sendall(b"head ")
        with pytest.raises(BrokenPipeError):
            joining.sendall(b"a" * 10_000_000)
