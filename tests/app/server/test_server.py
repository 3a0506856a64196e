"""gunicorn as the Procfile starts it: it stops when it is told to."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.conftest import Server, free_port
from tests.tools import ROOT, list_children
from tests.waiting import wait_until
from tests.wire import read_response, send_request

CAREFUL = ("--keep-alive", "90")
"""As on a dyno: idle connections stay open for longer than a stop may take."""


def send_all_that_is_taken(sock: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        sock.sendall(data)


@pytest.mark.parametrize(
    "sign", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.second_tier)]
)
def test_an_idle_server_stops_soon(sign: signal.Signals) -> None:
    server = Server(free_port())
    server.start()
    assert server.process is not None  # and its second worker is still being made
    server.process.send_signal(sign)
    server.process.wait(20)
    assert server.process.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a first process")
def test_a_stop_is_not_lost_while_the_first_process_of_a_container_starts(tmp_path: Path) -> None:
    first = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*first, "true"], check=False).returncode != 0:
        pytest.skip("namespaces are not allowed here")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*first, sys.executable, "-m", "app.server"], cwd=ROOT, stdout=log, stderr=log
        )

    def takes_sigterm() -> bool:
        status = "".join(
            Path(f"/proc/{child}/status").read_text() for child in list_children(process.pid)
        )
        caught = re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)
        return caught is not None and bool(int(caught[1], 16) >> signal.SIGTERM - 1 & 1)

    try:
        wait_until(takes_sigterm)
        os.kill(list_children(process.pid)[0], signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
    assert (tmp_path / "log").read_text() == ""  # gunicorn, which takes it later, says something


@pytest.mark.second_tier
def test_a_stop_ends_what_lasts_too_long_in_words_and_is_done_in_time(tmp_path: Path) -> None:
    server = Server(
        free_port(), settings={"FORMCAST_STOP_SECONDS": "8"}, log=tmp_path / "log", options=CAREFUL
    )
    server.start()
    address = ("127.0.0.1", server.port)
    form = (
        b"Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\n"
    )
    rows = b'{"beds": 3, "baths": 2, "sqft": 1500}\n' * 40_000
    with (
        socket.create_connection(address) as slow_body,
        socket.create_connection(address) as slow_head,
        socket.create_connection(address) as idle,
        socket.create_connection(address) as slow_reader,
    ):
        slow_reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow_reader.sendall(
            b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
            b"Content-Length: %d\r\n\r\n" % len(rows)
        )
        Thread(target=send_all_that_is_taken, args=(slow_reader, rows)).start()
        assert slow_reader.recv(12) == b"HTTP/1.1 200"
        slow_body.sendall(b"POST /predict-fragment HTTP/1.1\r\n" + form + b"beds=3")
        slow_head.sendall(b"GET / HT")
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(idle, time.monotonic()).status == 200
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        refused = read_response(slow_body, time.monotonic())
        assert refused.status == 503
        assert refused.headers["retry-after"]
        assert b'id="error"' in refused.body
        # Nobody gets a second answer, or one that was not asked for.
        assert [sock.recv(1) for sock in (slow_body, slow_head, idle)] == [b"", b"", b""]
        assert server.process.wait(30) == 0
    said = server.log.read_text()
    assert said.count("Worker exiting") == 2  # by itself, and not by the master's SIGKILL
    assert "SIGKILL" not in said
    assert '"error"' not in said


@pytest.mark.second_tier
def test_a_server_that_stood_still_answers_what_came_meanwhile_by_the_same_workers() -> None:
    """As a container that is paused, or has no processor between two requests."""
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    options = ("--keep-alive", "4", "--timeout", "4")
    with Server(free_port(), options=options) as server:
        wait_until(lambda: len(server.workers) == 2)
        assert server.process is not None
        workers = server.workers
        with socket.create_connection(("127.0.0.1", server.port)) as kept:
            kept.sendall(request)
            assert read_response(kept, time.monotonic()).status == 200
            for sign in (signal.SIGSTOP, signal.SIGCONT):
                for process in (server.process.pid, *workers):
                    os.kill(process, sign)
                if sign is signal.SIGSTOP:
                    kept.sendall(request)
                    time.sleep(7)
            assert read_response(kept, time.monotonic()).status == 200
        time.sleep(2)  # the master looks each second
        assert server.workers == workers


@pytest.mark.second_tier
def test_workers_whose_master_was_killed_answer_what_they_have_begun(tmp_path: Path) -> None:
    server = Server(free_port(), log=tmp_path / "log")
    server.start()
    try:
        wait_until(lambda: len(server.workers) == 2)
        assert server.process is not None
        workers = [Path(f"/proc/{worker}") for worker in server.workers]
        with socket.create_connection(("127.0.0.1", server.port)) as begun:
            begun.sendall(
                b"POST /predict-fragment HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n\r\nbeds=3&baths=2"
            )
            server.process.kill()
            wait_until(lambda: server.log.read_text().count("The master has gone") == 2)
            begun.sendall(b"&sqft=1850")
            assert read_response(begun, time.monotonic()).status == 200
        wait_until(lambda: not any(worker.exists() for worker in workers))
    finally:
        server.stop()


@pytest.mark.second_tier
def test_a_worker_that_is_replaced_does_not_wait_for_the_idle_connections_of_a_proxy() -> None:
    options = ("--max-requests", "20", "--max-requests-jitter", "0", "--workers", "1")
    with Server(free_port(), settings={"FORMCAST_PROXIES": "1"}, options=options) as server:
        workers, request = server.workers, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as idle:
            idle.sendall(request)
            assert read_response(idle, time.monotonic()).status == 200
            for _ in range(20):
                send_request(server.port, request)
            began = time.monotonic()
            wait_until(lambda: server.workers not in ([], workers))
            assert time.monotonic() - began < 15
            assert idle.recv(1) == b""


@pytest.mark.second_tier
def test_usr2_starts_another_server_that_takes_the_place_of_this_one() -> None:
    server = Server(free_port())
    server.start()
    try:
        assert server.process is not None
        server.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: any(map(list_children, server.workers)))  # a child with children
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        assert send_request(server.port, b"GET /about HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    finally:
        server.stop()


def test_ipv4_and_ipv6_are_answered_and_an_ipv4_client_is_logged_as_such(tmp_path: Path) -> None:
    server = Server(free_port(), log=tmp_path / "log")
    server.start()
    try:
        hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
        for host in hosts:
            address = f"http://{host}:{server.port}/healthz"
            with urllib.request.urlopen(address, timeout=300) as answer:
                assert answer.status == 200
        assert send_request(server.port, b"x\r\n\r\n").status == 400
        wait_until(lambda: "from 127.0.0.1:" in server.log.read_text())
    finally:
        server.stop()


def test_a_worker_that_is_done_is_replaced(server_with_few_requests: Server) -> None:
    for _ in range(60):
        with urllib.request.urlopen(server_with_few_requests.url + "/about", timeout=300) as answer:
            assert answer.status == 200


@pytest.fixture
def server_with_few_requests() -> Iterator[Server]:
    with Server(
        free_port(), options=("--max-requests", "20", "--max-requests-jitter", "1")
    ) as server:
        yield server
