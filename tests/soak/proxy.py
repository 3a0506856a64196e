"""Two processes behind nginx, with the site file of deploy/."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import Server, free_port
from tests.soak.figures import Figure, make_share
from tests.soak.load import RequestOutcome, send_load
from tests.soak.serving import make_forms, make_requests, serve_copy
from tests.tools import ROOT, find_nginx, installed
from tests.waiting import wait_until

TEMPLATE = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


@contextmanager
def run_nginx(*ports: int) -> Iterator[int]:
    """Run nginx with deploy/nginx.conf before servers at two ports, and yield its own port."""
    program = installed(find_nginx(), "nginx")
    port = free_port()
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in zip(("127.0.0.1:8000", "127.0.0.1:8001"), ports, strict=True):
        assert old in site
        site = site.replace(old, f"127.0.0.1:{new}")
    site, found = re.subn(r"listen 80;\n\s*listen \[::\]:80;", f"listen 127.0.0.1:{port};", site)
    assert found == 1
    with TemporaryDirectory() as folder:
        user = "user root;" if os.geteuid() == 0 else ""
        path = Path(folder) / "nginx.conf"
        path.write_text(user + TEMPLATE.format(folder=folder, site=site))
        running = subprocess.Popen([program, "-c", path, "-e", f"{folder}/error.log"])
        try:
            yield port
        finally:
            running.terminate()
            running.wait(10)
            lines = (Path(folder) / "error.log").read_text().splitlines()
            # A stopped process refuses, and the other one takes over; what else was wrong?
            other = [line for line in lines if "Connection refused" not in line]
            print(*other[-20:], sep="\n", file=sys.stderr)


async def kill_behind_nginx(rest: float) -> list[Figure]:
    """Kill and restart each of two processes under load, with ``rest`` seconds between."""
    behind = {"FORMCAST_PROXIES": "1"}
    with (
        serve_copy(settings=behind) as one,
        serve_copy(settings=behind) as two,
        run_nginx(one.port, two.port) as port,
    ):
        requests = make_requests(one.root, make_forms(50), pages=True)
        await asyncio.to_thread(wait_until, lambda: _answers(port))
        is_running = True
        running = asyncio.create_task(send_load(port, requests, lambda: is_running))
        for server in (one, two):
            await asyncio.sleep(rest)
            _kill(server)
            await asyncio.sleep(rest)
            await asyncio.to_thread(server.start)
        await asyncio.sleep(rest)
        is_running = False
        seen = await running
    lost = seen.failed + seen.outcomes[RequestOutcome.REFUSED]
    name = "two processes behind nginx, each killed and restarted"
    return [make_share(f"{name}: pages and fragments lost", lost, seen.sent, 0, seen.reasons)]


def _kill(server: Server) -> None:
    """Kill the master and its workers at once."""
    assert server.process is not None
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait(10)


def _answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/about", timeout=5):
        return True
    return False
