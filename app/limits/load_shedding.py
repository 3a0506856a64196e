"""Load shedding: a worker that cannot keep up refuses requests, so that they do not pile up.

A worker has one thread; requests wait for it in the event loop. So a greenlet that only sleeps a
little, again and again, measures how much work was done before its turn came: every request waits
that long. It counts the thread's own time, because a machine that is busy with other processes is
no reason to refuse visitors.
"""

import time
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from app.http.problems import MEDIA_TYPE, write_problem
from app.http.request_id import REQUEST_ID
from app.http.responses import HTML, ErrorRenderer
from app.http.routes import FRAGMENTS, Surface, route_of

INTERVAL = 0.05
"""Seconds between two measurements."""

MAX_LAG = 0.3
"""Seconds of work in one turn of the loop above which a worker is behind: some 250 requests that
wait at once. 64 connections that send requests without a pause make less than half of that."""

RETRY_AFTER = 2
"""Seconds in the Retry-After header: by then a worker that only answers 503 has caught up."""

_ID = "\ue000"
"""Stands in the prepared pages for the id of a request."""

_ALWAYS_ANSWERED = frozenset({Surface.ASSET, Surface.PROBE})


class LoadMonitor:
    """Whether the event loop is behind; a greenlet of its own runs ``watch``."""

    def __init__(self) -> None:
        self.behind = False

    def watch(self, sleep: Callable[[float], object]) -> None:
        """Measure for ever; two late turns mean behind, one may be a single long piece of work."""
        was_late = False
        while True:
            done = time.thread_time()
            sleep(INTERVAL)
            late = time.thread_time() - done > MAX_LAG
            self.behind = late and was_late
            was_late = late


class LoadShedder:
    """Answers 503 in place of the app while its worker is behind, in a few microseconds."""

    def __init__(
        self, app: WSGIApplication, monitor: LoadMonitor, render_error: ErrorRenderer
    ) -> None:
        self._app = app
        self._monitor = monitor
        self._page = HTML, render_error(503, False, _ID)
        self._fragment = HTML, render_error(503, True, _ID)
        self._problem = MEDIA_TYPE, write_problem(503)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the app does, or refuse for now."""
        if not self._monitor.behind:
            return self._app(environ, start)
        surface = route_of(environ).surface
        if surface in _ALWAYS_ANSWERED:
            return self._app(environ, start)
        media_type, text = (
            self._fragment if surface in FRAGMENTS
            else self._problem if surface is Surface.API
            else self._page
        )  # fmt: skip
        body = text.replace(_ID, str(environ.get(REQUEST_ID, ""))).encode()
        headers = [
            ("Content-Type", media_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Retry-After", str(RETRY_AFTER)),
        ]
        start("503 Service Unavailable", headers)
        return [body]
