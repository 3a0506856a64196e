"""A number that could be two is asked about; one from elsewhere is shown back."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.helpers import check_accessible, fill_house, price, when_fresh
from tests.conftest import Server

pytestmark = pytest.mark.slow

DOUBT = "/?beds=3&baths=2.5&sqft=1850&basement_sqft=1.000"


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of 422"]


def test_a_click_sets_the_field_to_what_was_meant(page: Page) -> None:
    page.goto("/")
    fill_house(page)
    when_fresh(page)
    field = page.locator("#basement_sqft")
    field.press_sequentially("1.000")
    field.press("Tab")
    expect(page.locator("#basement_sqft-error")).to_contain_text("Basement: 1,000 or 1?")
    expect(price(page)).to_have_count(0)
    page.get_by_role("button", name="Use 1,000").click()
    expect(field).to_have_value("1000")
    expect(field).to_be_focused()
    when_fresh(page)
    expect(page.locator("#basement_sqft-error button")).to_have_count(0)
    assert page.url.endswith("basement_sqft=1000")


def test_what_was_read_stands_beside_the_input_and_is_no_error(page: Page) -> None:
    page.goto("/")
    fill_house(page)
    field = page.locator("#sqft")
    field.fill("1.850")
    when_fresh(page)
    expect(page.locator("#sqft-error")).to_be_visible()
    expect(page.locator("#sqft-error")).to_have_text("Read as 1,850\u00a0sq ft")
    field.press("Tab")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "Living area above ground (sq ft) Read as 1,850 sq ft"
    )
    field.fill("1850")
    expect(page.locator("#sqft-error")).to_be_empty()


@pytest.mark.parametrize("live", [True, False], ids=["live", "without script"])
def test_enter_chooses_no_meaning_and_a_button_does(
    browser: Browser, server: Server, live: bool
) -> None:
    context = browser.new_context(java_script_enabled=live, base_url=server.url)
    page = context.new_page()
    page.goto(DOUBT)
    field = page.locator("#basement_sqft")
    field.press("Enter")
    expect(page.locator("#basement_sqft-error")).to_contain_text("1,000 or 1?")
    expect(field).to_have_value("1.000")
    expect(price(page)).to_have_count(0)
    page.get_by_role("button", name="Use 1", exact=True).click()
    expect(field).to_have_value("1")
    expect(price(page)).to_have_count(1)
    context.close()


def test_question_and_reading_have_no_violation(page: Page) -> None:
    for path in (DOUBT, "/?beds=3&baths=2,5&sqft=1.850"):
        page.goto(path)
        check_accessible(page)
