"""A running server under more than two thousand bad requests, with good ones in between."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import html5lib
import pytest
from bs4 import BeautifulSoup

from app.http.headers import HEADERS
from app.pages.errors import WORDS
from tests.attack.kind_requests import BATCH_MEGABYTES, KIND_FAMILIES
from tests.attack.naughty import QUOTE, TAG
from tests.attack.requests import (
    FAMILIES,
    FORM_FAMILIES,
    GOOD,
    Case,
    list_targets,
    make_good_request,
    post,
)
from tests.attack.sites import Form, Site, open_site
from tests.conftest import Server, free_port
from tests.drafts import DRAFTS, add_draft
from tests.soak.serving import serve_copy
from tests.wire import TIMEOUT, NoResponseError, RawResponse, send_request, send_requests

OURS = WORDS[500][0]
REQUIRED = {name.lower() for name, _ in HEADERS}
CLIENTS = 4
PARSED_EVERY = 41
GOOD_EVERY = 10
"""A good request follows every tenth bad one."""

SPREAD = 7
"""The gate sends the bundled models every so many of all bad requests, the second tier all.

The second tier sends each drafted model every so many of those that any form gets, and all of its
own.

Both numbers are prime, so that each field and each address gets some.
"""


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that let visitors report."""
    file = tmp_path_factory.mktemp("feedback") / "kept.sqlite3"
    return {
        "FORMCAST_RATELIMIT": "off",
        "FORMCAST_FEEDBACK": "on",
        "FORMCAST_DATA": str(file),
        "FORMCAST_SECRET_KEY": "a key of tests that has 32 characters",
    }


@pytest.fixture(scope="module")
def site(feedback: dict[str, str]) -> Site:
    """The app with every route."""
    return open_site(feedback)


