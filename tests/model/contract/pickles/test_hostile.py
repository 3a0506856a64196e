"""Reading hostile files runs nothing, takes little time and memory, and ends in a sentence."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import joblib
import pytest

from tests.hostile_pickles import make_hostile, sample_hostile
from tests.model.contract.pickles.test_reading import ARRAYS, PLAIN
from tests.pickle_writing import EVIL, MARK, file
from tests.tools import ROOT

SAMPLED = 5
"""The gate reads every so many of the files, the second tier all of them.

Each payload is called in seven ways: five shares no factor with that, so that each way gets some.
"""


@dataclass(frozen=True)
class Reading:
    seconds: float
    events: list[str]
    others: list[str]
    error: str


def read_all(how: str, folder: Path) -> tuple[dict[str, Reading], int]:
    """Read a folder in a process of its own; return what each file did, and the memory's peak."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.model.contract.pickles.audited", how, folder],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    *lines, peak = (json.loads(line) for line in result.stdout.splitlines())
    return {name: Reading(*rest) for name, *rest in lines}, peak


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("some", marks=pytest.mark.sample),
        pytest.param("all", marks=pytest.mark.second_tier),
    ],
)
def hostile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Reading], int, Path]:
    folder = tmp_path_factory.mktemp("hostile") / "files"
    folder.mkdir()
    files = make_hostile() if request.param == "all" else sample_hostile(SAMPLED)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return *read_all("ours", folder), folder


Hostile = tuple[dict[str, Reading], int, Path]


def test_there_are_at_least_150_hostile_files() -> None:
    assert len(make_hostile(compressed=False)) >= 150


def test_reading_runs_nothing(hostile: Hostile) -> None:
    readings, _, folder = hostile
    found = {name: reading.events for name, reading in readings.items() if reading.events}
    for name in [name for name in found if name.startswith("skops-")]:
        assert found.pop(name) == ["compile"]  # NumPy parses an array's header, and runs nothing
    assert found == {}
    assert {name: reading.others for name, reading in readings.items() if reading.others} == {}
    assert not (folder.parent / MARK).exists()


def test_reading_honest_files_runs_nothing_either(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for protocol in range(6):
        values = pickle.dumps([*ARRAYS.values(), *PLAIN], protocol)
        (folder / str(protocol)).write_bytes(values)
    joblib.dump(list(ARRAYS.values()), folder / "joblib", compress=3)
    readings, _ = read_all("ours", folder)
    assert len(readings) == 7
    for reading in readings.values():
        assert (reading.events, reading.others, reading.error) == ([], [], "")


def test_the_hook_sees_what_runs(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "evil").write_bytes(file(EVIL))
    readings, _ = read_all("python", folder)
    assert "os.system" in readings["evil"].events
    assert (tmp_path / MARK).exists()


def test_no_file_takes_long_nor_do_all(hostile: Hostile) -> None:
    seconds = {name: reading.seconds for name, reading in hostile[0].items()}
    assert max(seconds.values()) < 5, max(seconds, key=seconds.__getitem__)
    assert sum(seconds.values()) < 30  # 6 on an idle machine; others may share this one


def test_all_files_take_less_than_300_megabytes(hostile: Hostile) -> None:
    assert hostile[1] < 300e6


def test_what_is_refused_is_refused_in_a_short_sentence(hostile: Hostile) -> None:
    for name, reading in hostile[0].items():
        assert len(reading.error) < 20_000
        assert reading.error.isprintable(), name
        assert not reading.error or reading.error.endswith("."), name
