"""Training the chest X-ray model anew, on drawn chests and for a few steps."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import chest
from tests.tools import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.second_tier
pytest.importorskip("torch", reason="only training needs it: model/chest_xray/requirements.txt")

PATIENTS = 15
"""Of each class; with fewer, a fold might have none of one."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of drawn chests in the layout of the set; what they are called means nothing."""
    folder = tmp_path / "pictures"
    for name in ("NORMAL", "PNEUMONIA"):
        (folder / "train" / name).mkdir(parents=True)
    for number in range(PATIENTS):
        normal = folder / "train" / "NORMAL" / f"IM-{number:04}-0001.jpeg"
        chest(number).save(normal, quality=90)
        cause = "virus" if number % 2 else "bacteria"
        sick = folder / "train" / "PNEUMONIA" / f"person{number}_{cause}_1.jpeg"
        chest(PATIENTS + number).save(sick, quality=90)
    return folder


def start(pictures: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start a short training that writes into a folder, and keeps its networks there."""
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "model.chest_xray.train", str(pictures), "--out", str(out)]
    command += ["--work", str(out / "work"), "--samples", "96", "--processes", "1"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)


def test_a_training_that_was_stopped_gives_the_same_file(pictures: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert start(pictures, whole).wait() == 0
    process = start(pictures, stopped)
    first = stopped / "work" / "fold1.pt"
    wait_until(lambda: first.exists(), 300)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (stopped / "model.onnx").exists()
    kept = first.stat().st_mtime_ns
    assert start(pictures, stopped).wait() == 0
    assert first.stat().st_mtime_ns == kept
    hashes = [
        hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest() for out in (whole, stopped)
    ]
    assert hashes[0] == hashes[1]
