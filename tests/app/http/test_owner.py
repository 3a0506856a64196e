"""Whose page it is: name, logo, colour and links on every page, or a start that says why not."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app import create_app
from app.config import SettingError, Settings
from tests.conftest import HOUSE
from tests.html import get_page

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><path d="M0 0h2v1z"/></svg>'


def test_every_page_says_whose_it_is(tmp_path: Path) -> None:
    logo = tmp_path / "mark.svg"
    logo.write_bytes(LOGO)
    settings = Settings(
        name="Stadt Köln <Wohnen>",
        logo=str(logo),
        accent="#7a1f5c",
        imprint="https://example.org/impressum",
        privacy="/privacy?a=1&b=2",
        footer="Published by the city & its people.",
        embed_ancestors=("*",),
        ratelimit="off",
    )
    client = create_app(settings).test_client()
    filled = f"/?{urlencode(HOUSE)}"
    for path in ("/", filled, "/about", "/api", "/batch", "/no-such-page"):
        page = get_page(client, path, 404 if path == "/no-such-page" else 200)
        assert page.title
        assert page.title.text.endswith(" – Stadt Köln <Wohnen>")
        brand = page.select_one(".brand")
        assert brand
        assert brand["aria-label"] == "Stadt Köln <Wohnen>"
        image = brand.select_one("img")
        assert image
        assert client.get(str(image["src"])).data == LOGO
        links = {link.text: link["href"] for link in page.select("footer a")}
        assert links["Imprint"] == "https://example.org/impressum"
        assert links["Privacy"] == "/privacy?a=1&b=2"
        assert "Published by the city & its people." in page.select("footer")[0].text
        sheets = [str(sheet["href"]) for sheet in page.select('link[rel="stylesheet"]')]
        assert any("--accent:light-dark(#7a1f5c," in client.get(url).text for url in sheets)


@pytest.mark.parametrize("accent", ["#000000", "#7a1f5c", "#0000ff", "#0b5f5a", "#b00020"])
def test_an_accent_can_be_read_in_light_and_in_dark(accent: str) -> None:
    client = create_app(Settings(accent=accent, ratelimit="off")).test_client()
    (sheet,) = get_page(client, "/").select('link[href*="/owner."]')
    found = re.findall("#[0-9a-f]{6}", client.get(str(sheet["href"])).text)
    light, dark, on_light, on_dark = found
    assert light == accent
    assert contrast(light, "#f6f4ee") >= 4.5
    assert contrast(dark, "#131615") >= 4.5
    assert contrast(light, on_light) >= 4.5
    assert contrast(dark, on_dark) >= 4.5


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG, with the exponent of sRGB alone: near enough above 4."""
    weights = (0.2126, 0.7152, 0.0722)
    low, high = sorted(
        sum(
            weight * ((int(colour[place : place + 2], 16) / 255 + 0.055) / 1.055) ** 2.4
            for weight, place in zip(weights, (1, 3, 5), strict=True)
        )
        for colour in (first, second)
    )
    return float((high + 0.05) / (low + 0.05))


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("FORMCAST_ACCENT", "#ffcc00", "a contrast of 1.4 to 1 on the page; 4.5 is needed"),
        ("FORMCAST_ACCENT", "red", "Write a colour like #7a1f5c."),
        ("FORMCAST_LOGO", "/no/such/logo.png", "cannot be read (No such file or directory)"),
        ("FORMCAST_LOGO", "logo.gif", "Name a file that ends with .svg"),
        ("FORMCAST_IMPRINT", "javascript:alert(1)", "Write an address like https://"),
        ("FORMCAST_PRIVACY", "//elsewhere.example", "Write an address like https://"),
        ("FORMCAST_NAME", "two\nlines", "must be one line of at most 60 characters"),
        ("FORMCAST_FOOTER", "x" * 301, "must be one line of at most 300 characters"),
    ],
)
def test_what_cannot_be_shown_stops_the_start(variable: str, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=re.escape(said)):
        create_app(Settings.from_environment({variable: text}))


def test_a_logo_that_is_large_is_refused(tmp_path: Path) -> None:
    logo = tmp_path / "large.png"
    logo.write_bytes(bytes(70_000))
    with pytest.raises(SettingError, match="has 70,000 bytes"):
        create_app(Settings(logo=str(logo)))
