"""Who may use the app: everybody, or those with a password, a key, a proxy's word or a link.

There is no cookie. A browser sends the password with each request (HTTP Basic), a program its key
(Bearer), a trusted proxy the name of who has logged in. A link has its permission in its path,
below which all addresses stay (``app.http.mounting``). Without permission only the probes answer.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.exceptions import ServiceUnavailable
from werkzeug.security import check_password_hash, generate_password_hash

from app.config import SettingError, Settings
from app.http.cors import is_preflight
from app.http.middleware import map_headers
from app.http.problems import MEDIA_TYPE, write_problem
from app.http.request_id import LINK_TOKEN, READER, REQUEST_ID
from app.http.responses import HTML, ErrorRenderer
from app.http.routes import FRAGMENTS, Surface, route_of
from app.limits.background import RETRY_AFTER, ThreadTimeoutError, run_in_thread
from app.limits.rate_limits import Counter, identify_client, make_counter
from app.limits.tokens import TokenReader

GUESSES = "20/minute"
"""Wrong passwords, keys or links that one client may send."""

MAX_KNOWN = 1000
"""Passwords that are known to be right, so that scrypt's 60 ms are not spent on each request."""

SETTLED = 1.0
"""Seconds after which a file is read that was written: before, half of its keys may be missing."""

PUBLIC = "public"
"""The access for which nobody is asked who it is."""

PASSWORD = "password"  # noqa: S105 (the name of a way in)

PROBES = frozenset({"/healthz", "/readyz"})

_TOKEN = re.compile(r"[A-Za-z0-9_-]{38}", re.ASCII)
_SIGNATURE = 16
_KEY_LINE = re.compile(r"([A-Za-z0-9._-]{1,60}):([0-9a-f]{64})", re.ASCII)

_log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """Why a request is refused: a status, and the seconds to wait."""

    status: int
    seconds: int = 0


def hash_password(password: str) -> str:
    """Hash a password with scrypt, without the $ that shells and Compose would replace."""
    return generate_password_hash(password, method="scrypt").replace("$", ":")


def check_password(hashed: str, password: str) -> bool:
    """Compare a password with a hash of ``hash_password``, in constant time."""
    method, _, rest = hashed.rpartition(":")[0].rpartition(":")
    return check_password_hash(f"{method}${rest}${hashed.rpartition(':')[2]}", password)


