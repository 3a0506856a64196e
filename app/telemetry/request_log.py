"""One line of JSON for each request, on standard output.

It does not use ``logging``, whose records and locks cost several times as much as the line. Other
messages become JSON in ``app.telemetry.json_logging``.
"""

import json
import os
import stat
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

from app.telemetry.request_records import RequestRecord

MAX_LINE = 4096
"""Bytes that Linux writes to a pipe in one piece, whoever else writes to it: the longest line."""


def wants_json(log: str) -> bool:
    """Whether the setting ``log`` means JSON.

    ``auto`` means text on a terminal, and in a program that uses the app without the server: its
    standard output is its own.
    """
    if log != "auto":
        return log == "json"
    return "gunicorn.arbiter" in sys.modules and not (sys.stdout and sys.stdout.isatty())


def format_time(seconds: float) -> str:
    """Write a time since the epoch as ``2026-11-22T08:00:00.000Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def format_line(fields: dict[str, object]) -> str:
    """Write fields as a line of JSON, without its end, that takes less than ``MAX_LINE`` bytes.

    Where it is too long, the longest value becomes a text with … in place of its middle, then the
    next longest.
    """
    line = json.dumps(fields)
    while len(line) >= MAX_LINE:
        longest = max(fields, key=lambda name: len(json.dumps(fields[name])))
        text = str(fields[longest])
        kept = min(len(text) * 3 // 8, MAX_LINE // 2)
        fields = {**fields, longest: f"{text[:kept]}…{text[len(text) - kept :]}"}
        line = json.dumps(fields)
    return line


class RequestLog:
    """Writes a line for each request; with what was typed only where ``inputs`` is set."""

    def __init__(self, inputs: bool = False) -> None:
        self._inputs = inputs
        self._descriptor = _open_standard_output()
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
        fields: dict[str, object] = {
            "time": format_time(time.time()),
            "level": "info",
            "message": "request",
            "method": record.method,
            "path": record.path,
            "status": record.status,
            "ms": round(record.ms, 2),
            "bytes": record.bytes,
            "model": record.model,
            "id": record.id,
        }
        if record.outcome is not None and record.outcome.refused:
            fields["refused"] = ",".join(record.outcome.refused)
        if self._inputs and record.outcome is not None and record.outcome.inputs:
            fields["inputs"] = urlencode(record.outcome.inputs)
        if self._lost:
            fields["lost"] = self._lost
        return format_line(fields) + "\n"


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
