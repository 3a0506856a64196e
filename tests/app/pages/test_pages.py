"""The page: full GETs and POSTs, in every state of the result."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from model import NumberModel
from tests.conftest import HOUSE
from tests.html import data_of, get_page, post_page, text_of


def test_the_empty_page_says_what_to_do_and_shows_no_price(client: FlaskClient) -> None:
    soup = get_page(client, "/")
    assert soup.select("#result[data-state=empty]")
    assert "number of bedrooms" in text_of(soup, "#result")
    assert not soup.select("data")
    assert not soup.select("[aria-invalid]")


def test_required_fields_stand_first_and_the_others_are_closed(client: FlaskClient) -> None:
    soup = get_page(client, "/")
    names = [str(control["name"]) for control in soup.select("#form .field :is(input, select)")]
    assert names == [
        "beds", "baths", "sqft", "year_built", "neighborhood", "condition", "garage_cars",
        "lot_area", "basement_sqft", "fireplaces",
    ]  # fmt: skip
    (details,) = soup.select("details")
    inside = [str(control["name"]) for control in details.select("input, select")]
    assert inside == names[3:]
    assert "open" not in details.attrs


def test_a_query_is_the_whole_state(client: FlaskClient, house: NumberModel) -> None:
    soup = get_page(client, "/?beds=3&baths=2.5&sqft=1850")
    features, _ = house.card.validate_row(HOUSE)
    assert features is not None
    assert data_of(soup, "prediction") == pytest.approx(
        house.predict([features])[0].value, rel=1e-6
    )
    for name, value in HOUSE.items():
        (control,) = soup.select(f"#{name}")
        assert control["value"] == value


def test_an_optional_fact_in_the_query_opens_the_optional_part(client: FlaskClient) -> None:
    soup = get_page(client, "/?beds=3&baths=2.5&sqft=1850&neighborhood=Gilbert")
    assert soup.select_one("details[open]")
    (option,) = soup.select("#neighborhood option[selected]")
    assert option["value"] == "Gilbert"


def test_a_wrong_query_answers_200_with_the_errors_and_no_price(client: FlaskClient) -> None:
    soup = get_page(client, "/?beds=99&baths=2&sqft=abc")
    assert text_of(soup, "#beds-error") == "Error: Bedrooms must be between 0 and 8"
    assert text_of(soup, "#sqft-error") == "Error: Square feet must be a number, like 1,850"
    assert text_of(soup, "#baths-error") == ""
    assert not soup.select("data")
    assert not soup.select("#errors[autofocus]")


def test_a_full_post_answers_the_price(client: FlaskClient) -> None:
    soup = post_page(client, HOUSE)
    page = get_page(client, "/?beds=3&baths=2.5&sqft=1850")
    assert str(soup.select_one("#result")) == str(page.select_one("#result"))


def test_a_wrong_full_post_answers_422_with_a_focused_summary_that_links(
    client: FlaskClient,
) -> None:
    soup = post_page(client, {**HOUSE, "sqft": "", "baths": "99"}, status=422)
    assert text_of(soup, "head > title").startswith("Error: ")
    (summary,) = soup.select("#errors[autofocus][tabindex='-1']")
    links = {str(link["href"]): link.get_text() for link in summary.select("a")}
    assert links == {
        "#baths": "Bathrooms must be between 0.5 and 8",
        "#sqft": "Enter the living area",
    }
    (baths,) = soup.select("#baths")
    assert baths["value"] == "99"
    assert baths["aria-invalid"] == "true"
    assert "baths-error" in str(baths["aria-describedby"])
    assert not soup.select("data")


def test_what_was_typed_comes_back_escaped(client: FlaskClient) -> None:
    typed = '"><script>alert(1)</script>\x00'
    soup = post_page(client, {**HOUSE, "beds": typed.replace("\x00", "")}, status=422)
    (beds,) = soup.select("#beds")
    assert beds["value"] == '"><script>alert(1)</script>'
    assert not soup.select("script:not([src])")


def test_three_examples_are_plain_links_that_answer(client: FlaskClient) -> None:
    links = get_page(client, "/").select(".examples a")
    assert len(links) >= 3
    for link in links:
        soup = get_page(client, str(link["href"]))
        assert data_of(soup, "interval-low") < data_of(soup, "prediction")
        assert data_of(soup, "prediction") < data_of(soup, "interval-high")
        for name, values in parse_qs(urlsplit(str(link["href"])).query).items():
            (control,) = soup.select(f"#{name}")
            chosen = control.select_one("option[selected]")
            assert values == [control["value"] if chosen is None else chosen["value"]]


def test_the_card_for_people_shows_the_measured_figures(
    client: FlaskClient, house: NumberModel
) -> None:
    soup = get_page(client, "/about")
    page = text_of(soup, "main")
    for metric in house.manifest.metrics:
        assert metric.label in page
    for text in (*house.card.limits, *house.card.not_for, house.manifest.data.source):
        assert text in page


def test_fields_that_the_card_does_not_know_are_ignored(client: FlaskClient) -> None:
    with_more = post_page(client, {**HOUSE, "pool": "3", "price": "1"})
    without = post_page(client, HOUSE)
    assert str(with_more.select_one("#result")) == str(without.select_one("#result"))
