"""A release as a platform starts it: a fresh environment, read-only code, few variables."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config import Settings, explain
from tests.html import FRAGMENT
from tests.servers import RunningServer, run_server
from tests.tools import ROOT

UV = str(Path(sys.executable).parent / "uv")
POWERS = "-dac_override,-dac_read_search,-fowner"
LIKE_ANY_USER = ["setpriv", f"--bounding-set={POWERS}", f"--inh-caps={POWERS}"]
"""Root, as whom CI runs, can write to what is read-only; without these powers it cannot."""

HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
"""What Heroku's router adds: without it, a dyno leads to HTTPS."""


@dataclass
class Release:
    """What a platform builds: the code, which nobody may write to, and its own environment."""

    code: Path
    venv: Path
    start: list[str]

    @property
    def python(self) -> str:
        return str(self.venv / "bin" / "python")


def release_environment() -> Path:
    """The environment of a release, built once for each requirements.txt and used from then on.

    Runs of the tests that start together wait for the first of them, which builds it.
    """
    requirements = ROOT / "requirements.txt"
    asked = requirements.read_bytes() + sys.version.encode()
    folder = ROOT / ".cache" / "release" / hashlib.sha256(asked).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    venv, built = folder / "venv", folder / "built"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            subprocess.run(
                [UV, "venv", "--quiet", "--clear", "--relocatable", "--python", sys.executable,
                 venv],
                check=True,
            )  # fmt: skip
            subprocess.run(
                [UV, "pip", "install", "--python", venv / "bin" / "python", "--quiet",
                 "--compile-bytecode", "--require-hashes", "-r", requirements],
                check=True,
            )  # fmt: skip
            built.touch()
    return venv


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    code = tmp_path_factory.mktemp("release") / "code"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in tracked:
        if name and not name.startswith("tests/") and (ROOT / name).is_file():
            (code / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, code / name)
    subprocess.run(["chmod", "-R", "a=rX", code], check=True)
    yield Release(code, release_environment(), LIKE_ANY_USER if os.geteuid() == 0 else [])
    subprocess.run(["chmod", "-R", "u+w", code], check=True)


@pytest.fixture(scope="module")
def dyno(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    command = re.findall(r"^web: (.*)$", (release.code / "Procfile").read_text(), re.MULTILINE)
    environ = {
        "DYNO": "web.1",
        "WEB_CONCURRENCY": "2",
        "PATH": f"{release.venv / 'bin'}:/usr/bin:/bin",
    }
    start = [*release.start, "sh", "-c", f"exec {command[0]}"]
    folder = tmp_path_factory.mktemp("dyno")
    with run_server(start, folder, environ, root=release.code) as server:
        yield server


def test_a_dyno_answers_a_page_a_fragment_and_the_other_model(dyno: RunningServer) -> None:
    status, headers, body = dyno.fetch("/?beds=3&baths=2&sqft=1850", headers=HTTPS)
    assert status == 200
    assert b'<data class="prediction"' in body
    assert headers["Strict-Transport-Security"]
    status, _, body = dyno.fetch(FRAGMENT, b"beds=3&baths=2&sqft=1850", HTTPS)
    assert status == 200
    assert b'<data class="prediction"' in body
    assert dyno.fetch("/chest-xray/", headers=HTTPS)[0] == 200
    assert json.loads(dyno.fetch("/readyz")[2])["ready"]


def test_a_dyno_logs_json_with_the_ids_of_its_router(dyno: RunningServer) -> None:
    identity = "0a1b2c3d-0000-4000-8000-123456789abc"
    headers = dyno.fetch("/about", headers={**HTTPS, "X-Request-ID": identity})[1]
    assert headers["X-Request-ID"] == identity
    assert dyno.read_lines("out")[-1]["id"] == identity
    assert any("Formcast is ready" in line["message"] for line in dyno.read_lines("err"))


def test_a_release_cannot_write_to_its_code(release: Release) -> None:
    run = subprocess.run(
        [*release.start, release.python, "-c", "open('wsgi.py', 'a')"],
        cwd=release.code, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "PermissionError" in run.stderr


def test_what_is_installed_fits_together_and_nothing_is_for_training(release: Release) -> None:
    check = subprocess.run(
        [UV, "pip", "check", "--python", release.python],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert check.returncode == 0, check.stderr
    installed = {path.name for path in release.venv.glob("lib/python*/site-packages/*")}
    assert {"flask", "sklearn", "joblib", "onnxruntime"} <= installed
    assert not {"pandas", "onnx", "skl2onnx", "pytest"} & installed


def test_the_tests_environment_fits_together() -> None:
    check = subprocess.run(
        [UV, "pip", "check", "--python", sys.executable],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert check.returncode == 0, check.stderr


def test_the_licences_of_all_that_is_pinned_are_listed() -> None:
    table = (ROOT / "deploy" / "licences.md").read_text()
    listed = re.findall(r"^\| ([a-z0-9-]+) \| ([0-9][0-9.]*) \| (.+) \|$", table, re.MULTILINE)
    pinned = re.findall(
        r"^([a-z0-9-]+)==([0-9.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    assert [(name, version) for name, version, _ in listed] == pinned
    assert not [name for name, _, licence in listed if re.search(r"(?<!L)GPL", licence)]


def test_the_manifests_probe_what_there_is_and_wait_as_long_as_a_stop_takes() -> None:
    kubernetes = (ROOT / "deploy" / "kubernetes.yaml").read_text()
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    stop = Settings().stop_seconds
    seconds = re.findall(r"terminationGracePeriodSeconds: (\d+)", kubernetes)
    (pause,) = re.findall(r'command: \["sleep", "(\d+)"\]', kubernetes)
    assert [int(text) for text in seconds] >= [stop + int(pause)]
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", compose)
    assert int(grace) > stop
    probed = set(re.findall(r"httpGet: \{path: (/\w+), port: http\}", kubernetes))
    assert probed == {"/healthz", "/readyz"}
    known = {item.variable for item in explain({})}
    assert set(re.findall(r"FORMCAST_[A-Z_]+(?=:|,)", kubernetes + compose)) <= known


def test_app_json_sets_nothing_but_what_there_is() -> None:
    described = json.loads((ROOT / "app.json").read_text())
    known = {item.variable: item.default for item in explain({})} | {"WEB_CONCURRENCY": "2"}
    assert {name: item["value"] for name, item in described["env"].items()} == {
        name: known[name] for name in described["env"]
    }
    wanted = (ROOT / ".python-version").read_text().strip()
    assert re.fullmatch(r"3\.1[1-9]", wanted)


def test_make_run_finds_the_environment_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "Größe $HOME & 'mehr' #1"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("Makefile", "Procfile", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv" / "run.stamp").touch()  # all is installed
    python = folder / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "ours: $*"\n')
    python.chmod(0o755)
    # These tests may be run by make itself, which says so to another one.
    alone = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    run = subprocess.run(
        ["make"], cwd=folder, env=alone, capture_output=True, text=True, check=False
    )
    assert run.stdout.splitlines()[-1:] == ["ours: -m app.server"], run.stderr
