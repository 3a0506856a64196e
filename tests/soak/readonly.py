"""File systems that cannot be written to, in a mount namespace of the server's own."""

import shutil
import subprocess
import urllib.request

from tests.conftest import Server, free_port
from tests.soak.figures import Figure

READ_ONLY = "findmnt -rno TARGET | while read -r at; do mount -o remount,bind,ro $at; done 2>&-"
MEMORY, TMPDIR = "/dev/shm", "/mnt"  # noqa: S108 (mounted anew, in a namespace of its own)


def possible() -> bool:
    """Whether this machine lets us mount in a namespace of our own."""
    if shutil.which("unshare") is None or shutil.which("findmnt") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", TMPDIR]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def inside(writable: str) -> tuple[str, ...]:
    """What stands before a command to run it where ``writable`` ("" for nothing) can be written."""
    mount = f"mount -t tmpfs none {writable};" if writable else ""
    return ("unshare", "-rm", "sh", "-c", f'{READ_ONLY}; {mount} exec "$@"', "sh")


async def mounted_read_only() -> list[Figure]:
    """Start where one place can be written to, and where none can."""
    if not possible():
        why = "not tried: no mount namespace without root"
        return [Figure("a read-only file system", why, "starts, or says why not", False)]
    figures = [
        Figure("read-only, /dev/shm can be written to", *_starts(MEMORY)),
        Figure("read-only, no /tmp, no /dev/shm, but TMPDIR", *_starts(TMPDIR)),
    ]
    server = Server(free_port(), before=inside(""))
    command, environment = server.command(), server.environment()
    ended = subprocess.run(
        command, cwd=server.root, env=environment, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    lines = ended.stderr.strip().splitlines()
    says = ended.returncode != 0 and len(lines) == 1 and lines[0].startswith("Formcast cannot")
    said = "says why not, in a line" if says else f"exit code {ended.returncode}"
    return [*figures, Figure("read-only, nothing can be written to", said, "says why not", says)]


def _starts(place: str) -> tuple[str, str, bool]:
    settings = {"TMPDIR": place, "FORMCAST_MODELS": "house-price"}
    server = Server(free_port(), before=inside(place), settings=settings)
    try:
        server.start()
        with urllib.request.urlopen(f"{server.url}/?beds=3&baths=2&sqft=1500") as answer:
            started = b'data-state="fresh"' in answer.read()
    except (RuntimeError, TimeoutError):
        started = False
    finally:
        server.stop()
    return "starts" if started else "does not start", "starts", started
