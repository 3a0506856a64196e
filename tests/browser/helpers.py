"""Short words for what every browser test does."""

import sys
from collections.abc import Callable
from typing import Literal

from bs4 import BeautifulSoup
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.tools import axe
from tests.waiting import wait_until

ColorScheme = Literal["light", "dark"]
"""What the system of a visitor asks for."""

RULES = """{resultTypes: ["violations"], runOnly: {type: "tag",
    values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}"""
CONTRAST = """{resultTypes: ["violations"], runOnly: ["color-contrast"]}"""
SCHEMES: dict[ColorScheme, str] = {"light": RULES, "dark": CONTRAST}

FRESH = "/?beds=3&baths=2.5&sqft=1850"
"""The address of a page with an answer."""

TRANSLATE = """() => {
    const kept = (node) => node.parentElement.closest("[translate=no], .notranslate, title, code");
    const translate = () => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        while (walker.nextNode()) found.push(walker.currentNode);
        for (const node of found) {
            const parent = node.parentElement;
            if (!node.data.trim() || kept(node) || parent.closest("font, svg, option")) continue;
            const font = document.createElement("font");
            font.textContent = node.data.replace(/[a-z]/gi, "x");
            node.replaceWith(font);
        }
    };
    translate();
    const all = {childList: true, subtree: true, characterData: true};
    new MutationObserver(translate).observe(document.body, all);
}"""
"""As Chromium and Safari translate: each text is put into an element of its own."""


def price(page: Page) -> Locator:
    """The prediction, as programs read it."""
    return page.locator("#result data.prediction")


def fill_house(page: Page) -> None:
    """Type the three required facts."""
    for name, value in (("beds", "3"), ("baths", "2.5"), ("sqft", "1850")):
        page.locator(f"#{name}").press_sequentially(value)


def open_more(page: Page) -> None:
    """Unfold the optional facts."""
    page.locator("#more").evaluate("more => { more.open = true; }")


def when_fresh(page: Page) -> None:
    """Wait until the answer is that to what is on the screen."""
    expect(page.locator("#answer")).not_to_have_attribute("data-state", "pending")
    expect(page.locator('#result[data-state="fresh"]')).to_have_count(1)


def when_answered(page: Page, **typed: str) -> None:
    """Wait until the fields hold this and the number is the answer to it."""
    when_fresh(page)
    for name, value in typed.items():
        expect(page.locator(f"#{name}")).to_have_value(value)
    answer = page.request.post("/predict-fragment", form={"beds": "3", "baths": "2.5", **typed})
    shown = BeautifulSoup(answer.text(), "html.parser").select_one("data.prediction")
    assert shown is not None
    expect(price(page)).to_have_attribute("value", str(shown["value"]))


def posts(page: Page) -> list[Request]:
    """The requests for fragments from now on."""
    sent: list[Request] = []
    page.on("request", lambda r: sent.append(r) if r.method == "POST" else None)
    return sent


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; the page's events arrive meanwhile."""
    wait_until(condition, pause=lambda seconds: page.wait_for_timeout(1000 * seconds))


def two_frames(page: Page) -> None:
    """Wait until the page has shown whatever it was about to show."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def list_shifts(page: Page) -> list[float]:
    """List by how much the layout shifted each time since the page began."""
    found = page.evaluate("""() => {
        const observer = new PerformanceObserver(() => {});
        observer.observe({type: "layout-shift", buffered: true});
        return observer.takeRecords().map((entry) => entry.value);
    }""")
    return list(found)


class HeldFragments:
    """Holds requests for fragments, so many from now on; ``routes`` are those that are held."""

    def __init__(self, page: Page, most: int = sys.maxsize) -> None:
        self._page, self._most = page, most
        self.routes: list[Route] = []
        page.route("**/predict-fragment", self._take)

    def _take(self, route: Route) -> None:
        if len(self.routes) < self._most:
            self.routes.append(route)
        else:
            route.continue_()

    def wait(self) -> Route:
        """Wait until one is held; return it."""
        wait_for(self._page, lambda: bool(self.routes))
        return self.routes[-1]

    def let_go(self) -> None:
        """Let the first go on, and wait until the page has dealt with its answer."""
        route, finished = self.routes[0], list[Request]()
        self._page.on("requestfinished", lambda request: finished.append(request))
        route.continue_()
        wait_for(self._page, lambda: route.request in finished or route.request.failure is not None)
        two_frames(self._page)


def _violations(page: Page, rules: str) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    found = page.evaluate(f"""async () => (await axe.run(document, {rules}))
        .violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html).join(" | "))""")
    return list(found)


def check_accessible(page: Page) -> None:
    """What is on the screen: wide and narrow, light and dark, where only colours differ."""
    for width, height in ((1280, 800), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme, rules in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            assert _violations(page, rules) == [], (width, scheme)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    wider: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider
