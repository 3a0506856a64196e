"""The form inside a page of somebody else: who may frame it, and which addresses can be framed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_POLICY = "content-security-policy"
_RESOURCE_POLICY = "cross-origin-resource-policy"
_NOBODY = "frame-ancestors 'none'"


def is_framed(path: str) -> bool:
    """Whether a path is that of a form for frames, or of its fragment."""
    return path.endswith(("/embed", "/embed/predict-fragment"))


class Framing:
    """Lets the listed origins frame the forms that are made for it, errors included.

    Stands outside of what sets the policy for everything, and changes one word of it. A page that
    isolates itself (COEP) may frame them, too.
    """

    def __init__(self, app: "WSGIApplication", ancestors: Iterable[str]) -> None:
        self._app = app
        self._allowed = f"frame-ancestors {' '.join(ancestors)}"

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer as the app does, with the ancestors."""
        if not is_framed(environ["PATH_INFO"]):
            return self._app(environ, start)

        # Typed by what it hands on: the WSGI protocol takes it with two arguments or three.
        def start_framed(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
            changed = [
                (name, value.replace(_NOBODY, self._allowed)) if name.lower() == _POLICY
                else (name, "cross-origin") if name.lower() == _RESOURCE_POLICY
                else (name, value)
                for name, value in headers
            ]  # fmt: skip
            return start(status, changed, exc_info)

        return self._app(environ, start_framed)
