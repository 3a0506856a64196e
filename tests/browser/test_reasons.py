"""Choosing the fact of the what-if, sharing and printing, as a visitor does."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.helpers import price, when_fresh
from tests.conftest import Server

FRESH = "/?beds=3&baths=2.5&sqft=1850"


def test_another_fact_is_chosen_without_a_navigation_and_kept(page: Page) -> None:
    page.goto(FRESH)
    page.evaluate("window.sameDocument = true")
    page.locator("#what_if").get_by_text("Bathrooms", exact=True).click()
    expect(page.locator("#what_if > .quiet")).to_contain_text("at 2.5 baths")
    expect(page).to_have_url(re.compile("what_if=baths$"))
    page.locator("#sqft").fill("2000")
    expect(page).to_have_url(re.compile("sqft=2000&what_if=baths$"))
    expect(page.locator("#what_if > .quiet")).to_contain_text("at 2.5 baths")
    assert page.evaluate("window.sameDocument")
    page.reload()
    expect(page.locator("#what-if-baths")).to_be_checked()


def test_the_fact_is_chosen_by_keyboard_and_the_focus_stays(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#what-if-sqft").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#what-if-year_built")).to_be_checked()
    when_fresh(page)
    expect(page.locator("#what-if-year_built")).to_be_focused()


def test_without_script_the_fact_is_chosen_by_a_button(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    page.goto(FRESH)
    page.locator("#what_if").get_by_text("Bathrooms", exact=True).click()
    page.locator("#what_if button").click()
    expect(page.locator("#what_if > .quiet")).to_contain_text("at 2.5 baths")
    expect(price(page)).to_have_count(1)
    context.close()


def test_the_link_is_copied(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(FRESH)
    page.locator("#sqft").fill("2000")
    expect(page).to_have_url(re.compile("sqft=2000"))
    page.locator("#share").click()
    expect(page.locator("#share")).to_have_text(re.compile(r"^Link copied: \$"))
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url


@pytest.mark.parametrize("path", [FRESH, FRESH + "&year_built=1995&neighborhood=Gilbert"
                                  "&condition=Good&garage_cars=2&lot_area=9000&basement_sqft=900"
                                  "&fireplaces=1"])  # fmt: skip
def test_it_prints_on_one_page(page: Page, path: str, tmp_path: Path) -> None:
    page.goto(path)
    page.emulate_media(media="print")
    expect(page.locator(".paper")).to_be_visible()
    expect(page.locator(".paper")).to_contain_text("3 bedrooms, 2.5 baths")
    expect(page.locator(".paper")).to_contain_text(re.compile(r"20\d\d, model [0-9a-f]{8}"))
    expect(page.locator(".price")).to_be_visible()
    expect(page.locator(".reasons")).to_be_visible()
    expect(page.locator("#form")).to_be_hidden()
    for size in ("A4", "Letter"):
        pdf = page.pdf(format=size)
        (tmp_path / "print.pdf").write_bytes(pdf)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1, size
