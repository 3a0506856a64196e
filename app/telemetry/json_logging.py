"""Messages of gunicorn, the app and its libraries, as one line of JSON each.

``app.telemetry.request_log`` writes the lines of the requests.
"""

import logging
import os
import re
from typing import Any

from gunicorn.glogging import Logger

from app.telemetry.request_log import format_line, format_time, wants_json

_QUERY = re.compile(r"\?\S*")


class JsonLines(logging.Formatter):
    """Formats a message as one line, with its traceback.

    A stream hands the line to the pipe at once: several workers write to one pipe, and none cuts
    another's line.

    It logs no inputs of visitors: an address that gunicorn quotes loses its query here.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write the message as JSON."""
        message = record.getMessage()
        if record.name == "gunicorn.error":
            message = _QUERY.sub("?…", message)
        fields: dict[str, object] = {
            "time": format_time(record.created),
            "level": record.levelname.lower(),
            "message": message,
            "logger": record.name,
            "pid": record.process,
        }
        if identity := getattr(record, "request_id", ""):
            fields["id"] = identity
        if record.exc_info and record.exc_info[0] is not None:
            fields["traceback"] = self.formatException(record.exc_info)
        return format_line(fields)


class MessageLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's logger, which makes every message JSON where the setting says so."""

    def setup(self, cfg: Any) -> None:
        """Set the formats of the handlers; gunicorn calls it again on SIGHUP."""
        super().setup(cfg)
        if not wants_json(os.environ.get("FORMCAST_LOG", "").strip() or "auto"):
            return
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.getLogger().handlers = [handler]
        logging.captureWarnings(True)
