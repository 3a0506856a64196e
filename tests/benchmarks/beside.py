"""How long a visitor waits beside a file of many rows: `python -m tests.benchmarks.beside`.

A visitor asks for a price twenty times a second, calm turns and turns in which a file is answered
again and again by turns. The file goes to the page, for the summary, CSV or a workbook, and to the
API. The visitor is a process of its own, and so is whoever sends the file.
"""

import argparse
import socket
import statistics
import time
from http.client import HTTPException, HTTPResponse
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from typing import Any

from model import NumberModel
from tests.attack.requests import GOOD, post
from tests.benchmarks.batch import draw
from tests.conftest import Server, free_port
from tests.loading import load_as
from tests.tools import ROOT
from tests.wire import send_request

PAUSE = 0.05
"""Seconds between two questions of the visitor."""

LONG = 120.0
"""Seconds in which the answer to a file must be there."""

PIECE = 64 * 1024

CALM = "calm"


def write_requests(rows: int) -> dict[str, bytes]:
    """The requests with a file, by what they ask for."""
    table = draw(load_as(NumberModel, ROOT / "model" / "house_price"), rows).encode()
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="houses.csv"\r\n\r\n'
    form = head + table + b"\r\n--cut--\r\n"
    kind = "multipart/form-data; boundary=cut"
    return {
        "summary": post("/batch/summary", form, kind),
        "CSV": post("/batch/answers.csv", form, kind),
        "workbook": post("/batch/answers.xlsx", form, kind),
        "API": post("/api/predict", table, "text/csv"),
    }


def send_again(port: int, request: bytes, pipe: "Connection[Any, Any]") -> None:
    """Send a request again and again until told to stop; tell how often it was answered whole."""
    answered = 0
    while not pipe.poll():
        try:
            with socket.create_connection(("127.0.0.1", port), LONG) as connection:
                connection.sendall(request)
                response = HTTPResponse(connection)
                response.begin()
                while response.read(PIECE):
                    pass
        except (OSError, HTTPException):
            pipe.send(-1)
            return
        answered += response.status == 200
    pipe.send(answered)


def visit(port: int, seconds: float, pipe: "Connection[Any, Any]") -> None:
    """Ask for prices for a while; tell how long each took, in seconds."""
    question, waits = post("/predict-fragment", GOOD), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        waits.append(send_request(port, question).seconds)
        time.sleep(PAUSE)
    pipe.send(waits)


def measure(port: int, seconds: float, request: bytes | None) -> list[float]:
    """The waits of a visitor, beside a request that is sent again and again."""
    ours, theirs = Pipe()
    sends = None if request is None else Process(target=send_again, args=(port, request, theirs))
    seen, tells = Pipe()
    visitor = Process(target=visit, args=(port, seconds, tells))
    if sends is not None:
        sends.start()
    visitor.start()
    waits: list[float] = seen.recv()
    visitor.join()
    if sends is not None:
        ours.send("enough")
        assert ours.recv() > 0, "no answer to a file"
        sends.join()
    return waits


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each kind in each turn")
    options = parser.parse_args()
    requests: dict[str, bytes | None] = {CALM: None, **write_requests(options.rows)}
    waits: dict[str, list[float]] = {name: [] for name in requests}
    settings = {"FORMCAST_RATELIMIT": "off", "FORMCAST_LOG": "text"}
    server = Server(free_port(), settings=settings)
    server.start()
    try:
        measure(server.port, 2.0, None)  # each worker's first answer takes ten times as long
        for _ in range(options.turns):
            for name, request in requests.items():
                waits[name] += measure(server.port, options.seconds, request)
    finally:
        server.stop()
    calm = statistics.quantiles(waits[CALM], n=100)[98]
    for name, found in waits.items():
        cuts = statistics.quantiles(found, n=100)
        print(
            f"{name:10} p50 {1e3 * cuts[49]:6.1f} ms  p99 {1e3 * cuts[98]:6.1f} ms, "
            f"{cuts[98] / calm:.2f} times calm  ({len(found)} questions)"
        )


if __name__ == "__main__":
    main()
