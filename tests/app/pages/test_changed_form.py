"""A form that means something else by now, and a field that is still typed in."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.presentation.form import hash_form
from model import NumberModel
from tests.conftest import HOUSE
from tests.html import get_page, post_fragment, post_page, text_of
from tests.pictures import XRAY, chest, encoded
from tests.tools import ROOT

CARD = Path("house_price") / "card.toml"


def hash_of(client: FlaskClient, path: str = "/") -> str:
    """The hash that the form of a page posts."""
    (field,) = get_page(client, path).select("#form input[name=_form_hash]")
    return str(field["value"])


def serve_changed(folder: Path, old: str, new: str) -> FlaskClient:
    """A client of the app with one change in the house's card."""
    models = folder / "model"
    shutil.copytree(ROOT / "model" / "house_price", models / "house_price")
    text = (models / CARD).read_text()
    assert old in text
    (models / CARD).write_text(text.replace(old, new))
    return create_app(Settings(models=("house_price",)), models).test_client()


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('unit = "sq ft"', 'unit = "m²"', True),
        ('unit = "USD"', 'unit = "EUR"', True),
        ('locale = "en_US"', 'locale = "de_DE"', True),
        ('label = "Square feet"', 'label = "Living space"', False),
        ("max = 6000", "max = 7000", False),
        ('title = "What would', 'title = "Well, what would', False),
    ],
)
def test_the_hash_changes_with_what_the_form_means_alone(
    client: FlaskClient, tmp_path: Path, old: str, new: str, changed: bool
) -> None:
    other = serve_changed(tmp_path, old, new)
    assert (hash_of(other) != hash_of(client)) is changed


def test_the_hash_changes_with_the_fields_and_their_choices(house: NumberModel) -> None:
    card = house.card
    (choice,) = (field for field in card.fields if field.name == "neighborhood")
    kept = [option for option in choice.model_dump()["choices"] if option["value"] != "Gilbert"]
    fewer = type(choice).model_validate(
        {**choice.model_dump(), "choices": kept, "example": kept[0]["value"]}
    )
    optional = card.fields[0].model_copy(update={"required": False})
    forms = [
        card.fields,
        card.fields[::-1],
        card.fields[:-1],
        (optional, *card.fields[1:]),
        tuple(fewer if field is choice else field for field in card.fields),
    ]
    first, reordered, *others = [hash_form(form, card.output, card.locale) for form in forms]
    assert first == reordered
    assert len({first, *others}) == 4


def test_a_post_from_an_older_form_gets_409_and_no_number(client: FlaskClient) -> None:
    current = hash_of(client)
    for path in ("/", "/predict-fragment"):
        assert client.post(path, data=HOUSE).status_code == 200
        assert client.post(path, data={**HOUSE, "_form_hash": current}).status_code == 200
    response = client.post("/predict-fragment", data={**HOUSE, "_form_hash": "0" * 16})
    assert response.status_code == 409
    words = response.get_data(as_text=True)
    assert "This form has changed" in words
    assert "$" not in words


def test_a_full_post_from_an_older_form_gets_the_new_page_with_what_still_fits(
    client: FlaskClient,
) -> None:
    typed = {**HOUSE, "sqft": "lots", "fireplaces": "1", "gone": "9", "_form_hash": "0" * 16}
    soup = post_page(client, typed, 409)
    assert text_of(soup, "#errors a").startswith("This form has changed")
    values = {str(item["name"]): item["value"] for item in soup.select("#form .field input")}
    assert (values["beds"], values["fireplaces"]) == ("3", "1")
    assert values["sqft"] == ""
    assert not soup.select("data.prediction, [aria-invalid]")
    (current,) = soup.select("#form input[name=_form_hash]")
    assert current["value"] == hash_of(client)


def test_a_picture_from_an_older_form_gets_409(client: FlaskClient) -> None:
    path = f"{XRAY}predict-fragment"
    for value, status in ((hash_of(client, XRAY), 200), ("0" * 16, 409)):
        data = {"_form_hash": value, "image": (BytesIO(encoded(chest())), "chest.png")}
        assert client.post(path, data=data).status_code == status


@pytest.mark.parametrize(
    ("home", "form", "mimetype"),
    [
        ("/", HOUSE, "application/x-www-form-urlencoded"),
        ("/", {}, "application/x-www-form-urlencoded"),
        (XRAY, {"sample": "1"}, "multipart/form-data"),
    ],
)
def test_a_fragment_says_which_post_it_answers(
    client: FlaskClient, home: str, form: dict[str, str], mimetype: str
) -> None:
    sent = {**form, "_correlation_id": '0.5">'}
    response = client.post(f"{home}predict-fragment", data=sent, content_type=mimetype)
    (result,) = BeautifulSoup(response.text, "html.parser").select("#result")
    assert result["data-correlation-id"] == '0.5">'
    assert "_correlation_id" not in response.headers["HX-Replace-Url"]


def test_a_field_that_is_typed_in_is_waited_for(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "sqft": "24", "_typing": "sqft"}, 422)
    (result,) = soup.select("#result[data-state=waiting]")
    assert result["data-waiting"] == "sqft"
    assert "Keep typing" in text_of(soup, "#result")
    assert "Square feet" in text_of(soup, "#result")
    assert result["data-announce"] == ""
    assert not soup.select("data.prediction")
    assert text_of(soup, "#sqft-error") == ""


@pytest.mark.parametrize(
    ("typed", "typing"),
    [
        ({"sqft": "24"}, "beds"),  # it was left
        ({"sqft": "24"}, ""),
        ({"sqft": "24x"}, "sqft"),  # it is wrong for good
        ({"sqft": "24000"}, "sqft"),
    ],
)
def test_what_is_wrong_for_good_is_not_waited_for(
    client: FlaskClient, typed: dict[str, str], typing: str
) -> None:
    soup = post_fragment(client, {**HOUSE, **typed, "_typing": typing}, 422)
    assert soup.select("#result[data-state=withdrawn] a[href^='#']")
    assert not soup.select("[data-waiting]")


def test_where_another_field_is_wrong_the_one_that_is_typed_in_is_asked_about_once_it_is_left(
    client: FlaskClient,
) -> None:
    soup = post_fragment(client, {**HOUSE, "sqft": "24", "beds": "99", "_typing": "sqft"}, 422)
    assert soup.select("#result[data-state=withdrawn][data-waiting=sqft] a[href='#beds']")
    assert text_of(soup, "#sqft-error") == ""


def test_an_address_waits_for_nothing(client: FlaskClient) -> None:
    soup = get_page(client, "/?beds=3&baths=2.5&sqft=24&_typing=sqft")
    assert soup.select("#result[data-state=withdrawn]")
