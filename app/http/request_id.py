"""The id of each request, in its headers, its log line and its error page."""

import random

from flask import request

REQUEST_ID = "formcast.request_id"
"""The key of the id in a request's environ."""

READER = "formcast.reader"
"""The key of who asks, where access is limited to some and they have names: ``limits.access``."""

LINK_TOKEN = "formcast.link"  # noqa: S105 (a key, not a token)
"""The key of the token of a link, where a request has come by one."""


def new_request_id() -> str:
    """Draw an id that no other request has.

    It is no secret, so it needs no system call; each process has a sequence of its own.
    """
    return f"{random.getrandbits(64):016x}"


def request_id() -> str:
    """Return the id of the present request, "" where the app is called past its middleware."""
    return str(request.environ.get(REQUEST_ID, ""))
