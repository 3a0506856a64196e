"""What WSGI middleware shares: its type, and how it changes the headers of a response."""

from collections.abc import Callable
from types import TracebackType
from wsgiref.types import StartResponse, WSGIApplication

Middleware = Callable[[WSGIApplication], WSGIApplication]
"""Puts a layer around an app."""

ResponseHeaders = list[tuple[str, str]]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


def map_headers(
    start: StartResponse, change: Callable[[ResponseHeaders], ResponseHeaders]
) -> StartResponse:
    """Make a ``start_response`` that changes the headers before it passes them on."""

    def start_changed(
        status: str, headers: ResponseHeaders, exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], object]:
        return start(status, change(headers), exc_info)

    return start_changed
