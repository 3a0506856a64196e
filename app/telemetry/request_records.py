"""What is recorded of each request: its id, how it was answered, and what the model predicted.

A view calls ``record_outcome``; listeners turn the records into log lines and counts. The clock
stops when the answer is ready: how fast a client reads it does not depend on the app. Of a body
that is made while it is sent, it stops at the end.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import request

from app.http.middleware import ExcInfo, ResponseHeaders
from app.http.request_id import READER, REQUEST_ID, new_request_id
from app.http.routes import route_of

_OUTCOME = "formcast.outcome"
_STREAMED = "formcast.streamed"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)


class Outcome(NamedTuple):
    """What came of the inputs in one request.

    ``out_of_distribution`` counts the ``predictions`` whose input is unlike the training data;
    ``report`` is what came of a visitor's report: kept, refused, lost or deleted, "" for none;
    ``refused`` are the names of fields with a wrong value (an empty one is not wrong); ``inputs``
    are the values themselves, which leave the process only where a setting says so.
    """

    predictions: int = 0
    out_of_distribution: int = 0
    refused: tuple[str, ...] = ()
    inputs: Mapping[str, object] | None = None
    report: str = ""


class RequestRecord(NamedTuple):
    """One answered request.

    ``route`` is the path as it was declared, "none" where no route takes the request; ``model`` is
    the model's slug or "", ``ms`` the milliseconds until the answer was ready, ``bytes`` the length
    of its body. ``reader`` is the name of a key, a link or a user, or "".
    """

    id: str
    method: str
    path: str
    route: str
    model: str
    status: int
    ms: float
    bytes: int
    outcome: Outcome | None
    reader: str = ""


RequestListener = Callable[[RequestRecord], None]
"""Anything that gets the record of each request; it must not fail and must not take long."""


def record_outcome(outcome: Outcome, environ: WSGIEnvironment | None = None) -> None:
    """Keep the outcome of the present request, in place of an earlier one.

    Args:
        outcome: what came of it.
        environ: the request's, if the caller has it: Flask looks it up each time.
    """
    environ = request.environ if environ is None else environ
    environ[_OUTCOME] = outcome


def record_at_end(environ: WSGIEnvironment) -> None:
    """Let the record wait for the end of the body, which is made while it is sent."""
    environ[_STREAMED] = True


class StreamedBody:
    """A body that says how long it was and when it ended; for WSGI."""

    def __init__(self, body: Iterable[bytes], report: Callable[[int], None]) -> None:
        self._body, self._report = body, report
        self._length = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            self._length += len(piece)
            yield piece

    def close(self) -> None:
        """End the body, also one that nobody reads any more."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._report(self._length)


class RequestObserver:
    """Gives every request an id, and hands a record of it to the listeners."""

    def __init__(
        self,
        app: WSGIApplication,
        listeners: Sequence[RequestListener],
        trust_id: bool,
    ) -> None:
        """Wrap an app.

        Args:
            app: what answers the requests.
            listeners: get the record of each request, in their order.
            trust_id: whether X-Request-ID comes from a trusted proxy, and not from any client.
        """
        self._app = app
        self._listeners = tuple(listeners)
        self._trust_id = trust_id

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the app does, with the id."""
        began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID") if self._trust_id else None
        identity = given if given and _WELL_FORMED.fullmatch(given) else new_request_id()
        environ[REQUEST_ID] = identity
        answered: tuple[str, ResponseHeaders] = "500", []

        def start_with_id(
            status: str, headers: ResponseHeaders, exc_info: ExcInfo | None = None
        ) -> Callable[[bytes], object]:
            nonlocal answered
            answered = status, headers
            return start(status, [*headers, ("X-Request-ID", identity)], exc_info)

        def report(length: int) -> None:
            status, _ = answered
            route = route_of(environ)
            record = RequestRecord(
                id=identity,
                method=environ["REQUEST_METHOD"],
                path=environ.get("PATH_INFO", ""),
                route=route.path,
                model=route.model,
                status=int(status[:3]),
                ms=(time.perf_counter() - began) * 1000,
                bytes=length,
                outcome=environ.get(_OUTCOME),
                reader=environ.get(READER, ""),
            )
            for listener in self._listeners:
                listener(record)

        body = self._app(environ, start_with_id)
        if self._listeners:
            if _STREAMED in environ:
                return StreamedBody(body, report)
            _, headers = answered
            report(int(next((value for name, value in headers if name == "Content-Length"), "0")))
        return body
