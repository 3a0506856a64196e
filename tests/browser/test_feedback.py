"""A report on an answer, live, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.helpers import (
    FRESH,
    HeldFragments,
    check_accessible,
    fill_house,
    posts,
    price,
    when_fresh,
)
from tests.conftest import Server, free_port
from tests.pictures import chest, encoded
from tests.tools import axe


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that keeps feedback."""
    file = tmp_path_factory.mktemp("feedback") / "kept.sqlite3"
    settings = {"FORMCAST_FEEDBACK": "on", "FORMCAST_DATA": str(file)}
    running = Server(free_port(), settings=settings)
    running.start()
    yield running.url
    running.stop()


def test_a_report_is_sent_live_and_leaves_the_answer_alone(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    expect(page.locator("#report")).to_be_hidden()
    fill_house(page)
    when_fresh(page)
    answer = price(page).inner_text()
    page.locator("#known-truth").fill("a lot")
    sent = posts(page)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#told")).to_contain_text("must be a number")
    page.locator("#known-truth").fill("$230,000")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("this is kept: $230,000")
    assert [request.url.rpartition("/")[2] for request in sent] == ["feedback-fragment"] * 2
    expect(price(page)).to_have_text(answer)
    expect(page.locator("#answer")).not_to_have_attribute("data-state", re.compile("."))
    page.evaluate(axe())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag22aa']})")
    assert [issue["id"] for issue in found["violations"]] == []
    page.locator("#told a").click()
    expect(page.locator("h1")).to_contain_text("Report ")
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("h1")).to_have_text("Your report is deleted")


def test_another_answer_gets_another_receipt(page: Page, address: str) -> None:
    page.goto(f"{address}{FRESH}")
    receipt = page.locator("[name=receipt]")
    first = receipt.get_attribute("value")
    page.locator("#sqft").fill("1900")
    expect(receipt).not_to_have_attribute("value", str(first))
    page.get_by_role("button", name="This looks wrong").click()
    expect(page.locator("#told")).to_contain_text("this is kept")
    page.locator("#sqft").fill("")
    expect(page.locator("#report")).to_be_hidden()


def test_what_is_said_of_an_answer_is_not_said_of_another(
    page: Page, address: str, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 409")
    page.goto(f"{address}{FRESH}")
    wrong, told = page.get_by_role("button", name="This looks wrong"), page.locator("#told")
    wrong.click()
    expect(told).to_contain_text("this is kept")
    page.locator("#sqft").fill("1900")
    when_fresh(page)
    expect(told).to_contain_text("this is kept")  # with its number
    wrong.click()
    expect(told).to_contain_text("this is kept")
    wrong.click()
    expect(told).to_contain_text("There is a report on this answer already")
    page.locator("#sqft").fill("2400")
    expect(told).to_be_empty()


def test_a_report_is_not_sent_on_an_answer_to_what_was_typed_before(
    page: Page, address: str
) -> None:
    page.goto(f"{address}{FRESH}")
    held = HeldFragments(page)
    page.locator("#sqft").fill("1900")
    sent = posts(page)
    page.get_by_role("button", name="This looks wrong").click()
    expect(page.locator("#told")).to_contain_text("The form has changed since this answer")
    assert not [request for request in sent if "feedback" in request.url]
    held.wait()
    held.let_go()
    expect(page.locator("#told")).to_be_empty()


@pytest.mark.parametrize("scripted", [True, False])
def test_a_picture_is_kept_where_its_box_is_ticked(
    browser: Browser, address: str, scripted: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripted)
    page = context.new_page()
    page.goto(f"{address}/chest-xray/")
    content = encoded(chest(), "JPEG")
    page.locator("#image").set_input_files(
        {"name": "chest.jpg", "mimeType": "image/jpeg", "buffer": content}
    )
    if not scripted:
        page.get_by_role("button", name="Show the answer").click()
    page.locator("#report select").select_option("NORMAL")
    page.get_by_label("Keep the picture, too").check()
    shown = page.locator("#result image").get_attribute("href")
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("main a[href^='/feedback/']").click()
    expect(page.locator("article img")).to_have_attribute("src", str(shown))
    expect(page.locator("article img")).to_have_js_property("naturalWidth", 224)
    if scripted:
        check_accessible(page)
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("h1")).to_have_text("Your report is deleted")
    context.close()


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of 422", "ERR_FAILED", "Failed to fetch"]


def test_without_a_connection_it_says_so(page: Page, address: str) -> None:
    page.goto(f"{address}{FRESH}")
    page.route("**/feedback-fragment", lambda route: route.abort())
    page.get_by_role("button", name="This looks wrong").click()
    expect(page.locator("#told")).to_have_text(re.compile("^No answer came."))
    expect(page.locator("#alert")).to_be_empty()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_form_fits_the_page(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{address}{FRESH}")
    page.locator("#report summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_became_of_the_answers_is_accessible(page: Page, address: str) -> None:
    page.goto(f"{address}{FRESH}")
    page.locator("#known-truth").fill("$430,000")
    page.locator("#known-truth").press("Enter")
    expect(page.locator("#told")).to_contain_text("this is kept: $430,000")
    page.goto(f"{address}/about/track-record")
    check_accessible(page)
