"""Faults that another try does not meet: the page tries once more by itself, and only then."""

import os
import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.helpers import FRESH, posts, price, when_fresh
from tests.conftest import Server

pytestmark = pytest.mark.slow

FRAGMENT = "**/predict-fragment"
LATEST_RETRY = 6_000
"""Milliseconds after which the page would have tried again by itself, on its own clock."""


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of", "Failed to fetch", "net::ERR", "htmx:error"]


def first_answers(page: Page, answer: Callable[[Route], None], times: int = 1) -> list[Route]:
    """Let ``answer`` take the first requests and the server the others; all that came."""
    came: list[Route] = []

    def take(route: Route) -> None:
        came.append(route)
        if len(came) <= times:
            answer(route)
        else:
            route.continue_()

    page.route(FRAGMENT, take)
    return came


def broken(route: Route) -> None:
    route.abort("connectionreset")


def cut_short(route: Route) -> None:
    whole = route.fetch().text()
    route.fulfill(status=200, body=whole[: len(whole) * 2 // 3])


def restarting(route: Route) -> None:
    route.fulfill(status=503, headers={"Retry-After": "2"}, body="")


@pytest.mark.parametrize(
    "fault", [broken, cut_short, pytest.param(restarting, marks=pytest.mark.second_tier)]
)
def test_a_passing_fault_is_retried_once_with_the_answer_pending_meanwhile(
    page: Page, fault: Callable[[Route], None]
) -> None:
    page.goto(FRESH)
    came = first_answers(page, fault)
    page.evaluate("""() => {
        window.states = [];
        const answer = document.getElementById("answer");
        new MutationObserver(() => window.states.push(answer.dataset.state ?? "fresh"))
            .observe(answer, {attributes: true});
    }""")
    page.locator("#sqft").fill("2000")
    expect(page).to_have_url(re.compile("sqft=2000"))
    when_fresh(page)
    assert len(came) == 2
    assert set(page.evaluate("window.states")) == {"pending", "fresh"}
    expect(page.locator("#alert")).to_be_empty()


def test_the_second_fault_in_a_row_shows_the_alert(page: Page) -> None:
    page.goto(FRESH)
    came = first_answers(page, broken, times=2)
    page.locator("#sqft").fill("2000")
    expect(page.locator("#alert")).to_contain_text("No answer came")
    assert len(came) == 2
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")


@pytest.mark.parametrize(("status", "after"), [(429, "60"), (503, "9999999"), (413, "")])
def test_a_fault_that_would_come_again_is_not_retried_before_its_time(
    page: Page, status: int, after: str
) -> None:
    page.clock.install()
    page.goto(FRESH)
    headers = {"Retry-After": after} if after else {}
    came = first_answers(page, lambda route: route.fulfill(status=status, headers=headers), 9)
    page.locator("#sqft").fill("2000")
    expect(page.locator("#alert")).to_contain_text("could not answer")
    page.clock.run_for(LATEST_RETRY)
    assert len(came) == 1


def test_a_key_takes_the_place_of_the_retry(page: Page) -> None:
    page.clock.install()
    page.goto(FRESH)
    first_answers(page, restarting)
    sent = posts(page)
    with page.expect_response(FRAGMENT):
        page.locator("#sqft").fill("2000")
    page.locator("#sqft").fill("2100")
    expect(page).to_have_url(re.compile("sqft=2100"))
    when_fresh(page)
    page.clock.run_for(LATEST_RETRY)
    bodies = [str(request.post_data) for request in sent]
    assert ["2000" in body for body in bodies] == [True, False]


def test_a_server_that_is_killed_and_comes_back_costs_the_page_nothing(
    page: Page, own_server: Server
) -> None:
    page.goto(own_server.url + FRESH)
    old = str(price(page).get_attribute("value"))
    workers = own_server.workers
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    with page.expect_request(FRAGMENT):
        page.locator("#sqft").fill("2000")
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    expect(price(page)).not_to_have_attribute("value", old)
    when_fresh(page)
    expect(page.locator("#alert")).to_be_empty()
