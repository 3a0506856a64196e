"""A running server under uploads that would fill its memory; the benchmarks have more."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.uploads import KINDS, measure
from tests.conftest import Server, free_port

pytestmark = pytest.mark.second_tier

MAX_MEGABYTES = 430.0
"""Megabytes of gunicorn's master and workers together; shared pages count once."""

HARDEST = (
    "8 PNGs of 40 megapixels, 16 bits",
    "64 small pictures of 10 MB",
    "8 colour PNGs of 40 megapixels",
    "16 PNGs in crumbs",
)


@pytest.fixture(scope="module")
def uploaded_to() -> Iterator[Server]:
    settings = {"FORMCAST_RATELIMIT": "off", "FORMCAST_LOG": "text"}
    with Server(free_port(), settings=settings) as running:
        yield running


@pytest.mark.parametrize("name", HARDEST)
def test_memory_stays_bounded_and_other_visitors_get_responses(
    uploaded_to: Server, name: str
) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == name)
    found = measure(uploaded_to, kind.make(), max(4, kind.count // 2))
    assert found.most < MAX_MEGABYTES
    assert found.statuses.keys() <= {200, 422, 503}
    assert found.statuses[200] + found.statuses[422] > 0
    assert found.asked > 0
    assert found.failed == 0
