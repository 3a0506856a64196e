"""Shows a model that was just added: in the browser, or as a picture in its folder."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config import ROOT

PICTURE = "preview.png"
"""The picture of a model's page, in its folder."""

_CHROMIUM = (
    "chromium-headless-shell",  # a third of the CPU for a page: it draws no window around it
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_START_SECONDS = 60
_PICTURE_SECONDS = 60
_SIZE = "1280,900"


class PreviewError(Exception):
    """A page cannot be shown; the message says why."""


def find_chromium() -> str | None:
    """Find the system's Chromium or Chrome."""
    return next((path for name in _CHROMIUM if (path := shutil.which(name))), None)


@contextmanager
def serve(slug: str, root: Path) -> Iterator[str]:
    """Serve one model on a free port of this machine, for as long as the context lasts.

    Returns:
        The page's address.

    Raises:
        PreviewError: if the app does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    factory = f"app:create_app(models={str(root.resolve())!r})"
    # Settings for the public, such as hosts and passwords, are for another address than this.
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("FORMCAST_") or name == "FORMCAST_TRUST_FOLDERS"
    }
    command = ["flask", "--app", factory, "run", "--no-debug", "--port", str(port)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 (its words are ours)
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=kept | {"FORMCAST_MODELS": slug},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        ) as server,
    ):
        try:
            address = f"http://127.0.0.1:{port}/"
            if not _answers(server, f"{address}healthz"):
                said.seek(0)
                lines = said.read().decode(errors="replace").strip().splitlines()
                raise PreviewError(lines[-1] if lines else "The app did not start.")
            yield address
        finally:
            server.terminate()


def _answers(server: "subprocess.Popen[bytes]", address: str) -> bool:
    """Wait until the app answers; whether it does."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 (http on this machine)
            return True
        except OSError:
            time.sleep(0.1)
    return False


def picture(slug: str, root: Path, chromium: str) -> Path:
    """Save a picture of a model's page in its folder.

    ``chromium`` is the program.

    Raises:
        PreviewError: if there is none then.
    """
    path = root / slug.replace("-", "_") / PICTURE
    with serve(slug, root) as address:
        words = [chromium, "--headless", f"--window-size={_SIZE}", f"--screenshot={path.resolve()}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            words.append("--no-sandbox")  # it has none for root, and the page is our own
        try:
            subprocess.run(  # noqa: S603 (its words are ours)
                [*words, address],
                timeout=_PICTURE_SECONDS,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PreviewError(f"{chromium} made no picture: {error}.") from error
    if not path.is_file():
        raise PreviewError(f"{chromium} made no picture.")
    return path


def show(slug: str, root: Path, tell_address: Callable[[str], object]) -> None:
    """Open a model's page in the browser, and serve it until somebody stops that with Ctrl+C.

    ``tell_address`` is called with the page's address.

    Raises:
        PreviewError: if the app does not start, or ends.
    """
    with serve(slug, root) as address:
        tell_address(address)
        webbrowser.open(address)
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            return
