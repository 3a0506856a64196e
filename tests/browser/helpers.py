"""Short words for what every browser test does."""

from playwright.sync_api import Locator, Page, Request, expect


def price(page: Page) -> Locator:
    """The prediction, as programs read it."""
    return page.locator("#result data.prediction")


def fill_house(page: Page) -> None:
    """Type the three required facts."""
    for name, value in (("beds", "3"), ("baths", "2.5"), ("sqft", "1850")):
        page.locator(f"#{name}").press_sequentially(value)


def when_fresh(page: Page) -> None:
    """Wait until the answer is that to what is on the screen."""
    expect(page.locator("#answer")).not_to_have_attribute("data-state", "pending")
    expect(page.locator('#result[data-state="fresh"]')).to_have_count(1)


def posts(page: Page) -> list[Request]:
    """The requests for fragments from now on."""
    sent: list[Request] = []
    page.on("request", lambda r: sent.append(r) if r.method == "POST" else None)
    return sent
