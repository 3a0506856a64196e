"""Which host names the app answers to, and when it redirects to HTTPS.

The app makes no address from the name in the Host header: its links and redirects are paths. So it
answers to any name by default, which never breaks a first deploy: on a laptop nobody else can ask,
and Heroku's router passes on only the app's own names. Two addresses are absolute: the one in the
redirect to HTTPS, and the one in the examples of /api. Both go back to the sender of the name
alone, and nothing stores them.
"""

import re
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest

from app.config import SettingError, Settings
from app.http.routes import Surface, route_of

HSTS = ("Strict-Transport-Security", "max-age=63072000")
"""Two years, and not for subdomains: other services may run there."""

_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_IN_PATH = "/:@!$&'()*+,;=-._~"


def restrict_hosts(app: Flask, settings: Settings) -> None:
    """Refuse unknown names, and redirect to HTTPS where the settings say so.

    Raises:
        SettingError: for HTTPS without a proxy: gunicorn speaks plain HTTP, so that every visitor
            would be redirected without end.
    """
    if settings.https and not settings.proxies:
        raise SettingError(
            "FORMCAST_HTTPS is on, but nothing before the app speaks HTTPS. "
            "Write FORMCAST_PROXIES=1, or FORMCAST_HTTPS=off."
        )
    app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts) or None
    if settings.https:
        app.before_request(_redirect_to_https)


def _redirect_to_https() -> Response | None:
    environ = request.environ
    # A platform asks a probe from inside, past its own router: over plain HTTP and by IP address.
    # Some proxies write HTTPS.
    if environ["wsgi.url_scheme"].lower() == "https" or route_of(environ).surface is Surface.PROBE:
        return None
    if isinstance(request.routing_exception, BadRequest):
        return None  # the name is not served, which the error page says
    name = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
    if name is None:
        raise BadRequest
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe=_IN_PATH).lstrip("/")
    query = quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=_IN_PATH + "%?")
    place = f"{environ.get('SCRIPT_NAME', '')}/{path}"
    headers = {"Location": f"https://{name[1]}{place}" + (f"?{query}" if query else "")}
    return Response("", 308, {**headers, "Cache-Control": "no-store"})
