"""Typing: the number on the screen is always the answer to what is on the screen."""

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.helpers import (
    FRESH,
    HeldFragments,
    fill_house,
    list_shifts,
    posts,
    price,
    two_frames,
    when_fresh,
)

pytestmark = pytest.mark.slow


def test_the_price_appears_without_a_navigation(page: Page) -> None:
    page.goto("/")
    page.evaluate("window.sameDocument = true")
    fill_house(page)
    expect(price(page)).to_have_text(re.compile(r"^\$\d{2,3},\d00$"))
    assert page.evaluate("window.sameDocument")
    expect(page).to_have_url(re.compile(r"/\?beds=3&baths=2\.5&sqft=1850$"))


def test_four_quick_keys_send_one_request(page: Page) -> None:
    page.clock.install(time=0)
    page.goto("/?beds=3&baths=2.5&sqft=")
    page.clock.pause_at(3_600_000)  # no time passes between the keys, however busy the machine is
    sent = posts(page)
    page.locator("#sqft").press_sequentially("1850")
    assert sent == []
    page.clock.resume()
    when_fresh(page)
    assert len(sent) == 1


def test_the_old_answer_is_dimmed_from_the_first_key(page: Page) -> None:
    page.goto(FRESH)
    answer = page.locator("#answer")
    opacity = "getComputedStyle(document.querySelector('.price')).opacity"
    assert page.evaluate("document.getElementById('answer').dataset.state") is None
    held = HeldFragments(page)
    page.locator("#sqft").press("End")
    page.keyboard.type(".")
    expect(answer).to_have_attribute("data-state", "pending")
    expect(page.locator("#result")).to_have_attribute("aria-busy", "true")
    held.wait().continue_()
    when_fresh(page)
    assert page.evaluate(opacity) == "1"


def test_a_late_answer_never_overwrites_a_newer_one(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page, most=1)
    page.locator("#sqft").fill("900")
    held.wait()
    page.locator("#sqft").fill("2900")
    when_fresh(page)
    newest = price(page).get_attribute("value")
    response = page.request.post(
        "/predict-fragment", form={"beds": "3", "baths": "2.5", "sqft": "2900"}
    )
    assert f'value="{newest}"' in response.text()
    held.let_go()
    assert price(page).get_attribute("value") == newest


def test_an_answer_under_way_is_dropped_when_a_key_is_pressed(page: Page) -> None:
    """Between a key and its own request the answer to the older text must not show as fresh."""
    page.goto(FRESH)
    old = price(page).get_attribute("value")

    held = HeldFragments(page)
    page.locator("#sqft").fill("900")
    held.wait()
    page.locator("#sqft").press_sequentially("0", delay=10)
    held.let_go()
    assert page.evaluate("document.getElementById('answer').dataset.state") == "pending"
    assert price(page).get_attribute("value") == old
    page.unroute_all(behavior="ignoreErrors")


def test_typing_and_taking_it_back_ends_fresh(page: Page) -> None:
    page.goto(FRESH)
    before = price(page).get_attribute("value")
    page.locator("#sqft").press("End")
    page.keyboard.type("0", delay=20)
    page.keyboard.press("Backspace")
    when_fresh(page)
    assert price(page).get_attribute("value") == before


def test_what_was_taken_back_before_its_answer_is_answered_when_it_is_typed_again(
    page: Page,
) -> None:
    page.goto(FRESH)
    held = HeldFragments(page, most=1)
    page.locator("#sqft").fill("2900")
    held.wait()
    page.locator("#sqft").fill("1850")
    when_fresh(page)
    old = str(price(page).get_attribute("value"))
    page.locator("#sqft").fill("2900")
    expect(price(page)).not_to_have_attribute("value", old)
    when_fresh(page)
    page.unroute_all(behavior="ignoreErrors")


def test_the_caret_stays_in_the_middle_of_the_text(page: Page) -> None:
    page.goto(FRESH)
    sqft = page.locator("#sqft")
    sqft.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.type(",")
    when_fresh(page)
    assert sqft.evaluate("input => input.selectionStart") == 2
    page.keyboard.type("2")
    expect(sqft).to_have_value("1,2850")


def test_enter_sends_one_request_and_no_navigation(page: Page) -> None:
    page.clock.install()
    page.goto(FRESH)
    page.evaluate("window.sameDocument = true")
    sent = posts(page)
    page.locator("#sqft").press("Enter")
    when_fresh(page)
    page.clock.run_for(1000)
    assert len(sent) == 1
    page.evaluate("""() => {
        const sqft = document.getElementById("sqft");
        sqft.value = "2000";
        sqft.dispatchEvent(new Event("input", {bubbles: true}));
        sqft.form.requestSubmit();
    }""")
    when_fresh(page)
    page.clock.run_for(1000)
    assert len(sent) == 2
    assert page.evaluate("window.sameDocument")


