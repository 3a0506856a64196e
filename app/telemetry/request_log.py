"""One line of JSON for each request, on standard output.

Written past ``logging``, whose records and locks cost several times as much as the line. What
gunicorn and the app log otherwise becomes JSON in ``gunicorn.conf.py``.
"""

import os
import stat
import sys
import time
from json.encoder import encode_basestring_ascii as quoted
from urllib.parse import urlencode

from app.telemetry.request_records import RequestRecord

LINE = 4096
"""Bytes that Linux writes to a pipe in one piece, whoever else writes to it: the longest line."""

MOST_METHOD = 100
MOST_PATH = 800
MOST_REFUSED = 800
MOST_INPUTS = 1600
"""Bytes of a line that each of these may take; what is left, 796, is for all that has a length."""


def wants_json(log: str) -> bool:
    """Whether the setting ``log`` means JSON.

    ``auto`` is text for a person at a terminal, and for a program that uses the app without the
    server: the standard output is then its own.
    """
    if log != "auto":
        return log == "json"
    return "gunicorn.arbiter" in sys.modules and not (sys.stdout and sys.stdout.isatty())


def within(text: str, most: int) -> str:
    """Text as a JSON string of at most ``most`` bytes, its quotes included.

    Of a longer one both ends are kept, with … between them. ``most`` is at least 8.
    """
    said = quoted(text)
    if len(said) <= most:
        return said
    half = min(most, len(text)) // 2
    while len(said) > most:
        said = quoted(f"{text[:half]}…{text[len(text) - half :]}")
        half = half * most // (len(said) + 1)
    return said


class RequestLog:
    """Writes a line for each request; never what was typed, unless ``inputs`` says so."""

    def __init__(self, inputs: bool = False) -> None:
        self._inputs = inputs
        self._file = _standard_output()
        self._second = 0
        self._stamp = ""
        self._lost = 0

    def __call__(self, record: RequestRecord) -> None:
        """Write one line, or none where that would mean to wait for whoever reads the log."""
        try:
            os.write(self._file, self.line(record).encode())
            self._lost = 0
        except BlockingIOError:
            self._lost += 1
        except OSError:
            pass  # nobody reads the log any more; the visitors are still there

    def line(self, record: RequestRecord) -> str:
        """The line for one request; ``lost`` counts those before it that were not written."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        more = ""
        if record.outcome is not None and record.outcome.refused:
            more += f', "refused": {within(",".join(record.outcome.refused), MOST_REFUSED)}'
        if self._inputs and record.outcome is not None and record.outcome.inputs:
            more += f', "inputs": {within(urlencode(record.outcome.inputs), MOST_INPUTS)}'
        if self._lost:
            more += f', "lost": {self._lost}'
        return (
            f'{{"time": "{self._stamp}.{int(now * 1000) % 1000:03}Z", "level": "info", '
            f'"message": "request", "method": {within(record.method, MOST_METHOD)}, '
            f'"path": {within(record.path, MOST_PATH)}, "status": {record.status}, '
            f'"ms": {record.ms:.2f}, "bytes": {record.bytes}, "model": "{record.model}", '
            f'"id": "{record.id}"{more}}}\n'
        )


def _standard_output() -> int:
    """Standard output; a pipe is opened anew so that a full one refuses instead of waiting.

    A log that nobody reads must not stop the answers. The new opening is ours alone: the flag does
    not reach whoever shares the pipe. It takes a whole line or none: see ``LINE``.
    """
    try:
        if stat.S_ISFIFO(os.fstat(1).st_mode):
            return os.open("/proc/self/fd/1", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        pass
    return 1
