"""A new app for the old one's place on SIGHUP: tried in a process of its own before it serves."""

import gc
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, Protocol

from app.server.warming import warm

if TYPE_CHECKING:
    from app.http.application import Application

LONGEST = 60.0
"""Seconds that a new app may take until it has answered its own pages."""


class Loader(Protocol):
    """What this needs of gunicorn's application object."""

    app_uri: str
    callable: "Application"

    def load(self) -> "Application":
        """Import the WSGI app by its address."""


def renew(loader: Loader) -> str:
    """Put a new app, made from the files as they are now, in the old one's place.

    Card, manifest, artifact, templates and static files are read anew; Python code is not. If
    anything is wrong with them, crashes or hangs, the old app stays.

    Returns:
        What is wrong, "" where the new app serves.
    """
    problem = _try_out(loader)
    if problem:
        return problem
    try:
        new = _load(loader)
        warm(new)
        loader.callable = new
    except (Exception, SystemExit) as error:
        return _said(error)
    gc.unfreeze()
    gc.collect()  # the old app is full of cycles and holds a model
    return ""


def _load(loader: Loader) -> "Application":
    """gunicorn's own loader once more: the module of the entry alone runs again."""
    name = loader.app_uri.partition(":")[0]
    old = sys.modules.pop(name, None)
    try:
        return loader.load()
    except BaseException:
        if old is not None:
            sys.modules[name] = old
        raise


def _try_out(loader: Loader) -> str:
    """Load and ask the new app in a child process; what is wrong with it, or ""."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _report(loader, writing)
    os.close(writing)
    said = b""
    try:
        while True:
            ready, _, _ = select.select([reading], [], [], LONGEST)
            if not ready:
                os.kill(child, signal.SIGKILL)
                said = f"It was not ready after {LONGEST:g} s.".encode()
                break
            part = os.read(reading, 4096)
            if not part:
                break
            said += part
    finally:
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said or status == 0:
        return said.decode(errors="replace")
    how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    return f"The process that tried it ended with {how}."


def _report(loader: Loader, writing: int) -> None:
    """The child's whole life; it must not get back into the server's loop."""
    status = 1
    try:
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(sign, signal.SIG_DFL)
        warm(_load(loader))
        status = 0
    except BaseException as error:
        os.write(writing, _said(error).encode())
    finally:
        os._exit(status)


def _said(error: BaseException) -> str:
    """An error in words: the entry's SystemExit speaks for itself."""
    if isinstance(error, SystemExit):
        return str(error).removeprefix("Formcast cannot start. ")
    return f"{type(error).__name__}: {error}"
