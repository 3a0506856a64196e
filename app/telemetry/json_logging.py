"""What gunicorn, the app and its libraries say, as one line of JSON a message.

The lines that requests leave behind are written in ``app.telemetry.request_log``.
"""

import json
import logging
import os
import re
import time
from typing import Any

from gunicorn.glogging import Logger

from app.telemetry.request_log import wants_json

_QUERY = re.compile(r"\?\S*")


class JsonLines(logging.Formatter):
    """One line a message; a traceback is part of it.

    Visitors' inputs are not logged: an address that gunicorn quotes loses its query here.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The message as JSON."""
        message = record.getMessage()
        if record.name == "gunicorn.error":
            message = _QUERY.sub("?…", message)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{stamp}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "message": message,
            "logger": record.name,
            "pid": record.process,
        }
        if identity := getattr(record, "request_id", ""):
            line["id"] = identity
        if record.exc_info and record.exc_info[0] is not None:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


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
