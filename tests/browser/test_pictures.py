"""Choosing a picture in a real browser: the answer on the screen is that to the file chosen."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests.browser.helpers import (
    HeldFragments,
    check_accessible,
    overflow,
    posts,
    price,
    when_fresh,
)
from tests.conftest import Server
from tests.pictures import XRAY, chest, encoded

pytestmark = pytest.mark.slow


def file_of(data: bytes, name: str = "chest.jpg") -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


FIRST = file_of(encoded(chest(), "JPEG"))
SECOND = file_of(encoded(chest(2), "JPEG"), "another.jpg")
BROKEN = file_of(b"<svg/>", "drawing.jpg")


def choose(page: Page, file: FilePayload) -> None:
    page.locator("#image").set_input_files(file)


def test_choosing_a_file_answers_without_a_navigation(page: Page) -> None:
    page.goto(XRAY)
    page.evaluate("window.sameDocument = true")
    sent = posts(page)
    choose(page, FIRST)
    when_fresh(page)
    expect(price(page)).to_have_attribute("value", re.compile("^(NORMAL|PNEUMONIA)$"))
    expect(page.locator("#preview")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    assert len(sent) == 1
    expect(page.locator(".warning")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("Not a medical device")


def give(page: Page, event: str, file: FilePayload, place: str = "footer") -> bool:
    """Drop or paste a picture somewhere, as a browser does; whether the page takes it."""
    taken: bool = page.locator(place).evaluate(
        """(place, [kind, bytes, name]) => {
            const data = new DataTransfer(), init = {bubbles: true, cancelable: true};
            data.items.add(new File([new Uint8Array(bytes)], name, {type: "image/jpeg"}));
            return !place.dispatchEvent(kind === "paste"
                ? new ClipboardEvent(kind, {...init, clipboardData: data})
                : new DragEvent(kind, {...init, dataTransfer: data}));
        }""",
        [event, list(file["buffer"]), file["name"]],
    )
    return taken  # else the browser would show the picture instead of the page


def test_a_picture_is_dropped_anywhere_or_pasted_and_shown_before_the_answer(page: Page) -> None:
    page.goto(XRAY)
    expect(page.locator("#image-camera")).to_have_attribute("capture", "environment")
    held = HeldFragments(page)
    for event, file in (("drop", FIRST), ("paste", SECOND)):
        held.routes.clear()
        assert give(page, event, file)
        expect(page.locator("#preview")).to_be_visible()
        assert page.locator("#image").evaluate("input => input.files[0].name") == file["name"]
        held.wait().continue_()
        when_fresh(page)
    page.locator("footer").evaluate(
        """place => {
            const data = new DataTransfer();
            data.setData("text/plain", "words");
            place.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }"""
    )  # words are no picture, and the chosen one stays
    page.locator("footer").evaluate("place => place.append(document.createElement('textarea'))")
    assert not give(page, "paste", FIRST, "textarea")
    assert page.locator("#image").evaluate("input => input.files[0].name") == SECOND["name"]


def test_nothing_moves_when_the_script_has_come(page: Page) -> None:
    held: list[Route] = []
    page.route("**/static/app.*.js", lambda route: held.append(route))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/chest-xray/", wait_until="commit")
    before = page.locator("#form .main").bounding_box()
    held[0].continue_()
    expect(page.locator("html")).to_have_attribute("data-live", "")
    assert page.locator("#form .main").bounding_box() == before


def test_the_map_is_switched_off_and_on_without_a_request(page: Page) -> None:
    page.goto(XRAY)
    choose(page, FIRST)
    when_fresh(page)
    sent = posts(page)
    heat = page.locator(".heat")
    expect(heat).to_be_visible()
    page.get_by_label("Show where the model looked").uncheck()
    expect(heat).to_be_hidden()
    page.get_by_label("Show where the model looked").check()
    expect(heat).to_be_visible()
    expect(page.locator("#answer")).not_to_have_attribute("data-state", "pending")
    assert sent == []


def test_the_old_answer_is_dimmed_as_soon_as_another_file_is_chosen(page: Page) -> None:
    page.goto(XRAY)
    choose(page, FIRST)
    when_fresh(page)
    old = page.locator("#result image").get_attribute("href")
    held = HeldFragments(page)
    choose(page, SECOND)
    expect(page.locator("#answer")).to_have_attribute("data-state", "pending")
    expect(page.locator("#result")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#busy")).to_be_visible()
    held.wait().continue_()
    when_fresh(page)
    assert page.locator("#result image").get_attribute("href") != old


def test_a_late_answer_never_stands_for_a_newer_file(page: Page) -> None:
    page.goto(XRAY)
    held = HeldFragments(page, most=1)
    choose(page, FIRST)
    held.wait()
    choose(page, SECOND)
    when_fresh(page)
    newest = page.locator("#result image").get_attribute("href")
    held.let_go()
    assert page.locator("#result image").get_attribute("href") == newest


def test_a_picture_that_the_browser_keeps_on_the_way_back_is_shown(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / FIRST["name"]
    file.write_bytes(FIRST["buffer"])
    page.goto(XRAY)
    page.locator("#image").set_input_files(file)
    when_fresh(page)
    page.goto("/about")
    page.go_back()
    when_fresh(page)
    assert page.locator("#image").evaluate("input => input.files[0].name") == file.name
    expect(page.locator("#preview")).to_be_visible()


def test_a_file_that_is_no_picture_withdraws_the_answer_and_says_why(page: Page) -> None:
    page.goto(XRAY)
    choose(page, {**BROKEN, "buffer": b""})
    expect(page.locator("#image-error")).to_contain_text("is empty")
    choose(page, FIRST)
    when_fresh(page)
    choose(page, BROKEN)
    expect(page.locator('#result[data-state="withdrawn"]')).to_contain_text(
        "JPEG, PNG, WebP or AVIF"
    )
    expect(page.locator("#image-error")).to_be_visible()
    expect(page.locator("#image")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#preview")).to_be_hidden()
    expect(price(page)).to_have_count(0)
    choose(page, FIRST)
    when_fresh(page)
    expect(page.locator("#image-error")).to_be_hidden()
    expect(page.locator("#image")).not_to_have_attribute("aria-invalid", "true")


@pytest.fixture
def expected_errors(request: pytest.FixtureRequest) -> list[str]:
    provoked = ["status of 5", "status of 413", "Failed to fetch", "ERR_FAILED", "htmx:error"]
    return ["status of 422", *(provoked if "alert" in request.node.name else [])]


@pytest.mark.parametrize("scripted", [True, False])
def test_a_picture_that_is_refused_is_said_whole_and_marks_its_field(
    browser: Browser, server: Server, scripted: bool
) -> None:
    context = browser.new_context(
        base_url=server.url,
        java_script_enabled=scripted,
        viewport={"width": 360, "height": 740},
    )
    page = context.new_page()
    page.goto("/chest-xray/?sample=6")
    sentence, field = page.locator("#result .sentence"), page.locator("#image")
    expect(sentence).to_contain_text("choose another picture")
    assert sentence.evaluate("(it) => it.scrollHeight <= it.clientHeight + 1")
    color = page.locator("#image-error").evaluate("(it) => getComputedStyle(it).color")
    expect(field).to_have_css("border-top-color", color)
    expect(page.locator(".box:has(#image)")).to_have_css("box-shadow", "none")
    context.close()


def test_no_answer_shows_an_alert_and_trying_again_works(page: Page) -> None:
    page.goto(XRAY)
    page.route("**/predict-fragment", lambda route: route.abort())
    choose(page, FIRST)
    expect(page.locator("#alert")).to_contain_text("choose the picture again")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    page.unroute("**/predict-fragment")
    page.get_by_role("button", name="Try again").click()
    when_fresh(page)
    expect(page.locator("#alert")).to_be_empty()


@pytest.mark.second_tier
def test_a_file_far_too_large_has_its_error_at_the_field_and_no_alert(page: Page) -> None:
    page.goto(XRAY)
    choose(page, FIRST)
    when_fresh(page)
    choose(page, file_of(b"\xff\xd8\xff" + b"\0" * (11 * 1024 * 1024)))
    expect(page.locator("#image-error")).to_contain_text("must be 10 MB or less")
    expect(page.locator("#result")).to_have_attribute("data-state", "withdrawn")
    expect(page.locator("#alert")).to_be_empty()


def test_without_script_the_same_form_is_a_full_post(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    page.goto(XRAY)
    choose(page, FIRST)
    page.get_by_role("button", name="Show the answer").click()
    expect(price(page)).to_have_attribute("value", re.compile("^(NORMAL|PNEUMONIA)$"))
    page.get_by_label("Show where the model looked").uncheck()
    expect(page.locator(".heat")).to_be_hidden()
    choose(page, BROKEN)
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator("#errors")).to_contain_text("Chest X-ray must be a JPEG, PNG")
    expect(page.locator("#image-error")).to_be_visible()
    expect(page.locator("#errors")).to_be_focused()
    context.close()


@pytest.mark.second_tier
def test_no_state_has_an_accessibility_violation(page: Page) -> None:
    page.goto(XRAY)
    check_accessible(page)
    choose(page, FIRST)
    when_fresh(page)
    check_accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0
    choose(page, BROKEN)
    expect(page.locator("#image-error")).to_be_visible()
    check_accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0
