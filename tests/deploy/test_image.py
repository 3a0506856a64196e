"""The container image: built by buildah, and run on a read-only disk by a user it does not know."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from tests.html import FRAGMENT
from tests.servers import run_server
from tests.tools import CONTAINERFILE, IMAGE_BASE, ROOT, read_image_base

pytestmark = [pytest.mark.second_tier, pytest.mark.slow]

INSIDE = """
set -e
folder=$1; shift
mount --rbind -o ro "$folder" "$folder"
mount -t proc proc "$folder/proc"
mount -t tmpfs tmpfs "$folder/tmp"
mount --rbind /dev "$folder/dev"
exec setpriv --no-new-privs chroot --userspec=12345:0 --groups= "$folder" \
    env --chdir="$WORKDIR" "$@"
"""
"""Runs a command in a folder as ``--read-only --tmpfs /tmp --user 12345`` of podman would, with
the network of the host; each command has these mounts for itself."""


@dataclass
class Image:
    """An image whose files lie in a folder."""

    folder: Path
    config: dict[str, Any]

    def command(self, command: list[str]) -> list[str]:
        """What runs a command in it."""
        here = ["unshare", "--mount", "--propagation", "private"]
        return [*here, "sh", "-c", INSIDE, "sh", str(self.folder), *command]

    @property
    def environment(self) -> dict[str, str]:
        """Its variables, as its builder set them."""
        variables = dict(line.split("=", 1) for line in self.config["Env"])
        return {**variables, "WORKDIR": self.config["WorkingDir"]}

    def run(self, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it to its end."""
        environment = {**self.environment, **variables}
        return subprocess.run(
            self.command(command), env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if os.geteuid() != 0 or shutil.which("buildah") is None or not IMAGE_BASE.is_file():
        pytest.skip("the image is built by root with buildah: python -m tests.install --image")
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    folder = tmp_path_factory.mktemp("image")
    base = read_image_base()[0]
    # A store of its own: no image of the machine's is replaced, and none of ours is left.
    store = ["--root", str(folder / "root"), "--runroot", str(folder / "run")]

    def buildah(*arguments: str | Path, text: str = "") -> str:
        command = ["buildah", *store, *arguments]
        run = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    # What the machine trusts, pip has to trust in there, too.
    trusted = "/etc/ssl/certs"
    (folder / "pip.conf").write_text(f"[global]\ncert = {trusted}/ca-certificates.crt\n")
    seen = [f"--volume={trusted}:{trusted}:ro", f"--volume={folder}/pip.conf:/etc/pip.conf:ro"]
    build = ("build", "--isolation", "chroot", "--pull-never", "--format", "docker")
    try:
        (folder / "base").write_text(f"FROM scratch\nADD {IMAGE_BASE.name} /\n")
        buildah(*build, "--tag", base, "--file", folder / "base", IMAGE_BASE.parent)
        buildah(*build, *seen, "--tag", "formcast", "--file", CONTAINERFILE, ROOT)
        config = json.loads(buildah("inspect", "--type", "image", "formcast"))
        container = buildah("from", "--pull-never", "formcast")
        yield Image(Path(buildah("mount", container)), config["Docker"]["config"])
    finally:
        subprocess.run(["buildah", *store, "umount", "--all"], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", folder], check=True)


def test_it_answers_on_a_read_only_disk_and_ends_in_time(image: Image, tmp_path: Path) -> None:
    start = image.command(image.config["Cmd"])
    with run_server(start, tmp_path, image.environment) as server:
        status, _, page = server.fetch("/?beds=3&baths=2&sqft=1850")
        assert status == 200
        assert b'<data class="prediction"' in page
        status, _, fragment = server.fetch(FRAGMENT, b"beds=3&baths=2&sqft=1850")
        assert status == 200
        assert b'<data class="prediction"' in fragment
        assert json.loads(server.fetch("/readyz")[2])["ready"]
        (_, *probe) = image.config["Healthcheck"]["Test"]
        assert image.run(probe, PORT=str(server.port)).returncode == 0
        server.process.send_signal(getattr(signal, image.config["StopSignal"]))
        # Docker kills ten seconds later.
        assert server.process.wait(max(10, Settings().stop_seconds)) == 0
    assert image.run(probe, PORT=str(server.port)).returncode != 0
    assert "Traceback" not in server.err.read_text()


def test_its_python_is_that_of_the_base_and_nothing_in_it_can_be_written(image: Image) -> None:
    version = image.run(["python", "--version"]).stdout
    assert version.startswith(f"Python {read_image_base()[1]}.")
    tried = image.run(["sh", "-c", "id -u; touch app/x; touch /tmp/x && echo written"])
    assert tried.stdout.split() == ["12345", "written"]
    assert "Read-only file system" in tried.stderr


def test_it_runs_as_nobody_and_has_no_installer(image: Image) -> None:
    assert image.config["User"] == "65534:65534"
    assert image.run(["python", "-c", "import pip"]).returncode == 1
