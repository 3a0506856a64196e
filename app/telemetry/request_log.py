"""One line of JSON for each request, on standard output.

It does not use ``logging``, whose records and locks cost several times as much as the line. Other
messages become JSON in ``app.telemetry.json_logging``.
"""

import json
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

from app.telemetry.log_streams import ONE_PIECE, LogStream
from app.telemetry.request_records import RequestRecord

MAX_LINE = ONE_PIECE
"""Bytes of the longest line."""


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
        self._stream = LogStream(1)

    def __call__(self, record: RequestRecord) -> None:
        """Write one line, or none where it would have to wait: see ``LogStream``."""
        if self._stream.write(self.format(record).encode()):
            self._stream.lost = 0

    def format(self, record: RequestRecord) -> str:
        """Write the line of a request; ``lost`` counts the lines before it that were dropped."""
        fields: dict[str, object] = {
            "time": format_time(time.time()),
            "level": "info",
            "message": "request",
            "method": record.method,
            # Who has the number of a receipt can delete the report.
            "path": record.route if record.route.endswith("/<receipt>") else record.path,
            "status": record.status,
            "ms": round(record.ms, 2),
            "bytes": record.bytes,
            "model": record.model,
            "id": record.id,
        }
        if record.reader:
            fields["reader"] = record.reader
        if record.outcome is not None and record.outcome.refused:
            fields["refused"] = ",".join(record.outcome.refused)
        if self._inputs and record.outcome is not None and record.outcome.inputs:
            fields["inputs"] = urlencode(record.outcome.inputs)
        if self._stream.lost:
            fields["lost"] = self._stream.lost
        return format_line(fields) + "\n"
