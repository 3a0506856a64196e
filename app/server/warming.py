"""The pages asked once in gunicorn's master: what they keep is then there in each new worker.

The first answers of an app take a hundred times as long as the next, because templates are compiled
and tables made for them. A worker that takes a dead one's place would make its visitors wait.
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
    """Ask every page of the models and every example on them, once in the life of an app.

    Raises:
        RuntimeError: for the first that the app cannot answer.
    """
    if _WARM in app.extensions:
        return
    for path in app.routes.list_paths(Surface.PAGE):
        for example in _find_examples(_get(app, path)):
            _get(app, example)
    app.extensions[_WARM] = True


def _get(app: Application, address: str) -> str:
    """What the view answers, past all that stands before it: nobody's limit or count is touched."""
    names = app.config.get("TRUSTED_HOSTS") or ["localhost"]
    with app.test_request_context(address, base_url=f"https://{names[0].lstrip('.')}"):
        try:
            response = app.make_response(app.dispatch_request())
        except HTTPException as refusal:
            response = app.make_response(refusal.get_response())
    if response.status_code >= 500:
        raise RuntimeError(f"{address} answers {response.status_code}.")
    return response.get_data(as_text=True)


def _find_examples(page: str) -> Iterator[str]:
    return (unescape(address) for address in _EXAMPLE.findall(page))
