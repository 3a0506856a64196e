"""The answer stays in sight, nothing is cut off, and the page is light, at both widths."""

import re

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from tests.browser.helpers import when_fresh

pytestmark = pytest.mark.slow

FRESH = "/?beds=3&baths=2.5&sqft=1850"
WINDOWS = [(1280, 800), (360, 740)]
STATES = ("/", FRESH, "/?beds=99&baths=2&sqft=1850", "/?beds=3")
PAGES = (*STATES, FRESH + "&neighborhood=Gilbert&what_if=neighborhood", "/about", "/api",
         "/chest-xray/", "/chest-xray/about", "/nowhere")  # fmt: skip

COVERED = """(field) => {
    const box = field.getBoundingClientRect();
    return !field.contains(document.elementFromPoint(box.x + box.width / 2, box.y + 4))
        || !field.contains(document.elementFromPoint(box.x + box.width / 2, box.bottom - 4));
}"""


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of 404", "ERR_FAILED", "htmx:error", "Failed to fetch"]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    wider: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_the_answer_is_in_sight_of_every_field_and_covers_none(
    page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(FRESH)
    for field in page.locator("#form .field :is(input, select)").all():
        field.focus()
        expect(page.locator("#result .price")).to_be_in_viewport(ratio=1)
        expect(page.locator("#result .range")).to_be_in_viewport(ratio=1)
        assert not field.evaluate(COVERED), field.get_attribute("id")


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_the_headline_has_one_height_in_all_states(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    heights = []
    for path in STATES:
        page.goto(path)
        heights.append(page.locator(".head").evaluate("(head) => head.offsetHeight"))
    page.goto(FRESH)
    page.route("**/predict-fragment", lambda route: route.abort())
    page.locator("#sqft").fill("2000")
    expect(page.locator("#answer")).to_have_attribute("data-state", "pending")
    heights.append(page.locator(".head").evaluate("(head) => head.offsetHeight"))
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    heights.append(page.locator(".head").evaluate("(head) => head.offsetHeight"))
    assert len(set(heights)) == 1, heights


def test_nothing_sticks_in_a_low_window_or_where_text_is_large(page: Page) -> None:
    for height, size in ((400, 100), (740, 200)):
        page.set_viewport_size({"width": 360, "height": height})
        page.goto(FRESH)
        page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}%`; }", size)
        page.evaluate("scrollTo(0, 0)")
        expect(page.locator(".head")).not_to_be_in_viewport()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_scrolls_sideways_with_large_text_or_at_320_pixels(page: Page, path: str) -> None:
    for width, size in ((1280, 200), (360, 200), (320, 100)):
        page.set_viewport_size({"width": width, "height": 740})
        page.goto(path)
        page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}%`; }", size)
        assert overflow(page) <= 0, (width, size)


def test_the_strip_keeps_its_place_from_state_to_state(page: Page) -> None:
    page.goto("/")
    place = page.locator(".strip").bounding_box()
    for name, value in (("beds", "3"), ("baths", "2.5"), ("sqft", "1850")):
        page.locator(f"#{name}").fill(value)
    when_fresh(page)
    assert page.locator(".strip").bounding_box() == place


def test_labels_in_the_strip_touch_neither_each_other_nor_the_edge(page: Page) -> None:
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for sqft in ("400", "1440", "1850", "5900"):
            page.goto(f"/?beds=3&baths=2.5&sqft={sqft}")
            boxes = page.locator(".strip text").evaluate_all(
                "(texts) => texts.map((text) => text.getBoundingClientRect().toJSON())"
            )
            for number, box in enumerate(boxes):
                assert box["left"] >= 0, (width, sqft)
                assert box["right"] <= width, (width, sqft)
                for other in boxes[:number]:
                    apart = (
                        box["left"] >= other["right"]
                        or box["right"] <= other["left"]
                        or box["top"] >= other["bottom"] - 4
                        or box["bottom"] <= other["top"] + 4
                    )
                    assert apart, (width, sqft)


def test_a_page_is_light(client: FlaskClient) -> None:
    for path in ("/", FRESH, "/chest-xray/", "/about", "/api"):
        small = {"Accept-Encoding": "gzip"}
        page = client.get(path, headers=small)
        text = client.get(path).text
        sheets = re.findall(r'stylesheet" href="([^"]+)"', text)
        scripts = re.findall(r'script src="([^"]+)"', text)
        own = [script for script in scripts if "htmx" not in script]
        assert sum(len(client.get(sheet).data) for sheet in sheets) <= 16 * 1024, path
        assert sum(len(client.get(script).data) for script in own) <= 8 * 1024, path
        first = len(page.data) + sum(len(client.get(it, headers=small).data) for it in sheets)
        assert first <= 14_600, path
        others = [*scripts, *re.findall(r'rel="icon" href="([^"]+)"', text)]
        cold = first + sum(len(client.get(other, headers=small).data) for other in others)
        assert cold <= 30 * 1024, path
