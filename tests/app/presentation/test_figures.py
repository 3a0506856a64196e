"""Figures in sentences are marked, so that no translator rewrites them."""

import re

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app.presentation.figures import protect_figures
from tests.html import get_page

OTHERS = "[translate=no], .notranslate, code, title, option, [aria-hidden=true]"


@pytest.mark.parametrize(
    ("sentence", "figures"),
    [
        ("Off by 6.4 % or 6.4% of 1,850, in 2010.", ["6.4 %", "6.4%", "1,850", "2010"]),
        ("4 < 5 & “it’s” done", ["4", "5"]),
        ("m2, 3rd, F1 and H2O", []),
        ("1\u202f850,5 and 12’000", ["1\u202f850,5", "12’000"]),
        ("", []),
    ],
)  # fmt: skip
def test_figures_are_marked_and_the_words_stay(sentence: str, figures: list[str]) -> None:
    soup = BeautifulSoup(protect_figures(sentence.replace(" %", "\u00a0%")), "html.parser")
    assert soup.get_text() == sentence.replace(" %", "\u00a0%")
    found = [span.get_text().replace("\u00a0", " ") for span in soup.select("[translate=no]")]
    assert found == figures


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?beds=3&baths=2.5&sqft=1850&year_built=1995",
        "/?beds=0&baths=8&sqft=5850",
        "/about",
        "/batch",
        "/chest-xray/",
    ],
)
def test_no_page_shows_figures_that_a_translator_may_rewrite(
    client: FlaskClient, path: str
) -> None:
    main = get_page(client, path).select_one("main")
    assert main is not None
    for part in main.select(OTHERS):
        part.decompose()
    left = main.find_all(string=re.compile(r"\d"))
    assert [text for text in left if text.parent and text.parent.name != "input"] == []
