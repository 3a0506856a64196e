"""axe-core on every page and state, light and dark, wide and narrow: no violation."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import ColorScheme, when_fresh
from tests.tools import axe

pytestmark = pytest.mark.slow

FRESH = "/?beds=3&baths=2.5&sqft=1850"
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


def violations(page: Page) -> list[str]:
    page.evaluate(axe())
    found = page.evaluate("""async () => (await axe.run(document, {runOnly: {type: "tag",
        values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}))
        .violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html).join(" | "))""")
    return list(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_has_no_violation(page: Page, name: str, scheme: ColorScheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(PAGES[name])
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_live_states_have_no_violation(page: Page, scheme: ColorScheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(FRESH)
    page.locator("#sqft").fill("2000")
    when_fresh(page)
    assert violations(page) == []
    page.locator("#baths").fill("99")
    page.keyboard.press("Tab")
    expect(page.locator("#baths-error")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_has_a_violation(page: Page, scheme: ColorScheme, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(FRESH)
    answer, result = page.locator("#answer"), page.locator("#result")
    page.locator("#sqft").fill("2")
    expect(result).to_have_attribute("data-state", "waiting")
    assert violations(page) == []
    page.locator("#sqft").fill("2000")
    when_fresh(page)
    page.route("**/predict-fragment", lambda route: None)
    page.locator("#sqft").fill("2100")
    expect(answer).to_have_attribute("data-state", "pending")
    page.wait_for_timeout(600)  # until it says so
    assert violations(page) == []
    page.unroute_all(behavior="ignoreErrors")
    page.route("**/predict-fragment", lambda route: route.abort())
    page.locator("#sqft").fill("2200")
    expect(page.locator("#alert button")).to_be_visible()
    assert violations(page) == []
