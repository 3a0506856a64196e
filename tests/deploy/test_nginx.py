"""What is under deploy/ for a host of one's own: the nginx site with TLS, the systemd unit."""

import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.servers import RunningServer, run_server
from tests.tools import ROOT, find_nginx, installed
from tests.waiting import wait_until

UNIT = (ROOT / "deploy" / "formcast.service").read_text()


@dataclass
class Site:
    """nginx's two ports and the server behind it."""

    plain: int
    secure: int
    server: RunningServer

    def answers(self) -> bool:
        """Whether nginx listens."""
        with suppress(urllib.error.URLError):
            return self.fetch("/about")[0] == 200
        return False

    def fetch(self, path: str, data: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = urllib.request.Request(f"https://127.0.0.1:{self.secure}{path}", data)
        request.add_header("Host", "example.org")
        try:
            with urllib.request.urlopen(request, timeout=300, context=context) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=example.org", "-keyout", folder / "privkey.pem",
         "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = dict(pair.split("=", 1) for pair in re.findall(r"FORMCAST_\w+=\w+", UNIT))
    environ = {"PATH": os.environ["PATH"], "FORMCAST_MODELS": "house-price", **settings}
    command = [sys.executable, "-m", "app.server"]
    with run_server(command, folder, environ) as server:
        plain, secure = free_port(), free_port()
        text = (ROOT / "deploy" / "nginx-tls.conf").read_text()
        for written, here in (
            ("/etc/letsencrypt/live/example.org/", f"{folder}/"),
            ("127.0.0.1:8000", f"127.0.0.1:{server.port}"),
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{secure} ssl http2;"),
            ("    listen [::]:80;\n", ""),
            ("    listen [::]:443 ssl http2;\n", ""),
        ):
            assert written in text
            text = text.replace(written, here)
        (folder / "site.conf").write_text(text)
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}"
            f"include {folder}/site.conf;\n}}\n"
        )
        nginx = installed(find_nginx(), "nginx")
        start = [nginx, "-e", f"{folder}/error.log", "-p", str(folder)]
        start += ["-c", f"{folder}/nginx.conf"]
        subprocess.run([*start, "-t", "-q"], check=True)
        process = subprocess.Popen(start)
        found = Site(plain, secure, server)
        wait_until(found.answers)
        yield found
        process.terminate()
        process.wait(300)


def test_a_page_and_a_fragment_come_through_with_the_apps_own_headers(site: Site) -> None:
    status, headers, body = site.fetch("/?beds=3&baths=2&sqft=1850")
    assert status == 200
    assert b'<data class="prediction"' in body
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    status, _, body = site.fetch("/predict-fragment", b"beds=3&baths=2&sqft=1850")
    assert status == 200
    assert b'<data class="prediction"' in body


def test_the_id_of_a_request_is_nginxs_own_in_every_log(site: Site) -> None:
    identity = site.fetch("/about")[1]["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", identity)
    assert site.server.read_lines("out")[-1]["id"] == identity


def test_plain_http_leads_to_https(site: Site) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    request = urllib.request.Request(f"http://127.0.0.1:{site.plain}/x?y=1")
    request.add_header("Host", "example.org")
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(request, timeout=300)
    answer.value.close()
    assert answer.value.code == 308
    assert answer.value.headers["Location"] == "https://example.org/x?y=1"


def test_the_unit_for_systemd_is_sound_and_hardened() -> None:
    assert re.search(r"^ExecStart=\S+/python -m app\.server$", UNIT, re.MULTILINE)
    analyze = Path("/usr/bin/systemd-analyze")
    if not analyze.exists():
        pytest.skip("systemd-analyze is not here")
    unit = str(ROOT / "deploy" / "formcast.service")
    checked = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    complaints = checked.stderr.splitlines()
    assert not [line for line in complaints if "formcast" in line and "not executable" not in line]
    judged = subprocess.run(
        [analyze, "security", "--offline=true", unit], capture_output=True, text=True, check=False
    )
    exposure = re.search(r"exposure level for formcast.service: ([\d.]+)", judged.stdout)
    assert exposure is not None, judged.stderr
    assert float(exposure[1]) <= 1.5
