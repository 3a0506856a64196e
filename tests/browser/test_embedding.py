"""The form in a frame of a page from another origin, in a real browser."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.app.telemetry.test_metrics import COMMAND, KEPT
from tests.browser.helpers import FRESH, price, wait_for
from tests.pictures import chest, encoded
from tests.servers import RunningServer, run_server, serve_folder
from tests.tools import ROOT, axe


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of another origin, and the folder of its pages."""
    folder = tmp_path_factory.mktemp("parents")
    with serve_folder(folder) as address:
        yield address, folder


@pytest.fixture(scope="module")
def framed(
    parents: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server whose forms pages of that origin may frame, and which keeps feedback."""
    folder = tmp_path_factory.mktemp("framed")
    environ = {
        **KEPT,
        "FORMCAST_EMBED_ANCESTORS": parents[0],
        "FORMCAST_FEEDBACK": "on",
        "FORMCAST_DATA": str(folder / "kept.sqlite3"),
    }
    command = [sys.executable, "-m", *COMMAND]
    with run_server(command, folder, environ) as server:
        yield server


def snippet(address: str) -> str:
    """What the documentation tells people to paste, with this address."""
    text = (ROOT / "docs" / "embedding.md").read_text()
    found = re.search(r"^    <iframe id=\"formcast\".*?</script>$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[0].replace("https://your-app.example/embed", address)


def open_frame(page: Page, parents: tuple[str, Path], address: str) -> FrameLocator:
    """The frame with this address in a page of the other origin, pasted from there."""
    origin, folder = parents
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "index.html").write_text(
        "<!doctype html><html lang='en'><title>Parent</title><link rel='icon' href='icon.svg'>"
        f"<style>iframe {{ width: 700px }}</style><h1>Parent</h1>{snippet(address)}"
    )
    page.goto(f"{origin}/index.html")
    return page.frame_locator("#formcast")


def height(page: Page) -> float:
    """The height of the frame in the parent, in pixels."""
    box = page.locator("#formcast").bounding_box()
    assert box is not None
    return box["height"]


def scrolls(page: Page) -> bool:
    """Whether there is more in the frame than it shows."""
    root = "document.documentElement"
    return bool(page.frames[1].evaluate(f"{root}.scrollHeight > {root}.clientHeight"))


def test_a_price_appears_in_the_frame_and_the_frame_is_as_high_as_the_form(
    page: Page, parents: tuple[str, Path], framed: RunningServer
) -> None:
    frame = open_frame(page, parents, f"{framed.url}/embed")
    expect(frame.locator("#result[data-state=empty]")).to_be_visible()
    expect(page.locator("#formcast")).to_have_attribute("style", re.compile(r"height: \d{3,4}px"))
    empty = height(page)
    for name, value in (("beds", "3"), ("baths", "2.5"), ("sqft", "1850")):
        frame.locator(f"#{name}").press_sequentially(value)
    expect(frame.locator("#result data.prediction")).to_be_visible()
    expect(frame.locator("#answer")).not_to_have_attribute("data-state", "pending")
    wait_for(page, lambda: height(page) > empty and not scrolls(page))
    full, inside = height(page), page.frames[1]
    assert inside.url == f"{framed.url}/embed?beds=3&baths=2.5&sqft=1850"
    frame.locator("#beds").fill("99")
    expect(frame.locator("#result[data-state=withdrawn]")).to_be_visible()
    wait_for(page, lambda: height(page) <= full)  # the place of the answer keeps its height
    inside.evaluate(axe())
    found = inside.evaluate("axe.run().then(({ violations }) => violations.map((v) => v.id))")
    assert found == []


def test_a_link_out_of_the_frame_opens_a_tab_with_the_whole_page(
    page: Page, parents: tuple[str, Path], framed: RunningServer
) -> None:
    frame = open_frame(page, parents, f"{framed.url}/embed?beds=3&baths=2.5&sqft=1850")
    with page.expect_popup() as opened:
        frame.get_by_role("link", name="Link to this estimate").click()
    expect(price(opened.value)).to_be_visible()
    assert opened.value.url == f"{framed.url}{FRESH}"
    expect(frame.locator("#result data.prediction")).to_be_visible()


@pytest.mark.parametrize("scripts", ["with_script", "without_script"])
def test_a_report_is_sent_in_the_frame_and_read_in_a_tab(
    page: Page, parents: tuple[str, Path], framed: RunningServer, scripts: str
) -> None:
    frame = open_frame(page, parents, f"{framed.url}/embed?beds=3&baths=2.5&sqft=1850")
    answer = frame.locator("#result data.prediction")
    expect(answer).to_be_visible()
    frame.get_by_label("Actual price").fill("$230,000")
    frame.get_by_role("button", name="Send", exact=True).click()
    expect(frame.get_by_text("this is kept: $230,000")).to_be_visible()
    expect(page).to_have_url(re.compile("/index.html$"))
    if scripts == "with_script":
        expect(answer).to_be_visible()
        wait_for(page, lambda: not scrolls(page))
    with page.expect_popup() as opened:
        frame.locator("main a[href^='/feedback/']").click()
    expect(opened.value.locator("h1")).to_contain_text("Report ")
    expect(opened.value.locator("dl")).to_contain_text("$230,000")


def test_a_picture_is_answered_in_the_frame(
    page: Page, parents: tuple[str, Path], framed: RunningServer
) -> None:
    frame = open_frame(page, parents, f"{framed.url}/chest-xray/embed")
    frame.locator("#image").set_input_files(
        {"name": "chest.png", "mimeType": "image/png", "buffer": encoded(chest())}
    )
    expect(frame.locator("#result data.prediction")).to_be_visible()
    wait_for(page, lambda: not scrolls(page))


@pytest.fixture
def expected_errors() -> list[str]:
    return [
        "status of 422",
        "Framing 'http",  # the refusal that a test is about
        'violates the following Content Security Policy directive: "frame-ancestors',
    ]


@pytest.mark.parametrize("path", ["/", "/about"])
def test_what_is_not_for_frames_is_refused_by_the_browser(
    page: Page, parents: tuple[str, Path], framed: RunningServer, path: str
) -> None:
    open_frame(page, parents, framed.url + path)
    assert page.frames[1].url.startswith("chrome-error:")


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], request: pytest.FixtureRequest
) -> dict[str, Any]:
    """Without JavaScript where the test says so."""
    scripted = "without_script" not in request.node.name
    return {**browser_context_args, "java_script_enabled": scripted}


def test_without_script_the_form_is_answered_inside_the_frame(
    page: Page, parents: tuple[str, Path], framed: RunningServer
) -> None:
    frame = open_frame(page, parents, f"{framed.url}/embed")
    for name, value in (("beds", "3"), ("baths", "2.5"), ("sqft", "1850")):
        frame.locator(f"#{name}").fill(value)
    frame.get_by_role("button", name="Show the estimate").click()
    expect(frame.locator("#result data.prediction")).to_be_visible()
    assert page.frames[1].url == f"{framed.url}/embed"
