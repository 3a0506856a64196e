"""The other states of the result: withdrawn, failed, without script; errors at the fields."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.helpers import FRESH, fill_house, price, when_fresh
from tests.conftest import Server

pytestmark = pytest.mark.slow


def test_what_is_wrong_for_good_withdraws_the_price_and_is_said_where_it_is_typed(
    page: Page,
) -> None:
    page.goto(FRESH)
    baths = page.locator("#baths")
    error = page.locator("#baths-error")
    baths.fill("99")
    expect(page.locator('#result[data-state="withdrawn"]')).to_contain_text(
        "Bathrooms must be between 0.5 and 8"
    )
    expect(price(page)).to_have_count(0)
    expect(error).to_be_visible()
    expect(baths).to_have_attribute("aria-invalid", "true")
    expect(baths).to_have_attribute("aria-describedby", "baths-hint baths-error")
    baths.fill("2")
    expect(error).to_be_hidden()
    expect(baths).not_to_have_attribute("aria-invalid", "true")
    expect(baths).to_have_attribute("aria-describedby", "baths-hint")
    expect(price(page)).to_have_count(1)


def test_no_new_error_while_typing_in_a_field_that_was_left_before(page: Page) -> None:
    page.goto(FRESH)
    page.locator("#sqft").focus()
    page.keyboard.press("Tab")
    page.locator("#sqft").fill("2")
    expect(page.locator('#result[data-state="waiting"]')).to_have_count(1)
    expect(page.locator("#sqft-error")).to_be_hidden()
    page.locator("#beds").focus()
    expect(page.locator('#result[data-state="withdrawn"]')).to_have_count(1)
    expect(page.locator("#sqft-error")).to_be_visible()


def test_enter_shows_every_error(page: Page) -> None:
    page.goto("/")
    page.locator("#beds").press("Enter")
    for name in ("beds", "baths", "sqft"):
        expect(page.locator(f"#{name}-error")).to_be_visible()


def test_it_is_announced_once_after_a_second_of_rest(page: Page) -> None:
    page.goto("/")
    announcer = page.locator("#announcer")
    page.evaluate("""() => {
        window.announced = [];
        new MutationObserver(() => window.announced.push(document.getElementById("announcer")
            .textContent)).observe(document.getElementById("announcer"), {childList: true});
    }""")
    fill_house(page)
    expect(announcer).to_have_text(re.compile(r"^Estimated price \$[\d,]+\. Most likely between"))
    announced = page.evaluate("window.announced")
    assert announced[-1] == announcer.text_content()
    assert len([text for text in announced if text.startswith("Estimated")]) == 1


@pytest.fixture
def expected_errors(request: pytest.FixtureRequest) -> list[str]:
    provoked = ["ERR_CONNECTION_REFUSED", "status of 5", "Failed to fetch", "ERR_ABORTED",
                "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "timeout", "htmx:error"]  # fmt: skip
    return ["status of 422", *(provoked if "server" in request.node.name else [])]


def test_with_the_server_stopped_an_alert_shows_nothing_is_lost_and_retry_works(
    page: Page, own_server: Server
) -> None:
    page.goto(own_server.url + FRESH)
    own_server.stop()
    page.locator("#sqft").fill("2000")
    alert = page.locator("#alert")
    expect(alert).to_contain_text("No answer came")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    expect(page.locator("#sqft")).to_have_value("2000")
    expect(page.locator(".price")).to_have_css("opacity", re.compile(r"^(1|0\.\d+)$"))
    retry = alert.get_by_role("button", name="Try again")
    retry.focus()
    own_server.start()
    page.keyboard.press("Enter")  # or the page has asked again by itself
    when_fresh(page)
    expect(alert).to_be_empty()
    expect(page.locator("#sqft")).to_be_focused()
    expect(page).to_have_url(re.compile("sqft=2000"))


def test_one_failed_answer_of_the_server_is_retried_quietly(page: Page) -> None:
    page.goto(FRESH)
    count = 0

    def fail_once(route: Route) -> None:
        nonlocal count
        count += 1
        if count == 1:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route("**/predict-fragment", fail_once)
    page.locator("#sqft").fill("2000")
    expect(page).to_have_url(re.compile("sqft=2000"))
    when_fresh(page)
    assert count == 2
    expect(page.locator("#alert")).to_be_empty()


def test_an_empty_answer_of_the_server_is_never_taken_for_a_price(page: Page) -> None:
    page.goto(FRESH)
    page.route("**/predict-fragment", lambda route: route.fulfill(status=200, body=""))
    page.locator("#sqft").fill("2000")
    expect(page.locator("#alert")).to_contain_text("was cut short")
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")


def test_a_link_to_a_closed_fact_opens_it_and_takes_the_focus_there(page: Page) -> None:
    page.goto(FRESH)
    page.locator("summary").click()
    link = page.locator("#more-advice a")
    page.evaluate("document.getElementById('more').after(document.getElementById('more-advice'))")
    name = str(link.get_attribute("href")).removeprefix("#")
    expect(page.locator(f"#{name}")).to_be_hidden()
    link.click()
    expect(page.locator(f"#{name}")).to_be_focused()


def test_without_script_the_same_form_is_a_full_post(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=server.url)
    page = context.new_page()
    page.goto("/")
    for name, value in (("beds", "3"), ("baths", "2½"), ("sqft", "1,850 sq ft")):
        page.locator(f"#{name}").fill(value)
    page.locator("#fireplaces").fill("1")
    page.get_by_role("button", name="Show the estimate").click()
    expect(price(page)).to_have_text(re.compile(r"^\$"))
    expect(page.locator("#sqft")).to_have_value("1,850 sq ft")
    expect(page.locator("details")).to_have_attribute("open", "")
    page.locator("#sqft").fill("lots")
    page.locator("#sqft").press("Enter")
    expect(page.locator("#errors")).to_contain_text("Square feet must be a number, like 1,850")
    expect(page.locator("#sqft-error")).to_be_visible()
    expect(page.locator("#errors")).to_be_focused()
    expect(price(page)).to_have_count(0)
    context.close()


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the main part")).to_be_focused()
    for _ in range(5):  # brand, two models, about, the first field
        page.keyboard.press("Tab")
    expect(page.locator("#beds")).to_be_focused()
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("1500")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("details")).not_to_have_attribute("open", "")
    when_fresh(page)


@pytest.mark.parametrize(
    "path", ["/", FRESH, "/?beds=99&sqft=x", "/about", "/nowhere", "/chest-xray/about"]
)
def test_nothing_is_cut_off_at_320_pixels(
    page: Page, path: str, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 404")
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(path)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320
