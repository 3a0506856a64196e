"""Parsed pages and fragments, each checked for what holds on every page."""

from collections import Counter
from typing import Any

import html5lib
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient

HEADERS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Permissions-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
)
FRAGMENT = "/predict-fragment"


def get_page(client: FlaskClient, path: str, status: int = 200) -> BeautifulSoup:
    """Return the page at ``path``, checked."""
    response = client.get(path)
    assert response.status_code == status
    return check_page(response)


def post_page(client: FlaskClient, data: Any, status: int = 200, path: str = "/") -> BeautifulSoup:
    """Return the page for a full post, checked."""
    response = client.post(path, data=data)
    assert response.status_code == status
    return check_page(response)


def post_fragment(
    client: FlaskClient, data: Any, status: int = 200, path: str = FRAGMENT
) -> BeautifulSoup:
    """Return the fragment for a live post, checked."""
    response = client.post(path, data=data)
    assert response.status_code == status
    return check_fragment(response)


def check_page(response: Any) -> BeautifulSoup:
    """Parse and check a page.

    It has one h1, a title, no duplicate ids, wired labels and descriptions, and no parse error.
    """
    _check_headers(response)
    text = response.get_data(as_text=True)
    html5lib.HTMLParser(strict=True).parse(text)
    soup = BeautifulSoup(text, "html.parser")
    assert len(soup.select("h1")) == 1
    assert soup.select_one("html[lang]")
    title = text_of(soup, "head > title").removeprefix("Error: ")
    answer = "#result data.prediction"
    assert title.startswith(text_of(soup, answer if soup.select(answer) else "h1"))
    _check_elements(soup)
    for control in soup.select("input:not([type=radio], [type=hidden]), select, textarea"):
        named = soup.select_one(f'label[for="{control["id"]}"]') or control.get("aria-label")
        assert named, control["id"]
        for reference in str(control.get("aria-describedby", "")).split():
            assert text_of(soup, f"#{reference}"), reference
    for link in soup.select('a[href^="#"]'):
        assert soup.select_one(str(link["href"])), link["href"]
    return soup


def check_fragment(response: Any) -> BeautifulSoup:
    """Parse and check a fragment.

    It has no page around it, no field of the form, no duplicate ids, and no parse error.
    """
    _check_headers(response)
    text = response.get_data(as_text=True)
    html5lib.HTMLParser(strict=True).parseFragment(text)
    soup = BeautifulSoup(text, "html.parser")
    assert not soup.select("html, head, body, select:not([name=what_if]), form, script, style")
    assert not soup.select("input:not([type=range], [type=checkbox], [type=hidden])")
    for box in soup.select("input[type=checkbox]"):
        assert soup.select_one(f'label[for="{box["id"]}"]'), box["id"]
    _check_elements(soup)
    return soup


def _check_headers(response: Any) -> None:
    assert response.mimetype == "text/html"
    for header in HEADERS:
        assert header in response.headers, header


def _check_elements(soup: BeautifulSoup) -> None:
    ids = Counter(str(element["id"]) for element in soup.select("[id]"))
    assert not [name for name, count in ids.items() if count > 1]
    for element in soup.select("*"):
        bad = [name for name in element.attrs if name.startswith("on") or name == "style"]
        assert not bad, element
    for picture in soup.select("svg:not(svg svg)"):
        assert picture.get("aria-hidden") == "true" or (
            picture.get("role") == "img" and picture.select_one("title")
        )
        assert not picture.get("aria-labelledby"), "Chromium says the title a second time"


def text_of(soup: BeautifulSoup | Tag, selector: str) -> str:
    """Return the text of the one element that the selector finds, with spaces folded."""
    found = soup.select(selector)
    assert len(found) == 1, (selector, len(found))
    return " ".join(found[0].get_text().split())


def data_of(soup: BeautifulSoup | Tag, kind: str) -> float:
    """Return the unrounded number in ``<data class=kind value=…>``."""
    (element,) = soup.select(f"#result data.{kind}")
    return float(str(element["value"]))
