"""Headers and error pages: the same for every answer, whatever went wrong."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError, TooManyRequests

from app.answers import answer
from app.hosts import HSTS
from app.observing import request_id
from app.overload import Pulse, Shedding
from app.problem import is_api, problem
from app.submission import form_data, query_data
from app.views import Again, ErrorContext, Renderer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    (
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]

WORDS = {
    400: ("This request could not be read", "Go back and try again."),
    404: ("Page not found", "If you typed the address, check it."),
    405: ("This address cannot be used like that", "Open the form and use it from there."),
    408: ("This request came too slowly", "Check your connection, then try again."),
    411: ("This request could not be read", "It has to say how long it is."),
    413: (
        "That is more than the form can take",
        "Shorten what you typed, or choose a smaller file, and try again.",
    ),
    414: ("This address is too long", "Open the form and use it from there."),
    417: ("This request could not be read", "It expects what the app does not do."),
    431: ("This request could not be read", "Its headers are too large. Clear the site's cookies."),
    429: ("That was more than one address may ask", "Wait a little, then try again."),
    500: ("Something went wrong on our side", "What you typed is not lost. Try again in a moment."),
    503: (
        "Too many people are asking at once",
        "Wait a few seconds, then try again. What you typed is not lost.",
    ),
}

UNKNOWN_NAME = ("Nothing is served under this name", "Check the address.")

MOST_AGAIN = 100
"""Fields that a page of error holds on to: a form has tens."""

Say = Callable[[int, bool, str], str]
"""From a status, whether a fragment is wanted and the request's id to what is said."""


class SecureHeaders:
    """Puts the headers on whatever the app answers, below everything that could forget them."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer as the app does, with the headers."""

        extra = [*HEADERS, HSTS] if environ["wsgi.url_scheme"] == "https" else HEADERS

        # Typed by what it hands on: the WSGI protocol takes it with two arguments or three.
        def start_with_headers(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
            return start(status, headers + extra, exc_info)

        return self._app(environ, start_with_headers)


def secure(app: Flask, render: Renderer) -> None:
    """Put headers on every answer and words on every error."""

    def say(status: int, fragment: bool, identity: str) -> str:
        heading, advice = WORDS.get(status, WORDS[400])
        context = ErrorContext(heading, advice, status, identity)
        return render("_error.html" if fragment else "error.html", context)

    app.extensions["say"] = say
    pulse = app.extensions["pulse"] = Pulse()
    # Wrapping the method is what Flask documents for middleware; mypy knows it as a method.
    app.wsgi_app = SecureHeaders(  # type: ignore[method-assign, assignment]
        Shedding(app.wsgi_app, pulse, say)
    )

    @app.errorhandler(HTTPException)
    def say_it(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:
            return app.make_response(error.get_response())
        if is_api(request.method, request.path):
            detail = UNKNOWN_NAME[0] + "." if isinstance(error, SecurityError) else ""
            return with_headers(problem(error.code, detail), error)
        heading, advice = WORDS.get(error.code, (error.name, "Go back and try again."))
        if isinstance(error, SecurityError):
            heading, advice = UNKNOWN_NAME
        if isinstance(error, TooManyRequests):
            seconds = int(str(error.retry_after or 1))
            advice = f"Wait {seconds} second{'s' * (seconds != 1)}, then try again."
        fragment = request.path.endswith("/predict-fragment")
        home = request.path if request.path.endswith("/embed") else "/"
        again = None if fragment or error.code not in (429, 503) else what_was_asked()
        body = render(
            "_error.html" if fragment else "error.html",
            ErrorContext(heading, advice, error.code, request_id(), again, home),
        )
        return with_headers(answer(body, error.code, {"Cache-Control": "no-store"}), error)

    @app.errorhandler(Exception)
    def say_nothing(error: Exception) -> Response:
        app.logger.error(
            "%s %s failed",
            request.method,
            request.path,
            exc_info=error,
            extra={"request_id": request_id()},
        )
        return say_it(InternalServerError())


def with_headers(response: Response, error: HTTPException) -> Response:
    """The response with what the error says in headers: which methods, how long to wait."""
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def what_was_asked() -> Again | None:
    """The fields of a refused form, so that its page can send them once more; no file."""
    try:
        data = form_data() if request.method == "POST" else query_data()
    except HTTPException:
        return None
    if not data:
        return None
    pairs = tuple((name, value) for name, values in data.items() for value in values)
    return Again(request.method.lower(), pairs[:MOST_AGAIN])
