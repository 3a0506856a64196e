"""Where the programs are that the tests need besides Python packages."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {"axe-core": "4.14.1", "vnu-jar": "26.9.27"}
CLUSTER_PYTHON = ROOT / ".cache" / "cluster" / "bin" / "python"
"""Has Dask and Spark, which only tests of the second tier need."""

CATBOOST_PYTHON = ROOT / ".cache" / "catboost" / "bin" / "python"
"""Has CatBoost, which weighs 270 MB: ``python -m tests.install --catboost``, not for CI."""

CONTAINERFILE = ROOT / "deploy" / "Containerfile"
IMAGE_BASE = ROOT / ".cache" / "image" / "base.tar"
"""Debian with its own Python for the container image: ``python -m tests.install --image``."""

NODE_FOLDER = ROOT / ".cache" / "npm"
AXE = NODE_FOLDER / "node_modules" / "axe-core" / "axe.min.js"
VNU = NODE_FOLDER / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"


def installed(place: str | Path | None, name: str) -> str:
    """The place of a program or file that ``make browser`` installs.

    Raises:
        RuntimeError: if it is not there, with the command to run.
    """
    if place is None or not Path(place).is_file():
        raise RuntimeError(f"{name} is missing: run make browser")
    return str(place)


def axe() -> str:
    """The source of axe-core, which finds violations of accessibility in a page.

    Raises:
        RuntimeError: if it is not installed.
    """
    return Path(installed(AXE, "axe-core")).read_text()


def find_java() -> str | None:
    """A Java runtime, for the Nu HTML checker."""
    return shutil.which("java")


def find_redis() -> str | None:
    """A Redis server, for the limits that several processes share."""
    return shutil.which("redis-server")


def find_nginx() -> str | None:
    """nginx, which is not on the path of those who are not root."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def list_children(pid: int) -> list[int]:
    """The processes that one has started, oldest first.

    By every process's parent: what ``/proc`` lists as a process's children can lack some while one
    of them ends (proc(5)).
    """
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid and fields[0] != "Z":
                    found.append((int(fields[19]), int(folder.name)))
    return [child for _, child in sorted(found)]


def read_image_base() -> tuple[str, str, str]:
    """The base of the container image: its name, its Python (``3.11``), its release of Debian."""
    found = re.findall(r"^FROM (\S+/python:([\d.]+)-slim-(\w+))", CONTAINERFILE.read_text(), re.M)
    ((name, python, release),) = set(found)
    return name, python, release
