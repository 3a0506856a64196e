"""Servers as processes: started in a session of their own, and stopped with all that they began."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def start_process(
    command: Sequence[str], root: Path, environ: Mapping[str, str], out: Path, err: Path
) -> subprocess.Popen[bytes]:
    """Start a command in a folder; what it writes is added to two files, which may be one."""
    with out.open("ab") as to_out, err.open("ab") as to_err:
        return subprocess.Popen(
            command, cwd=root, env=environ, stdout=to_out, stderr=to_err, start_new_session=True
        )


def stop_process(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> None:
    """Send a signal, and after some seconds end the process and all others of its session."""
    with suppress(subprocess.TimeoutExpired):
        process.send_signal(number)
        process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
