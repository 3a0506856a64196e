"""Messages of the server as people read them."""

import errno
import logging
import time

import pytest
from gunicorn import sock
from gunicorn.config import Config

from app.telemetry.json_logging import MessageLogger


def test_a_port_that_is_taken_ends_the_start_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(sock, "TCPSocket", refuse)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    logger = MessageLogger.__new__(MessageLogger)  # it would take over standard error
    logger.error_log = logging.getLogger("test")
    config = Config()
    config.set("bind", "127.0.0.1:8000")
    with pytest.raises(SystemExit):
        sock.create_sockets(config, logger)
    assert caplog.messages[-1].startswith("Formcast cannot start. It cannot listen at")
    assert "PORT=8001" in caplog.messages[-1]
