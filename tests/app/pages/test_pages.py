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
    assert text_of(soup, "#result .price") == "Fill in three facts"
    assert "Bedrooms, bathrooms, and square feet." in text_of(soup, "#result .range")
    assert text_of(soup, "#result .example").startswith("Example Small starter home: 2 bedrooms")
    assert text_of(soup, "#result .strip .strong") == "the example"
    assert not soup.select("data")
    assert not soup.select("[aria-invalid]")


def test_required_fields_stand_first_and_the_others_say_what_they_narrow(
    client: FlaskClient,
) -> None:
    soup = get_page(client, "/")
    names = [str(control["name"]) for control in soup.select("#form .field :is(input, select)")]
    assert names == [
        "beds", "baths", "sqft", "year_built", "neighborhood", "condition", "garage_cars",
        "lot_area", "basement_sqft", "fireplaces",
    ]  # fmt: skip
    (details,) = soup.select("details")
    inside = [str(control["name"]) for control in details.select("input, select")]
    assert inside == names[3:]
    assert text_of(details, ".count") == "0 of 7 filled"
    assert text_of(details, "#neighborhood-gain") == "Range 20% narrower"


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


def test_an_optional_fact_in_the_query_is_counted(client: FlaskClient) -> None:
    soup = get_page(client, "/?beds=3&baths=2.5&sqft=1850&neighborhood=Gilbert")
    assert text_of(soup, "details[open] .count") == "1 of 7 filled: Neighborhood"
    assert text_of(soup, "#neighborhood-gain") == ""
    (option,) = soup.select("#neighborhood option[selected]")
    assert option["value"] == "Gilbert"


def test_the_title_and_the_preview_of_a_link_carry_the_answer(client: FlaskClient) -> None:
    soup = get_page(client, "/?beds=3&baths=2.5&sqft=1850")
    title = text_of(soup, "title:not(svg title)")
    price = text_of(soup, "data.prediction")
    assert title.startswith(f"{price} · 3 bedrooms, 2.5 baths, 1,850 sq ft – ")
    (og,) = soup.select('meta[property="og:title"]')
    assert " ".join(str(og["content"]).split()) in title
    (described,) = soup.select('meta[property="og:description"]')
    assert text_of(soup, "data.interval-low") in str(described["content"])
    assert soup.select('meta[name="robots"][content="noindex"]')
    assert not soup.select('meta[property="og:url"], meta[property="og:image"]')
    empty = get_page(client, "/")
    assert not empty.select('meta[name="robots"]')
    assert "$" not in text_of(empty, "title:not(svg title)")


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
    links = get_page(client, "/").select("#result .examples a")
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
    for text in (*house.card.limits, house.manifest.data.source, house.manifest.how):
        assert text in page
    for use in house.card.not_for:
        assert use[1:] in page
    assert text_of(soup, ".claim").startswith("Half the time it is off by less than 6.4%")
    columns = [item.get_text() for item in soup.select("thead th")]
    assert columns[0] == "Half the time off by less than"
    for row in soup.select("tbody tr"):
        cells = [item.get_text() for item in row.select("td")]
        given = row.select("th")[0].get_text()
        for column, cell in zip(columns, cells, strict=True):
            (metric,) = [item for item in house.manifest.metrics
                         if item.label.lower() == f"{column}, {given}".lower()]  # fmt: skip
            assert cell == f"{metric.value:.1%}"
    assert len(soup.select("tbody td")) == len(house.manifest.metrics)


def test_a_dot_has_a_length_for_safari_draws_one_without_too_large(client: FlaskClient) -> None:
    dots = get_page(client, "/about").select(".cells")
    assert dots
    assert not any("h0M" in str(dot["d"]) + "M" for dot in dots)


def test_fields_that_the_card_does_not_know_are_ignored(client: FlaskClient) -> None:
    with_more = post_page(client, {**HOUSE, "pool": "3", "price": "1"})
    without = post_page(client, HOUSE)
    assert str(with_more.select_one("#result")) == str(without.select_one("#result"))
