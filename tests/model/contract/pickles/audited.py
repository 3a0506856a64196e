"""Reads every file of a folder in a process that notes what reading does to the system.

It prints a line of JSON for each file: name, seconds of CPU, the audit events, and the error or "".
"""

import encodings.cp437  # noqa: F401 - Python imports it for the first archive's names
import json
import pickle
import sys
import time
from pathlib import Path

from model.contract.pickles import PickleError, read_pickle

_QUIET = {"builtins.id"}
"""Events of our own code that touch nothing."""


def main(how: str, folder: Path) -> None:
    """Read the files by our reader, or by Python's where the hook itself is tested."""
    paths = sorted(folder.iterdir())
    events: list[str] = []
    opened: list[str] = []
    listening = False

    def note(event: str, args: tuple[object, ...]) -> None:
        if not listening or event in _QUIET:
            return
        if event == "open" and isinstance(args[2], int) and not args[2] & 0b11:
            opened.append(str(args[0]))  # for reading
        else:
            events.append(event)

    sys.addaudithook(note)
    for path in paths:
        events.clear()
        opened.clear()
        error = ""
        start = time.process_time()  # other processes of a busy machine take none of it
        listening = True
        try:
            if how == "python":
                with path.open("rb") as file:
                    pickle.load(file)  # noqa: S301 - this is what the hook must see
            else:
                read_pickle(path)
        except PickleError as refused:
            error = str(refused)
        finally:
            listening = False
        seconds = time.process_time() - start
        others = [name for name in opened if name not in (str(path), "-1") and not name.isdigit()]
        print(json.dumps([path.name, seconds, events, others, error]))
    print(json.dumps(_read_peak()))


def _read_peak() -> int:
    """The most memory that this process had, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
