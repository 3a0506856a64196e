"""What is told of a request once it is answered: its id, a line in the log, the counts.

Views say what came of a request with ``record_outcome``; what is made of that is decided here, outside of
them. The clock stops when the answer is ready: how fast a client reads it says nothing of us.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from flask import Flask, Request, request

from app.http.application import REQUEST
from app.http.request_id import REQUEST_ID, new_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_OUTCOME = "formcast.outcome"
_NOWHERE = ("none", "")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)


class Outcome(NamedTuple):
    """What came of the questions in one request.

    ``outside`` of the ``predictions`` are like nothing that the model has seen; ``refused`` are
    the names of fields with a value that could not be taken (an empty one is none); ``inputs`` is
    what was given, which leaves the process only where a setting says so.
    """

    predictions: int = 0
    outside: int = 0
    refused: tuple[str, ...] = ()
    inputs: Mapping[str, object] | None = None


class RequestRecord(NamedTuple):
    """A request that is answered; ``route`` is the rule that matched, ``ms`` milliseconds."""

    id: str
    method: str
    path: str
    route: str
    model: str
    status: int
    ms: float
    bytes: int
    outcome: Outcome | None


class RequestListener(Protocol):
    """Anything that is told of each request."""

    def __call__(self, record: RequestRecord) -> None:
        """Take note; must not fail and must not take long."""


def record_outcome(outcome: Outcome, environ: "WSGIEnvironment | None" = None) -> None:
    """Say what came of the present request; the last word holds.

    Args:
        outcome: what came of it.
        environ: the request's, if it is at hand: Flask looks it up anew each time.
    """
    environ = request.environ if environ is None else environ
    environ[_OUTCOME] = outcome


class RequestObserver:
    """Gives every request an id, and tells the listeners how it was answered."""

    def __init__(
        self,
        app: Flask,
        models: Iterable[str],
        listeners: Sequence[RequestListener],
        believe_id: bool,
    ) -> None:
        """Wrap the app as it is now: its routes are known.

        Args:
            app: the app with all its routes.
            models: slugs of the served models; a blueprint's name ends with that of its own.
            listeners: are told of each request, in their order.
            believe_id: whether X-Request-ID comes from a proxy of ours, and not from anybody.
        """
        self._app: WSGIApplication = app.wsgi_app
        self._listeners = tuple(listeners)
        self._believe_id = believe_id
        slugs = sorted(models, key=len, reverse=True)
        places: dict[str, tuple[str, str]] = {}
        for rule in app.url_map.iter_rules():
            blueprint = rule.endpoint.rpartition(".")[0]
            model = next((slug for slug in slugs if blueprint.endswith(f"-{slug}")), "")
            places[rule.endpoint] = rule.rule, model
        self._places = places

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer as the app does, with the id."""
        began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID") if self._believe_id else None
        identity = given if given and _WELL_FORMED.fullmatch(given) else new_id()
        environ[REQUEST_ID] = identity
        said: list[Any] = ["500", []]

        # Typed by what it hands on: the WSGI protocol takes it with two arguments or three.
        def start_with_id(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
            said[:] = status, headers
            return start(status, [*headers, ("X-Request-ID", identity)], exc_info)

        body = self._app(environ, start_with_id)
        done: Request | None = environ.pop(REQUEST, None)  # left there, it would be a cycle
        if self._listeners:
            ms = (time.perf_counter() - began) * 1000
            rule = None if done is None else done.url_rule
            place = _NOWHERE if rule is None else self._places.get(rule.endpoint, _NOWHERE)
            record = _record(environ, place, said[0], said[1], ms)
            for listener in self._listeners:
                listener(record)
        return body


def _record(
    environ: "WSGIEnvironment",
    place: tuple[str, str],
    status: str,
    headers: list[tuple[str, str]],
    ms: float,
) -> RequestRecord:
    length = 0
    for name, value in headers:
        if name == "Content-Length":
            length = int(value)
            break
    return RequestRecord(
        environ[REQUEST_ID],
        environ["REQUEST_METHOD"],
        environ.get("PATH_INFO", ""),
        *place,
        int(status[:3]),
        ms,
        length,
        environ.get(_OUTCOME),
    )
