"""The tests that need pyarrow and python-calamine, which the gate goes without."""

import os
import subprocess
import sys

import pytest

from tests.tools import CLUSTER_PYTHON, ROOT

GATE = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not second_tier"]
FILES = ["test_batch_arrow.py", "test_csv_by_arrow.py"]


@pytest.mark.second_tier
def test_what_an_optional_group_is_for_holds_where_it_is_installed() -> None:
    """The environment of the cluster has it, in the versions that the requirements name."""
    (packages,) = CLUSTER_PYTHON.parents[1].glob("lib/python3*/site-packages")
    environment = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [*GATE, *FILES],
        cwd=ROOT / "tests" / "model" / "serving",
        env={**environment, "PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
