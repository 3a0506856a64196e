"""How much one client may ask: so many requests a minute, counted in memory or in Redis.

What is counted costs something: a body to read, or a query to answer. Flask-Limiter would take
200 µs of each request of a millisecond; the library below it, which is used here, takes 8.
"""

import ipaddress
import logging
import math
import time
from typing import Any, Protocol

from flask import Flask, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError
from werkzeug.exceptions import TooManyRequests

from app.config import SettingError, Settings

OFF = "off"

PER_UNIT = 8 * 1024
"""Bytes of a body that count as one request more: an upload or a batch is work for several."""

DEAREST = 10
"""What the largest body counts as."""

REDIS_PATIENCE = 0.2
"""Seconds that a request waits for Redis, once; then it is left alone for ``REDIS_PAUSE``."""

REDIS_PAUSE = 10.0

_log = logging.getLogger(__name__)


class Counter(Protocol):
    """Counts what a client asks."""

    def wait(self, client: str, cost: int) -> int:
        """Count ``cost`` requests; the seconds that the client must wait, 0 where it need not."""


class MemoryCounter:
    """Counts in the memory of one worker: a client that several workers answer may ask more."""

    def __init__(self, limit: RateLimitItem, storage: MemoryStorage | RedisStorage) -> None:
        self._limit = limit
        self._window = FixedWindowRateLimiter(storage)

    def wait(self, client: str, cost: int) -> int:
        if self._window.hit(self._limit, client, cost=cost):
            return 0
        left = self._window.get_window_stats(self._limit, client).reset_time - time.time()
        return max(1, math.ceil(left))


class RedisCounter(MemoryCounter):
    """Counts for all workers and machines together; while Redis is away, each for itself."""

    def __init__(self, limit: RateLimitItem, url: str) -> None:
        # Heroku's Redis signs its own certificate. Nothing secret is sent: addresses and counts.
        options: Any = {"ssl_cert_reqs": "none"} if url.startswith("rediss:") else {}
        super().__init__(
            limit,
            RedisStorage(
                url,
                socket_timeout=REDIS_PATIENCE,
                socket_connect_timeout=REDIS_PATIENCE,
                **options,
            ),
        )
        self._fallback = MemoryCounter(limit, MemoryStorage())
        self._away_until = 0.0

    def wait(self, client: str, cost: int) -> int:
        if time.monotonic() >= self._away_until:
            try:
                return super().wait(client, cost)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + REDIS_PAUSE
                _log.warning("Redis does not answer (%s): counting here", type(error).__name__)
        return self._fallback.wait(client, cost)


def limit_clients(app: Flask, settings: Settings, redis_url: str = "") -> None:
    """Refuse with 429 what one client asks beyond the limit.

    Raises:
        SettingError: for a ``redis_url`` that is none.
    """
    if settings.ratelimit == OFF:
        return
    counter = counter_for(parse(settings.ratelimit), redis_url)

    @app.before_request
    def count() -> None:
        environ = request.environ
        if request.method != "POST" and not environ.get("QUERY_STRING"):
            return
        length = request.content_length or 0
        cost = min(DEAREST, 1 + length // PER_UNIT)
        seconds = counter.wait(client_of(environ.get("REMOTE_ADDR", "")), cost)
        if seconds:
            raise TooManyRequests(retry_after=seconds)


def counter_for(limit: RateLimitItem, redis_url: str) -> Counter:
    """The counter that ``REDIS_URL`` asks for.

    Raises:
        SettingError: for an address that is none of Redis.
    """
    if not redis_url:
        return MemoryCounter(limit, MemoryStorage())
    try:
        return RedisCounter(limit, redis_url)
    except Exception as error:
        raise SettingError(
            "REDIS_URL is no address of a Redis server. Write one like redis://localhost:6379."
        ) from error


def client_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the 64 bits of IPv6 that one line gets."""
    if ":" not in address:
        return address[:64]
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> 64 << 64))
