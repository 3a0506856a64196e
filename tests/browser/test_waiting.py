"""While one types, nothing is wrong yet, and nothing moves."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import (
    FRESH,
    HeldFragments,
    list_shifts,
    open_more,
    posts,
    price,
    two_frames,
    when_fresh,
)

pytestmark = pytest.mark.slow

FACTS = {
    "beds": "3", "baths": "2.5", "sqft": "1,850", "year_built": "1995", "neighborhood": "Gilbert",
    "condition": "7", "garage_cars": "2", "lot_area": "9,600", "basement_sqft": "1100",
    "fireplaces": "1",
}  # fmt: skip
"""Ten facts as one types them; in the two choices the first letters choose."""


def state(page: Page) -> str:
    """The state of the answer, once it is no longer pending."""
    expect(page.locator("#result")).not_to_have_attribute("data-state", "pending")
    return str(page.locator("#result").get_attribute("data-state"))


def test_a_number_on_its_way_is_waited_for_in_silence_and_at_the_same_height(page: Page) -> None:
    page.goto(FRESH)
    result = page.locator("#result")
    high = result.evaluate("result => result.offsetHeight")
    sqft, error = page.locator("#sqft"), page.locator("#sqft-error")
    sqft.fill("")
    states = []
    for key in "2400":
        with page.expect_response("**/predict-fragment"):
            page.keyboard.type(key)
        two_frames(page)
        states.append(state(page))
        expect(error).to_be_hidden()
        expect(sqft).not_to_have_attribute("aria-invalid", "true")
        if states[-1] == "waiting":
            expect(price(page)).to_have_count(0)
            expect(result).to_contain_text("Keep typing")
            assert abs(result.evaluate("result => result.offsetHeight") - high) <= 40
    assert states == ["waiting", "waiting", "waiting", "fresh"]


def test_what_was_left_on_its_way_is_wrong(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#sqft").fill("24")
    expect(page.locator("#result")).to_have_attribute("data-state", "waiting")
    page.keyboard.press("Tab")
    expect(page.locator("#result")).to_have_attribute("data-state", "withdrawn")
    expect(page.locator("#sqft-error")).to_contain_text("must be between 300 and 6,000")
    expect(page.locator("#sqft")).to_have_attribute("aria-invalid", "true")
    page.locator("#sqft").fill("2")
    expect(page.locator("#result")).to_have_attribute("data-state", "waiting")
    expect(page.locator("#sqft-error")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#sqft-error")).to_be_visible()


@pytest.mark.parametrize("typed", ["240000", "24x", "2.5555", "lots"])
def test_what_no_key_can_make_right_is_said_at_the_field(page: Page, typed: str) -> None:
    page.goto(FRESH)
    page.locator("#sqft").fill(typed)
    expect(page.locator("#sqft-error")).to_be_visible()
    expect(page.locator("#sqft")).to_be_focused()
    expect(page.locator("#result")).to_have_attribute("data-state", "withdrawn")
    page.locator("#sqft").fill("2400")
    expect(page.locator("#sqft-error")).to_be_hidden()
    when_fresh(page)


def test_what_an_input_method_still_converts_is_not_wrong_yet(page: Page) -> None:
    page.goto(FRESH)
    session = page.context.new_cdp_session(page)
    page.locator("#sqft").select_text()
    for text in ("に", "にせん"):
        place = {"selectionStart": len(text), "selectionEnd": len(text)}
        with page.expect_response("**/predict-fragment"):
            session.send("Input.imeSetComposition", {"text": text, **place})
        two_frames(page)
        expect(page.locator("#answer")).to_have_attribute("data-state", "pending")
        expect(page.locator("#sqft")).not_to_have_attribute("aria-invalid", "true")
    session.send("Input.insertText", {"text": "２０００"})
    expect(page.locator("#sqft")).to_have_value("２０００")
    when_fresh(page)
    session.send("Input.imeSetComposition", {"text": "ん", "selectionStart": 1, "selectionEnd": 1})
    page.locator("#beds").focus()  # what it holds is wrong by now
    expect(page.locator("#sqft")).to_have_attribute("aria-invalid", "true")


def test_only_the_field_that_is_typed_in_is_waited_for(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#beds").focus()
    page.locator("#sqft").evaluate("input => { input.value = '24'; }")
    expect(page.locator("#result")).to_have_attribute("data-state", "withdrawn")
    expect(page.locator("#result")).to_contain_text("Square feet must be between")


def test_another_window_in_front_changes_nothing(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#sqft").fill("24")
    expect(page.locator("#result")).to_have_attribute("data-state", "waiting")
    sent = posts(page)
    page.evaluate("dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(600)
    assert sent == []


@pytest.mark.second_tier
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_nothing_jumps_while_ten_facts_are_typed(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/")
    open_more(page)
    two_frames(page)  # what this moves is none of what typing moves
    earlier = len(list_shifts(page))
    for name, text in FACTS.items():
        field = page.locator(f"#{name}")
        field.focus()
        two_frames(page)
        before = field.bounding_box()
        for key in text:
            page.keyboard.type(key)
            page.wait_for_timeout(320)  # slower than the pause, so that each key is answered
            expect(page.locator("#result")).not_to_have_attribute("data-state", "pending")
            assert field.bounding_box() == before
    when_fresh(page)
    assert sum(list_shifts(page)[earlier:]) <= 0.02


def test_an_answer_that_comes_after_the_field_was_left_waits_for_nothing(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page, most=1)
    page.locator("#sqft").fill("24")
    route = held.wait()
    page.keyboard.press("Tab")
    route.continue_()
    expect(page.locator("#sqft-error")).to_be_visible()
    expect(page.locator("#result")).to_have_attribute("data-state", "withdrawn")
