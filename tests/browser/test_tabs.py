"""Each tab shows the answer to its own form."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import FRESH, when_answered

pytestmark = pytest.mark.slow


def test_two_tabs_each_show_the_answer_to_their_own_form(page: Page) -> None:
    page.goto(FRESH)
    with page.expect_popup() as opened:
        page.evaluate("open(location.href)")
    other = opened.value
    when_answered(other, sqft="1850")
    page.locator("#sqft").fill("2400")
    other.locator("#sqft").fill("1200")
    for tab, typed in ((page, "2400"), (other, "1200")):
        when_answered(tab, sqft=typed)
        expect(tab).to_have_url(re.compile(f"sqft={typed}"))
        tab.reload()
        when_answered(tab, sqft=typed)
    other.close()


def test_a_tab_that_is_opened_again_shows_the_answer_to_what_was_typed(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#sqft").fill("2400")
    when_answered(page, sqft="2400")
    address = page.url
    page.close()
    again = page.context.new_page()  # a browser keeps no more of a closed tab than its address
    again.goto(address)
    when_answered(again, sqft="2400")
