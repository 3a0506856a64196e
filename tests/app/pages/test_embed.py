"""The form alone, for a frame in another site's page."""

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from tests.conftest import HOUSE
from tests.html import check_fragment, check_page, get_page, post_page, text_of
from tests.pictures import REFUSED, chest, encoded, upload

ORIGINS = ("https://example.org", "http://localhost:3000")
QUERY = "?beds=3&baths=2.5&sqft=1850"


@pytest.fixture(scope="module")
def framed() -> FlaskClient:
    return create_app(Settings(embed_ancestors=ORIGINS, log="text")).test_client()


def policies(client: FlaskClient, path: str) -> tuple[str, str]:
    headers = client.get(path).headers
    return headers["Content-Security-Policy"], headers["Cross-Origin-Resource-Policy"]


@pytest.mark.parametrize("path", ["/embed", "/chest-xray/embed", "/embed/predict-fragment"])
def test_nothing_can_be_embedded_unless_a_setting_allows_it(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_only_embed_pages_can_be_framed_and_only_by_the_listed_origins(
    framed: FlaskClient,
) -> None:
    for path in ("/embed", "/chest-xray/embed", "/embed?beds=99"):
        policy, resource = policies(framed, path)
        assert policy.endswith("frame-ancestors https://example.org http://localhost:3000")
        assert policy.startswith("default-src 'none'")
        assert resource == "cross-origin"
    for path in ("/", "/about", "/chest-xray/", "/nowhere", "/embed/nowhere"):
        policy, resource = policies(framed, path)
        assert policy.endswith("frame-ancestors 'none'")
        assert resource == "same-origin"


def test_an_error_inside_a_frame_shows_there_and_links_back_to_the_form(
    framed: FlaskClient,
) -> None:
    answer = framed.post("/embed", data={"beds": "9" * 70_000})
    assert answer.status_code == 413
    assert "frame-ancestors https://example.org" in answer.headers["Content-Security-Policy"]
    assert check_page(answer).select_one('main a[href="/embed"]')


def test_any_page_may_frame_it_where_the_setting_says_so() -> None:
    settings = Settings(models=("house-price",), embed_ancestors=("*",), log="text")
    client = create_app(settings).test_client()
    assert policies(client, "/embed")[0].endswith("frame-ancestors *")


@pytest.mark.parametrize("path", ["/embed", "/chest-xray/embed"])
def test_the_form_stands_alone_and_stays_in_its_frame(framed: FlaskClient, path: str) -> None:
    soup = get_page(framed, path)
    assert not soup.select("header, footer, .brand")
    (form,) = soup.select("form")
    assert (form["action"], form["data-hx-post"]) == (path, f"{path}/predict-fragment")
    examples = [str(link["href"]) for link in soup.select(".examples a")]
    assert all(href.startswith(f"{path}?") for href in examples)
    assert soup.select_one('script[src*="/embed."][integrity]')
    assert soup.select_one('link[href*="/embed."]')


@pytest.mark.parametrize("path", ["/embed", "/embed" + QUERY])
def test_links_out_of_the_frame_open_in_a_tab(framed: FlaskClient, path: str) -> None:
    for link in get_page(framed, path).select("a"):
        href = str(link["href"])
        inside = href.startswith(("#", "/embed?"))
        assert inside or link["target"] == "_blank", link


def test_without_script_a_full_post_is_answered_inside_the_frame(framed: FlaskClient) -> None:
    soup = post_page(framed, HOUSE, path="/embed")
    assert soup.select_one("#result data.prediction")
    soup = post_page(framed, {**HOUSE, "beds": "99"}, 422, "/embed")
    assert "Bedrooms" in text_of(soup, "#errors")
    assert soup.select_one("#beds[value='99']")
    soup = post_page(framed, upload(encoded(chest())), path="/chest-xray/embed")
    assert soup.select_one("#result data.prediction")
    post_page(framed, upload(REFUSED["svg"][0]), 422, "/chest-xray/embed")


def test_a_fragment_keeps_the_address_of_the_frame(framed: FlaskClient) -> None:
    answer = framed.post("/embed/predict-fragment", data=HOUSE)
    assert answer.headers["HX-Replace-Url"] == f"/embed{QUERY}"
    soup = check_fragment(answer)
    (share,) = soup.select(".acts a")
    assert (share["href"], share["target"]) == (f"/{QUERY}", "_blank")
    assert not soup.select("#share")  # a frame may not write to the clipboard
    answer = framed.post("/chest-xray/embed/predict-fragment", data=upload(encoded(chest())))
    assert check_fragment(answer).select_one('a[href="/chest-xray/about"][target="_blank"]')
