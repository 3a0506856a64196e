"""A PostgreSQL of the machine's own, started by a test in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import free_port
from tests.waiting import wait_until


def find_programs() -> Path | None:
    """The folder with the programs of the newest PostgreSQL that Debian has installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return (
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if not os.getuid() else []
    )


@dataclass
class Postgres:
    """A server in a folder; a commit is on the disk, as by default."""

    # Below pytest's own folders, which are for one user alone, another could not read.
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="formcast-")))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgres://formcast@127.0.0.1:{self.port}/postgres"

    @property
    def programs(self) -> Path:
        found = find_programs()
        assert found is not None
        return found

    def create(self) -> None:
        if not os.getuid():
            shutil.chown(self.folder, 65534, 65534)
        options = ["-U", "formcast", "--auth=trust", "-E", "UTF8"]
        command = [*_as_user(), str(self.programs / "initdb"), *options, str(self.folder / "db")]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        command = [*_as_user(), str(self.programs / "postgres"), "-D", str(self.folder / "db")]
        ready = [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]

        def answers() -> bool:
            # It ends at once while a process of one that was killed still has its memory.
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(
                    [*command, *options],
                    cwd="/",
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            return not subprocess.run(ready, check=False).returncode

        wait_until(answers)

    def kill(self) -> None:
        """End it and all that it started with -9, as a crash of the machine would."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None
            (self.folder / "db" / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """End it, and remove what it kept."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
