"""Replace the app on SIGHUP, once a process of its own has tried the new one."""

import gc
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from app.server.warming import warm

if TYPE_CHECKING:
    from app.http.application import Application

TIMEOUT = 60.0
"""Seconds that a new app may take until it has answered all of its pages."""

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""Signals that stop the server."""


class Loader(Protocol):
    """The part of gunicorn's application object that is used here."""

    app_uri: str
    callable: "Application"

    def load(self) -> "Application":
        """Import the WSGI app by its address."""


def replace_app(loader: Loader) -> str:
    """Replace the app by one that is made from the files as they are now.

    It reads card, manifest, artifact, templates and static files again, but no Python code. If the
    new app fails, crashes or hangs, the old one stays.

    Returns:
        What is wrong, "" where the new app serves.
    """
    problem = _try_app(loader)
    if problem:
        return problem
    try:
        new = _load(loader)
        warm(new)
        loader.callable = new
    except (Exception, SystemExit) as error:
        return _describe(error)
    gc.unfreeze()
    gc.collect()  # the old app is full of cycles and holds a model
    return ""


def _load(loader: Loader) -> "Application":
    """Load the app as gunicorn does; of all modules only that of the entry runs again."""
    name = loader.app_uri.partition(":")[0]
    old = sys.modules.pop(name, None)
    try:
        return loader.load()
    except BaseException:
        if old is not None:
            sys.modules[name] = old
        raise


def _try_app(loader: Loader) -> str:
    """Load and warm a new app in a child process; return what is wrong with it, or ""."""
    reading, writing = os.pipe()
    with _stops_held():  # until there is a handler that ends the child
        child = os.fork()
        if child == 0:
            _report(loader, writing)
        before = _end_by_a_stop(child)
    os.close(writing)
    report = b""
    try:
        report = _read_report(reading, child)
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if report or status == 0:
        return report.decode(errors="replace")
    end = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    return f"The process that tried it ended with {end}."


def _read_report(reading: int, child: int) -> bytes:
    """Read what the child says until it ends; end it where that takes too long."""
    report = b""
    while True:
        ready, _, _ = select.select([reading], [], [], TIMEOUT)
        if not ready:
            os.kill(child, signal.SIGKILL)
            return f"It was not ready after {TIMEOUT:g} s.".encode()
        part = os.read(reading, 4096)
        if not part:
            return report
        report += part


@contextmanager
def _stops_held() -> Iterator[None]:
    """Hold back what stops the server."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def _end_by_a_stop(child: int) -> dict[signal.Signals, Any]:
    """Let what stops the server end the child, too: the stop would wait for it.

    Returns:
        The handlers of before, by signal.
    """
    before = {sign: signal.getsignal(sign) for sign in STOPS}

    def stop(sign: int, frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)
        handler = before[signal.Signals(sign)]
        if callable(handler):
            handler(sign, frame)

    for sign in STOPS:
        signal.signal(sign, stop)
    return before


def _report(loader: Loader, writing: int) -> None:
    """Run the child, which must not return into the server's loop."""
    status = 1
    try:
        for sign in (*STOPS, signal.SIGHUP):
            signal.signal(sign, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        warm(_load(loader))
        status = 0
    except BaseException as error:
        os.write(writing, _describe(error).encode())
    finally:
        os._exit(status)


def _describe(error: BaseException) -> str:
    """Describe an error; the message of the entry's SystemExit is enough by itself."""
    if isinstance(error, SystemExit):
        return str(error).removeprefix("Formcast cannot start. ")
    return f"{type(error).__name__}: {error}"