def test_a_choice_answers_like_a_key(page: Page) -> None:
    page.goto(FRESH)
    before = price(page).get_attribute("value")
    page.locator("#neighborhood").select_option("Northridge_Heights")
    expect(price(page)).not_to_have_attribute("value", str(before))
    expect(page).to_have_url(re.compile("neighborhood=Northridge_Heights"))


def test_back_reload_and_a_bookmark_bring_the_state_back(page: Page) -> None:
    page.goto("/")
    fill_house(page)
    when_fresh(page)
    value = price(page).get_attribute("value")
    page.reload()
    assert price(page).get_attribute("value") == value
    expect(page.locator("#sqft")).to_have_value("1850")
    page.get_by_role("link", name="How good is it?").click()
    expect(page.locator("h1")).to_have_text("How good is this estimate?")
    page.go_back()
    expect(page.locator("#sqft")).to_have_value("1850")
    expect(price(page)).to_have_attribute("value", str(value))


def test_nothing_moves_while_typing(page: Page) -> None:
    page.goto(FRESH)
    for text in ("2000", "20000", "", "1", "1999"):
        page.locator("#sqft").fill(text)
        expect(page.locator("#answer")).not_to_have_attribute("data-state", "pending")
    page.keyboard.press("Tab")
    two_frames(page)
    assert sum(list_shifts(page)) == 0


@pytest.mark.second_tier
def test_the_time_from_key_to_price_is_reported(page: Page) -> None:
    page.goto(FRESH)
    page.evaluate("""() => {
        let typed;
        window.times = [];
        document.addEventListener("input", () => { typed = performance.now(); }, true);
        new MutationObserver(() => window.times.push(performance.now() - typed))
            .observe(document.getElementById("answer"), {childList: true});
    }""")
    for sqft in range(1500, 1511):
        page.locator("#sqft").fill(str(sqft))
        expect(page).to_have_url(re.compile(f"sqft={sqft}"))
        when_fresh(page)
    times = sorted(page.evaluate("window.times"))
    assert len(times) == 11
    print(f"keystroke to updated page, median: {times[5]:.0f} ms, of which 250 ms are the delay")


def test_requests_go_nowhere_but_to_this_server(page: Page) -> None:
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))
    page.goto("/")
    fill_house(page)
    when_fresh(page)
    # Who types slowly sends more than one post; only a browser with tabs asks for the icon.
    asked = {request.url for request in seen if request.method == "GET"}
    assert len([url for url in asked if "icon" not in url]) == 6
    base = page.url.split("/?")[0]
    assert all(request.url.startswith((base, "data:")) for request in seen)


def test_back_after_the_skip_link_leaves_no_other_answer_on_the_page(page: Page) -> None:
    page.goto("/about")
    page.goto(FRESH)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.locator("#beds").fill("4")
    expect(page).to_have_url(re.compile("beds=4"))
    page.go_back()
    expect(page.locator("h1")).to_have_text("How good is this estimate?")
    page.go_forward()
    expect(page.locator("#beds")).to_have_value("4")
    when_fresh(page)
    shown = price(page).get_attribute("value")
    answer = page.request.post(
        "/predict-fragment", form={"beds": "4", "baths": "2.5", "sqft": "1850"}
    )
    assert f'value="{shown}"' in answer.text()


def test_a_value_that_was_just_fixed_shows_no_old_error(page: Page) -> None:
    page.goto("/")
    page.locator("#beds").press_sequentially("3")
    page.keyboard.press("Tab")
    expect(page.locator("#answer")).not_to_have_attribute("data-state", "pending")
    page.evaluate("""() => {
        window.shown = [];
        new MutationObserver(() => window.shown.push(document.querySelector(
            '[data-field=baths]').hasAttribute('data-wrong'))).observe(
            document.querySelector('[data-field=baths]'), {attributes: true});
        const baths = document.getElementById('baths');
        baths.value = '2';
        baths.dispatchEvent(new Event('input', {bubbles: true}));
        baths.dispatchEvent(new FocusEvent('focusout', {bubbles: true}));
    }""")
    expect(page.locator("#result")).to_contain_text("the living area")
    two_frames(page)
    assert True not in page.evaluate("window.shown")
