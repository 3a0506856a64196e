"""A page that a browser translates stays live."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import FRESH, TRANSLATE, price, when_answered

pytestmark = pytest.mark.slow


def test_a_page_that_is_translated_stays_live(page: Page) -> None:
    page.goto(FRESH)
    page.evaluate(TRANSLATE)
    expect(page.locator("label[for=sqft]")).to_have_text("xxxxxx xxxx")
    page.locator("#sqft").fill("2400")
    when_answered(page, sqft="2400")
    page.locator("#sqft").fill("none")
    page.locator("#sqft").blur()
    expect(page.locator("#sqft-error")).to_contain_text("1,850")
    expect(price(page)).to_have_count(0)
    page.locator("#sqft").fill("1200")
    when_answered(page, sqft="1200")
    expect(page.locator("#why-title")).to_have_text(re.compile(r"xxx \$\d+,\d00\?"))
