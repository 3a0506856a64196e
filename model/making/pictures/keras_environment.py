"""An environment with TensorFlow and Keras, which uv makes once for a person who has none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from model.making.errors import AddError

SIZE = "2.3 GB"
"""What the environment takes on the disk, by ``du -sh`` on Linux."""

_PACKAGES = ("tensorflow==2.21.*", "tf_keras==2.21.*", "tf2onnx==1.17.*")
_PYTHON = ">=3.10,<3.14"
"""For which there is a TensorFlow of this release."""

_TIMEOUT = 3600
"""Seconds in which it must be installed."""


def choose_folder() -> Path:
    """Where the environment is: among the caches of the person's other programs."""
    caches = os.environ.get("XDG_CACHE_HOME", "")
    return Path(caches if os.path.isabs(caches) else Path.home() / ".cache", "formcast", "keras")


def find_environment() -> str:
    """The Python of the environment, "" if it was not made yet, or not to its end."""
    python, made = choose_folder() / "bin" / "python", choose_folder() / "installed.txt"
    is_made = made.is_file() and made.read_text() == "\n".join(_PACKAGES)
    return str(python) if is_made and python.is_file() else ""


def find_uv() -> str:
    """The program uv, beside the Python that runs or on the search path; "" without it."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("uv", path=beside) or shutil.which("uv") or ""


def make_environment(uv: str) -> str:
    """Make the environment anew.

    Returns:
        Its Python.

    Raises:
        AddError: if uv cannot make it.
    """
    folder = choose_folder()
    python = folder / "bin" / "python"
    _run(uv, "venv", "--clear", "--no-project", "--python", _PYTHON, str(folder))
    _run(uv, "pip", "install", "--python", str(python), *_PACKAGES)
    (folder / "installed.txt").write_text("\n".join(_PACKAGES))
    return str(python)


def _run(*command: str) -> None:
    try:
        subprocess.run(  # noqa: S603 (nothing in it is a visitor's)
            command, check=True, capture_output=True, text=True, timeout=_TIMEOUT
        )
    except (OSError, subprocess.SubprocessError) as error:
        lines = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise AddError(
            f"uv could not install TensorFlow: {' '.join(lines[-3:])[:400]} Nothing was added. "
            "You can name a Python of your own that has it: --python PATH."
        ) from error
