"""Too many requests: the alert says to wait, and nothing that was typed is lost."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import FRESH
from tests.conftest import Server, free_port


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of 422", "status of 429"]


@pytest.fixture
def strict_server() -> Iterator[Server]:
    with Server(free_port(), settings={"FORMCAST_RATELIMIT": "2/hour"}) as running:
        yield running


def test_beyond_the_limit_an_alert_says_to_wait_and_keeps_what_was_typed(
    page: Page, strict_server: Server
) -> None:
    page.goto(f"{strict_server.url}{FRESH}")
    alert = page.locator("#alert")
    for sqft in range(1851, 1856):  # two workers let four through
        with page.expect_response("**/predict-fragment"):
            page.locator("#sqft").fill(str(sqft))
    expect(alert).to_contain_text("Too many requests from your address. Wait ")
    expect(alert).to_contain_text("seconds, then try again.")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#sqft")).to_have_value("1855")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    page.locator("#form button[type=submit]").evaluate("button => button.form.submit()")
    expect(page.locator("h1")).to_have_text("Too many requests from your address")
    expect(page.locator("main form input[name=sqft]")).to_have_value("1855")
    expect(page.get_by_role("button", name="Try again with what you typed")).to_be_visible()
