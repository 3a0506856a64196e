"""Messages of gunicorn, the app and its libraries, as one line of JSON each.

``app.telemetry.request_log`` writes the lines of the requests.
"""

import logging
import os
import re
import time
from typing import Any

from gunicorn.glogging import Logger

from app.telemetry.request_log import MAX_LINE, quote_shortened, wants_json

MAX_TRACEBACK = 2400
"""Bytes of a line that a traceback may take; the message gets what is left."""

_QUERY = re.compile(r"\?\S*")


class JsonLines(logging.Formatter):
    """Formats a message as one line, with its traceback.

    With its end it takes ``MAX_LINE`` bytes at most, and a stream hands it to the pipe at once:
    several workers write to one pipe, and none cuts another's line.

    It logs no inputs of visitors: an address that gunicorn quotes loses its query here.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write the message as JSON."""
        message = record.getMessage()
        if record.name == "gunicorn.error":
            message = _QUERY.sub("?…", message)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        more = f', "logger": {quote_shortened(record.name, 200)}, "pid": {record.process}'
        if identity := getattr(record, "request_id", ""):
            more += f', "id": {quote_shortened(identity, 200)}'
        if record.exc_info and record.exc_info[0] is not None:
            trace = self.formatException(record.exc_info)
            more += f', "traceback": {quote_shortened(trace, MAX_TRACEBACK)}'
        return (
            f'{{"time": "{stamp}.{int(record.msecs):03}Z", "level": "{record.levelname.lower()}", '
            f'"message": {quote_shortened(message, MAX_LINE - 200 - len(more))}{more}}}'
        )


class MessageLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's logger, which makes every message JSON where the setting says so."""

    def setup(self, cfg: Any) -> None:
        """Set the formats of the handlers; gunicorn calls it again on SIGHUP."""
        super().setup(cfg)
        if not wants_json(os.environ.get("FORMCAST_LOG", "auto")):
            return
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.getLogger().handlers = [handler]
        logging.captureWarnings(True)
