"""On which addresses the server listens, and what it says of them when it is ready."""

import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from app.config import read_platform_number

PORT = 8000
"""The port without ``PORT``: then this is somebody's laptop, and only that laptop may reach it."""

WORKERS = 2
"""While one is replaced, the other answers."""

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


def read_workers(environ: Mapping[str, str] = os.environ) -> int:
    """Read the number of worker processes.

    Raises:
        SettingError: for a ``WEB_CONCURRENCY`` that is no number of processes.
    """
    return read_platform_number("WEB_CONCURRENCY", WORKERS, 64, environ)


def choose_addresses(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Choose what to listen on: with ``PORT`` every address, without it this machine alone.

    Raises:
        SettingError: for a ``PORT`` that is none.
    """
    port = read_platform_number("PORT", PORT, 65535, environ)
    if not environ.get("PORT", "").strip():
        return [f"127.0.0.1:{port}"]
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
            separate = probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return [f"0.0.0.0:{port}"]
    # By Linux's default a socket of IPv6 takes IPv4, too, and a second one would be refused.
    return [f"0.0.0.0:{port}", f"[::]:{port}"] if separate else [f"[::]:{port}"]


def describe_listeners(
    names: Iterable[Any], root: str = "", environ: Mapping[str, str] = os.environ
) -> str:
    """Describe where the server listens: addresses that a person can click, or paths of sockets.

    Args:
        names: what ``getsockname`` returns for each listener.
        root: the path under which visitors reach the app, "" for the root of its host.
        environ: says whether somebody chose a port.
    """
    places = []
    local = False
    for name in names:
        if isinstance(name, tuple):
            host, port = name[:2]
            local = local or host in ("127.0.0.1", "::1")
            if host in (*_EVERY_ADDRESS, "127.0.0.1", "::1"):
                host = "localhost"
            places.append(f"http://{f'[{host}]' if ':' in host else host}:{port}{root}")
        else:
            path = os.fsdecode(name).replace("\0", "@")  # Linux's abstract names begin with 0
            places.append(f"unix:{path}")
    text = " and ".join(dict.fromkeys(places))
    if local and not environ.get("PORT", "").strip():
        text += " (for this machine alone; set PORT, like PORT=8000, to open it to others)"
    return text
