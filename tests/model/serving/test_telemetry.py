"""Libraries report nothing to others."""

import os
import subprocess
import sys
from pathlib import Path

from tests.tools import ROOT

KEPT = ("PATH", "LANG")
"""Variables that do not switch the reports off by themselves, as CI does."""


def test_serving_a_model_reports_to_nobody_and_leaves_nothing_in_the_home_directory(
    tmp_path: Path,
) -> None:
    code = "import wsgi; print(wsgi.app.test_client().get('/?beds=3&baths=2&sqft=1500').status)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"HOME": str(tmp_path), **{name: os.environ.get(name, "") for name in KEPT}},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "200 OK"
    assert list(tmp_path.rglob("*")) == []
