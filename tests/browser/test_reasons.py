"""Choosing the fact of the what-if, sharing and printing, as a visitor does."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.helpers import FRESH, posts, price, wait_for, when_fresh
from tests.conftest import Server


def test_another_fact_is_chosen_without_a_navigation_and_kept(page: Page) -> None:
    page.goto(FRESH)
    page.evaluate("window.sameDocument = true")
    page.locator("#what-if-fact").select_option("Bathrooms")
    expect(page.locator("#curve-title")).to_contain_text("at 2.5 baths")
    expect(page).to_have_url(re.compile("what_if=baths$"))
    page.locator("#sqft").fill("2000")
    expect(page).to_have_url(re.compile("sqft=2000&what_if=baths$"))
    expect(page.locator("#curve-title")).to_contain_text("at 2.5 baths")
    assert page.evaluate("window.sameDocument")
    page.reload()
    expect(page.locator("#what-if-fact")).to_have_value("baths")


def test_the_fact_is_chosen_by_keyboard_and_the_focus_stays(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#what-if-fact").focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("what_if=year_built$"))
    when_fresh(page)
    expect(page.locator("#what-if-fact")).to_have_value("year_built")
    expect(page.locator("#what-if-fact")).to_be_focused()


def test_arrow_keys_on_the_slider_set_the_field_and_the_focus_stays(page: Page) -> None:
    page.goto(FRESH)
    slider = page.get_by_role("slider", name="Square feet")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sqft")).to_have_value("1860")
    expect(page).to_have_url(re.compile("sqft=1860"))
    when_fresh(page)
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("sqft=1870"))
    when_fresh(page)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("1,870"))


@pytest.mark.parametrize("control", ["#what-if-slider", "#what-if-fact"])
def test_a_key_on_what_an_answer_replaces_sends_one_request(page: Page, control: str) -> None:
    page.goto(FRESH)
    sent = posts(page)
    page.locator(control).focus()
    page.keyboard.press("ArrowDown")
    wait_for(page, lambda: bool(sent))
    when_fresh(page)
    page.wait_for_timeout(700)  # two further requests would have come by now
    assert len(sent) == 1
    expect(page.locator(control)).to_be_focused()
    when_fresh(page)


def test_a_slider_that_says_only_that_it_changed_sets_the_field(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#what-if-slider").evaluate("""(slider) => {
        slider.value = 2400;
        slider.dataset.locale = "ar-EG"; // its digits are not those of the page
        slider.dispatchEvent(new Event("change", {bubbles: true}));
    }""")
    expect(page.locator("#sqft")).to_have_value(re.compile("2[34].."))
    expect(page).to_have_url(re.compile("sqft=2[34].."))
    when_fresh(page)


def test_a_drag_on_the_slider_is_not_cut_off_by_an_answer(page: Page) -> None:
    page.goto(FRESH)
    slider = page.locator("#what-if-slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.47, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle)
    halfway = page.locator("#sqft").input_value()
    assert halfway != "1850"
    expect(page.locator("#answer")).to_have_attribute("data-state", "pending")
    page.wait_for_timeout(1000)  # longer than an answer takes
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    assert int(page.locator("#sqft").input_value()) > int(halfway)
    page.mouse.up()
    value = page.locator("#sqft").input_value()
    expect(page).to_have_url(re.compile(f"sqft={value}"))
    when_fresh(page)
    expect(slider).to_have_value(value)


def test_a_drag_does_not_change_the_address_at_every_step(page: Page) -> None:
    page.goto(FRESH)
    kept = page.evaluate("""() => {
        const slider = document.getElementById("what-if-slider");
        let kept = 0;
        history.replaceState = () => { kept += 1; };
        for (let step = 0; step < 100; step += 1) {
            slider.value = 1000 + 10 * step;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
        }
        return kept;
    }""")
    assert kept == 1  # at the answered value, on the way
    expect(page.locator("#sqft")).to_have_value("1990")


def test_without_script_the_fact_is_chosen_by_a_button(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    page.goto(FRESH)
    page.locator("#what-if-fact").select_option("Bathrooms")
    page.locator("#what_if button").click()
    expect(page.locator("#curve-title")).to_contain_text("at 2.5 baths")
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
