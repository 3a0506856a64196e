"""Signals to a new worker wait until it has its handlers.

Between the fork and then, a worker has the handlers of gunicorn's master, which put the signal on a
list that no worker reads. A stop in the first second after a start would then last until the worker
is killed, at the end of ``graceful_timeout``.
"""

import os
import signal

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1}


def block() -> None:
    """Block the signals; the master does so before a fork, so that the worker starts with it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def unblock() -> None:
    """Deliver the signals, also those that waited; a worker does so once it has its handlers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


# gunicorn has no hook for the master's side of a fork.
os.register_at_fork(after_in_parent=unblock)
