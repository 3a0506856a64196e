"""By which name, from where and over which scheme a request came; what is not said over HTTPS.

The app makes no address from the name in the Host header: its links and redirects are paths. So any
name may be asked by default, which never breaks a first deploy: on a laptop nobody else can ask,
and Heroku's router passes on only the app's own names. Two absolute addresses there are, that of
the redirect to HTTPS and that in the examples of /api; both go back to the sender of the name alone
and are stored by nobody.
"""

import re
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import SettingError, Settings

PLAIN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""What a platform asks from inside, past its own router: over plain HTTP, and by IP address."""

HSTS = ("Strict-Transport-Security", "max-age=63072000")
"""Two years. Not for subdomains: what else runs beside the app is not the app's business."""

_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_IN_PATH = "/:@!$&'()*+,;=-._~"


def restrict_hosts(app: Flask, settings: Settings) -> None:
    """Believe the proxies that were announced, refuse unknown names, lead to HTTPS.

    Raises:
        SettingError: for HTTPS without a proxy: gunicorn speaks plain HTTP, so that each visitor
            would be led to HTTPS for ever.
    """
    if settings.https and not settings.proxies:
        raise SettingError(
            "FORMCAST_HTTPS is on, but nothing before the app speaks HTTPS. "
            "Write FORMCAST_PROXIES=1, or FORMCAST_HTTPS=off."
        )
    app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts) or None
    if settings.proxies:
        # Not x_host: no platform's router cleans X-Forwarded-Host, and Host itself comes through.
        # Wrapping the method is what Flask documents for middleware; mypy knows it as a method.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0
        )
    if settings.https:
        app.before_request(_lead_to_https)


def _lead_to_https() -> Response | None:
    environ = request.environ
    if environ["wsgi.url_scheme"] == "https" or environ["PATH_INFO"] in PLAIN_PATHS:
        return None
    fault = request.routing_exception
    if isinstance(fault, BadRequest):
        return None  # a name that is not served: say so
    name = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
    if name is None:
        raise BadRequest
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe=_IN_PATH).lstrip("/")
    query = quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=_IN_PATH + "%?")
    headers = {"Location": f"https://{name[1]}/{path}" + (f"?{query}" if query else "")}
    return Response("", 308, {**headers, "Cache-Control": "no-store"})
