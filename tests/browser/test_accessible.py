"""axe-core on every page and state, light and dark, wide and narrow: no violation."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import FRESH, check_accessible, when_fresh

pytestmark = pytest.mark.slow
second_tier = pytest.mark.second_tier

PAGES = {
    "empty": "/",
    "fresh": FRESH,
    "full": FRESH + "&neighborhood=Gilbert&year_built=1995",
    "choices": FRESH + "&neighborhood=Gilbert&what_if=neighborhood",
    "outside": "/?beds=8&baths=1&sqft=700",
    "wrong": "/?beds=99&baths=x&sqft=1850&year_built=1",
    "about": "/about",
    "api": "/api",
    "missing": "/nowhere",
    "picture-about": "/chest-xray/about",
    "batch": "/batch",
    "picture-batch": "/chest-xray/batch",
}


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of 422", "status of 404", "ERR_FAILED", "htmx:error", "Failed to fetch"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("about", "fresh", "wrong") else second_tier)
        for name in sorted(PAGES)
    ],
)
def test_a_page_has_no_violation(page: Page, name: str) -> None:
    page.goto(PAGES[name])
    check_accessible(page)


@second_tier
def test_no_state_has_a_violation(page: Page) -> None:
    page.goto(FRESH)
    answer, result = page.locator("#answer"), page.locator("#result")
    page.locator("#baths").fill("99")
    page.keyboard.press("Tab")
    expect(page.locator("#baths-error")).to_be_visible()
    check_accessible(page)
    page.locator("#baths").fill("2")
    page.locator("#sqft").fill("2")
    expect(result).to_have_attribute("data-state", "waiting")
    check_accessible(page)
    page.locator("#sqft").fill("2000")
    when_fresh(page)
    check_accessible(page)
    page.route("**/predict-fragment", lambda route: None)
    page.locator("#sqft").fill("2100")
    expect(answer).to_have_attribute("data-state", "pending")
    page.wait_for_timeout(600)  # until it says so
    check_accessible(page)
    page.unroute_all(behavior="ignoreErrors")
    page.route("**/predict-fragment", lambda route: route.abort())
    page.locator("#sqft").fill("2200")
    expect(page.locator("#alert button")).to_be_visible()
    check_accessible(page)
