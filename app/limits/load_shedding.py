"""A worker that cannot keep up says so at once, instead of letting everybody wait and time out.

A prediction keeps the worker's one thread; what waits, waits in the event loop. So a greenlet that
only sleeps a little, again and again, knows how much was done before its turn came again: that is
how much everybody waits for. It counts the thread's own time, for a machine that others keep busy
is no reason to turn visitors away.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from app.http.hosts import PLAIN_PATHS
from app.http.problems import MEDIA_TYPE, is_api, problem_text
from app.http.request_id import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from app.http.headers import RenderError

BEAT = 0.05
"""Seconds between two looks."""

TOO_MUCH = 0.3
"""Seconds of work in one turn of the loop from which on a worker is behind: some 250 requests that
wait at once. 64 connections that ask without a pause make less than half, were they all here."""

RETRY_AFTER = 2
"""Seconds after which to come again: by then a worker that only answers 503 has caught up."""

_MARK = "\ue000"
"""Stands in the prepared pages where the id of a request belongs."""


class LoadMonitor:
    """Whether the event loop is behind; ``beat`` is run by a greenlet of its own."""

    def __init__(self) -> None:
        self.behind = False

    def beat(self, sleep: Callable[[float], object]) -> None:
        """Look for ever. Twice too much means behind: once may be a single long piece of work."""
        was_late = False
        while True:
            done = time.thread_time()
            sleep(BEAT)
            late = time.thread_time() - done > TOO_MUCH
            self.behind = late and was_late
            was_late = late


class LoadShedder:
    """Answers 503 for the app while its worker is behind; a few microseconds each."""

    def __init__(
        self, app: "WSGIApplication", monitor: LoadMonitor, render_error: "RenderError"
    ) -> None:
        self._app = app
        self._pulse = monitor
        self._page, self._fragment = (
            render_error(503, part, _MARK).encode() for part in (False, True)
        )
        self._problem = problem_text(503).encode()

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer as the app does, or refuse for now."""
        path = environ["PATH_INFO"]
        if not self._pulse.behind or path in PLAIN_PATHS or path.startswith("/static/"):
            return self._app(environ, start)
        kind, body = "text/html; charset=utf-8", self._page
        if path.endswith("/predict-fragment"):
            body = self._fragment
        elif is_api(environ["REQUEST_METHOD"], path):
            kind, body = MEDIA_TYPE, self._problem
        body = body.replace(_MARK.encode(), str(environ.get(REQUEST_ID, "")).encode())
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Retry-After", str(RETRY_AFTER)),
        ]
        start("503 Service Unavailable", headers)
        return [body]
