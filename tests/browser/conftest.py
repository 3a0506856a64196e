"""A real Chromium against a real gunicorn; every test fails on a CSP violation or console error."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from app.cli.preview import find_chromium
from tests.conftest import Server, free_port
from tests.tools import installed

PATIENCE = 60_000
"""Milliseconds after which what a page has to show will not come, however busy the machine is."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {
        **browser_type_launch_args,
        "executable_path": installed(find_chromium(), "Chromium"),
        "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", *quiet],
    }


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    """Where relative addresses of the tests lead."""
    return server.url


@pytest.fixture
def expected_errors() -> list[str]:
    """Parts of console messages that a test provokes on purpose, like the failure it is about."""
    return ["status of 422"]  # Chromium reports every 4xx of a fetch, an answer of ours included


@pytest.fixture(autouse=True)
def no_violation(page: Page, expected_errors: list[str]) -> Iterator[None]:
    """Zero CSP violations, zero console errors, zero uncaught exceptions."""
    seen: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: seen.append(f"uncaught: {error}"))
    page.set_default_timeout(PATIENCE)
    yield
    assert not [text for text in seen if not any(part in text for part in expected_errors)]


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may stop and start."""
    with Server(free_port(), settings={"WEB_CONCURRENCY": "1"}) as running:
        yield running
