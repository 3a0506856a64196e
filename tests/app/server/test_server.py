"""gunicorn as the Procfile starts it: it stops when it is told to."""

import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, free_port
from tests.waiting import wait_until
from tests.wire import send_request


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_soon(sign: signal.Signals) -> None:
    server = Server(free_port())
    server.start()
    assert server.process is not None  # and its second worker is still being made
    server.process.send_signal(sign)
    server.process.wait(20)  # a worker that does not end is killed after 25 s
    assert server.process.returncode == 0


def test_ipv4_and_ipv6_are_answered_and_an_ipv4_client_is_logged_as_such(tmp_path: Path) -> None:
    server = Server(free_port(), log=tmp_path / "log")
    server.start()
    try:
        hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
        for host in hosts:
            address = f"http://{host}:{server.port}/healthz"
            with urllib.request.urlopen(address, timeout=30) as answer:
                assert answer.status == 200
        assert send_request(server.port, b"x\r\n\r\n").status == 400
        wait_until(lambda: "from 127.0.0.1:" in server.log.read_text())
    finally:
        server.stop()


def test_a_worker_that_is_done_is_replaced(server_with_few_requests: Server) -> None:
    for _ in range(60):
        with urllib.request.urlopen(server_with_few_requests.url + "/about", timeout=30) as answer:
            assert answer.status == 200


@pytest.fixture
def server_with_few_requests() -> Iterator[Server]:
    server = Server(free_port(), options=("--max-requests", "20", "--max-requests-jitter", "1"))
    server.start()
    yield server
    server.stop()
