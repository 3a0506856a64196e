"""Read-only file systems, each in a mount namespace of its own."""

import shutil
import subprocess
import urllib.request

from tests.conftest import Server, free_port
from tests.soak.figures import Figure

READ_ONLY = "findmnt -rno TARGET | while read -r at; do mount -o remount,bind,ro $at; done 2>&-"
MEMORY, TMPDIR = "/dev/shm", "/mnt"  # noqa: S108 (mounted again, in a namespace of its own)


def can_mount() -> bool:
    """Tell whether this machine lets us mount in a namespace of our own."""
    if shutil.which("unshare") is None or shutil.which("findmnt") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", TMPDIR]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def wrap_command(writable: str) -> tuple[str, ...]:
    """Return the prefix to run a command where only ``writable`` ("": nothing) is writable."""
    mount = f"mount -t tmpfs none {writable};" if writable else ""
    return ("unshare", "-rm", "sh", "-c", f'{READ_ONLY}; {mount} exec "$@"', "sh")


async def start_read_only() -> list[Figure]:
    """Start a server where one folder is writable, and where none is."""
    if not can_mount():
        reason = "not tried: no mount namespace without root"
        return [Figure("a read-only file system", reason, "starts, or says why not", False)]
    figures = [
        Figure("read-only, /dev/shm is writable", *_try_start(MEMORY)),
        Figure("read-only, no /tmp, no /dev/shm, but TMPDIR", *_try_start(TMPDIR)),
    ]
    server = Server(free_port(), before=wrap_command(""))
    command, environment = server.command(), server.environment()
    ended = subprocess.run(
        command, cwd=server.root, env=environment, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    lines = ended.stderr.strip().splitlines()
    explained = ended.returncode != 0 and len(lines) == 1 and lines[0].startswith("Formcast cannot")
    measured = "says why not, in a line" if explained else f"exit code {ended.returncode}"
    return [*figures, Figure("read-only, nothing is writable", measured, "says why not", explained)]


def _try_start(folder: str) -> tuple[str, str, bool]:
    settings = {"TMPDIR": folder, "FORMCAST_MODELS": "house-price"}
    server = Server(free_port(), before=wrap_command(folder), settings=settings)
    try:
        server.start()
        with urllib.request.urlopen(f"{server.url}/?beds=3&baths=2&sqft=1500") as answer:
            started = b'data-state="fresh"' in answer.read()
    except (RuntimeError, TimeoutError):
        started = False
    finally:
        server.stop()
    return "starts" if started else "does not start", "starts", started
