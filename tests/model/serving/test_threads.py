"""Models are served by the thread that asks: threads of their own would not survive a fork."""

import os
import subprocess
import sys

from tests.tools import ROOT

CODE = """
import os
from pathlib import Path
import numpy, onnxruntime
from model import load_models

before = len(os.listdir("/proc/self/task"))
served = load_models(Path("model"), ("house-price", "chest-xray"))
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_loading_the_bundled_models_and_answering_their_golden_rows_starts_no_thread() -> None:
    free = {name: text for name, text in os.environ.items() if name != "OMP_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=free, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "0"
