"""Numbers on the form: shown back where they are more than plain digits, asked about in doubt."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app.kinds.number import NumberAdapter
from model import NumberModel
from tests.conftest import HOUSE
from tests.html import data_of, get_page, post_fragment, post_page, text_of


def buttons_of(soup: BeautifulSoup, name: str) -> dict[str, str]:
    """The value of each button that says what a field's text means, by its words."""
    found = soup.select(f'#{name}-error button[name="_read_as"]')
    return {button.get_text(): str(button["value"]) for button in found}


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("1,850", "Read as 1,850\xa0sq ft"),
        ("1.850", "Read as 1,850\xa0sq ft"),
        ("１８５０ square feet", "Read as 1,850\xa0sq ft"),
        ("1850", ""),
    ],
)
def test_a_number_that_is_not_plain_is_shown_back(
    client: FlaskClient, typed: str, shown: str
) -> None:
    plain = post_fragment(client, HOUSE)
    soup = post_fragment(client, {**HOUSE, "sqft": typed})
    assert data_of(soup, "prediction") == data_of(plain, "prediction")
    assert text_of(soup, "#sqft-error").replace(" ", " ") == shown.replace("\xa0", " ")
    assert bool(soup.select("#sqft-error.reading")) == bool(shown)
    page = post_page(client, {**HOUSE, "sqft": typed})
    assert text_of(page, "#sqft-error") == text_of(soup, "#sqft-error")
    assert bool(page.select('#sqft[aria-describedby~="sqft-error"]')) == bool(shown)
    assert not page.select("#sqft[aria-invalid]")


def test_a_number_with_two_meanings_is_asked_about_with_two_buttons(client: FlaskClient) -> None:
    data = {**HOUSE, "basement_sqft": "1.000"}
    for soup in (post_fragment(client, data, 422), post_page(client, data, 422)):
        assert text_of(soup, "#basement_sqft-error").startswith("Error: Basement: 1,000 or 1?")
        assert "prediction" not in str(soup.select_one("#result data"))
        assert buttons_of(soup, "basement_sqft") == {
            "Use 1,000": "basement_sqft=1000",
            "Use 1": "basement_sqft=1",
        }


def test_a_button_answers_without_a_script(client: FlaskClient) -> None:
    data = {**HOUSE, "basement_sqft": "1.000"}
    page = post_page(client, {**data, "_read_as": "basement_sqft=1000"})
    (field,) = page.select("#basement_sqft")
    assert field["value"] == "1000"
    expected = post_page(client, {**HOUSE, "basement_sqft": "1000"})
    assert data_of(page, "prediction") == data_of(expected, "prediction")
    assert "_read_as" not in str(page.select_one("#share"))
    shown = get_page(client, "/?beds=3&baths=2.5&sqft=1850&basement_sqft=1.000&_read_as=x")
    assert "1,000 or 1?" in text_of(shown, "#basement_sqft-error")


def test_enter_in_a_field_chooses_nothing(client: FlaskClient) -> None:
    """The first button of a form is the one that Enter presses."""
    page = post_page(client, {**HOUSE, "basement_sqft": "1.000"}, 422)
    first = page.select("#form button")[0]
    assert not first.get("name")
    assert (first["tabindex"], first["aria-hidden"]) == ("-1", "true")


@pytest.mark.parametrize(
    ("name", "typed", "says", "button"),
    [
        ("baths", "2,5", "Write 2.5", {"Use 2.5": "baths=2.5"}),
        ("sqft", "172 m²", "172 m² is 1,851", {"Use 1,851": "sqft=1851"}),
        ("sqft", "1.5k", "Write 1,500", {"Use 1,500": "sqft=1500"}),
        ("beds", "three", "Write 3", {"Use 3": "beds=3"}),
        ("beds", "<b>", "Bedrooms must be a number, like 3", {}),
    ],
)
def test_an_error_has_a_button_that_writes_what_it_says(
    client: FlaskClient, name: str, typed: str, says: str, button: dict[str, str]
) -> None:
    data = {**HOUSE, name: typed}
    for soup in (post_fragment(client, data, 422), post_page(client, data, 422)):
        assert says in text_of(soup, f"#{name}-error")
        assert buttons_of(soup, name) == button
    for value in button.values():
        post_page(client, {**data, "_read_as": value})


def test_examples_are_spelled_as_a_visitor_would(house: NumberModel) -> None:
    values = NumberAdapter(house).examples[1].values
    assert (values["baths"], values["sqft"], values["neighborhood"]) == ("2.5", "1850", "Gilbert")


def test_how_many_outcomes_are_lower_is_counted_within_the_bars(house: NumberModel) -> None:
    adapter, outcomes = NumberAdapter(house), house.manifest.outcomes
    assert outcomes is not None
    assert house.manifest.axis is not None
    low, high = house.manifest.axis
    bins, every = len(outcomes.counts), sum(outcomes.counts) + outcomes.below + outcomes.above

    def count(place: float) -> float:
        """How many are lower than a value that is so many bins from the left end."""
        whole = min(int(place), bins - 1)
        return (
            outcomes.below
            + sum(outcomes.counts[:whole])
            + (outcomes.counts[whole] * (place - whole))
        )

    for place in (0, 0.5, 1, 3, 7.25, bins / 2, bins - 1, bins - 0.5, bins):
        value = low + (high - low) * place / bins
        assert adapter._describe_rank(value) == str(round(100 * count(place) / every))
    assert adapter._describe_rank(low - 1e6) == str(round(100 * outcomes.below / every))
    assert adapter._describe_rank(high + 1e9) == str(round(100 * count(bins) / every))


def test_bars_say_how_many_they_are_and_whether_others_lie_beyond_them(house: NumberModel) -> None:
    outcomes = house.manifest.outcomes
    assert outcomes is not None
    inside = sum(outcomes.counts)
    for below, above, text in (
        (0, 0, f"The bars are all {inside:,} sales."),
        (1, 0, f"The bars are {inside:,} of {inside + 1:,} sales; the others lie beyond the ends."),
        (0, 2, f"The bars are {inside:,} of {inside + 2:,} sales; the others lie beyond the ends."),
    ):
        changed = outcomes.model_copy(update={"below": below, "above": above})
        manifest = house.manifest.model_copy(update={"outcomes": changed})
        words = NumberAdapter(replace(house, manifest=manifest)).words
        assert words is not None
        assert words.bars_text == text


def test_a_unit_that_ends_in_a_full_stop_ends_its_sentence(house: NumberModel) -> None:
    output = house.card.output.model_copy(update={"format": "number", "unit": "pcs."})
    adapter = NumberAdapter(replace(house, card=house.card.model_copy(update={"output": output})))
    example = adapter.present(None, None).example
    assert "pcs. Most likely" in example
    assert "pcs. Ranges" in example
