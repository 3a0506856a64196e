"""The picker of a date field in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from app.config import Settings
from tests.browser.helpers import check_accessible, when_fresh
from tests.model.contract.test_date_field import add_orders
from tests.servers import serve_app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def orders_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A model that asks for a day, served on a port of its own."""
    models = add_orders(tmp_path_factory.mktemp("orders"))
    with serve_app(create_app(Settings(models=("orders",), ratelimit="off"), models)) as url:
        yield url


def test_a_day_is_picked_answered_and_accessible(page: Page, orders_url: str) -> None:
    page.goto(f"{orders_url}/?ordered=May+31,+2008&people=4&what_if=ordered")
    expect(page.locator("#ordered")).to_have_value("2008-05-31")
    page.locator("#ordered").fill("2009-11-28")
    when_fresh(page)
    expect(page.locator("#curve-title")).to_contain_text("at November 28, 2009")
    check_accessible(page)
    page.locator("#ordered").fill("1903-01-01")
    page.keyboard.press("Tab")
    page.locator("#people").focus()
    expect(page.locator("#ordered-error")).to_contain_text("Ordered must be between")
    check_accessible(page)


def test_a_day_stays_in_its_column_on_a_phone(page: Page, orders_url: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(orders_url)
    box, field = page.locator("#ordered").locator(".."), page.locator("[data-field=ordered]")
    assert field.evaluate("(it) => it.clientWidth") < 200  # beside another one
    assert box.evaluate("(it) => it.offsetWidth") <= field.evaluate("(it) => it.offsetWidth")


def test_a_day_leaves_room_for_parts_that_stand_apart(page: Page, orders_url: str) -> None:
    page.goto(orders_url)
    day = page.locator("#ordered")
    expect(day).to_have_css("padding-left", "8px")  # in Firefox the year was cut at 360 pixels
    expect(day).to_have_css("font-size", "16px")


def test_a_day_that_is_typed_in_part_gets_no_answer(page: Page, orders_url: str) -> None:
    page.goto(f"{orders_url}/?ordered=May+31,+2008&people=4")
    when_fresh(page)
    page.locator("#ordered").focus()
    page.keyboard.press("Delete")  # the month alone; the browser then sends nothing at all
    expect(page.locator("#result[data-state='waiting']")).to_be_visible()
    # Firefox clears the other parts when this changes.
    expect(page.locator("#ordered")).to_have_attribute("value", "2008-05-31")
    page.locator("#people").focus()
    expect(page.locator("#result[data-state='withdrawn']")).to_be_visible()
    expect(page.locator("#ordered-error")).to_contain_text("like ")
