"""Every page requested once in gunicorn's master, so that new workers have its templates compiled.

The first answers of an app take a hundred times as long as the next, because it compiles templates
and makes tables. The visitors of a worker that replaces another would wait for that.
"""

import re
from collections.abc import Iterator
from html import unescape

from werkzeug.exceptions import HTTPException

from app.http.application import Application
from app.http.routes import Surface

_EXAMPLE = re.compile(r'href="(/[^"]*\?[^"]+)"')
_WARM = "formcast.warm"


def warm(app: Application) -> None:
    """Request every page and every example on it, once in the life of an app.

    Raises:
        RuntimeError: for the first one that the app cannot answer.
    """
    if _WARM in app.extensions:
        return
    for path in app.routes.list_paths(Surface.PAGE):
        for example in _find_examples(_get(app, path)):
            _get(app, example.removeprefix(app.root))
    app.extensions[_WARM] = True


def _get(app: Application, address: str) -> str:
    """Return the answer of a view, past limits and counts."""
    hosts = app.config.get("TRUSTED_HOSTS") or ["localhost"]
    with app.test_request_context(address, base_url=f"https://{hosts[0].lstrip('.')}{app.root}"):
        try:
            response = app.make_response(app.dispatch_request())
        except HTTPException as error:
            response = app.make_response(error.get_response())
    if response.status_code >= 500:
        raise RuntimeError(f"{address} answers {response.status_code}.")
    return response.get_data(as_text=True)


def _find_examples(page: str) -> Iterator[str]:
    return (unescape(address) for address in _EXAMPLE.findall(page))
