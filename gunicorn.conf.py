"""How gunicorn serves the app; every setting with its reason."""

import os
import tempfile

from app.server import memory, reloading, signals, warming
from app.telemetry import metric_files

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

# Greenlets: a slow client holds a greenlet and not a worker. Two slow clients stop two sync workers
# and eight stop gthread's 2 x 4; 64 of any kind leave gevent's serving (`make soak`). It costs no
# throughput: a fragment takes the same CPU under all three (1.8 to 2.5 ms on a busy machine, under
# the load of `make bench`). A prediction takes a millisecond, so that one greenlet never keeps the
# others waiting for long.
# Ours is gevent's with our words for what cannot be read.
worker_class = "app.server.worker.Worker"
worker_connections = 1000

# The models are loaded once: workers share their memory, and one that is replaced answers at once.
# ONNX Runtime sessions of one thread have no pool of threads that a fork would lose. What gunicorn
# would lose by it, the reload on SIGHUP, is done below.
preload_app = True

# A team of OpenMP threads does not survive a fork: a scikit-learn model that was asked in the
# master would hang in every worker. With one thread there is no team, and a row needs none.
os.environ["OMP_NUM_THREADS"] = "1"

# Uploads need memory for a moment; nobody keeps it.
memory.prepare()

# A worker that has not moved for so long (a prediction that hangs) is replaced; and what running
# requests get on SIGTERM: below Heroku's 30 s.
timeout = 20
graceful_timeout = 25

# Heroku's router keeps connections for 90 s; behind it the app must not be the one that closes.
keepalive = 95 if _on_dyno else 5

# A worker is replaced before a slow leak in any library becomes somebody's incident.
max_requests = 50_000
max_requests_jitter = 5_000


def _heartbeats() -> str:
    """A folder for the workers' heartbeats: memory first, a slow disk looks like a dead worker."""
    for folder in ("/dev/shm", os.environ.get("TMPDIR", "/tmp"), "/tmp", "/var/tmp", "/run", "."):
        try:
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    raise SystemExit(
        "Formcast cannot start. gunicorn needs a folder that it can write a few empty files to: "
        "mount a tmpfs at /dev/shm or /tmp, or let TMPDIR name one."
    )


worker_tmp_dir = _heartbeats()

# Whom to believe about where a request came from is one setting of the app, FORMCAST_PROXIES, and
# not two; SCRIPT_NAME is believed from nobody.
forwarded_allow_ips = ""
forwarder_headers = ""

# Lines of JSON where a machine reads them, sentences where a person does: FORMCAST_LOG.
logger_class = "app.telemetry.json_logging.MessageLogger"

# The workers' counts for Prometheus are files in memory, too, where there are any.
metric_files.prepare(worker_tmp_dir)

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


def pre_fork(server, worker) -> None:  # type: ignore[no-untyped-def]
    """Share memory, give each worker its slot, let signals wait until it has its handlers.

    One that takes another's place is quick from its first answer on; the first ones are not made to
    wait for that.
    """
    if worker.age > server.num_workers:
        try:
            warming.warm(server.app.wsgi())
        except Exception as error:
            server.log.error("%s", error)
    memory.settle()
    metric_files.take(server, worker)
    signals.hold()


def post_fork(server, worker) -> None:  # type: ignore[no-untyped-def]
    """Let the worker know its slot."""
    metric_files.enter(worker)


def post_worker_init(worker) -> None:  # type: ignore[no-untyped-def]
    """The worker can be told now."""
    signals.deliver()


def on_reload(server) -> None:  # type: ignore[no-untyped-def]
    """SIGHUP: new workers get the models as they are now; as they were, if those are not sound."""
    if problem := reloading.renew(server.app):
        server.log.error("Reload refused, all is served as before. %s", problem)
    else:
        server.log.info("Reloaded")


def on_exit(server) -> None:  # type: ignore[no-untyped-def]
    """Leave nothing behind."""
    metric_files.clear()


def worker_exit(server, worker) -> None:  # type: ignore[no-untyped-def]
    """End the process of a worker that is done: its threads would keep it for the whole grace.

    By then every request is answered (or, on Ctrl+C, nobody waits for one).
    """
    os._exit(0)
