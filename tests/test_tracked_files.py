"""What git tracks is what belongs to the project."""

import subprocess

from tests.tools import ROOT


def test_nothing_is_tracked_that_git_is_told_to_ignore() -> None:
    """A tracked link in the place of an environment lets git delete that environment."""
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    tracked = run.stdout.split()
    assert not tracked, f"Run: git rm --cached {' '.join(tracked)}"
