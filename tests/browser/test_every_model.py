"""axe-core on the pages of every model in model/, also of one that is not served by default."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from model import read_card
from tests.browser.helpers import check_accessible
from tests.conftest import Server, free_port
from tests.tabular_checks import MODEL_FOLDERS
from tests.tools import ROOT

pytestmark = pytest.mark.second_tier


@pytest.fixture(scope="module")
def every_server() -> Iterator[Server]:
    """A server of every model that is there, the first at /."""
    names = ",".join(folder.name.replace("_", "-") for folder in MODEL_FOLDERS)
    settings = {"FORMCAST_MODELS": names, "WEB_CONCURRENCY": "1"}
    with Server(free_port(), root=ROOT, settings=settings) as running:
        yield running


@pytest.mark.parametrize("folder", MODEL_FOLDERS, ids=lambda folder: str(folder.name))
def test_its_pages_have_no_violation(page: Page, every_server: Server, folder: Path) -> None:
    home = every_server.url + (
        "/" if folder == MODEL_FOLDERS[0] else f"/{folder.name.replace('_', '-')}/"
    )
    page.goto(home)
    check_accessible(page)
    page.goto(home + "about")
    check_accessible(page)
    if not hasattr(read_card(folder / "card.toml"), "examples"):
        return
    page.goto(home)
    page.locator(".examples a").first.click()
    page.wait_for_selector('#result[data-state="fresh"]')
    check_accessible(page)
