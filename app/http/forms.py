"""A form's fields as they were sent, by POST or in the address."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flask import request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


FormData = Mapping[str, list[str]]
"""Every value that was sent, by field name."""


FORM_BYTES = 64 * 1024
"""The largest form that is read; one with every field filled has a hundredth of it."""


MOST_FIELDS = 500
"""Fields of a form that are read; a card has tens, an attack has thousands."""


def form_data(environ: "WSGIEnvironment | None" = None) -> FormData:
    """The fields of a posted form; another type than urlencoded has none.

    Reads the body itself, once its length is known to be small: ``request.form`` wraps and copies
    it for uploads that this form does not have, at three times the cost.

    Args:
        environ: the present request's, if it is at hand.

    Raises:
        LengthRequired: for a body whose length is not said in advance.
        RequestEntityTooLarge: for one over ``FORM_BYTES``, or with too many fields.
    """
    environ = request.environ if environ is None else environ
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise LengthRequired
    said = environ.get("CONTENT_LENGTH", "")
    length = int(said) if said.isdecimal() and len(said) < 100 else 0
    if length > FORM_BYTES:
        raise RequestEntityTooLarge
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body: bytes = environ["wsgi.input"].read(length)
    return _fields(body.decode("utf-8", "replace"))


def query_data() -> FormData:
    """The fields of the address."""
    return _fields(request.query_string.decode("utf-8", "replace"))


def _fields(text: str) -> FormData:
    if text.count("&") >= MOST_FIELDS:
        raise RequestEntityTooLarge
    if "%" in text or "+" in text:
        return parse_qs(text, keep_blank_values=True)
    # Nothing is encoded in most forms; a test holds this against parse_qs, which takes four times
    # as long.
    fields: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            fields.setdefault(name, []).append(value)
    return fields
