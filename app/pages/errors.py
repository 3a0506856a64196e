"""Error pages: words for every status, the same for page and fragment."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError, TooManyRequests

from app.http.forms import form_data, query_data
from app.http.headers import SecureHeaders
from app.http.problems import is_api, problem
from app.http.request_id import request_id
from app.http.responses import respond
from app.limits.load_shedding import LoadMonitor, LoadShedder
from app.presentation.contexts import ErrorContext, Renderer, RetryForm

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


def secure(app: Flask, render: Renderer) -> None:
    """Put headers on every answer and words on every error."""

    def render_error(status: int, fragment: bool, identity: str) -> str:
        heading, advice = WORDS.get(status, WORDS[400])
        context = ErrorContext(heading, advice, status, identity)
        return render("pages/_error.html" if fragment else "pages/error.html", context)

    app.extensions["render_error"] = render_error
    monitor = app.extensions["load_monitor"] = LoadMonitor()
    # Wrapping the method is what Flask documents for middleware; mypy knows it as a method.
    app.wsgi_app = SecureHeaders(  # type: ignore[method-assign, assignment]
        LoadShedder(app.wsgi_app, monitor, render_error)
    )

    @app.errorhandler(HTTPException)
    def handle_http_error(error: HTTPException) -> Response:
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
            "pages/_error.html" if fragment else "pages/error.html",
            ErrorContext(heading, advice, error.code, request_id(), again, home),
        )
        return with_headers(respond(body, error.code, {"Cache-Control": "no-store"}), error)

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


def with_headers(response: Response, error: HTTPException) -> Response:
    """The response with what the error says in headers: which methods, how long to wait."""
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def what_was_asked() -> RetryForm | None:
    """The fields of a refused form, so that its page can send them once more; no file."""
    try:
        data = form_data() if request.method == "POST" else query_data()
    except HTTPException:
        return None
    if not data:
        return None
    pairs = tuple((name, value) for name, values in data.items() for value in values)
    return RetryForm(request.method.lower(), pairs[:MOST_AGAIN])