def hash_key(key: str) -> str:
    """Hash a key; it is random and long, so that nothing slower is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def make_key() -> str:
    """Make a key that nobody can guess."""
    return "fc_" + secrets.token_urlsafe(32)


def read_keys(text: str) -> dict[str, str]:
    """Read keys, one ``name:hash`` a line or after a comma.

    Returns:
        The name of each key by its hash.

    Raises:
        SettingError: for what is no such line.
    """
    found = {}
    for line in re.split(r"[,\n]", text):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        match = _KEY_LINE.fullmatch(entry)
        if match is None:
            raise SettingError(
                f"{entry.partition(':')[0][:60]!r} among the keys is not name:hash. "
                "`flask --app wsgi settings key NAME` writes such a line."
            )
        found[match[2]] = match[1]
    return found


class KeyFile:
    """Keys from a setting and from a file, which is read again when it changes."""

    def __init__(self, text: str, path: str) -> None:
        """Read them.

        Raises:
            SettingError: for a file or a line that cannot be read.
        """
        self._fixed, self._path, self._stamp = read_keys(text), path, (0, 0)
        self._keys: Mapping[str, str] = self._fixed
        self._asked = 0.0
        if path:
            try:
                self._read()
            except OSError as error:
                raise SettingError(f"FORMCAST_KEYS_FILE cannot be read: {error}") from error

    def _read(self) -> None:
        found = os.stat(self._path)
        stamp = found.st_ino, found.st_ctime_ns  # another file may have the old one's time and size
        is_fresh = 0 <= time.time() - found.st_mtime < SETTLED
        if stamp != self._stamp and (self._stamp == (0, 0) or not is_fresh):
            self._keys = {**self._fixed, **read_keys(Path(self._path).read_text())}
            self._stamp = stamp

    def find(self, key: str) -> str:
        """Return the name of a key, "" for none."""
        now = time.monotonic()
        if self._path and now - self._asked > 1:
            self._asked = now
            try:
                self._read()
            except (OSError, UnicodeError, SettingError) as error:
                _log.error("FORMCAST_KEYS_FILE stays as it was read before: %s", error)
        given, name = hash_key(key), ""
        for hashed, owner in self._keys.items():  # all of them, so that the time says nothing
            if hmac.compare_digest(hashed, given):
                name = owner
        return name

    def __bool__(self) -> bool:
        return bool(self._keys)


def sign_link(secret: str, until: int) -> str:
    """Make the token of a link for one reader that ends at a time, in seconds since the epoch."""
    body = until.to_bytes(6, "big") + secrets.token_bytes(6)
    return base64.urlsafe_b64encode(body + _sign(secret, body)).decode().rstrip("=")


def read_link(secret: str, token: str) -> str:
    """Return the name of the reader of a link, "" where it is forged or has ended."""
    if not _TOKEN.fullmatch(token):
        return ""
    data = base64.urlsafe_b64decode(token + "==")
    body = data[:-_SIGNATURE]
    right = hmac.compare_digest(_sign(secret, body), data[-_SIGNATURE:])
    if not right or int.from_bytes(body[:6], "big") < time.time():
        return ""
    return f"link-{body[6:].hex()}"


def _sign(secret: str, body: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"formcast link" + body, "sha256")[:_SIGNATURE]


class AccessPolicy:
    """Decides who may use the app; one for all workers of a start, made before the fork."""

    def __init__(self, settings: Settings, redis_url: str = "") -> None:
        """Read what the settings say.

        Raises:
            SettingError: for an access that lacks what it needs.
        """
        self.mode = settings.access
        self._guesses: Counter = make_counter(GUESSES, redis_url, settings.redis_verify)
        self._hash, self._link_key = settings.password_hash, settings.link_key
        self._keys = KeyFile(settings.keys, settings.keys_file)
        self._header = "HTTP_" + settings.access_header.upper().replace("-", "_")
        self._secret = secrets.token_bytes(32)
        self._known: dict[bytes, str] = {}
        if self.mode == "password" and not self._hash:
            raise SettingError(
                "FORMCAST_ACCESS is password, but there is none. `flask --app wsgi settings hash` "
                "asks for one and writes the line with FORMCAST_PASSWORD_HASH."
            )
        if self.mode == "keys" and not (self._keys or settings.keys_file):
            raise SettingError(
                "FORMCAST_ACCESS is keys, but there are none. `flask --app wsgi settings key NAME` "
                "makes one and writes the line for FORMCAST_KEYS or the file FORMCAST_KEYS_FILE."
            )
        if self.mode == "proxy" and not settings.proxies:
            raise SettingError(
                "FORMCAST_ACCESS is proxy, but no proxy is trusted, so that everybody could send "
                f"{settings.access_header}. Write FORMCAST_PROXIES=1."
            )
        if bool(settings.access_certs) != bool(settings.access_audience):
            raise SettingError(
                "FORMCAST_ACCESS_CERTS and FORMCAST_ACCESS_AUDIENCE belong together: a token for "
                "another application would open this one, too."
            )
        given = ("password_hash", "keys", "keys_file")
        if self.mode == PUBLIC and (set_ := [name for name in given if getattr(settings, name)]):
            _log.warning(
                "FORMCAST_%s is set, but FORMCAST_ACCESS is public: everybody may use the app. "
                "Write FORMCAST_ACCESS=%s.",
                set_[0].upper(),
                set_[0].partition("_")[0],
            )
        self._tokens: TokenReader | None = None
        if settings.access_certs:
            self._tokens = TokenReader(settings.access_certs, settings.access_audience)
        if self.mode == "password" and not settings.https:
            _log.warning(
                "FORMCAST_ACCESS=password without FORMCAST_HTTPS=on: where no proxy makes HTTPS of "
                "it, everybody on the way can read the password."
            )

    def find_reader(self, environ: WSGIEnvironment) -> str | Refusal:
        """Return the name of who asks, or why that is nobody."""
        if self.mode == "proxy":
            given = str(environ.get(self._header, "")).strip()
            if self._tokens is None or not given:
                return given[:100] or Refusal(403)
            found = self._limit(environ, partial(self._tokens.read, given))
            return Refusal(403) if found == Refusal(401) else found
        credential = _read_credential(environ)
        if not credential:
            return Refusal(401)
        if self.mode == "keys":
            return self._keys.find(credential) or self._limit(environ, lambda: "")
        mark = hmac.digest(self._secret, credential.encode(), "sha256")
        if mark in self._known:
            return self._known[mark]
        return self._limit(environ, lambda: self._check(credential, mark))

    def find_link_reader(self, environ: WSGIEnvironment, token: str) -> str | Refusal:
        """Return the name of the reader of a link, or why it does not open anything."""
        return read_link(self._link_key, token) or self._limit(environ, lambda: "")

    def _check(self, credential: str, mark: bytes) -> str:
        if not run_in_thread(check_password, self._hash, credential):
            return ""
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[mark] = PASSWORD
        return PASSWORD

    def _limit(self, environ: WSGIEnvironment, check: Callable[[], str]) -> str | Refusal:
        """Check what may be a guess; one that is right, or for which no thread was free, does not
        count.

        A right key or link is found before and never counts: nobody guesses one, and a program with
        an old key would lock out all others at its address.
        """
        client = "guess:" + identify_client(environ.get("REMOTE_ADDR", ""))
        if seconds := self._guesses.count(client, 1):
            return Refusal(429, seconds)
        try:
            found: str | Refusal = check() or Refusal(401)
        except (ServiceUnavailable, ThreadTimeoutError):
            found = Refusal(503, RETRY_AFTER)
        if found != Refusal(401):
            self._guesses.count(client, -1)
        return found


def _read_credential(environ: WSGIEnvironment) -> str:
    """Read the password or key of a request, "" where it has none; the user's name is ignored."""
    scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer":
        return str(given)[:1000]
    if scheme.lower() != "basic":
        return ""
    try:
        pair = base64.b64decode(given[:2000], validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]


