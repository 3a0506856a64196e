"""The site under a path, over IPv6, behind proxies that cut the path off and one that does not."""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message

import pytest

from app.config import Settings
from tests.attack.requests import FAMILIES, Case, make_report_cases
from tests.attack.sites import open_site
from tests.attack.test_attack import find_fault_in
from tests.conftest import free_port
from tests.servers import run_server
from tests.soak.serving import make_forms, make_requests
from tests.soak.slow import make_slow_requests, send_good_beside
from tests.tools import ROOT, find_nginx
from tests.waiting import wait_until
from tests.wire import NoResponseError, send_requests

pytestmark = pytest.mark.second_tier

PROXIES = {
    # leaves the path as it is
    "nginx": """
user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{ access_log off;
client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
server {{ listen [::1]:{port}; location /price/ {{
    proxy_ignore_client_abort on;  # a client of these tests closes its side once all is sent
    proxy_pass http://[::1]:{behind}; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
}} }} }}
""",
    # cuts the path off, and says so
    "haproxy": """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend site
    bind [::1]:{port}
    http-request set-header X-Forwarded-Prefix /price
    http-request set-header X-Forwarded-For %[src]
    http-request replace-path /price(/.*)? \\1
    default_backend app
backend app
    server one [::1]:{behind}
""",
    "caddy": """
{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind ::1
    handle_path /price/* {{
        reverse_proxy [::1]:{behind} {{
            header_up X-Forwarded-Prefix /price
            transport http {{
                compression off
            }}
        }}
    }}
}}
""",
}


def lower(headers: Message) -> dict[str, str]:
    """Headers by their names in small letters: each proxy spells them its own way."""
    return {name.lower(): value for name, value in headers.items()}


@dataclass
class Site:
    """A proxy before the app."""

    name: str
    port: int
    behind: int

    def fetch(
        self, path: str, data: bytes | None = None, kind: str = "application/x-www-form-urlencoded"
    ) -> tuple[int, dict[str, str], str]:
        request = urllib.request.Request(f"http://[::1]:{self.port}{path}", data)
        request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                text = answer.read().decode(errors="replace")  # pictures are links, too
                return answer.status, lower(answer.headers), text
        except urllib.error.HTTPError as error:
            with error:
                return error.code, lower(error.headers), error.read().decode()

    def answers(self) -> bool:
        with suppress(OSError):
            return self.fetch("/price/about")[0] == 200
        return False


@pytest.fixture(scope="module", params=sorted(PROXIES))
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    name = request.param
    program = find_nginx() if name == "nginx" else shutil.which(name, path="/usr/sbin:/usr/bin")
    if program is None or not socket.has_dualstack_ipv6():
        pytest.skip(f"{name}, or IPv6, is not here")
    folder, port = tmp_path_factory.mktemp(name), free_port()
    environ = {
        "PATH": "/usr/bin:/bin",
        "FORMCAST_PROXIES": "1",
        "FORMCAST_METRICS": "on",
        "FORMCAST_RATELIMIT": "off",  # all clients are one address
    }
    if name == "nginx":
        environ["FORMCAST_ROOT_PATH"] = "/price"
    with run_server([sys.executable, "-m", "app.server"], folder, environ) as server:
        config = folder / "config"
        config.write_text(PROXIES[name].format(folder=folder, port=port, behind=server.port))
        command = {
            "nginx": [program, "-e", f"{folder}/error.log", "-c", str(config)],
            "haproxy": [program, "-db", "-f", str(config)],
            "caddy": [program, "run", "--adapter", "caddyfile", "--config", str(config)],
        }[name]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        try:
            found = Site(name, port, server.port)
            wait_until(found.answers)
            yield found
        finally:
            process.terminate()
            process.wait(300)


