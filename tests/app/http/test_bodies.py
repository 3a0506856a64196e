"""Bodies that are sent in chunks, without their length in advance, and those that break off."""

import json
from collections.abc import Iterator

import pytest

from app.kinds.parsing import BODY_BYTES
from tests.conftest import Server
from tests.pictures import XRAY_FRAGMENT, chest, encoded
from tests.wire import RawResponse, send_request, send_requests

ROW = json.dumps({"beds": 3, "baths": 2.5, "sqft": 1850}).encode()
FORM = "application/x-www-form-urlencoded"


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """The body in chunks, with an extension and a trailer, as the standard allows."""
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x;a=b\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\nX-End: 1\r\n\r\n"


def send_chunks(server: Server, path: str, kind: str, chunks: bytes) -> RawResponse:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    return send_request(server.port, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_chunked_body_is_answered_as_one_with_a_length(server: Server, size: int) -> None:
    answer = send_chunks(server, "/api/predict", "application/json", b"".join(cut(ROW, size)))
    assert answer.status == 200
    assert json.loads(answer.body)["prediction"]
    form = b"".join(cut(b"beds=3&baths=2.5&sqft=1850", size))
    for path in ("/", "/predict-fragment"):
        answer = send_chunks(server, path, FORM, form)
        assert answer.status == 200
        assert b'class="prediction"' in answer.body


def test_a_chunked_picture_is_read(server: Server) -> None:
    picture = encoded(chest())
    boundary = b"--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"
    multipart = boundary + picture + b"\r\n--x--\r\n"
    answer = send_chunks(
        server, XRAY_FRAGMENT, "multipart/form-data; boundary=x", b"".join(cut(multipart, 9999))
    )
    assert answer.status == 200
    answer = send_chunks(
        server, "/chest-xray/api/predict", "image/png", b"".join(cut(picture, 9999))
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("/api/predict", "application/json", BODY_BYTES),
        ("/predict-fragment", FORM, 65_536),
        ("/chest-xray/api/predict", "image/png", 11_000_000),
    ],
)
def test_a_chunked_body_over_the_limit_is_refused_in_words(
    server: Server, path: str, kind: str, most: int
) -> None:
    answer = send_chunks(server, path, kind, b"".join(cut(b" " * (most + 1), 65_536)))
    assert answer.status == 413


@pytest.mark.parametrize(
    "chunks", [b"x\r\n", b"3\r\nabcd\r\n", b"-1\r\n\r\n", b"3\r\nab\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize("path", ["/api/predict", "/predict-fragment", "/chest-xray/"])
def test_malformed_chunks_are_a_bad_request(server: Server, path: str, chunks: bytes) -> None:
    kind = {"/api/predict": "application/json", "/predict-fragment": FORM}.get(
        path, "multipart/form-data; boundary=x"
    )
    assert send_chunks(server, path, kind, chunks).status == 400


@pytest.mark.parametrize(
    ("path", "kind", "whole"),
    [
        ("/", FORM, b"beds=3&baths=2.5&sqft=1850"),
        ("/predict-fragment", FORM, b"beds=3&baths=2.5&sqft=1850"),
        ("/api/predict", "application/json", ROW + b" \n"),
        ("/api/predict", "text/csv", b"beds,baths,sqft\n3,2.5,1850"),
        ("/api/predict", "application/x-ndjson", ROW + b"\n" + ROW + b"\n"),
    ],
)
def test_a_body_that_ends_before_its_length_gets_no_answer(
    server: Server, path: str, kind: str, whole: bytes
) -> None:
    """Half of a number is another number: 18 for 1850."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {len(whole)}\r\n\r\n"
    assert [one.status for one in send_requests(server.port, head.encode() + whole)] == [200]
    assert [one.status for one in send_requests(server.port, head.encode() + whole[:-2])] == [400]