class AccessControl:
    """Answers 401 in place of the app where a request has no permission."""

    def __init__(
        self, app: WSGIApplication, policy: AccessPolicy, render_error: ErrorRenderer
    ) -> None:
        self._app, self._policy, self._render = app, policy, render_error

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the app does, or refuse."""
        route = route_of(environ)
        if environ["PATH_INFO"] in PROBES or is_preflight(environ):
            return self._app(environ, start)
        if token := environ.get(LINK_TOKEN):
            found = self._policy.find_link_reader(environ, token)
        else:
            found = self._policy.find_reader(environ)
        if isinstance(found, Refusal):
            return self._refuse(environ, start, route.surface, found)
        # Who has the password has no name: each address has a limit of its own.
        environ[READER] = "" if found == PASSWORD else found
        # A cache on the way must not hand to strangers what it keeps for a reader.
        return self._app(
            environ,
            map_headers(
                start,
                lambda headers: [
                    (name, value.replace("public", "private"))
                    if name.lower() == "cache-control"
                    else (name, value)
                    for name, value in headers
                ],
            ),
        )

    def _refuse(
        self, environ: WSGIEnvironment, start: StartResponse, surface: Surface, refusal: Refusal
    ) -> Iterable[bytes]:
        status, seconds = refusal
        identity = str(environ.get(REQUEST_ID, ""))
        if surface is Surface.API:
            media_type, text = MEDIA_TYPE, write_problem(status)
        else:
            media_type, text = HTML, self._render(status, surface in FRAGMENTS, identity)
        body = text.encode()
        headers = [
            ("Content-Type", media_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        if status == 401:
            scheme = "Bearer" if surface is Surface.API and self._policy.mode == "keys" else "Basic"
            headers.append(("WWW-Authenticate", f'{scheme} realm="Formcast", charset="UTF-8"'))
        if seconds:
            headers.append(("Retry-After", str(seconds)))
        start(f"{status} {HTTPStatus(status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
