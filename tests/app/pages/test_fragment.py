"""The fragment: the answer to a live post, however people type."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app.kinds.number import NumberAdapter, NumberDetail
from app.presentation.submission import read_submission
from model import NumberModel
from tests.conftest import HOUSE
from tests.html import FRAGMENT, data_of, get_page, post_fragment, text_of


def test_it_is_the_same_result_as_on_the_page(client: FlaskClient) -> None:
    fragment = post_fragment(client, HOUSE)
    page = get_page(client, "/?beds=3&baths=2.5&sqft=1850")
    assert str(fragment.select_one("#result")) == str(page.select_one("#result"))


def test_the_price_is_rounded_for_people_and_not_for_programs(client: FlaskClient) -> None:
    soup = post_fragment(client, HOUSE)
    value = data_of(soup, "prediction")
    shown = float(text_of(soup, "data.prediction").replace("$", "").replace(",", ""))
    assert shown == pytest.approx(value, abs=250)
    assert shown % 500 == 0
    assert value % 500 != 0


def test_the_range_contains_the_price_and_is_rounded_outward(client: FlaskClient) -> None:
    soup = post_fragment(client, HOUSE)
    low, high = data_of(soup, "interval-low"), data_of(soup, "interval-high")
    assert low < data_of(soup, "prediction") < high
    text = text_of(soup, ".range .wide")
    assert text.startswith("Most likely between $")
    assert text.endswith(" Ranges like this held for 9 of 10 sales.")
    shown_low = float(text_of(soup, "data.interval-low").replace("$", "").replace(",", ""))
    shown_high = float(text_of(soup, "data.interval-high").replace("$", "").replace(",", ""))
    assert shown_low <= low
    assert shown_high >= high
    short = f"{text_of(soup, 'data.interval-low')} to {text_of(soup, 'data.interval-high')}"
    assert text_of(soup, ".range .narrow") == short


def test_a_brace_in_the_sentence_of_a_range_is_written_twice(house: NumberModel) -> None:
    words = {"range_text": "{share} {{houses}} between {low} and {{{high}}}"}
    output = house.card.output.model_copy(update=words)
    model = replace(house, card=house.card.model_copy(update={"output": output}))
    fields = {name: [value] for name, value in HOUSE.items()}
    adapter, submission = NumberAdapter(model), read_submission(model.card, fields)
    assert submission.row is not None
    (explained,) = adapter.model.explain([submission.row])
    detail = adapter.present(submission, explained).detail
    assert isinstance(detail, NumberDetail)
    view = detail.interval
    assert view is not None
    assert (view.before, view.between, view.after) == ("9 of 10 {houses} between ", " and {", "}.")


def test_the_strip_says_in_words_what_it_draws(client: FlaskClient) -> None:
    soup = post_fragment(client, HOUSE)
    title = text_of(soup, ".strip title")
    assert text_of(soup, "data.prediction") in title
    assert text_of(soup, "data.reference") in title
    (band,) = soup.select(".strip .band")
    (flag,) = soup.select(".strip .flag")
    start = float(str(band["x"]).rstrip("%"))
    width = float(str(band["width"]).rstrip("%"))
    assert start <= float(str(flag["x1"]).rstrip("%")) <= start + width
    assert len(soup.select(".strip .sale")) == len(soup.select("#similar li"))


def test_about_as_many_sales_are_lower_as_it_says(client: FlaskClient, house: NumberModel) -> None:
    assert house.neighbors is not None
    prices = house.neighbors.targets
    for sqft in ("900", "1850", "4000"):
        soup = post_fragment(client, {**HOUSE, "sqft": sqft})
        share = 100 * float((prices < data_of(soup, "prediction")).mean())
        said = int(text_of(soup, ".strip + p").split("About ")[1].split()[0])
        assert said == pytest.approx(share, abs=2)


def test_every_state_shows_the_same_scale(client: FlaskClient) -> None:
    answers = [
        post_fragment(client, HOUSE),
        post_fragment(client, {"beds": "3"}, status=422),
        get_page(client, "/"),
    ]
    scales = [[text.get_text() for text in soup.select(".strip .mid")] for soup in answers]
    assert scales[0] == scales[1] == scales[2]
    assert len({str(soup.select_one(".strip .typical")) for soup in answers}) <= 2


def test_it_names_the_fact_that_would_narrow_the_range(
    client: FlaskClient, house: NumberModel
) -> None:
    soup = post_fragment(client, HOUSE)
    (link,) = soup.select("#more-advice a")
    name = str(link["href"]).removeprefix("#")
    assert name in house.card.optional
    assert house.intervals is not None
    now, then = house.intervals.find_group(()).width, house.intervals.find_group((name,)).width
    assert then < now
    assert f"{1 - then / now:.0%}" in text_of(soup, f"#{name}-gain")
    said = [text_of(soup, f"#{other}-gain") for other in house.card.optional]
    gains = [int(text.split("%")[0].split()[-1]) for text in said if text]
    assert f"{max(gains)}%" in text_of(soup, f"#{name}-gain")


def test_with_all_facts_nothing_more_is_asked_for(client: FlaskClient, house: NumberModel) -> None:
    full = house.card.examples[-1].values
    assert set(full) == set(house.card.names)
    soup = post_fragment(client, full)
    assert text_of(soup, "#more-count").startswith("7 of 7 filled: Year built")
    assert not soup.select("#more-advice a, .gain b")


def test_it_carries_an_error_for_every_field_empty_where_the_field_is_fine(
    client: FlaskClient, house: NumberModel
) -> None:
    soup = post_fragment(client, {**HOUSE, "baths": "99", "condition": "Splendid"}, status=422)
    swapped = [str(element["id"]) for element in soup.select(".error[data-hx-swap-oob]")]
    assert swapped == [f"{name}-error" for name in house.card.names]
    assert text_of(soup, "#baths-error") == "Error: Bathrooms must be between 0.5 and 8"
    assert text_of(soup, "#condition-error") == "Error: Condition must be one from the list"
    assert text_of(soup, "#beds-error") == ""


def test_a_wrong_field_withdraws_the_price_and_says_what_to_fix(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "baths": "99"}, status=422)
    assert soup.select("#result[data-state=withdrawn]")
    assert not soup.select("data")
    (link,) = soup.select("#result .range a")
    assert link["href"] == "#baths"
    two = post_fragment(client, {**HOUSE, "baths": "99", "beds": "x"}, status=422)
    assert [link["href"] for link in two.select("#result a")] == ["#beds", "#baths"]


def test_facts_that_are_still_missing_are_asked_for_calmly(client: FlaskClient) -> None:
    soup = post_fragment(client, {"beds": "3"}, status=422)
    assert text_of(soup, "#result .range") == (
        "Still to fill in: the number of bathrooms and the living area."
    )
    assert not soup.select("#result a")


def test_the_address_bar_gets_the_whole_state(client: FlaskClient) -> None:
    response = client.post(FRAGMENT, data={**HOUSE, "year_built": "", "pool": "1"})
    assert response.headers["HX-Replace-Url"] == "/?beds=3&baths=2.5&sqft=1850"
    response = client.post(FRAGMENT, data={**HOUSE, "beds": "9 & ½"})
    assert response.status_code == 422
    assert response.headers["HX-Replace-Url"] == ("/?beds=9+%26+%C2%BD&baths=2.5&sqft=1850")
    assert client.post(FRAGMENT, data={}).headers["HX-Replace-Url"] == "/"


def test_an_overlong_value_is_left_out_of_the_address(client: FlaskClient) -> None:
    response = client.post(FRAGMENT, data={**HOUSE, "beds": "9" * 5000})
    assert response.status_code == 422
    assert response.headers["HX-Replace-Url"] == "/?baths=2.5&sqft=1850"


@pytest.mark.parametrize(
    ("name", "typed", "plain"),
    [
        ("sqft", "1,850", "1850"),
        ("sqft", " 1850 sq ft", "1850"),
        ("sqft", "1 850", "1850"),
        ("sqft", "$1,850", "1850"),
        ("sqft", "1850 Sq. Ft.", "1850"),
        ("sqft", "1850.0", "1850"),
        ("sqft", "１８５０", "1850"),
        ("sqft", "١٬٨٥٠", "1850"),
        ("baths", "2½", "2.5"),
        ("baths", "2 1/2", "2.5"),
        ("baths", "2.5 baths", "2.5"),
        ("baths", "٢٫٥", "2.5"),
        ("beds", "3 bedrooms", "3"),
        ("beds", "3.0", "3"),
    ],
)
def test_numbers_are_read_as_people_type_them(
    client: FlaskClient, name: str, typed: str, plain: str
) -> None:
    soup = post_fragment(client, {**HOUSE, name: typed})
    assert data_of(soup, "prediction") == data_of(
        post_fragment(client, {**HOUSE, name: plain}), "prediction"
    )


@pytest.mark.parametrize("typed", [
    "", "   ", "three", "NaN", "Infinity", "-inf", "1e309", "1e3", "-3", "−3", "99", "2.5", "3,5",
    "0x3", "3_0", "3²", "3\x00", "\ud83d", "9" * 5000, "3 4", "½", "٣٣", "--3", "$", "<b>3</b>",
])  # fmt: skip
def test_an_invalid_number_of_bedrooms_is_refused_in_words(client: FlaskClient, typed: str) -> None:
    data = {**HOUSE, "beds": typed.encode("utf-8", "surrogatepass").decode("utf-8", "replace")}
    soup = post_fragment(client, data, status=422)
    words = text_of(soup, "#beds-error").removeprefix("Error: ")
    assert words.startswith(("Bedrooms must be", "Enter the number of bedrooms"))
    assert not soup.select("data")


def test_a_field_given_twice_is_refused(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "beds": ["3", "3"]}, status=422)
    assert text_of(soup, "#beds-error") == "Error: Enter the number of bedrooms once"
    assert "once" in text_of(soup, "#result")


def test_zero_is_a_value_and_not_an_empty_field(client: FlaskClient) -> None:
    soup = get_page(client, "/?beds=3&baths=2.5&sqft=1850&garage_cars=0")
    (garage,) = soup.select("#garage_cars")
    assert garage["value"] == "0"
    without = post_fragment(client, HOUSE)
    assert data_of(soup, "prediction") != data_of(without, "prediction")


def test_each_optional_fact_can_be_left_out(client: FlaskClient, house: NumberModel) -> None:
    full = dict(house.card.examples[-1].values)
    for name in house.card.optional:
        soup = post_fragment(client, {**full, name: ""})
        assert data_of(soup, "interval-low") < data_of(soup, "interval-high")


def test_it_stays_small(client: FlaskClient, house: NumberModel) -> None:
    for what_if in ("sqft", "neighborhood"):
        for facts in (HOUSE, house.card.examples[-1].values):
            data = {**facts, "what_if": what_if}
            assert len(client.post(FRAGMENT, data=data).data) <= 14 * 1024
            small = client.post(FRAGMENT, data=data, headers={"Accept-Encoding": "gzip"})
            assert len(small.data) <= 4 * 1024


def test_an_address_that_no_server_takes_is_not_given(
    client: FlaskClient, house: NumberModel
) -> None:
    """Behind nginx, a header of more than 4 KB would be a 502."""
    response = client.post(FRAGMENT, data=dict.fromkeys(house.card.names, "ﷺ" * 190))
    assert response.status_code == 422
    assert response.headers["HX-Replace-Url"] == "/"
