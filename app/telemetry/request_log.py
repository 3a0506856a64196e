"""One line of JSON for each request, on standard output.

It does not use ``logging``, whose records and locks cost several times as much as the line. Other
messages become JSON in ``app.telemetry.json_logging``.
"""

import os
import stat
import sys
import time
from json.encoder import encode_basestring_ascii as quote
from urllib.parse import urlencode

from app.telemetry.request_records import RequestRecord

MAX_LINE = 4096
"""Bytes that Linux writes to a pipe in one piece, whoever else writes to it: the longest line."""

MAX_METHOD = 100
MAX_PATH = 800
MAX_REFUSED = 800
MAX_INPUTS = 1600
"""Bytes of a line that each of these may take; what is left, 796, is for all that has a length."""


def wants_json(log: str) -> bool:
    """Whether the setting ``log`` means JSON.

    ``auto`` means text on a terminal, and in a program that uses the app without the server: its
    standard output is its own.
    """
    if log != "auto":
        return log == "json"
    return "gunicorn.arbiter" in sys.modules and not (sys.stdout and sys.stdout.isatty())


def quote_shortened(text: str, limit: int) -> str:
    """Write text as a JSON string of at most ``limit`` bytes, its quotes included.

    A longer one keeps both ends, with … between them. ``limit`` is at least 8.
    """
    quoted = quote(text)
    if len(quoted) <= limit:
        return quoted
    half = min(limit, len(text)) // 2
    while len(quoted) > limit:
        quoted = quote(f"{text[:half]}…{text[len(text) - half :]}")
        half = half * limit // (len(quoted) + 1)
    return quoted


class RequestLog:
    """Writes a line for each request; with what was typed only where ``inputs`` is set."""

    def __init__(self, inputs: bool = False) -> None:
        self._inputs = inputs
        self._descriptor = _open_standard_output()
        self._second = 0
        self._stamp = ""
        self._lost = 0

    def __call__(self, record: RequestRecord) -> None:
        """Write one line, or none where the pipe is full: a request does not wait for its log."""
        try:
            os.write(self._descriptor, self.format(record).encode())
            self._lost = 0
        except BlockingIOError:
            self._lost += 1
        except OSError:
            pass  # nothing reads the log any more, but visitors still want answers

    def format(self, record: RequestRecord) -> str:
        """Write the line of a request; ``lost`` counts the lines before it that were dropped."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        extra = ""
        if record.outcome is not None and record.outcome.refused:
            extra += (
                f', "refused": {quote_shortened(",".join(record.outcome.refused), MAX_REFUSED)}'
            )
        if self._inputs and record.outcome is not None and record.outcome.inputs:
            extra += f', "inputs": {quote_shortened(urlencode(record.outcome.inputs), MAX_INPUTS)}'
        if self._lost:
            extra += f', "lost": {self._lost}'
        return (
            f'{{"time": "{self._stamp}.{int(now * 1000) % 1000:03}Z", "level": "info", '
            f'"message": "request", "method": {quote_shortened(record.method, MAX_METHOD)}, '
            f'"path": {quote_shortened(record.path, MAX_PATH)}, "status": {record.status}, '
            f'"ms": {record.ms:.2f}, "bytes": {record.bytes}, "model": "{record.model}", '
            f'"id": "{record.id}"{extra}}}\n'
        )


def _open_standard_output() -> int:
    """Return the descriptor of standard output; a pipe is opened again, as one that never blocks.

    A log that nothing reads must not stop the answers. The flag belongs to the new descriptor, so
    that other processes with the same pipe do not get it. It takes a whole line or none: see
    ``MAX_LINE``.
    """
    try:
        if stat.S_ISFIFO(os.fstat(1).st_mode):
            return os.open("/proc/self/fd/1", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        pass
    return 1
