"""What gunicorn, the app and its libraries say, as one line of JSON a message.

The lines that requests leave behind are written in ``app.telemetry.request_log``.
"""

import logging
import os
import re
import time
from typing import Any

from gunicorn.glogging import Logger

from app.telemetry.request_log import LINE, wants_json, within

MOST_TRACEBACK = 2400
"""Bytes of a line that a traceback may take; the message gets what is left."""

_QUERY = re.compile(r"\?\S*")


class JsonLines(logging.Formatter):
    """One line a message; a traceback is part of it.

    With its end it takes ``LINE`` bytes at most, and a stream hands it to the pipe at once: several
    workers write to one, and none cuts another's line.

    Visitors' inputs are not logged: an address that gunicorn quotes loses its query here.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The message as JSON."""
        message = record.getMessage()
        if record.name == "gunicorn.error":
            message = _QUERY.sub("?…", message)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        more = f', "logger": {within(record.name, 200)}, "pid": {record.process}'
        if identity := getattr(record, "request_id", ""):
            more += f', "id": {within(identity, 200)}'
        if record.exc_info and record.exc_info[0] is not None:
            trace = self.formatException(record.exc_info)
            more += f', "traceback": {within(trace, MOST_TRACEBACK)}'
        return (
            f'{{"time": "{stamp}.{int(record.msecs):03}Z", "level": "{record.levelname.lower()}", '
            f'"message": {within(message, LINE - 200 - len(more))}{more}}}'
        )


class MessageLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's logger; where the setting says JSON, everything that is said becomes that."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers' formats; gunicorn calls it anew on SIGHUP."""
        super().setup(cfg)
        if not wants_json(os.environ.get("FORMCAST_LOG", "auto")):
            return
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())
        everything = logging.StreamHandler()
        everything.setFormatter(JsonLines())
        logging.getLogger().handlers = [everything]
        logging.captureWarnings(True)
