"""The scripts of docs/batch.md: short, and run on the engines that they are for."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.tools import CLUSTER_PYTHON, ROOT

MOST_LINES = 25

SCRIPTS = {
    match[1]: match[0]
    for match in re.findall(
        r"```python\n(# (\w+\.py) IN OUT\n.*?)```", (ROOT / "docs" / "batch.md").read_text(), re.S
    )
}

COUNT = """
import sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
wrong = sum(text is not None for text in table["error"].to_pylist())
print(table.num_rows, table["prediction"].null_count, wrong)
"""

WRITE = """
import sys, pyarrow as pa, pyarrow.parquet as pq
for part in range(4):
    beds = [3 if row % 10 else 99 for row in range(500)]
    table = pa.table({"beds": beds, "baths": [2.0] * 500, "sqft": ["1,850"] * 500})
    pq.write_table(table, f"{sys.argv[1]}/part{part}.parquet")
"""


def test_every_engine_has_a_script_and_none_is_long() -> None:
    assert list(SCRIPTS) == ["dask_batch.py", "dask_frame.py", "spark_batch.py", "ray_batch.py"]
    assert all(len(script.splitlines()) <= MOST_LINES for script in SCRIPTS.values())


@pytest.mark.second_tier
@pytest.mark.parametrize("name", ["dask_batch.py", "dask_frame.py", "spark_batch.py"])
def test_it_answers_every_row_of_a_folder(tmp_path: Path, name: str) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    if name == "dask_batch.py":
        target.mkdir()
    (tmp_path / name).write_text(SCRIPTS[name])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": str(CLUSTER_PYTHON),
        "OMP_NUM_THREADS": "1",
    }

    def run(*arguments: object) -> str:
        command = [str(CLUSTER_PYTHON), *map(str, arguments)]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    run("-c", WRITE, source)
    run(tmp_path / name, source, target)
    assert run("-c", COUNT, target).split() == ["2000", "200", "200"]
