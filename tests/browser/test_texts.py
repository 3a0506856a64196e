"""A field of free text in a real browser."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from app import create_app
from app.config import Settings
from tests.browser.helpers import (
    TRANSLATE,
    check_accessible,
    overflow,
    posts,
    price,
    wait_for,
    when_fresh,
)
from tests.messages import write_messages
from tests.model.making.conftest import add
from tests.models import ModelFiles

pytestmark = pytest.mark.slow

LINES = "claim your free prize now 🙂\n\nBest, Zoë"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An app with a model of messages alone."""
    folder: Path = tmp_path_factory.mktemp("messages")
    path, data, _ = write_messages(folder)
    added = add(ModelFiles(path, data, "label"), "messages", folder)
    assert added.exit_code == 0, added.output
    return create_app(Settings(models=("messages",), ratelimit="off"), folder)


@pytest.fixture(scope="module")
def url(app: Flask) -> Iterator[str]:
    running = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/?size=40&channel=sms"
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_text_grows_counts_what_is_left_and_is_answered_when_typing_rests(
    page: Page, url: str
) -> None:
    page.goto(url)
    area, left = page.locator("#message"), page.locator("#message-left")
    sent = posts(page)
    low = area.evaluate("area => area.clientHeight")
    most = int(area.get_attribute("data-most") or 0)
    expect(left).to_contain_text(f"{most} characters left")
    expect(area).to_have_accessible_description(re.compile(f"{most} characters left"))
    area.press_sequentially("free prize")
    area.press("Enter")
    expect(area).to_have_value("free prize\n")
    when_fresh(page)
    assert len(sent) <= 2  # not one for each key
    area.fill("🙂\n" * 20)
    expect(left).to_contain_text(f"{most - 40} characters left")
    assert area.evaluate("area => area.clientHeight") > 1.5 * low
    area.fill("x" * (most + 1))
    expect(left).to_contain_text("1 character too many")
    check_accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0  # a word is broken that is longer than the line
    area.fill(f"free prize {'x' * 500}")
    area.press("Control+Enter")
    expect(page.locator("#result .marked")).to_contain_text("xxx")
    assert overflow(page) <= 0
    check_accessible(page)


def test_what_is_left_is_counted_on_a_page_that_is_translated(page: Page, url: str) -> None:
    page.goto(url)
    page.evaluate(TRANSLATE)
    area, left = page.locator("#message"), page.locator("#message-left")
    most = int(area.get_attribute("data-most") or 0)
    area.fill("prize")
    expect(left).to_have_text(re.compile(rf"^{most - 5} x+ x+\."), use_inner_text=True)


def answer_of(app: Flask) -> str:
    """What the model says to a program that sends the lines as they were typed."""
    row = {"message": LINES, "size": 40, "channel": "sms"}
    answer = app.test_client().post("/api/predict", json=row).json
    assert answer is not None
    return str(answer["label"])


def test_ctrl_and_enter_does_not_wait_and_the_address_holds_a_short_text(
    page: Page, url: str, app: Flask
) -> None:
    page.goto(url)
    sent = posts(page)
    page.locator("#message").fill(LINES)
    page.locator("#message").press("Control+Enter")
    wait_for(page, lambda: bool(sent))
    when_fresh(page)
    expect(price(page)).to_have_attribute("value", answer_of(app))
    expect(page.locator("#message")).to_have_value(LINES)
    assert "message=claim" in page.url
    page.locator("#message").fill("free prize " * 180)
    page.locator("#message").press("Control+Enter")
    wait_for(page, lambda: "?" not in page.url)


def test_keys_that_a_script_would_know_are_not_named_without_it(
    page: Page, url: str, expected_errors: list[str]
) -> None:
    expected_errors.extend(["net::ERR", "integrity"])
    page.goto(url)
    keys = page.locator("#message-left .live")
    expect(keys).to_be_visible()
    page.route("**/static/text.*.js", lambda route: route.abort())
    page.reload()
    expect(keys).to_be_hidden()


def test_without_scripts_lines_arrive_as_the_model_knew_them(
    browser: Browser, url: str, app: Flask
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    sent = posts(page)
    page.locator("#message").fill(LINES)
    page.get_by_role("button", name="Show the answer").click()
    expect(price(page)).to_have_attribute("value", answer_of(app))
    assert "%0D%0A" in (sent[0].post_data or "")  # as HTML has it
    expect(page.locator("#message")).to_have_value(LINES)
    context.close()
