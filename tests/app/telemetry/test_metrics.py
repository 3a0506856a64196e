"""The server as seen from outside, with two workers: its log, its counts, its readiness."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app import create_app
from app.config import Settings
from app.telemetry import metric_files
from tests.servers import RunningServer, run_server
from tests.tools import ROOT
from tests.waiting import wait_until

COMMAND = (ROOT / "Procfile").read_text().removeprefix("web: python -m ").split()
HOUSE = b"beds=3&baths=2.5&sqft=1850"
KEPT = {name: value for name, value in os.environ.items() if not name.startswith("FORMCAST_")}


def predictions(server: RunningServer) -> float:
    """The predictions of all workers."""
    for line in server.fetch("/metrics")[2].decode().splitlines():
        if line.startswith('formcast_predictions_total{model="house-price"}'):
            return float(line.split()[-1])
    return 0.0


def folders_of_counts(server: RunningServer) -> set[Path]:
    """The folders of the files that the workers count in."""
    return {
        Path(line.split()[-1]).parent
        for pid in server.workers()
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
        if line.endswith(".db")
    }


def is_replaced(server: RunningServer, worker: int) -> bool:
    """Whether this worker is gone and there are two all the same."""
    workers = server.workers()
    return worker not in workers and len(workers) == 2


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("watched")
    environ = {**KEPT, "WEB_CONCURRENCY": "2", "FORMCAST_METRICS": "on", "TMPDIR": str(folder)}
    with run_server([sys.executable, "-m", *COMMAND], folder, environ) as server:
        yield server


def test_the_counts_of_all_workers_are_one_and_outlive_a_worker(watched: RunningServer) -> None:
    before = predictions(watched)
    for round_ in range(3):
        for _ in range(20):
            assert watched.fetch("/predict-fragment", HOUSE)[0] == 200
        assert {predictions(watched) for _ in range(8)} == {before + 20 * (round_ + 1)}
        doomed = watched.workers()[0]
        os.kill(doomed, signal.SIGKILL)
        wait_until(partial(is_replaced, watched, doomed))
    assert {predictions(watched) for _ in range(20)} == {before + 60}
    (folder,) = folders_of_counts(watched)
    slots = {path.stem.split("_")[-1] for path in folder.glob("*.db")}
    assert slots <= {"0", "1"}  # three workers were replaced, and left no files of their own


def test_every_request_is_one_line_and_every_message_is_json(watched: RunningServer) -> None:
    seen = {line["id"] for line in watched.read_lines("out")}
    ids = [watched.fetch("/predict-fragment", HOUSE)[1]["X-Request-ID"] for _ in range(5)]
    ids.append(watched.fetch("/?beds=77&baths=2&sqft=1850")[1]["X-Request-ID"])
    assert "sqft" not in watched.out.read_text()
    lines = [line for line in watched.read_lines("out") if line["id"] not in seen]
    assert [line["id"] for line in lines] == ids
    assert [line["path"] for line in lines] == ["/predict-fragment"] * 5 + ["/"]
    assert all(line["ms"] > 0 and line["bytes"] > 0 for line in lines)
    messages = [line["message"] for line in watched.read_lines("err")]
    assert f"Formcast is ready: http://localhost:{watched.port}" in messages
    warnings = [line for line in watched.read_lines("err") if line["logger"] == "py.warnings"]
    assert not warnings  # such as gevent's, that it came too late for a module


def test_a_request_that_cannot_be_read_is_logged_without_its_text(watched: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", watched.port), timeout=300) as raw:
        raw.sendall(b"GET /?secret=1 SECRET 2\r\nsecret: 3\r\n\r\n")
        answer = raw.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400 ")
    (line,) = [line for line in watched.read_lines("err") if "cannot be read" in line["message"]]
    assert f"X-Request-ID: {line['id']}\r\n" in answer
    assert f"<code>{line['id']}</code>" in answer
    assert "secret" not in watched.err.read_text().lower()


def test_two_workers_are_alive_and_ready(watched: RunningServer) -> None:
    for _ in range(4):
        assert watched.fetch("/healthz")[0] == 200
        status, _, body = watched.fetch("/readyz")
        assert (status, json.loads(body)["ready"]) == (200, True)


def test_the_counts_leave_nothing_behind(tmp_path: Path) -> None:
    environ = {**KEPT, "FORMCAST_METRICS": "on", "TMPDIR": str(tmp_path)}
    environ["FORMCAST_MODELS"] = "house-price"
    with run_server([sys.executable, "-m", *COMMAND], tmp_path, environ) as server:
        assert server.fetch("/metrics")[0] == 200
        (folder,) = folders_of_counts(server)
    assert not folder.exists()


def test_without_a_folder_that_has_room_each_worker_speaks_for_itself_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMCAST_METRICS", "on")
    monkeypatch.delenv(metric_files.FOLDER, raising=False)
    monkeypatch.setattr(metric_files, "_made", [])

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    said = metric_files.make_folder([str(tmp_path / "missing"), str(tmp_path)])
    assert "speaks for one of them" in said
    assert not list(tmp_path.iterdir())
    assert metric_files.FOLDER not in os.environ
    client = create_app(Settings(models=("house-price",), metrics=True)).test_client()
    assert client.get("/metrics").text.startswith("# These are the counts of one process.")


def test_counts_are_files_with_room_of_their_own(watched: RunningServer) -> None:
    (folder,) = folders_of_counts(watched)
    for path in folder.glob("*.db"):
        found = path.stat()
        assert found.st_blocks * 512 >= found.st_size >= metric_files.LEAST_BYTES


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize(
    "size",
    ["none", *(pytest.param(size, marks=pytest.mark.second_tier) for size in ("4k", "300k"))],
)
def test_a_small_or_full_shared_memory_ends_no_worker(size: str, tmp_path: Path) -> None:
    mount = (
        f"mount -t tmpfs -o size={size} none /dev/shm" if size != "none" else "umount -l /dev/shm"
    )
    script = f"{mount} && exec {sys.executable} -m {' '.join(COMMAND)}"
    command = ["unshare", "--mount", "sh", "-c", script]
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    environ = {**KEPT, "FORMCAST_METRICS": "on", "TMPDIR": str(tmp_path)}
    with run_server(command, tmp_path, {**environ, "FORMCAST_MODELS": "house-price"}) as server:
        workers = server.workers()
        for _ in range(40):
            assert server.fetch("/predict-fragment", HOUSE)[0] == 200
        assert predictions(server) == 40
        assert set(workers) <= set(server.workers())  # a second one may have come up


def test_a_person_at_a_terminal_reads_sentences() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", *COMMAND, "--bind", "127.0.0.1:0"],
        cwd=ROOT, env=KEPT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"Formcast is ready: http://localhost:" not in said and process.poll() is None:
        said += os.read(ours, 4096)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(300)
    os.close(ours)
    assert b"[INFO] Formcast is ready: http://localhost:" in said
    assert b"{" not in said