@pytest.fixture(scope="module")
def attacked(
    feedback: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("attacked") / "log"
    with Server(free_port(), settings=feedback, log=log) as running:
        yield running


DRAFTED = ("messages", "shapes", "energy", "flowers", "pumps", "reviews", "refusals")
"""Models of one's own, of every kind that no bundled model has."""


class DraftedSite(NamedTuple):
    """A site of drafted models, and the server that runs it."""

    site: Site
    server: Server


@pytest.fixture(scope="module")
def drafted(
    feedback: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DraftedSite]:
    """Each added by the command's own function, into the copy of the project that is served."""
    settings = {
        **feedback,
        "FORMCAST_DATA": str(tmp_path_factory.mktemp("feedback") / "drafted.sqlite3"),
        "FORMCAST_MODELS": ",".join(DRAFTED),
        "FORMCAST_MCP": "on",
        "FORMCAST_BATCH_MEGABYTES": str(BATCH_MEGABYTES),
    }

    def add(root: Path) -> None:
        for name in DRAFTED:
            folder = tmp_path_factory.mktemp("drafted") / name
            folder.mkdir()
            add_draft(DRAFTS[name](folder), name, root / "model")

    with serve_copy(model=settings["FORMCAST_MODELS"], prepare=add, settings=settings) as running:
        yield DraftedSite(open_site(settings, running.root / "model"), running)


@pytest.fixture(scope="module")
def under_path(feedback: dict[str, str]) -> Iterator[Server]:
    settings = {**feedback, "FORMCAST_ROOT_PATH": "/price"}
    with Server(free_port(), settings={**settings, "FORMCAST_PROXIES": "1"}) as running:
        yield running


Family = Callable[[Site], Iterator[Case]]


def name_family(family: Family) -> str:
    return str(family.__name__)


@pytest.mark.second_tier
@pytest.mark.parametrize("family", FAMILIES, ids=name_family)
def test_no_bad_request_breaks_anything_under_a_path_and_over_ipv6(
    under_path: Server, site: Site, family: Family
) -> None:
    """Each with the path, the prefix that a proxy adds, or both."""
    host = "::1" if socket.has_dualstack_ipv6() else "127.0.0.1"

    def find_named_fault(numbered: tuple[int, Case]) -> str:
        number, case = numbered
        sent = re.sub(rb"^([A-Z]+) /", rb"\1 /price/", case.sent, count=1)
        if number % 2:
            sent = sent.replace(b"\r\n", b"\r\nX-Forwarded-Prefix: /price\r\n", 1)
        fault = find_fault(under_path.port, replace(case, sent=sent), host)
        return f"{case.name}: {fault}" if fault else ""

    with ThreadPoolExecutor(CLIENTS) as pool:
        faults = [fault for fault in pool.map(find_named_fault, enumerate(family(site))) if fault]
    assert not faults, "\n".join(faults[:20])


@pytest.mark.parametrize(
    "every",
    [
        pytest.param(SPREAD, id="some", marks=pytest.mark.sample),
        pytest.param(1, id="all", marks=pytest.mark.second_tier),
    ],
)
@pytest.mark.parametrize("family", FAMILIES, ids=name_family)
def test_no_bad_request_breaks_anything(
    attacked: Server, site: Site, family: Family, every: int
) -> None:
    check_unbroken(attacked, site, islice(family(site), 0, None, every))


@pytest.mark.second_tier
@pytest.mark.parametrize("family", FORM_FAMILIES, ids=name_family)
def test_bad_requests_that_any_form_gets_break_no_drafted_model(
    drafted: DraftedSite, family: Family
) -> None:
    cases = islice(family(drafted.site), 0, None, SPREAD)
    check_unbroken(drafted.server, drafted.site, cases, PARSED_EVERY)


@pytest.mark.second_tier
@pytest.mark.parametrize("family", KIND_FAMILIES, ids=name_family)
def test_no_bad_request_of_its_kind_breaks_a_drafted_model(
    drafted: DraftedSite, family: Family
) -> None:
    check_unbroken(drafted.server, drafted.site, family(drafted.site), PARSED_EVERY)


def check_unbroken(
    server: Server, site: Site, cases: Iterator[Case], parsed_every: int = 1_000
) -> None:
    """Send bad requests with good ones in between; each model gives its own answer after them.

    The pages that come back for every so many of them are parsed strictly, which takes long.
    """
    goods = [(make_good_request(form), find_answer(site, form)) for form in site.forms]
    written = server.log.stat().st_size

    def find_named_fault(numbered: tuple[int, Case]) -> str:
        number, case = numbered
        fault = find_fault(server.port, case, parse=number % parsed_every == 0)
        if not fault and number % GOOD_EVERY == 0:
            fault = find_fault_of_good(server.port, *goods[number // GOOD_EVERY % len(goods)])
        return f"{case.name}: {fault}" if fault else ""

    with ThreadPoolExecutor(CLIENTS) as pool:
        faults = [fault for fault in pool.map(find_named_fault, enumerate(cases)) if fault]
    faults += filter(None, (find_fault_of_good(server.port, *good) for good in goods))
    log = server.log.read_bytes()[written:].decode(errors="replace")
    faults += [line for line in log.splitlines() if "Traceback" in line]
    assert not faults, "\n".join(faults[:20])


def find_fault(port: int, case: Case, host: str = "127.0.0.1", parse: bool = False) -> str:
    """Return what is wrong with the responses to a bad request; "" for nothing.

    With ``parse`` their HTML is parsed strictly.
    """
    started = time.monotonic()
    try:
        responses = send_requests(port, case.sent, head=case.head, host=host)
    except NoResponseError as error:
        return str(error)
    if time.monotonic() - started > TIMEOUT:
        return "it hung"
    if not responses and not case.may_close:
        return "closed without a response"
    faults = (
        find_fault_in(response, case.head) or (find_torn(response) if parse else "")
        for response in responses
    )
    return next(filter(None, faults), "")


def find_fault_in(response: RawResponse, head: bool) -> str:
    if response.status >= 500 or response.status < 200:
        return f"status {response.status}"
    if lacking := REQUIRED - response.headers.keys():
        return f"{response.status} lacks {', '.join(lacking)}"
    if head and response.body:
        return f"{response.status} to HEAD has a body"
    if "Traceback (most recent" in response.text:
        return f"{response.status} has a traceback"
    is_html = response.headers.get("content-type", "").startswith("text/html")
    for bad in (TAG, QUOTE, "<script>alert"):
        if is_html and bad in response.text:
            return f"{response.status} has {bad!r} in it"
    if "set-cookie" in response.headers:
        return f"{response.status} has set-cookie: {response.headers['set-cookie']}"
    if fault := find_malformed(response):
        return f"{response.status} {fault}"
    if "evil.example" in (location := response.headers.get("location", "")):
        return f"{response.status} has location: {location}"
    return ""


def find_malformed(response: RawResponse) -> str:
    """Return what is wrong with the body of a response by its type; "" for nothing."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    is_streamed = "x-accel-buffering" in response.headers
    if is_streamed and kind == "text/html" and OURS in response.text:
        return "ends with a fault of ours"  # its status was sent before
    lines = response.body.splitlines() if kind == "application/x-ndjson" else [response.body]
    if "json" not in kind or not response.body:
        return ""
    try:
        parsed = [json.loads(line) for line in lines]
    except ValueError as error:
        return f"is no JSON: {error}"
    faults = [each for each in parsed if isinstance(each, dict) and each.get("status") == 500]
    return "has a problem of ours" if faults else ""


def find_torn(response: RawResponse) -> str:
    """Return the first error in the HTML of a response; "" for none."""
    if not response.headers.get("content-type", "").startswith("text/html"):
        return ""
    # What was typed is shown again, and may have characters that HTML does not.
    text = "".join(sign for sign in response.text if sign.isprintable() or sign in "\r\n\t")
    parser = html5lib.HTMLParser(strict=True)
    try:
        (parser.parse if text.startswith("<!doctype") else parser.parseFragment)(text)
    except html5lib.html5parser.ParseError as error:
        return f"{response.status} is torn: {error}"
    return ""


def find_answer(site: Site, form: Form) -> list[str]:
    """Find the numbers and labels of the answer to a good form, to the last digit."""
    head, _, body = make_good_request(form).partition(b"\r\n\r\n")
    kind = re.findall(r"Content-Type: (.*)", head.decode())[0].strip()
    response = site.app.test_client().post(form.fragment, data=body, content_type=kind)
    assert response.status_code == 200
    return read_answer(response.text)


def read_answer(text: str) -> list[str]:
    """Read what a fragment says for programs."""
    found = BeautifulSoup(text, "html.parser").select("#result data")
    assert found
    return [str(element["value"]) for element in found]


def find_fault_of_good(port: int, good: bytes, answer: list[str]) -> str:
    response = send_request(port, good)
    if response.status != 200:
        return f"the good request got {response.status}"
    found = read_answer(response.text)
    return "" if found == answer else f"the good request got {found}, not {answer}"


def test_there_are_more_than_two_thousand_different_bad_requests(site: Site) -> None:
    sent = [case.sent for family in FAMILIES for case in family(site)]
    assert len(set(sent)) > 2_000


def test_every_route_is_attacked(site: Site) -> None:
    addresses, posts = list_targets(site.app)
    assert {"/", "/about", "/predict-fragment", "/chest-xray/", "/static/app.js"} <= set(addresses)
    assert {"/feedback", "/feedback/app.js", "/chest-xray/feedback-fragment"} <= set(posts)
    assert {"/", "/predict-fragment", "/chest-xray/predict-fragment"} <= set(posts)


def test_a_request_smuggled_behind_a_refused_body_gets_no_response(attacked: Server) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /predict-fragment HTTP/1.1\r\nHost: localhost\r\n"
    for framing, body in (
        (b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: tea\r\n\r\n", b""),
        (b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n", b""),
    ):
        (response,) = send_requests(attacked.port, head + framing + body + smuggled)
        assert 400 <= response.status < 500
        assert response.headers["connection"] == "close"


def test_repeated_requests_on_one_connection_get_responses(attacked: Server) -> None:
    good = post("/predict-fragment", GOOD)
    with socket.create_connection(("127.0.0.1", attacked.port), TIMEOUT) as connection:
        for _ in range(5):
            connection.sendall(good)
            data = b""
            while b"</p>\n</section>" not in data and b"oob" not in data[-2000:]:
                data += connection.recv(65536)
            assert data.startswith(b"HTTP/1.1 200 OK")
