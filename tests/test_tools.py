"""A program that is missing is named, with the command that installs it."""

from pathlib import Path

import pytest

from tests.tools import installed


def test_what_is_there_is_used_and_what_is_missing_says_what_to_run(tmp_path: Path) -> None:
    assert installed(__file__, "this file") == __file__
    for missing in (None, tmp_path / "axe.js"):
        with pytest.raises(RuntimeError, match=r"axe-core is missing: run make browser"):
            installed(missing, "axe-core")
