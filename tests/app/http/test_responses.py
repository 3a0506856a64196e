"""How a body is sent: compressed only where that pays and the client says that it can read it."""

import gzip

import pytest
from flask import Flask

from app.http.responses import respond

TEXT = "a house " * 150
"""1,200 bytes: the smallest body that is compressed."""


def is_compressed(body: str, accepted: str | None) -> bool:
    """Whether a body is compressed for a client; its text and length must be right in any case."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    with Flask(__name__).test_request_context(headers=headers):
        response = respond(body, 200, {"Cache-Control": "no-store"})
    data = response.get_data()
    compressed = response.headers.get("Content-Encoding") == "gzip"
    assert (gzip.decompress(data) if compressed else data).decode() == body
    assert response.headers["Content-Length"] == str(len(data))
    assert response.headers["Vary"] == "Accept-Encoding"
    return compressed


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        (None, False), ("", False), ("br", False), ("identity", False), ("br, identity;q=0", False),
        ("gzip", True), ("gzip, deflate, br", True), ("gzip;q=1.0, identity; q=0.5, *;q=0", True),
        ("gzip;q=0.1", True), ("gzip;q=0", False), ("br, gzip;q=0", False), ("gzip; q=0.0", False),
    ],
)  # fmt: skip
def test_a_body_is_compressed_for_clients_that_take_gzip(
    accepted: str | None, compressed: bool
) -> None:
    assert is_compressed(TEXT, accepted) == compressed


def test_a_body_that_fits_one_packet_is_not_compressed() -> None:
    assert is_compressed(TEXT, "gzip")
    assert not is_compressed(TEXT[1:], "gzip")


def test_what_is_compressed_takes_a_third_of_its_length_or_less() -> None:
    with Flask(__name__).test_request_context(headers={"Accept-Encoding": "gzip"}):
        body = "".join(f"<li>{number} ft</li>" for number in range(500))
        assert len(respond(body.encode(), 200, {}).get_data()) < len(body) / 3
