"""A log that nobody reads, or reads slowly, stops no answer, and what was lost is counted."""

import fcntl
import json
import logging
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.telemetry.json_logging import JsonLines
from app.telemetry.log_streams import LogStream, MessageHandler, TextStream
from tests.conftest import free_port
from tests.servers import RunningServer
from tests.tools import ROOT
from tests.waiting import wait_until

OPEN: list[LogStream] = []
"""Streams whose sockets stay open until the end, as in a server."""


def open_unread(kind: str) -> tuple[int, Any]:
    """A descriptor that nobody reads, and what reads it."""
    if kind == "pipe":
        reading, writing = os.pipe()
        return writing, lambda: os.read(reading, 1 << 20)
    if kind == "socket":
        ours, theirs = socket.socketpair()
        reader = ours.detach()
        return theirs.detach(), lambda: os.read(reader, 1 << 20)
    leader, terminal = pty.openpty()
    return terminal, lambda: os.read(leader, 1 << 20)


@pytest.mark.parametrize("kind", ["pipe", "socket", "terminal"])
def test_what_nobody_reads_is_dropped_whole_and_counted(kind: str) -> None:
    descriptor, read = open_unread(kind)
    stream = LogStream(descriptor)
    OPEN.append(stream)
    assert not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK  # others share it
    taken = []
    for number in range(400):
        if stream.write(b"%06d " % number + b"x" * 3000 + b"\n"):
            taken.append(number)
    assert stream.lost == 400 - len(taken) > 0
    text = b""
    while text.count(b"\n") < len(taken):
        text += read()
        if text.count(b"\n") == len(taken) - 1 and stream.write(b"999999 the end\n"):
            taken.append(999_999)  # a line that was begun is completed before it
    lines = text.replace(b"\r", b"").splitlines()
    assert [int(line.split()[0]) for line in lines] == taken
    assert {len(line) for line in lines} <= {3007, len(b"999999 the end")}


def test_a_full_disk_and_a_closed_pipe_are_losses() -> None:
    with Path("/dev/full").open("wb") as full:
        stream = LogStream(full.fileno())
        assert not stream.write(b"x\n")
    reading, writing = os.pipe()
    os.close(reading)
    stream = LogStream(writing)
    assert [stream.write(b"x\n") for _ in range(3)] == [False] * 3
    assert stream.lost == 3


def test_no_line_goes_to_the_file_that_got_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = """
import sys
files = [open(path, "wb") for path in sys.argv[1:]]
assert [file.fileno() for file in files] == [1, 2]
from app.telemetry.log_streams import LogStream
for number in (1, 2):
    LogStream(number).write(b"a line")
"""
    paths = [tmp_path / "one", tmp_path / "two"]
    run = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-c", code, *map(str, paths)]
    assert subprocess.run(run, cwd=ROOT, check=False).returncode == 0
    assert [path.read_bytes() for path in paths] == [b"", b""]


@pytest.mark.parametrize("formatter", [JsonLines(), logging.Formatter("%(message)s")])
def test_the_next_message_says_how_many_were_lost(formatter: logging.Formatter) -> None:
    reading, writing = os.pipe()
    handler = MessageHandler(TextStream(LogStream(writing)))
    handler.setFormatter(formatter)
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "y" * 3000, (), None)
    for _ in range(100):
        handler.emit(record)
    came = os.read(reading, 1 << 20).count(b"\n")
    handler.emit(record)
    said = os.read(reading, 1 << 20).decode()
    lost = json.loads(said)["lost"] if said[0] == "{" else int(said.split("(")[1].split()[0])
    assert came + lost == 100
    handler.emit(record)
    assert "lost" not in os.read(reading, 1 << 20).decode()


@pytest.mark.parametrize(
    "kind", ["socket", pytest.param("terminal", marks=pytest.mark.second_tier)]
)
def test_a_server_whose_output_nobody_reads_goes_on_answering(kind: str, tmp_path: Path) -> None:
    descriptor, _ = open_unread(kind)
    port = free_port()
    environ = {**os.environ, "PORT": str(port), "FORMCAST_LOG": "json", "WEB_CONCURRENCY": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.server"],
        cwd=ROOT, env={**environ, "FORMCAST_MODELS": "house-price"},
        stdout=descriptor, stderr=descriptor, start_new_session=True,
    )  # fmt: skip
    server = RunningServer(process, port, tmp_path, tmp_path)
    try:
        wait_until(server.answers)
        for _ in range(150):
            assert server.fetch("/healthz")[0] == 200
            assert server.fetch("/" + "x" * 5000)[0] == 414  # a message
    finally:
        process.terminate()
        assert process.wait(60) == 0
