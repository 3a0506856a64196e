"""Whether others on the machine could change what is loaded."""

import fnmatch
import os
import shlex
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from model.contract.errors import ModelError


def check_writers(folders: Iterable[Path]) -> None:
    """Check that nobody else may write to folders of models, or to the code that loads them.

    Who may write to an artifact, a card or the code decides what the server does. Owned by another
    user, such as one that deploys, is as it should be.

    Raises:
        ModelError: for what everybody may write to, or a group that is not the user's own; with the
            command that changes it.
    """
    code = Path(__file__).parents[2]
    found = [*_find_open_code(code), *_find_open(folders)]
    if found:
        places = sorted({path if path.is_dir() else path.parent for path in found})
        command = " ".join(["chmod -R go-w", *(shlex.quote(str(place)) for place in places)])
        raise ModelError(
            f"Others on this machine may write to {found[0]}"
            + (f" and {len(found) - 1} more" if len(found) > 1 else "")
            + ", and so decide what the server loads. Run:\n"
            f"    {command}\n"
            "Where every folder is like that, and nobody else is on the machine, write "
            "FORMCAST_TRUST_FOLDERS=1."
        )


@cache
def _find_open_code(root: Path) -> tuple[Path, ...]:
    """Find what is open of the code; read once, because what is imported stays.

    A template can call what it likes, and a compiled file is imported in place of its source.
    """
    sources = (("app", "*.py*"), ("model", "*.py*"), ("templates", "*.html"), ("static", "*.js"))
    paths = [*root.glob("*.py")]
    for name, pattern in sources:
        for folder, _, files in os.walk(root / name):  # goes on where one is removed meanwhile
            paths += [Path(folder, file) for file in fnmatch.filter(files, pattern)]
    paths += {folder for path in paths for folder in path.parents if folder.is_relative_to(root)}
    return tuple(path for path in paths if _is_open(path))


def _find_open(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        with suppress(FileNotFoundError, NotADirectoryError):
            yield from filter(_is_open, (folder, *(p for p in folder.iterdir() if p.is_file())))


def _is_open(path: Path) -> bool:
    """Whether somebody else than the owner and this process may write to a path."""
    try:
        found = path.stat()
    except OSError:
        return False
    if os.name != "posix":
        return False
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_IWOTH:
        return True
    own = found.st_gid in (os.getegid(), _private_group(found.st_uid))
    return bool(mode & stat.S_IWGRP) and not own


@cache
def _private_group(user: int) -> int:
    """Return the group that a user has alone, -1 if there is none."""
    import grp  # only where there are such groups
    import pwd

    try:
        entry = pwd.getpwuid(user)
        group = grp.getgrgid(entry.pw_gid)
    except KeyError:
        return -1
    return group.gr_gid if group.gr_name == entry.pw_name and not group.gr_mem else -1
