"""Draft pages from data sets of every kind and picture them: ``python -m docs.gallery``.

It adds each model with one command and no change to its card, and writes ``docs/gallery.md`` with
the heights of the pages and pictures at two widths.
"""

from __future__ import annotations

import tempfile
import threading
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.cli.preview import find_chromium
from app.config import Settings
from tests.drafts import DRAFTS, add_draft
from tests.tools import axe, installed

HERE = Path(__file__).parent
PICTURES = HERE / "gallery"
WIDTHS = (1280, 360)
_COLORS = 48

_HEAD = """# Drafted pages

<!-- `python -m docs.gallery` writes this file and its pictures. -->

Each page was drafted by one `flask --app wsgi model add`, and nobody changed its card. The tumours,
patients, wines and flowers are real and ship with scikit-learn; the others are made by code in
[tests/drafts.py](../tests/drafts.py), after well-known ones. The models are plain ones, not tuned.
The last seven are of other kinds: several numbers, groups without a truth, unusual rows, stars, a
risk, texts and pictures; the drawn pictures are published, so that visitors have samples.

| page | facts | shown first | {widths} | axe |
|---|---|---|---|---|
{rows}
"""


class Drafted(NamedTuple):
    """One drafted page: its title, facts, how many of them it shows, heights, axe's violations."""

    name: str
    title: str
    facts: int
    shown: int
    heights: tuple[int, ...]
    violations: int


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of a request."""


def main() -> None:
    """Draft, picture, and write the page."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "models"
        root.mkdir()
        for name, write in DRAFTS.items():
            folder = Path(temporary) / name
            folder.mkdir()
            add_draft(write(folder), name, root)
            print(f"drafted {name}", flush=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=installed(find_chromium(), "Chromium"), args=["--no-sandbox"]
            )
            pages = [_picture_alone(browser, root, name) for name in DRAFTS]
    _write(pages)


def _picture_alone(browser: Browser, root: Path, name: str) -> Drafted:
    """Picture the page of an app with this model alone."""
    app = create_app(Settings(models=(name,), ratelimit="off"), models=root)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        return _picture(browser, f"http://127.0.0.1:{server.server_port}", name)
    finally:
        server.shutdown()


def _picture(browser: Browser, address: str, name: str) -> Drafted:
    heights, violations = [], 0
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(f"{address}/")
        heights.append(int(page.evaluate("document.documentElement.scrollHeight")))
        page.evaluate(axe())
        violations += int(page.evaluate("axe.run().then((found) => found.violations.length)"))
        if width != WIDTHS[0]:
            _save(page, f"{name}-{width}")
        else:
            title = page.locator("h1").inner_text()
            facts = page.locator(".field").count()
            shown = page.locator("#form > .facts .field").count()
            example = page.locator(".examples a, .samples a").first
            page.goto(address + str(example.get_attribute("href")))
            _save(page, f"{name}-{width}")
        page.close()
    return Drafted(name, title, facts, shown, tuple(heights), violations)


def _save(page: Page, name: str) -> None:
    """Save what the page shows without scrolling, in few colours."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(_COLORS)
    PICTURES.mkdir(exist_ok=True)
    picture.save(PICTURES / f"{name}.png", optimize=True)


def _write(pages: list[Drafted]) -> None:
    rows = "\n".join(
        f"| [{page.title}](#{page.name}) | {page.facts} | {page.shown} | "
        f"{', '.join(f'{height:,} px' for height in page.heights)} | {page.violations} |"
        for page in pages
    )
    widths = ", ".join(f"height at {width}" for width in WIDTHS)
    parts = [_HEAD.format(widths=widths, rows=rows)]
    for page in pages:
        parts.append(
            f"## {page.name}\n\n"
            + "\n".join(
                f"![{page.title} At {width} px.](gallery/{page.name}-{width}.png)"
                for width in WIDTHS
            )
            + "\n"
        )
    (HERE / "gallery.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
