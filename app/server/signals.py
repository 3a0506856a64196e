"""Signals to a worker that is being made: they wait until it can hear them.

Between the fork and the moment at which it has its own handlers, a worker has those of gunicorn's
master, which put the signal on a list that nobody reads there. A stop in the first second after a
start would then last until the worker is killed, at the end of the grace.
"""

import os
import signal

_HELD = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1}


def hold() -> None:
    """Let signals wait; the master calls this before it forks, and both sides have it after."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)


def deliver() -> None:
    """Take what has waited and what comes; a worker calls this when its own handlers are in."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)


# gunicorn has no hook for the master's side of a fork.
os.register_at_fork(after_in_parent=deliver)