def test_every_address_on_every_page_leads_somewhere(site: Site) -> None:
    seen, waiting = set[str](), ["/price/", "/price/?beds=3&baths=2&sqft=1850"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        status, headers, text = site.fetch(path)
        assert status == 200, path
        if headers["content-type"].startswith("text/html"):
            found = {
                address.replace("&amp;", "&").partition("#")[0]
                for address in re.findall(r'(?:href|src)="(/[^"]*)"', text)
            }
            assert all(address.startswith("/price/") for address in found), path
            waiting += sorted(found - seen - set(waiting))
    assert {"/price/about", "/price/api", "/price/chest-xray/"} <= seen


def test_a_fragment_and_the_api_answer_as_their_pages_say(site: Site) -> None:
    form = re.search(r'data-hx-post="([^"]*)"', site.fetch("/price/")[2])
    assert form is not None
    status, headers, _ = site.fetch(form[1], b"beds=3&baths=2&sqft=1850")
    assert status == 200
    assert headers["hx-replace-url"].startswith("/price/?beds=3")
    page = site.fetch("/price/api")[2]
    example = f"http://[::1]:{site.port}/price/api/predict"
    assert example in page
    row = json.dumps({"beds": 3, "baths": 2, "sqft": 1850}).encode()
    assert site.fetch("/price/api/predict", row, "application/json")[0] == 200
    described = json.loads(site.fetch("/price/api/openapi.json")[2])
    assert described["servers"] == [{"url": "/price"}]


def test_what_is_refused_has_a_page_under_the_path(site: Site) -> None:
    status, _, text = site.fetch("/price/nowhere")
    assert status == 404
    assert 'href="/price/"' in text
    status, _, text = site.fetch("/price/about?" + "x" * 5000)  # the server's parser refuses it
    assert status == 414
    assert 'href="/price/static/app.' in text


def test_no_bad_request_breaks_anything_behind_a_proxy(site: Site) -> None:
    """What the proxy refuses by itself does not count, only what it says of the app."""
    if site.name == "caddy":
        pytest.skip("Caddy drops the response to a client that closes its side, as these do")
    found = Counter[str]()

    def ask(case: Case) -> str:
        sent = re.sub(rb"^([A-Z]+) /", rb"\1 /price/", case.sent, count=1)
        try:
            responses = send_requests(site.port, sent, head=case.head, host="::1")
        except (NoResponseError, OSError):  # proxies close, or say a word that is no response
            responses = []
        for response in responses:
            ours = "x-request-id" in response.headers
            found["ours" if ours else "theirs"] += 1
            if ours and (fault := find_fault_in(response, case.head)):
                return f"{case.name}: {fault}"
            if not ours and response.status in (502, 503, 504):
                return f"{case.name}: the proxy says {response.status}"
        return ""

    families = [family for family in FAMILIES if family is not make_report_cases]  # it keeps none
    attacked = open_site({})
    cases = [case for family in families for case in family(attacked)]
    with ThreadPoolExecutor(4) as pool:
        faults = [fault for fault in pool.map(ask, cases) if fault]
    assert not faults, "\n".join(faults[:20])
    assert found["ours"] > len(cases) / 2, found
    assert site.fetch("/price/predict-fragment", b"beds=3&baths=2&sqft=1850")[0] == 200


SLOW_CLIENTS = 64
"""How many there are of each of the four kinds."""


def test_slow_clients_before_a_proxy_and_behind_it_take_nothing_from_others(site: Site) -> None:
    """Each answer is compared byte by byte; nginx's server stands under the path itself, too."""
    good = make_requests(ROOT, make_forms(50), pages=True, settings=Settings(root_path="/price"))
    kinds = make_slow_requests(f"http://[::1]:{site.port}", "/price")
    ports = [site.port, site.behind] if site.name == "nginx" else [site.port]
    for port in ports:
        beside = send_good_beside(port, good, list(kinds.values()) * SLOW_CLIENTS, 4, "::1")
        with ThreadPoolExecutor(1) as pool:  # Playwright keeps a loop running in the main thread
            seen = pool.submit(asyncio.run, beside).result()
        assert seen.sent > 10
        # Caddy 2.6.2 cuts one answer of some 4,000 short: beside clients that leave it closes its
        # own connection to us ("use of closed network connection" in its log), kept or not.
        most = seen.sent // 100 if site.name == "caddy" else 0
        assert seen.failed <= most, seen.reasons
