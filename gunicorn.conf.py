"""How gunicorn serves the app: each setting with its reason."""

import os
import sys
import tempfile
from typing import Any

try:
    from app.config import SettingError, Settings
    from app.server import binding, memory, reloading, signals, warming
    from app.telemetry import metric_files
except ModuleNotFoundError as error:
    if str(error.name).split(".")[0] in ("app", "model"):
        raise
    raise SystemExit(  # as in wsgi.py, which is read later
        f"Formcast cannot start. {error.name} is not installed for {sys.executable}. Use the "
        "environment of `make run`, as by `. .venv/bin/activate`, or install requirements.txt."
    ) from None

try:
    bind = binding.choose_addresses()
    workers = binding.read_workers()
    settings = Settings.from_environment()
except SettingError as error:
    # The message says how to fix it; gunicorn's traceback above it would only hide that.
    raise SystemExit(f"Formcast cannot start. {error}") from None

# gevent: a slow client holds a greenlet and not a worker. Two slow clients stop two sync workers,
# eight stop gthread's 2 x 4, and 64 do not stop gevent's (`make soak`). All three take the same CPU
# for a fragment (`make bench`).
worker_class = "app.server.worker.Worker"
worker_connections = 1000

# The models are loaded once: workers share their memory, and a new one answers at once. Sessions
# of ONNX Runtime have one thread, so no pool that a fork would lose. gunicorn does not reload a
# preloaded app on SIGHUP, so on_reload does.
preload_app = True

# OpenMP's threads do not survive a fork: a scikit-learn model that predicted in the master would
# hang in every worker. With one thread there is no pool, and a row needs none.
os.environ["OMP_NUM_THREADS"] = "1"

# Uploads need memory for a moment, which no process should keep.
memory.limit_heaps()

# Seconds until a worker that hangs is replaced.
timeout = 20

# Seconds that workers get to end after SIGTERM; a tenth is left for the master. The worker refuses
# what lasts too long in words before that.
graceful_timeout = max(1, int(settings.stop_seconds * 0.9))

# A proxy keeps connections for 60 to 90 s (nginx, AWS, Heroku), and the app must not close them
# earlier: a post that is on the way just then would be lost. Others get less, so that few are idle.
keepalive = 95 if settings.proxies else 5

# A worker is replaced before a slow leak in a library fills the memory.
max_requests = 50_000
max_requests_jitter = 5_000


_FOLDERS = ("/dev/shm", os.environ.get("TMPDIR") or "/tmp", "/tmp", "/var/tmp", "/run", ".")


def _find_heartbeat_folder() -> str:
    """Find a folder for the workers' heartbeats, best in memory: on a slow disk they look dead."""
    for folder in _FOLDERS:
        try:
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    raise SystemExit(
        "Formcast cannot start. gunicorn needs a folder that it can write a few empty files to: "
        "mount a tmpfs at /dev/shm or /tmp, or let TMPDIR name one."
    )


worker_tmp_dir = _find_heartbeat_folder()

# FORMCAST_PROXIES alone says which proxies to trust, and the app reads it; SCRIPT_NAME is never
# trusted.
forwarded_allow_ips = ""
forwarder_headers = ""

# FORMCAST_LOG: lines of JSON for machines, sentences for people.
logger_class = "app.telemetry.json_logging.MessageLogger"

# The counts for Prometheus are files in memory, too, if there is room.
_metrics_problem = metric_files.make_folder(_FOLDERS)

# No socket in the home directory, which may be read-only.
control_socket_disable = True

# Enough for the longest address that the app itself makes.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190


def when_ready(server: Any) -> None:
    """Print the address that a person can click."""
    names = [listener.sock.getsockname() for listener in server.LISTENERS]
    root = getattr(server.app.wsgi(), "root", "")
    home = root and f"{root}/"
    server.log.info("Formcast is ready: %s", binding.describe_listeners(names, home))
    if _metrics_problem:
        server.log.warning("%s", _metrics_problem)
    if server.num_workers == 1:
        server.log.warning(
            "There is one worker: while it is replaced, nothing answers. WEB_CONCURRENCY=2 adds one"
        )


def _count_metrics(app: Any) -> int:
    """Count the entries that each route may have: statuses, or buckets of time, and its fields."""
    return 32 * len(list(app.url_map.iter_rules())) if hasattr(app, "url_map") else 0


def pre_fork(server: Any, worker: Any) -> None:
    """Share memory, assign a slot to the worker, block signals until it has its handlers.

    Before the first replacement it warms the app; the first workers do not wait for that.
    """
    if worker.age > server.num_workers:
        try:
            warming.warm(server.app.wsgi())
        except Exception as error:
            server.log.error("%s", error)
    memory.prepare_fork()
    metric_files.assign_slot(server, worker, _count_metrics(server.app.wsgi()))
    signals.block()


def post_fork(server: Any, worker: Any) -> None:
    """Export the slot of the worker."""
    metric_files.export_slot(worker)


def post_worker_init(worker: Any) -> None:
    """Unblock signals: the worker has its handlers."""
    signals.unblock()


def on_reload(server: Any) -> None:
    """Replace the app on SIGHUP, or keep the old one where the new one fails."""
    if problem := reloading.replace_app(server.app):
        server.log.error("Reload refused, all is served as before. %s", problem)
    else:
        server.log.info("Reloaded")


def pre_exec(server: Any) -> None:
    """Start the next server on USR2 as this one was: ``python -m app.server`` is no script."""
    server.START_CTX["args"] = [sys.executable, *sys.orig_argv[1:]]


def on_exit(server: Any) -> None:
    """Remove the files of the metrics."""
    metric_files.remove_folder()


def worker_exit(server: Any, worker: Any) -> None:
    """End the process of a worker: its threads would keep it alive for ``graceful_timeout``.

    By then every request is answered, or its client is gone (on Ctrl+C).
    """
    os._exit(0)
