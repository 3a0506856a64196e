"""What is measured: the requests of each case, with a different house in every request."""

import csv
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.tools import ROOT

HOUSES = 1000
THREE = ("beds", "baths", "sqft")

BARE = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
"""The request for the bare route, which takes no input."""


@dataclass(frozen=True)
class Case:
    """One kind of request; ``requests`` holds one of them per house, as sent over the wire."""

    name: str
    requests: tuple[bytes, ...]


def make_cases() -> list[Case]:
    """The cases, all with the same houses."""
    with (ROOT / "model" / "house_price" / "sales.csv").open(newline="") as file:
        houses = list(csv.DictReader(file))
    random.Random(0).shuffle(houses)  # noqa: S311 (no secret)
    ten = [name for name in houses[0] if name not in ("price", "year_sold", "month_sold")]
    three_facts, ten_facts = (
        [{name: house[name] for name in names} for house in houses[:HOUSES]]
        for names in (THREE, ten)
    )
    rows = [{name: json.loads(text) for name, text in house.items()} for house in three_facts]
    return [
        Case("`/predict-fragment`, three facts", _make_posts(map(urlencode, three_facts))),
        Case("`/predict-fragment`, ten facts", _make_posts(map(urlencode, ten_facts))),
        Case("`/api/predict`, one row", _make_posts(map(json.dumps, rows), "/api/predict", "json")),
        Case("the whole page, three facts", _make_gets(map(urlencode, three_facts))),
        Case("the whole page, ten facts", _make_gets(map(urlencode, ten_facts))),
    ]


def _make_posts(
    bodies: Iterable[str], path: str = "/predict-fragment", kind: str = "x-www-form-urlencoded"
) -> tuple[bytes, ...]:
    start = BARE.replace(b"GET /", b"POST " + path.encode()).removesuffix(b"\r\n")
    return tuple(
        start
        + f"Content-Type: application/{kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        for body in bodies
    )


def _make_gets(queries: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(BARE.replace(b"/", f"/?{query}".encode(), 1) for query in queries)
