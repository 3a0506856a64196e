"""Schemathesis against the JSON API of each kind of model, from the API's own OpenAPI text."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.flowers import write_flowers
from tests.soak.figures import Figure
from tests.soak.serving import serve_copy
from tests.tools import ROOT

FILES = """
import schemathesis
from hypothesis import strategies as st
from tests.pictures import chest, encoded

for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
    files = [encoded(chest(seed), kind) for seed in (1, 2)]
    schemathesis.openapi.media_type(f"image/{kind.lower()}", st.sampled_from(files))
table = b"beds,baths,sqft,length,width\\n3,2.5,1850,6,5\\n4,,x,99,\\n"
lines = b'{"beds": 3, "baths": 2.5, "sqft": 1850}\\n{"length": 6, "width": "x"}\\n{\\n'
schemathesis.openapi.media_type("text/csv", st.just(table))
schemathesis.openapi.media_type("application/x-ndjson", st.just(lines))
"""
"""What no schema can say of a file: that it is a picture, or a table of the model's columns."""

CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
"""
"""Those that refuse a body; Schemathesis knows all but 413, which is for one of too many parts."""


@dataclass(frozen=True)
class Attack:
    """What Schemathesis found, "" for nothing, and how many answers of each status it got."""

    found: str
    statuses: Counter[int]


def attack_api(url: str, folder: Path, examples: int) -> Attack:
    """Run Schemathesis with every check against the API of a running server.

    Args:
        url: that of the model, without a slash at its end.
        folder: for its report.
        examples: the most that it makes up for each operation, of each sort.
    """
    (folder / "files_hook.py").write_text(FILES)
    (folder / "schemathesis.toml").write_text(CONFIG)
    program = Path(sys.executable).parent / "schemathesis"
    options = ["--checks=all", "--mode=all", f"--max-examples={examples}", "--seed=1", "--no-color"]
    report = ["--report", "har", "--report-har-path", str(folder / "report.har")]
    path = f"{ROOT}{os.pathsep}{folder}"
    run = subprocess.run(
        [str(program), "run", f"{url}/api/openapi.json", *options, *report],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "SCHEMATHESIS_HOOKS": "files_hook"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if run.returncode or "No issues found" not in run.stdout:
        return Attack(run.stdout + run.stderr, Counter())
    entries = json.loads((folder / "report.har").read_text())["log"]["entries"]
    return Attack("", Counter(entry["response"]["status"] for entry in entries))


async def run_schemathesis(examples: int) -> list[Figure]:
    """The API of a model of numbers, of pictures and of classes, one after the other."""
    figures = []
    models = {"number": "", "picture": "/chest-xray", "classes": "/flowers"}
    with serve_copy(model="house-price,chest-xray,flowers", prepare=_add_flowers) as server:
        for kind, prefix in models.items():
            with TemporaryDirectory() as folder:
                seen = await asyncio.to_thread(
                    attack_api, server.url + prefix, Path(folder), examples
                )
            what = f"Schemathesis, {kind}, {seen.statuses.total()} requests: issues"
            print(seen.found, file=sys.stderr, end="")
            said = "some: see above" if seen.found else "none"
            figures.append(Figure(what, said, "none", not seen.found))
    return figures


def _add_flowers(root: Path) -> None:
    write_flowers(root / "model" / "flowers")
