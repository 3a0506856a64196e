"""Previews of links: whole addresses where the setting gives them, and a picture."""

from io import BytesIO

import pytest
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from app.config import Settings
from tests.html import get_page

ORIGIN = "https://houses.example.org"


@pytest.fixture(scope="module")
def known() -> FlaskClient:
    settings = Settings(public_url=ORIGIN, ratelimit="off", log="text")
    return create_app(settings).test_client()


@pytest.mark.parametrize("prefix", ["/", "/chest-xray/"])
def test_a_preview_has_whole_addresses_and_a_picture(known: FlaskClient, prefix: str) -> None:
    soup = get_page(known, prefix)
    (url,) = soup.select('meta[property="og:url"]')
    assert url["content"] == ORIGIN + prefix
    (image,) = soup.select('meta[property="og:image"]')
    address = str(image["content"])
    assert address == f"{ORIGIN}{prefix}preview.png"
    response = known.get(address.removeprefix(ORIGIN))
    assert (response.status_code, response.mimetype) == (200, "image/png")
    picture = Image.open(BytesIO(response.data))
    assert picture.size == (1200, 630)
    assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 3


def test_the_address_of_an_answer_is_that_of_its_page(known: FlaskClient) -> None:
    soup = get_page(known, "/?beds=3&baths=2.5&sqft=1850&pool=1")
    (url,) = soup.select('meta[property="og:url"]')
    assert url["content"] == f"{ORIGIN}/?beds=3&baths=2.5&sqft=1850"
    assert soup.select('meta[name="robots"][content="noindex"]')


def test_no_address_is_made_from_the_host_header(client: FlaskClient) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    assert b"evil" not in response.data
    assert client.get("/preview.png").status_code == 404


def test_robots_may_read_every_page(client: FlaskClient) -> None:
    response = client.get("/robots.txt")
    assert (response.status_code, response.mimetype) == (200, "text/plain")
    assert response.text == "User-agent: *\nAllow: /\n"
