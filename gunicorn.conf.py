"""How gunicorn serves the app; every setting with its reason."""

import os
from pathlib import Path

_on_dyno = "DYNO" in os.environ


def _whole_number(variable: str, default: int, most: int) -> int:
    text = os.environ.get(variable, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        # The message says how to mend it; gunicorn's traceback above it would only hide that.
        raise SystemExit(
            f"Formcast cannot start. {variable} is {text!r}. Write a whole number, 1 to {most}."
        )
    return int(text)


# PORT is what a platform gives; without one this is somebody's laptop, which nobody else may reach.
_port = _whole_number("PORT", 8000, 65535)
bind = f"0.0.0.0:{_port}" if "PORT" in os.environ else f"127.0.0.1:{_port}"

# Two at least: while one is replaced the other answers.
workers = max(2, _whole_number("WEB_CONCURRENCY", 2, 64))

# Greenlets: slow clients hold a greenlet and not a worker. A prediction takes well under a
# millisecond, so that one greenlet never keeps the others waiting for long.
# Ours is gevent's with our words for what cannot be read.
worker_class = "app.worker.Worker"
worker_connections = 1000

# The models are loaded once and their memory is shared by the workers. ONNX Runtime sessions of one
# thread have no pool of threads that a fork would lose.
preload_app = True

# The heartbeat of a worker, and what running requests get on SIGTERM: below Heroku's 30 s.
timeout = 20
graceful_timeout = 25

# Heroku's router keeps connections for 90 s; behind it the app must not be the one that closes.
keepalive = 95 if _on_dyno else 5

# A worker is replaced before a slow leak in any library becomes somebody's incident.
max_requests = 50_000
max_requests_jitter = 5_000

# Heartbeats go to memory: a slow disk must not look like a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Whom to believe about where a request came from is one setting of the app, FORMCAST_PROXIES, and
# not two; SCRIPT_NAME is believed from nobody.
forwarded_allow_ips = ""
forwarder_headers = ""

# No socket in the home directory, which may be read-only.
control_socket_disable = True

# Room for the longest address that the app itself makes, and no more.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190


# gunicorn ships no types for the arguments of its hooks.
def when_ready(server) -> None:  # type: ignore[no-untyped-def]
    """Print the address that a person can click."""
    host, port = server.LISTENERS[0].sock.getsockname()[:2]
    shown = "localhost" if host in ("0.0.0.0", "127.0.0.1") else host
    server.log.info("Formcast is ready: http://%s:%s", shown, port)


def worker_exit(server, worker) -> None:  # type: ignore[no-untyped-def]
    """End the process of a worker that is done: its threads would keep it for the whole grace.

    By then every request is answered (or, on Ctrl+C, nobody waits for one).
    """
    os._exit(0)
