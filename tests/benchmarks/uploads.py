"""What uploads cost the whole server: `python -m tests.benchmarks.uploads`.

Each kind of upload is sent by many clients at once to a server of its own. Meanwhile another
visitor asks for prices all the time. Memory is that of gunicorn's master and workers together,
proportional (PSS): pages that they share count once.
"""

import argparse
import os
import re
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from model.chest_xray.drawing import draw_chest
from tests.attack.requests import GOOD, post
from tests.conftest import Server, free_port
from tests.pictures import XRAY_FRAGMENT, bomb
from tests.pictures import body as form_of
from tests.tools import list_children
from tests.wire import NoResponseError, send_request

MEGABYTE = 1024 * 1024
WAIT = 90.0
"""Seconds after which an upload is given up."""


@dataclass(frozen=True)
class Kind:
    """One kind of upload, how many at once, and how its file is made."""

    name: str
    count: int
    make: Callable[[], bytes]


@dataclass
class Measured:
    """What one kind did."""

    before: float
    most: float
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    asked: int = 0
    failed: int = 0
    seconds: float = 0.0


def photo(width: int, height: int, noise: int, quality: int) -> bytes:
    """A JPEG of the drawn chest with grain; more of it makes a larger file."""
    grey = np.asarray(Image.fromarray(draw_chest(1)).resize((width, height)), dtype=np.int16)
    grain = np.random.default_rng(0).integers(-noise, noise + 1, grey.shape, dtype=np.int16)
    return encoded(Image.fromarray(np.clip(grey + grain, 0, 255).astype(np.uint8)), quality)


def encoded(image: Image.Image, quality: int = 0, **options: object) -> bytes:
    """A PNG, or a JPEG where there is a quality."""
    file = BytesIO()
    if quality:
        image.save(file, "JPEG", quality=quality, **options)
    else:
        image.save(file, "PNG", compress_level=1, **options)
    return file.getvalue()


def flat(mode: str, width: int, height: int) -> bytes:
    """A PNG of one colour: few bytes, many pixels."""
    return encoded(Image.new(mode, (width, height)))


def padded() -> bytes:
    """A picture with a long tail, 10 MB in all."""
    small = encoded(Image.fromarray(draw_chest(1)), 90)
    return small + b"\0" * (10 * MEGABYTE - len(small))


def packed_texts() -> bytes:
    """A PNG with sixty texts that unpack to a megabyte each."""
    texts = PngImagePlugin.PngInfo()
    for number in range(60):
        texts.add_text(f"text{number}", "a" * 1_000_000, zip=True)
    return encoded(Image.fromarray(draw_chest(1)), pnginfo=texts)


def crumbs() -> bytes:
    """A PNG in eight hundred thousand pieces."""
    whole = encoded(Image.fromarray(draw_chest(1)))
    crc = struct.pack(">I", zlib.crc32(b"teSt"))
    return whole[:33] + (b"\0\0\0\0teSt" + crc) * 800_000 + whole[33:]


def scans() -> bytes:
    """A progressive JPEG whose last scan is there two hundred thousand times."""
    whole = encoded(Image.new("L", (6000, 6000)), 50, progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * (9 * MEGABYTE // (len(whole) - last)) + b"\xff\xd9"


KINDS = (
    Kind("64 photos of 10 MB", 64, lambda: photo(4600, 3400, 40, 93)),
    Kind("64 photos of 4000 x 3000", 64, lambda: photo(4000, 3000, 2, 90)),
    Kind("64 small pictures of 10 MB", 64, padded),
    Kind("64 times 10 MB of nothing", 64, lambda: b"\0" * (10 * MEGABYTE)),
    Kind("64 bombs of 100 megapixels", 64, bomb),
    Kind("64 PNGs cut short", 64, lambda: flat("L", 4000, 3000)[:20_000]),
    Kind("8 colour PNGs of 40 megapixels", 8, lambda: flat("RGBA", 8000, 5000)),
    Kind("8 colour PNGs of 20 megapixels", 8, lambda: flat("RGBA", 5000, 4000)),
    Kind("8 PNGs of 40 megapixels, 16 bits", 8, lambda: flat("I;16", 8000, 5000)),
    Kind("8 PNGs of 40 megapixels, long", 8, lambda: flat("P", 80_000, 500)),
    Kind("16 progressive JPEGs of 40 megapixels", 16, lambda: encoded(
        Image.new("L", (8000, 5000)), 80, progressive=True)),
    Kind("64 PNGs of 12 megapixels", 64, lambda: flat("L", 4000, 3000)),
    Kind("64 PNGs with packed texts", 64, packed_texts),
    Kind("16 PNGs in crumbs", 16, crumbs),
    Kind("16 JPEGs of countless scans", 16, scans),
)  # fmt: skip


def memory(master: int) -> float:
    """Proportional memory of a process and its children, in MB."""
    total = 0
    for pid in (master, *list_children(master)):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        total += int(found[1]) if found else 0
    return total / 1000


def visit(port: int, pipe: "Connection[Any, Any]") -> None:
    """Ask for the price of the same house until told to stop; tell how that went."""
    asked, failed, slowest = 0, 0, 0.0
    while not asked or not pipe.poll(0.05):
        started = time.monotonic()
        try:
            failed += send_request(port, post("/predict-fragment", GOOD)).status != 200
        except (NoResponseError, OSError):
            failed += 1
        asked += 1
        slowest = max(slowest, time.monotonic() - started)
    pipe.send((asked, failed, slowest))


def measure(server: Server, content: bytes, count: int) -> Measured:
    """Send ``count`` uploads at once and look at everything else meanwhile."""
    assert server.process is not None
    pid = server.process.pid
    form = form_of(content)
    sent = post(XRAY_FRAGMENT, form["data"], form["content_type"])
    found = Measured(before=memory(pid), most=0.0)
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            found.most = max(found.most, memory(pid))
            time.sleep(0.1)

    def send(_: int) -> int:
        try:
            return send_request(server.port, sent, WAIT).status
        except (NoResponseError, OSError):
            return 0

    # A process of its own: among 64 threads that send, it would wait for the interpreter.
    ours, theirs = Pipe()
    visitor = Process(target=visit, args=(server.port, theirs))
    visitor.start()
    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        found.statuses.update(pool.map(send, range(count)))
    found.seconds = time.monotonic() - started
    done.set()
    ours.send("enough")
    found.asked, found.failed, found.slowest = ours.recv()
    watcher.join()
    visitor.join()
    return found


def main() -> None:
    """Print a Markdown table, one kind a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores shared with the clients, 2 workers. 0: no answer.\n")
    print("| uploads | memory of the server before | at most | answers | all done after "
          "| slowest of the other visitor's |\n|---|---|---|---|---|---|")  # fmt: skip
    for kind in KINDS:
        if chosen.only not in kind.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            settings = {"FORMCAST_RATELIMIT": "off", "FORMCAST_LOG": "text"}
            server = Server(free_port(), settings=settings, log=Path(folder, "log"))
            server.start()
            try:
                found = measure(server, kind.make(), kind.count)
            finally:
                server.stop()
        answers = ", ".join(f"{n} x {status}" for status, n in sorted(found.statuses.items()))
        failed = f", {found.failed} FAILED" if found.failed else ""
        print(
            f"| {kind.name} | {found.before:.0f} MB | {found.most:.0f} MB | {answers} "
            f"| {found.seconds:.1f} s | {found.slowest:.2f} s of {found.asked}{failed} |"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
