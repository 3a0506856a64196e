"""Install what the tests need besides Python packages: Chromium, Java, Redis, nginx, HAProxy,
curl, axe-core, the Nu checker; with options also what tests of the second tier need.

What is there is used; what is missing comes from the system's package manager when we may use it,
and else the message says exactly what to install.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.cli.preview import find_chromium
from tests.tools import (
    AXE,
    CATBOOST_PYTHON,
    CLUSTER_PYTHON,
    IMAGE_BASE,
    NODE_FOLDER,
    PACKAGES,
    VNU,
    find_java,
    find_nginx,
    find_redis,
    read_image_base,
)

SYSTEM = "/usr/sbin:/usr/bin"
"""Where servers are that no search path of a person has."""

HEADLESS = "chromium-headless-shell"
"""Chromium without windows, a package that only some systems have."""


def main() -> None:
    """Install what is missing, or stop with what to do."""
    missing = []
    if find_chromium() is None:
        missing.append("chromium")
    if find_java() is None:
        missing.append("default-jre-headless")
    if find_redis() is None:
        missing.append("redis-server")
    if shutil.which("nginx") is None:
        missing.append("nginx-light")
    if shutil.which("haproxy", path=SYSTEM) is None:
        missing.append("haproxy")
    if shutil.which("curl") is None:
        missing.append("curl")
    if not _packages_are_there() and shutil.which("npm") is None:
        missing.append("npm")
    if "--soak" in sys.argv and not find_nginx():
        missing.append("nginx-light")
    image = "--image" in sys.argv and os.geteuid() == 0  # as whom it is built
    if image:
        missing += [name for name in ("buildah", "mmdebstrap") if shutil.which(name) is None]
    if missing:
        _install(missing)
    if image and not IMAGE_BASE.is_file():
        _make_image_base()
    if "--cluster" in sys.argv:
        _install_cluster()
    if "--catboost" in sys.argv and not CATBOOST_PYTHON.is_file():
        uv = [str(Path(sys.executable).parent / "uv")]
        subprocess.run([*uv, "venv", "--quiet", str(CATBOOST_PYTHON.parents[1])], check=True)
        pip = [*uv, "pip", "install", "--quiet", "--python", str(CATBOOST_PYTHON)]
        subprocess.run([*pip, "catboost==1.2.10"], check=True)
    if not _packages_are_there():
        wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
        NODE_FOLDER.mkdir(parents=True, exist_ok=True)
        options = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        command = ["npm", "install", "--silent", "--prefix", str(NODE_FOLDER), *options, *wanted]
        subprocess.run(command, check=True)


def _install_cluster() -> None:
    """Install the environment of the cluster and of other libraries, where it is not there yet."""
    folder, wanted = CLUSTER_PYTHON.parents[1], Path("tests/docs/cluster-requirements.txt")
    installed = folder / "installed.txt"
    if installed.is_file() and installed.read_text() == wanted.read_text():
        return
    uv = [str(Path(sys.executable).parent / "uv")]
    subprocess.run([*uv, "venv", "--quiet", "--clear", str(folder)], check=True)
    pip = [*uv, "pip", "install", "--quiet", "--python", str(CLUSTER_PYTHON)]
    subprocess.run([*pip, "-r", str(wanted)], check=True)
    installed.write_text(wanted.read_text())


def _make_image_base() -> None:
    """Make Debian with its own Python, as a registry need not be within reach of the tests.

    Where that fails, as it does without a mirror of Debian, the test of the image is skipped.
    """
    IMAGE_BASE.parent.mkdir(parents=True, exist_ok=True)
    print("Making a base for the container image (100 MB to fetch) …", flush=True)
    unfinished = IMAGE_BASE.with_name("unfinished.tar")
    python = ["--include=python3-venv", '--customize-hook=ln -s python3 "$1/usr/bin/python"']
    options = ["--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io"]
    release = read_image_base()[2]
    command = ["mmdebstrap", *options, *python, release, str(unfinished)]
    if subprocess.run(command, check=False).returncode == 0:
        unfinished.rename(IMAGE_BASE)


def _packages_are_there() -> bool:
    if not (AXE.is_file() and VNU.is_file()):
        return False
    folder = NODE_FOLDER / "node_modules"
    return all(
        json.loads((folder / name / "package.json").read_text())["version"] == version
        for name, version in PACKAGES.items()
    )


def _install(packages: list[str]) -> None:
    words = " ".join(packages)
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    allowed = not prefix or (
        shutil.which("sudo") is not None
        and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    )
    if shutil.which("apt-get") is None or not allowed:
        sys.exit(f"The tests need more than is here. Install it and run again: apt install {words}")
    print(f"Installing {words} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def apt_get(*arguments: str) -> bool:
        command = [*prefix, "apt-get", "--quiet=2", *arguments]
        return subprocess.run(command, env=environment, check=False).returncode == 0

    updated = apt_get("update")
    if _apt_knows(HEADLESS):
        packages = [HEADLESS if name == "chromium" else name for name in packages]
    if not (updated and apt_get("install", "--yes", "--no-install-recommends", *packages)):
        sys.exit(f"apt-get failed. Install by hand and run again: apt install {words}")


def _apt_knows(package: str) -> bool:
    command = ["apt-cache", "show", "--no-all-versions", package]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
