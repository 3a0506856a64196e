"""How much one client may ask: so many requests a minute, counted in memory or in Redis.

What is counted costs something: a body to read, or a query to answer. Flask-Limiter would take
200 µs of each request of a millisecond, and the library below it a tenth of a second of the start;
the counting itself is a number for each client and window of time.
"""

import ipaddress
import logging
import math
import time
from itertools import islice
from typing import Protocol

from flask import Flask, request
from werkzeug.exceptions import TooManyRequests

from app.config import SettingError, Settings

OFF = "off"
SECONDS = {"second": 1, "minute": 60, "hour": 3600}

PER_UNIT = 8 * 1024
"""Bytes of a body that count as one request more: an upload or a batch is work for several."""

DEAREST = 10
"""What the largest body counts as."""

CLIENTS = 65_536
"""Clients that are remembered at once, where they are counted in memory."""

REDIS_PATIENCE = 0.2
"""Seconds that a request waits for Redis, once; then it is left alone for ``REDIS_PAUSE``."""

REDIS_PAUSE = 10.0

_log = logging.getLogger(__name__)


class Counter(Protocol):
    """Counts what a client asks."""

    def wait(self, client: str, cost: int) -> int:
        """Count ``cost`` requests; the seconds that the client must wait, 0 where it need not."""


class MemoryCounter:
    """Counts in the memory of one worker: a client that several workers answer may ask more.

    All windows of time begin together, so that forgetting the last one forgets its clients, too.
    Within one, up to ``CLIENTS`` are remembered: 6 MB of IPv4 addresses, 13 MB of the longest
    texts. When there is one more, those that may still ask begin anew. Those that have used up
    their limit stay, the first half a table of them: nobody who is limited gets out by the requests
    of others, unless 32,768 others had used up theirs before.
    """

    def __init__(self, most: int, period: int) -> None:
        self._most, self._period = most, period
        self._counts: dict[str, int] = {}
        self._window = 0

    def wait(self, client: str, cost: int) -> int:
        now = time.time()
        window = int(now // self._period)
        if window != self._window:
            self._window = window
            self._counts.clear()
        counts = self._counts
        count = counts[client] = counts.get(client, 0) + cost
        if len(counts) > CLIENTS:
            # At least half of the table is free afterwards: a new client pays for two looks.
            used_up = (item for item in counts.items() if item[1] >= self._most)
            self._counts = dict(islice(used_up, CLIENTS // 2))
        return 0 if count <= self._most else _left(now, self._period)


class RedisCounter:
    """Counts for all workers and machines together; while Redis is away, each for itself.

    Raises:
        ValueError: for a ``url`` that is none of Redis.
    """

    def __init__(self, most: int, period: int, url: str) -> None:
        import redis  # only where it is used: it takes 50 ms of the start

        # Heroku's Redis signs its own certificate. Nothing secret is sent: addresses and counts.
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_PATIENCE,
            socket_connect_timeout=REDIS_PATIENCE,
            retry=None,
            **({"ssl_cert_reqs": "none"} if url.startswith("rediss:") else {}),
        )
        self._faults = (redis.RedisError, OSError)
        self._most, self._period = most, period
        self._fallback = MemoryCounter(most, period)
        self._away_until = 0.0

    def wait(self, client: str, cost: int) -> int:
        if time.monotonic() >= self._away_until:
            try:
                return self._wait(client, cost)
            except self._faults as error:
                self._away_until = time.monotonic() + REDIS_PAUSE
                _log.warning("Redis does not answer (%s): counting here", type(error).__name__)
        return self._fallback.wait(client, cost)

    def _wait(self, client: str, cost: int) -> int:
        now = time.time()
        key = f"formcast:asked:{client}:{int(now // self._period)}"
        with self._redis.pipeline() as both:
            both.incrby(key, cost)
            both.expire(key, self._period)
            count = int(both.execute()[0])
        return 0 if count <= self._most else _left(now, self._period)


def _left(now: float, period: int) -> int:
    """Whole seconds until the next window."""
    return max(1, math.ceil(period - now % period))


def limit_clients(app: Flask, settings: Settings, redis_url: str = "") -> None:
    """Refuse with 429 what one client asks beyond the limit.

    Raises:
        SettingError: for a ``redis_url`` that is none.
    """
    if settings.ratelimit == OFF:
        return
    counter = counter_for(settings.ratelimit, redis_url)

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


def counter_for(limit: str, redis_url: str) -> Counter:
    """The counter for a limit like ``600/minute``, where ``REDIS_URL`` says.

    Raises:
        SettingError: for an address that is none of Redis.
    """
    count, _, unit = limit.partition("/")
    if not redis_url:
        return MemoryCounter(int(count), SECONDS[unit])
    try:
        return RedisCounter(int(count), SECONDS[unit], redis_url)
    except ValueError as error:
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
