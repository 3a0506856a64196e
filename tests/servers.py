"""Servers started in any environment, with what they write to both streams."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from tests.conftest import free_port
from tests.processes import start_process, stop_process
from tests.tools import ROOT, list_children
from tests.waiting import wait_until


@dataclass
class RunningServer:
    """A server that responds; the files ``out`` and ``err`` take what it writes."""

    process: subprocess.Popen[bytes]
    port: int
    out: Path
    err: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fetch(
        self, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, "Message[str, str]", bytes]:
        """Send a request on a connection of its own, which any worker may accept.

        Returns:
            Status, headers and body.
        """
        request = urllib.request.Request(self.url + path, data=data, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def answers(self) -> bool:
        """Whether it has started.

        Raises:
            RuntimeError: if its process has ended, with what it wrote.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"The server did not start: {self.err.read_text()}")
        with suppress(OSError):
            return self.fetch("/healthz")[0] == 200
        return False

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return list_children(self.process.pid)

    def read_lines(self, stream: str) -> list[dict[str, Any]]:
        """Parse the lines of a stream, ``out`` or ``err``, each of which must be JSON."""
        lines = (self.out if stream == "out" else self.err).read_text().splitlines()
        return [json.loads(line) for line in lines]


@contextmanager
def run_server(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    root: Path = ROOT,
) -> Iterator[RunningServer]:
    """Start a command, wait until it responds, and stop it at the end.

    Args:
        command: what to start.
        folder: for what it writes.
        environ: its whole environment, except ``PORT``.
        root: the folder in which it runs.
    """
    port = free_port()
    out, err = folder / "out", folder / "err"
    process = start_process(command, root, {**environ, "PORT": str(port)}, out, err)
    server = RunningServer(process, port, out, err)
    try:
        wait_until(server.answers)
        yield server
    finally:
        stop_process(process, signal.SIGTERM, 10)


@contextmanager
def serve_app(app: Flask) -> Iterator[str]:
    """Serve an app of the test from a thread of this process; the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, from another origin than the app's; the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
