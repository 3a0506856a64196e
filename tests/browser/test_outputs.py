"""A model of several numbers, and the header above many models, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app import create_app
from app.config import Settings
from tests.browser.helpers import HeldFragments, check_accessible, overflow, when_fresh
from tests.drafts import add_draft, energy
from tests.servers import serve_app

pytestmark = pytest.mark.slow

NAMES = ("energy", "roofs", "walls", "floors", "windows", "chimneys", "cellars")
BUILDING = "/?wall_area_m2=300&height_m=7&glazing_percent=25"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    files = energy(tmp_path_factory.mktemp("energy"))
    for name in NAMES:
        add_draft(files, name, root)
    return root


@pytest.fixture(scope="module")
def url(models: Path) -> Iterator[str]:
    settings = Settings(models=NAMES, ratelimit="off")
    with serve_app(create_app(settings, models)) as running:
        yield running


def why(page: Page) -> None:
    page.get_by_role("button", name="Why? Cooling load").click()
    expect(page.locator("#result-title")).to_have_text("Cooling load")


def test_the_reasons_of_another_number_are_those_of_what_is_on_the_screen(
    page: Page, url: str
) -> None:
    page.goto(url + BUILDING)
    held = HeldFragments(page, most=1)
    page.locator("#wall_area_m2").fill("400")
    held.wait()
    why(page)
    when_fresh(page)
    expect(page.locator("#wall_area_m2")).to_have_value("400")
    expect(page.locator("#why")).to_contain_text("400 m²")
    assert "wall_area_m2=400" in page.url
    back = page.get_by_role("button", name="Why? Heating load")
    expect(back).to_be_focused()  # it stands in the place of the other
    page.keyboard.press("Enter")
    expect(page.locator("#result-title")).to_have_text("Heating load")
    check_accessible(page)
    page.unroute_all(behavior="ignoreErrors")


def test_without_script_they_are_those_of_what_was_typed(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + BUILDING)
    page.locator("#wall_area_m2").fill("400")
    why(page)
    expect(page.locator("#why")).to_contain_text("400 m²")
    context.close()


def test_many_models_stand_in_a_list_that_opens(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(url)
    header = page.locator("header.top").bounding_box()
    assert header is not None
    assert header["height"] <= 60  # one line
    page.get_by_text("All 7 forms").click()
    check_accessible(page)
    for width, size in ((320, 100), (360, 200)):
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}%`; }", size)
        assert overflow(page) <= 0
    page.get_by_role("link", name="Cellars", exact=True).click()
    expect(page).to_have_url(f"{url}/cellars/")
    expect(page.get_by_role("link", name="Cellars", exact=True)).to_be_hidden()
    page.get_by_text("All 7 forms").click()
    current = page.get_by_role("link", name="Cellars", exact=True)
    expect(current).to_have_attribute("aria-current", "true")
