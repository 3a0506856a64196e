"""Reports while workers and the database are killed: each that was confirmed is kept, once."""

import html
import os
import random
import re
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from app.feedback.databases import Database, PostgresDatabase, SqliteDatabase
from app.feedback.store import Store
from tests.app.feedback.postgres import Postgres, find_programs
from tests.conftest import Server, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.second_tier

REPORTS = 2000
CLIENTS = 8
NUMBER = re.compile(r"/feedback/([A-Z2-7]{16})")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if find_programs() is None:
        pytest.skip("no PostgreSQL on this machine")
    server = Postgres()
    server.create()
    server.start()
    yield server
    server.remove()


def post(url: str, path: str, fields: dict[str, str]) -> tuple[int, str]:
    """The status and the text of an answer; 0 where none came whole."""
    data = urllib.parse.urlencode(fields).encode()
    try:
        with urllib.request.urlopen(url + path, data, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except (OSError, HTTPException):
        return 0, ""


def find_receipt(url: str, number: int) -> str:
    """The receipt of an answer, however often a worker dies before it comes."""
    facts = {"beds": "3", "baths": "2.5", "sqft": str(1000 + number % 2000)}
    found: list[str] = []

    def ask() -> bool:
        _, text = post(url, "/predict-fragment", facts)
        found[:] = re.findall(r'name="receipt" value="([^"]*)"', text)
        return bool(found)

    wait_until(ask, timeout=60)
    return html.unescape(found[0])


def report(url: str, number: int) -> tuple[int, str]:
    """Send one report, twice where no answer came; return how it ended, and its number."""
    receipt = find_receipt(url, number)
    own = receipt.split(";")[1]
    fields = {"receipt": receipt, "known-truth": str(100_000 + number)}
    status, text = post(url, "/feedback-fragment", fields)
    if status == 0:
        status, text = post(url, "/feedback-fragment", fields)
    if status in (200, 409):  # a second one is told that the first was kept
        assert NUMBER.findall(text) == [own]
    return status, own


def send_all(url: str, disturb: Callable[[], None], reports: int = REPORTS) -> dict[str, int]:
    """Send reports while something disturbs them; the status of each by its number."""
    done = threading.Event()

    def go_on() -> None:
        while not done.is_set():
            disturb()

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        pool.submit(go_on)
        try:
            ended = list(pool.map(lambda number: report(url, number), range(reports)))
        finally:
            done.set()
    return {number: status for status, number in ended}


def check_all(ended: dict[str, int], database: Database) -> Counter[int]:
    """Hold what was told against what is kept."""
    told = Counter(ended.values())
    assert set(told) <= {0, 200, 409, 503}, told
    with closing(Store(database)) as store:
        kept = Counter(found.id for found in store.iterate())
    confirmed = {number for number, status in ended.items() if status in (200, 409)}
    assert confirmed <= set(kept)
    assert max(kept.values()) == 1
    assert set(kept) <= set(ended)
    return told


def kill_worker(server: Server) -> None:
    time.sleep(0.4)
    with suppress(ProcessLookupError, IndexError):
        os.kill(random.choice(server.workers), signal.SIGKILL)  # noqa: S311 (no secret)


def start(
    settings: dict[str, str], before: tuple[str, ...] = (), log: Path = Path(os.devnull)
) -> Server:
    settings = {"FORMCAST_RATELIMIT": "off", **settings}
    server = Server(free_port(), before=before, settings=settings, log=log)
    server.start()
    return server


def test_workers_and_postgresql_are_killed(postgres: Postgres) -> None:
    server = start({"DATABASE_URL": postgres.url})
    turns = 0

    def disturb() -> None:
        nonlocal turns
        turns += 1
        kill_worker(server)
        if turns % 16 == 0:
            postgres.kill()
            postgres.start()

    try:
        told = check_all(send_all(server.url, disturb), PostgresDatabase(postgres.url))
    finally:
        server.stop()
    assert told[200] > REPORTS / 10, told


def test_workers_on_a_file_are_killed(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    server = start({"FORMCAST_FEEDBACK": "on", "FORMCAST_DATA": str(path)})
    try:
        told = check_all(
            send_all(server.url, lambda: kill_worker(server), REPORTS // 4), SqliteDatabase(path)
        )
    finally:
        server.stop()
    assert told[200] > REPORTS / 8, told


def test_a_full_disk_is_said_and_what_was_confirmed_stays(tmp_path: Path) -> None:
    """The limit on the size of a file stands for a disk: beyond it the kernel writes nothing."""
    path = tmp_path / "kept.sqlite3"
    settings = {"FORMCAST_FEEDBACK": "on", "FORMCAST_DATA": str(path), "FORMCAST_LOG": "text"}
    server = start(settings, ("prlimit", "--fsize=120000"), tmp_path / "log")
    try:
        ended = send_all(server.url, lambda: time.sleep(0.1), 600)
        told = check_all(ended, SqliteDatabase(path))
        status, text = post(
            server.url, "/predict-fragment", {"beds": "3", "baths": "2", "sqft": "900"}
        )
        assert (status, "data.prediction" in text or "prediction" in text) == (200, True)
    finally:
        server.stop()
    assert told[200] > 50, told
    assert told[503] > 50, told
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    # Once for each worker, and again after a smaller report that there was still room for.
    assert 1 <= log.count("Feedback cannot be kept") <= told[503] / 5


def test_two_servers_share_one_postgresql(postgres: Postgres) -> None:
    first, second = (start({"DATABASE_URL": postgres.url}) for _ in range(2))
    try:
        receipt = find_receipt(first.url, 1)
        fields = {"receipt": receipt, "known-truth": "1"}
        with ThreadPoolExecutor(8) as pool:
            urls = [first.url, second.url] * 4
            ended = list(pool.map(lambda url: post(url, "/feedback-fragment", fields)[0], urls))
        assert sorted(ended) == [200] + [409] * 7
    finally:
        first.stop()
        second.stop()
