"""How many requests one client may send in a window of time, counted in memory or in Redis.

Only requests that cost something count: those with a body to read or a query to answer.
Flask-Limiter would take 200 µs of each request of a millisecond, and its library a tenth of a
second of the start, for one number per client and window.
"""

import ipaddress
import logging
import math
import mmap
import re
import time
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from flask import request
from werkzeug.exceptions import TooManyRequests

from app.config import SettingError, Settings
from app.http.request_id import READER

OFF = "off"
SECONDS = {"second": 1, "minute": 60, "hour": 3600}

BYTES_PER_REQUEST = 8 * 1024
"""Bytes of a body that count as one more request: an upload or a batch is work for several."""

MAX_COST = 10
"""Requests that the largest body counts as."""

MAX_CLIENTS = 65_536
"""Clients that are counted in memory at once."""

REDIS_TIMEOUT = 0.2
"""Seconds that a request waits for Redis; after one that failed, none asks for ``REDIS_PAUSE``."""

REDIS_PAUSE = 10.0

_CHUNKED = "HTTP_TRANSFER_ENCODING"

_LARGE = ("multipart/", "image/", "text/csv", "application/x-ndjson")
"""Types of bodies that may be uploads."""

_FORWARDED = "HTTP_X_FORWARDED_FOR"

_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9a-f:.]+)\](?::[0-9]+)?", re.IGNORECASE)

_log = logging.getLogger(__name__)


class Counter(Protocol):
    """Counts the requests of each client."""

    def count(self, client: str, cost: int) -> int:
        """Count ``cost`` requests.

        Returns:
            The seconds that the client must wait, 0 where it is within the limit.
        """


class MemoryCounter:
    """Counts in the memory of one worker, so that each worker has a limit of its own.

    All windows begin together, so that the table of clients is cleared with each. Within one it has
    up to ``MAX_CLIENTS``: 6 MB of IPv4 addresses, 13 MB of the longest texts. When there is one
    more, those that may still ask begin anew. Those that have used up their limit stay, the first
    half a table of them: a limited client is forgotten only if 32,768 others were limited before
    it.
    """

    def __init__(self, limit: int, period: int) -> None:
        self._limit, self._period = limit, period
        self._counts: dict[str, int] = {}
        self._window = 0

    def count(self, client: str, cost: int) -> int:
        now = time.time()
        window = int(now // self._period)
        if window != self._window:
            self._window = window
            self._counts.clear()
        counts = self._counts
        count = counts[client] = counts.get(client, 0) + cost
        if len(counts) > MAX_CLIENTS:
            # At least half of the table is free afterwards, so the cost per new client is constant.
            used_up = (item for item in counts.items() if item[1] >= self._limit)
            self._counts = dict(islice(used_up, MAX_CLIENTS // 2))
        return 0 if count <= self._limit else _seconds_left(now, self._period)


class RedisCounter:
    """Counts for all workers and machines together; each for itself while Redis fails.

    Raises:
        ValueError: for a ``url`` that is not one of Redis.
    """

    def __init__(self, limit: int, period: int, url: str, verify: bool = True) -> None:
        import redis  # here, because it takes 50 ms of the start

        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=None,
            **(
                {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
                if url.startswith("rediss:") and not verify
                else {}
            ),
        )
        self._errors = (redis.RedisError, OSError)
        self._limit, self._period = limit, period
        self._fallback = MemoryCounter(limit, period)
        self._paused_until = 0.0
        self._fails = False

    def count(self, client: str, cost: int) -> int:
        if time.monotonic() >= self._paused_until:
            try:
                seconds = self._count(client, cost)
            except self._errors as error:
                self._paused_until = time.monotonic() + REDIS_PAUSE
                if not self._fails:
                    _log.warning(
                        "Redis does not count (%s: %s): this worker counts alone until it does",
                        type(error).__name__,
                        str(error)[:200],
                    )
                self._fails = True
            else:
                if self._fails:
                    _log.warning("Redis counts again")
                self._fails = False
                return seconds
        return self._fallback.count(client, cost)

    def _count(self, client: str, cost: int) -> int:
        now = time.time()
        key = f"formcast:asked:{client}:{int(now // self._period)}"
        with self._redis.pipeline() as pipeline:
            pipeline.incrby(key, cost)
            pipeline.expire(key, self._period)
            count = int(pipeline.execute()[0])
        return 0 if count <= self._limit else _seconds_left(now, self._period)


def _seconds_left(now: float, period: int) -> int:
    """Round up the seconds until the next window."""
    return max(1, math.ceil(period - now % period))


def make_limit(settings: Settings, redis_url: str = "") -> Callable[[], None] | None:
    """Make what refuses the requests of a client beyond the limit, before each request, with 429.

    Returns:
        None where there is no limit.

    Raises:
        SettingError: for a ``redis_url`` that is not one of Redis.
    """
    if settings.ratelimit == OFF:
        return None
    counter = make_counter(settings.ratelimit, redis_url, settings.redis_verify)
    behind_proxy = settings.proxies or settings.client_header
    warned = mmap.mmap(-1, 1)  # workers share it, so that only the first of them warns

    def count_request() -> None:
        environ = request.environ
        if request.method != "POST" and not environ.get("QUERY_STRING"):
            return
        if _FORWARDED in environ and not behind_proxy and not warned[0]:
            warned[0] = 1
            _log.warning(
                "A request came with X-Forwarded-For, but FORMCAST_PROXIES is 0, so that all who "
                "come through one proxy share one limit. If there is a proxy in front of the app, "
                "write FORMCAST_PROXIES=1."
            )
        length = request.content_length or 0
        cost = min(MAX_COST, 1 + length // BYTES_PER_REQUEST)
        if _CHUNKED in environ and environ.get("CONTENT_TYPE", "").startswith(_LARGE):
            cost = MAX_COST  # nobody knows yet how large it is
        client = environ.get(READER) or identify_client(environ.get("REMOTE_ADDR", ""))
        seconds = counter.count(client, cost)
        if seconds:
            raise TooManyRequests(retry_after=seconds)

    return count_request


def make_counter(limit: str, redis_url: str, verify: bool = True) -> Counter:
    """Make the counter for a limit like ``600/minute``, in memory where ``redis_url`` is empty.

    ``verify`` is whether a server that speaks TLS must show a certificate that is trusted.

    Raises:
        SettingError: for a ``redis_url`` that is not one of Redis.
    """
    count, _, unit = limit.partition("/")
    if not redis_url:
        return MemoryCounter(int(count), SECONDS[unit])
    try:
        return RedisCounter(int(count), SECONDS[unit], redis_url, verify)
    except ValueError as error:
        raise SettingError(
            "REDIS_URL is not the address of a Redis server. Write one like redis://localhost:6379."
        ) from error


def identify_client(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 network of an IPv6 address.

    Azure's proxies write the client's port after its address, and it differs in each connection.
    """
    if ":" not in address:
        return address[:64]
    if found := _WITH_PORT.fullmatch(address):
        address = found[1] or found[2]
        if ":" not in address:
            return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))
