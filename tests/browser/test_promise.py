"""The number on the screen is the answer to what is on the screen, whatever changed it."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.helpers import (
    FRESH,
    HeldFragments,
    fill_house,
    list_shifts,
    open_more,
    posts,
    price,
    two_frames,
    when_answered,
    when_fresh,
)
from tests.conftest import Server

pytestmark = pytest.mark.slow

FRAGMENT = "**/predict-fragment"


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of", "net::ERR", "htmx:error", "Failed to fetch", "integrity"]


@pytest.mark.parametrize(
    "how",
    [
        "sqft.value = '2400'; sqft.dispatchEvent(new Event('change', {bubbles: true}))",
        "sqft.value = '2400'",  # nothing says so
        "sqft.focus(); sqft.value = '2400'; sqft.blur()",
        "sqft.setAttribute('value', '2400')",
    ],
)
def test_a_value_is_answered_however_it_came(page: Page, how: str) -> None:
    page.goto(FRESH)
    page.evaluate(f"() => {{ const sqft = document.getElementById('sqft'); {how} }}")
    expect(page).to_have_url(re.compile("sqft=2400"))
    when_answered(page, sqft="2400")


def test_a_choice_is_answered_by_its_change_alone(page: Page) -> None:
    page.goto(FRESH)
    page.evaluate("""() => {
        const choice = document.getElementById("neighborhood");
        choice.value = "Northridge_Heights";
        choice.dispatchEvent(new Event("change", {bubbles: true}));
    }""")
    expect(page).to_have_url(re.compile("neighborhood=Northridge_Heights"))
    when_answered(page, sqft="1850", neighborhood="Northridge_Heights")


def test_a_form_that_is_reset_gets_its_own_answer(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page)
    page.locator("#sqft").fill("2400")
    held.wait()
    page.evaluate("document.getElementById('form').reset()")
    when_answered(page, sqft="1850")
    expect(page).to_have_url(re.compile("sqft=1850"))
    page.unroute_all(behavior="ignoreErrors")


def test_a_form_that_is_reset_while_it_is_sent_gets_its_answer(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page, most=1)
    page.locator("#sqft").press("Enter")
    held.wait()
    page.evaluate("document.getElementById('form').reset()")
    when_answered(page, sqft="1850")
    page.unroute_all(behavior="ignoreErrors")


def test_what_was_typed_before_a_link_was_followed_is_there_on_the_way_back(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#sqft").fill("2400")
    page.locator("header a[href='/about']").click()
    expect(page).to_have_url(re.compile("/about$"))
    page.go_back()
    when_answered(page, sqft="2400")
    page.go_forward()
    page.go_back()
    when_answered(page, sqft="2400")
    page.reload()
    when_answered(page, sqft="2400")


def test_a_page_that_is_reloaded_right_after_a_key_loses_nothing(page: Page) -> None:
    page.goto(FRESH)
    sent = posts(page)
    page.locator("#sqft").press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("7")
    page.reload()
    assert sent == []
    when_answered(page, sqft="1857")


def test_an_address_that_the_browser_refuses_keeps_no_answer_back(
    page: Page, expected_errors: list[str]
) -> None:
    expected_errors.append("too often")  # what Safari says after a hundred in ten seconds
    page.goto(FRESH)
    page.evaluate("""() => {
        const replace = history.replaceState;
        let refusals = 2; // for the key, and for what is asked
        history.replaceState = (...given) => {
            if (refusals-- > 0) throw new Error("too often");
            replace.apply(history, given);
        };
    }""")
    page.locator("#sqft").fill("2400")
    expect(page).to_have_url(re.compile("sqft=2400$"))
    when_answered(page, sqft="2400")


def test_the_address_follows_a_value_that_was_taken_back(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page)
    page.locator("#sqft").fill("2400")
    held.wait()
    page.locator("#sqft").fill("1850")
    when_fresh(page)
    expect(page).to_have_url(re.compile("sqft=1850"))
    page.unroute_all(behavior="ignoreErrors")


def test_what_is_typed_before_the_script_has_run_is_answered(page: Page) -> None:
    held: list[Route] = []
    page.route("**/static/app.*.js", lambda route: held.append(route))
    page.goto(FRESH, wait_until="commit")
    page.locator("#sqft").fill("2400")
    held[0].continue_()
    expect(page).to_have_url(re.compile("sqft=2400"))
    when_answered(page, sqft="2400")


def saved(page: Page) -> tuple[dict[str, Any], str, str]:
    """The values, the number and the state of the page as it would be saved."""
    soup = BeautifulSoup(page.content(), "html.parser")
    values = {str(item["name"]): item["value"] for item in soup.select("#form .field input")}
    chosen = soup.select_one("#neighborhood option[selected]")
    values["neighborhood"] = chosen["value"] if chosen else ""
    (number,) = soup.select("data.prediction")
    return values, str(number["value"]), str(soup.select("#result")[0]["data-state"])


def test_a_saved_page_holds_a_price_and_the_values_that_it_answers(page: Page) -> None:
    page.goto("/")
    fill_house(page)
    open_more(page)
    page.locator("#neighborhood").select_option("Gilbert")
    expect(page).to_have_url(re.compile("neighborhood=Gilbert"))
    when_fresh(page)
    values, number, _ = saved(page)
    assert (values["sqft"], values["neighborhood"]) == ("1850", "Gilbert")
    assert number == price(page).get_attribute("value")
    page.route(FRAGMENT, lambda route: None)
    page.locator("#sqft").fill("2400")
    old, same, state = saved(page)
    assert (old["sqft"], same, state) == ("1850", number, "pending")
    page.unroute_all(behavior="ignoreErrors")


def test_a_page_that_is_printed_before_its_answer_says_that_the_number_is_old(page: Page) -> None:
    page.goto(FRESH)
    page.route(FRAGMENT, lambda route: None)
    page.emulate_media(media="print")
    expect(page.locator(".old")).to_be_hidden()
    page.locator("#sqft").evaluate("input => { input.value = '2400'; }")
    expect(page.locator(".old")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("blocked", ["app", "htmx", "*"])
def test_a_script_that_does_not_come_leaves_a_plain_form(page: Page, blocked: str) -> None:
    page.route(f"**/static/{blocked}.*.js", lambda route: route.abort())
    check_plain(page)


def test_a_script_that_was_changed_on_its_way_leaves_a_plain_form(page: Page) -> None:
    page.route("**/static/app.*.js", lambda route: route.fulfill(body="}"))
    check_plain(page)


@pytest.mark.parametrize(
    ("path", "script", "part"),
    [
        (FRESH, "what_if", ".slider, .change + p .live"),
        ("/chest-xray/", "image", ".drop"),
    ],
)
def test_what_a_script_that_does_not_come_would_do_is_not_offered(
    page: Page, path: str, script: str, part: str
) -> None:
    page.goto(path)
    parts = page.locator(part)
    for index in range(parts.count()):
        expect(parts.nth(index)).to_be_visible()
    page.route(f"**/static/{script}.*.js", lambda route: route.abort())
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-live", "")
    for index in range(parts.count()):
        expect(parts.nth(index)).to_be_hidden()


def check_plain(page: Page) -> None:
    page.goto(FRESH)
    sent = posts(page)
    page.locator("#sqft").fill("2400")
    page.locator("#beds").focus()
    page.wait_for_timeout(500)
    assert sent == []
    page.locator("#beds").press("Enter")
    expect(page.locator("#result data.prediction")).to_be_visible()
    expect(page.locator("#sqft")).to_have_attribute("value", "2400")
    when_answered(page, sqft="2400")
    assert [request.is_navigation_request() for request in sent] == [True]


def test_an_older_form_says_so_and_keeps_what_was_typed_in_the_address(page: Page) -> None:
    page.goto(FRESH)
    page.locator("[name=_form_hash]").evaluate("input => { input.value = '0123456789abcdef'; }")
    sent = posts(page)
    page.locator("#sqft").fill("2400")
    expect(page.locator("#alert")).to_contain_text("This form has changed. Reload to go on")
    expect(price(page)).to_have_count(0)
    expect(page.locator("#result")).not_to_contain_text("$")
    assert len(sent) == 2  # it asked once more
    expect(page).to_have_url(re.compile("sqft=2400"))
    page.get_by_role("link", name="Reload").click()
    when_answered(page, sqft="2400")


def test_a_newer_server_beside_an_older_one_is_asked_once_more(page: Page) -> None:
    page.goto(FRESH)
    came: list[Route] = []

    def refuse_once(route: Route) -> None:
        came.append(route)
        if len(came) == 1:
            route.fulfill(status=409, body="")
        else:
            route.continue_()

    page.route(FRAGMENT, refuse_once)
    page.locator("#sqft").fill("2400")
    expect(page).to_have_url(re.compile("sqft=2400"))
    when_answered(page, sqft="2400")
    expect(page.locator("#alert")).to_be_empty()


def fail(page: Page, **answer: Any) -> list[Route]:
    """Let every request fail, by this answer or for want of a network; all that came."""
    came: list[Route] = []

    def take(route: Route) -> None:
        came.append(route)
        route.fulfill(**answer) if answer else route.abort("internetdisconnected")

    page.route(FRAGMENT, take)
    return came


def test_a_page_without_an_answer_asks_again_with_growing_pauses(page: Page) -> None:
    page.clock.install(time=0)
    page.goto(FRESH)
    came = fail(page)
    page.locator("#sqft").fill("2400")
    expect(page.locator("#alert")).to_contain_text("No answer came")
    counts = []
    for _ in range(8):
        page.clock.run_for(8_000)
        page.wait_for_timeout(50)
        counts.append(len(came))
    assert 4 <= counts[1] <= 8
    assert counts[-1] - counts[-4] <= 2
    page.unroute(FRAGMENT)
    for _ in range(31):
        page.clock.run_for(1_000)
        page.wait_for_timeout(10)
    when_answered(page, sqft="2400")
    expect(page.locator("#alert")).to_be_empty()


@pytest.mark.parametrize("event", ["online", "visibilitychange"])
def test_a_page_without_an_answer_asks_again_when_it_is_back(page: Page, event: str) -> None:
    page.clock.install(time=0)
    page.goto(FRESH)
    fail(page, status=500, body="")
    page.locator("#sqft").fill("2400")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    page.clock.pause_at(3_600_000)
    page.unroute(FRAGMENT)
    target = "window" if event == "online" else "document"
    page.evaluate(f"{target}.dispatchEvent(new Event('{event}', {{bubbles: true}}))")
    when_answered(page, sqft="2400")


def test_a_page_without_an_answer_says_nothing_of_the_old_price(page: Page) -> None:
    page.goto(FRESH)
    fail(page)
    page.locator("#sqft").fill("2400")
    before = page.locator("#sqft").bounding_box()
    expect(page.locator("#alert")).to_contain_text("What you typed is kept")
    assert "$" not in page.locator("body").aria_snapshot()
    expect(page.locator("#result")).to_have_attribute("data-state", "failed")
    expect(page.locator(".price")).to_have_css("text-decoration-line", "line-through")
    two_frames(page)
    assert list_shifts(page) == []
    assert page.locator("#sqft").bounding_box() == before
    page.unroute(FRAGMENT)
    page.locator("#sqft").fill("1850")  # back to what is answered already
    when_answered(page, sqft="1850")
    assert "$" in page.locator("#result").aria_snapshot()


def test_a_form_that_is_filled_in_is_not_told_to_be_when_its_answer_fails(page: Page) -> None:
    page.goto("/")
    fail(page)
    expect(page.locator("#result-title")).to_have_text("Fill in three facts")
    fill_house(page)
    expect(page.locator("#alert")).to_contain_text("No answer came")
    expect(page.locator("#result-title")).to_be_hidden()


@pytest.mark.parametrize("fails", [True, False], ids=["failed", "slow"])
def test_what_was_said_of_a_text_is_not_said_of_another(page: Page, fails: bool) -> None:
    page.goto(FRESH)
    note = page.locator("#baths-error")
    page.locator("#baths").fill("abc")
    expect(note).to_contain_text("like 2.5")
    if fails:
        fail(page, status=500, body="")
    else:
        HeldFragments(page)
    page.locator("#baths").fill("2")
    expect(note).to_be_empty()
    expect(page.locator("#baths")).not_to_have_attribute("aria-invalid", "true")
    page.unroute_all(behavior="ignoreErrors")
    page.locator("#baths").fill("abc")
    expect(note).to_contain_text("like 2.5")


def test_what_is_too_large_for_an_answer_leaves_no_price(page: Page) -> None:
    page.goto(FRESH)
    came = fail(page, status=413, body="")
    page.locator("#sqft").fill("2400")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    expect(page.locator("#result")).not_to_contain_text("$")
    page.unroute(FRAGMENT)
    page.locator("#sqft").fill("1850")  # its answer is gone, so it is asked for again
    when_answered(page, sqft="1850")
    assert len(came) == 1


@pytest.mark.parametrize("status", [413, 429, 503])
def test_a_refusal_leaves_no_price_as_current(page: Page, status: int) -> None:
    page.goto(FRESH)
    fail(page, status=status, headers={"Retry-After": "60"}, body="")
    page.locator("#sqft").fill("2400")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    assert "$" not in page.locator("body").aria_snapshot()


def test_the_page_of_a_portal_is_no_answer(page: Page) -> None:
    page.goto(FRESH)
    portal = "<!doctype html><html><title>Wi-Fi</title><h1>Sign in for $5</h1></html>"
    came = fail(page, status=200, content_type="text/html", body=portal)
    page.locator("#sqft").fill("2400")
    expect(page.locator("#alert")).to_contain_text("sign-in page")
    expect(page.locator("body")).not_to_contain_text("for $5")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    assert len(came) >= 2


@pytest.mark.parametrize("path", ["/", "/predict-fragment"])
def test_an_answer_of_ours_to_another_post_is_none_to_this_one(page: Page, path: str) -> None:
    page.goto(FRESH)
    other = page.request.post(
        path, form={"beds": "1", "baths": "1", "sqft": "800", "_correlation_id": "0.25"}
    ).text()
    fail(page, status=200, content_type="text/html", body=other)
    page.locator("#sqft").fill("2400")
    expect(page.locator("#alert")).to_contain_text("Something else answered")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")


@pytest.mark.parametrize("status", [200, pytest.param(422, marks=pytest.mark.second_tier)])
def test_an_answer_without_its_beginning_is_no_answer(page: Page, status: int) -> None:
    page.goto(FRESH)
    answer = page.request.post("/predict-fragment", form={"beds": "3", "baths": "2", "sqft": "900"})
    fail(page, status=status, body=answer.text().partition("</section>")[2])
    page.locator("#sqft").fill("2400")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    page.unroute(FRAGMENT)
    page.locator("#sqft").fill("2000")
    when_answered(page, sqft="2000")


def test_a_foreign_refusal_that_looks_like_ours_leaves_no_price(page: Page) -> None:
    page.goto(FRESH)
    fail(page, status=413, content_type="text/html", body='<p id="result">Too large</p>')
    page.locator("#sqft").fill("2400")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    expect(page.locator("#result")).not_to_contain_text("$")


def test_what_a_foreign_page_says_of_its_error_is_not_repeated(page: Page) -> None:
    page.goto(FRESH)
    fail(page, status=502, content_type="text/html", body='<div id="error">Only $5 a month</div>')
    page.locator("#sqft").fill("2400")
    expect(page.locator("#alert")).to_contain_text("The server could not answer")


def test_the_link_that_is_copied_leads_to_what_is_on_the_screen(
    browser: Browser, server: Server
) -> None:
    context = browser.new_context(
        base_url=server.url, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto(FRESH)
    held = HeldFragments(page)
    page.locator("#sqft").fill("2400")
    page.locator("#share").click()
    expect(page.locator("#share")).to_have_text("Copying the next answer…")
    held.wait().continue_()
    when_fresh(page)
    shown = price(page).text_content()
    expect(page.locator("#announcer")).to_have_text(f"Link copied: {shown}")
    expect(page.locator("#share")).to_have_text(f"Link copied: {shown}")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{server.url}/?beds=3&baths=2.5&sqft=2400"
    context.close()


def test_a_link_that_could_not_be_copied_says_so(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page)
    page.locator("#sqft").fill("2400")
    route = held.wait()
    page.locator("#share").click()
    expect(page.locator("#announcer")).to_have_text("Copying the next answer…")
    route.fulfill(status=500, body="")
    expect(page.locator("#announcer")).to_have_text("No link was copied")
    page.unroute_all(behavior="ignoreErrors")


def test_a_link_that_the_browser_does_not_copy_says_so_and_leaves_the_page(page: Page) -> None:
    page.goto(FRESH)
    page.evaluate("""() => {
        window.kept = true;
        navigator.clipboard.writeText = () => Promise.reject(new Error("too late"));
    }""")
    page.locator("#share").click()
    expect(page.locator("#share")).to_have_text("No link was copied")
    assert page.evaluate("kept")


def test_a_link_that_is_copied_late_is_said_with_its_own_price(page: Page) -> None:
    page.goto(FRESH)
    old = price(page).text_content()
    page.evaluate("""() => {
        navigator.clipboard.writeText = () => new Promise((done) => { window.done = done; });
    }""")
    page.locator("#share").click()
    page.locator("#sqft").fill("2400")
    when_answered(page, sqft="2400")
    page.evaluate("done()")
    expect(page.locator("#announcer")).to_have_text(f"Link copied: {old}")
    expect(page.locator("#share")).not_to_contain_text("copied")


def test_a_page_that_is_left_before_its_answer_asks_for_it_when_it_is_back(page: Page) -> None:
    page.goto(FRESH)
    held = HeldFragments(page)
    page.locator("#sqft").fill("2400")
    held.wait()
    page.unroute(FRAGMENT)
    page.evaluate("""() => {
        dispatchEvent(new PageTransitionEvent("pagehide", {persisted: true}));
        const typed = document.querySelectorAll("#form .field input");
        typed.forEach((item) => { item.value = item.defaultValue; }); // as Safari does
        dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}));
    }""")
    when_answered(page, sqft="2400")
