"""Messages of gunicorn, the app and its libraries, as one line of JSON each.

``app.telemetry.request_log`` writes the lines of the requests.
"""

import logging
import os
import re
import sys
from typing import Any

from gunicorn.glogging import Logger

from app.telemetry.log_streams import MessageHandler, replace_standard_error
from app.telemetry.request_log import format_line, format_time, wants_json

_QUERY = re.compile(r"\?\S*")


class JsonLines(logging.Formatter):
    """Formats a message as one line, with its traceback.

    The handler hands the line to the pipe at once: several workers write to one pipe, and none cuts
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
        if lost := getattr(record, "lost", 0):
            fields["lost"] = lost
        if identity := getattr(record, "request_id", ""):
            fields["id"] = identity
        if record.exc_info and record.exc_info[0] is not None:
            fields["traceback"] = self.formatException(record.exc_info)
        return format_line(fields)


class MessageLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's logger, which makes every message JSON where the setting says so."""

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log an error; gunicorn's last word where it cannot listen does not say what to do."""
        if msg == "Can't connect to %s":
            msg = (
                "Formcast cannot start. It cannot listen at %s: another program does, or this user "
                "may not. Choose another port, like PORT=8001."
            )
        super().error(msg, *args, **kwargs)

    def setup(self, cfg: Any) -> None:
        """Set the formats of the handlers; gunicorn calls it again on SIGHUP."""
        super().setup(cfg)
        handlers = self.error_log.handlers
        for number, old in enumerate(handlers):
            if type(old) is logging.StreamHandler and old.stream in (sys.stderr, sys.__stderr__):
                handlers[number] = MessageHandler(replace_standard_error())
                handlers[number].setFormatter(old.formatter)
                handlers[number]._gunicorn = True  # how gunicorn finds its own, to replace it
        if not wants_json(os.environ.get("FORMCAST_LOG", "").strip() or "auto"):
            return
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())
        handler = MessageHandler(replace_standard_error())
        handler.setFormatter(JsonLines())
        logging.getLogger().handlers = [handler]
        logging.captureWarnings(True)
