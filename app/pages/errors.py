"""Errors for people: words for every status, the same in page and fragment."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError, TooManyRequests

from app.http.forms import read_form, read_query
from app.http.problems import make_problem
from app.http.request_id import request_id
from app.http.responses import NO_STORE, ErrorRenderer, respond
from app.http.routes import FRAGMENTS, Surface, route_of
from app.presentation.contexts import ErrorContext, Renderer, RetryForm

WORDS = {
    400: ("This request could not be read", "Go back and try again."),
    401: (
        "This page is not open to everybody",
        "Reload it and sign in, or ask who runs it for a password, a key or a link.",
    ),
    403: ("This page is not open to everybody", "Sign in where you came from, then try again."),
    404: ("Page not found", "If you typed the address, check it."),
    405: ("This address cannot be used like that", "Open the form and use it from there."),
    408: ("This request came too slowly", "Check your connection, then try again."),
    411: ("This request could not be read", "It has to say how long it is."),
    409: ("This form has changed", "Reload to go on."),
    413: (
        "That is more than the form can take",
        "Shorten what you typed, or choose a smaller file, and try again.",
    ),
    414: ("This address is too long", "Open the form and use it from there."),
    417: ("This request could not be read", "It expects something that the app does not do."),
    431: ("This request could not be read", "Its headers are too large. Clear the site's cookies."),
    429: ("Too many requests from your address", "Wait a little, then try again."),
    500: ("Something went wrong on our side", "What you typed is not lost. Try again in a moment."),
    503: (
        "Too many people are asking at once",
        "Wait a few seconds, then try again. What you typed is not lost.",
    ),
}

UNKNOWN_NAME = ("Nothing is served under this name", "Check the address.")

MAX_RETRY_FIELDS = 100
"""Fields of a refused form that its error page keeps: a form has tens."""


def handle_errors(app: Flask, render: Renderer) -> ErrorRenderer:
    """Register how every error is answered: as a page, a fragment or problem details.

    Returns:
        What renders an error for those that answer before Flask does.
    """

    def render_error(status: int, fragment: bool, identity: str) -> str:
        heading, advice = WORDS.get(status, WORDS[400])
        home = f"{render.root}/"
        context = ErrorContext(heading, advice, status, identity, home)
        return render(_template(fragment), context)

    @app.errorhandler(HTTPException)
    def handle_http_error(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:
            return app.make_response(error.get_response())
        surface = route_of(request.environ).surface
        if surface is Surface.API:
            detail = UNKNOWN_NAME[0] + "." if isinstance(error, SecurityError) else ""
            return add_error_headers(make_problem(error.code, detail), error)
        heading, advice = WORDS.get(error.code, (error.name, "Go back and try again."))
        if isinstance(error, SecurityError):
            heading, advice = UNKNOWN_NAME
        if isinstance(error, TooManyRequests):
            seconds = int(str(error.retry_after or 1))
            advice = f"Wait {seconds} second{'s' * (seconds != 1)}, then try again."
        fragment = surface in FRAGMENTS
        home = render.root + (request.path if surface is Surface.FRAME else "/")
        again = None if fragment or error.code not in (429, 503) else read_retry_form()
        # Only of a fault of ours should anybody write to us.
        identity = request_id() if error.code == InternalServerError.code else ""
        context = ErrorContext(heading, advice, error.code, identity, home, again)
        body = render(_template(fragment), context)
        return add_error_headers(respond(body, error.code, NO_STORE), error)

    @app.errorhandler(Exception)
    def handle_exception(error: Exception) -> Response:
        app.logger.error(
            "%s %s failed",
            request.method,
            request.path,
            exc_info=error,
            extra={"request_id": request_id()},
        )
        return handle_http_error(InternalServerError())

    return render_error


def _template(fragment: bool) -> str:
    return "pages/_error.html" if fragment else "pages/error.html"


def add_error_headers(response: Response, error: HTTPException) -> Response:
    """Add the headers of an error to its response: which methods it allows, how long to wait."""
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def read_retry_form() -> RetryForm | None:
    """Read the fields of a refused form, so that its page can send them again; no file."""
    try:
        data = read_form() if request.method == "POST" else read_query()
    except HTTPException:
        return None
    if not data:
        return None
    pairs = tuple((name, value) for name, values in data.items() for value in values)
    return RetryForm(request.method.lower(), pairs[:MAX_RETRY_FIELDS])
