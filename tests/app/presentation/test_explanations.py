"""The explanation of a price: contributions, what-if, similar sales, support."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from app.config import Settings
from app.presentation.contributions import ContributionsPresenter, apportion
from app.presentation.explanations import MAX_PRINTED, ExplanationPresenter
from app.presentation.phrases import cache_phrases
from app.presentation.scales import NumberScale
from model import NumberCard, NumberModel
from model.serving.explain import ShapleyValues
from model.serving.served_model import Explained, PointPrediction
from tests.conftest import HOUSE
from tests.html import data_of, get_page, post_fragment, text_of
from tests.tools import ROOT


def dollars(text: str) -> int:
    """ "− $1,200" as -1200."""
    amount = int(re.sub(r"[^0-9]", "", text))
    return -amount if "−" in text else amount


def check_sums(soup: BeautifulSoup) -> None:
    """The contributions lead from the reference to the price, shown and unrounded."""
    found = soup.select("#result data.contribution")
    exact = data_of(soup, "reference") + sum(float(str(item["value"])) for item in found)
    assert exact == pytest.approx(data_of(soup, "prediction"), abs=0.5)
    shown = dollars(text_of(soup, "data.reference")) + sum(
        dollars(item.get_text()) for item in found
    )
    assert (
        shown == dollars(text_of(soup, "data.prediction")) == dollars(text_of(soup, "data.total"))
    )
    assert len(soup.select(".reasons data.contribution")) <= 6


def test_each_given_fact_has_its_reason_in_words(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "garage_cars": "0", "neighborhood": "Old_Town"})
    found = soup.select("#why data.contribution")
    assert {str(item["data-field"]) for item in found} == {
        "beds", "baths", "sqft", "garage_cars", "neighborhood",
    }  # fmt: skip
    words = text_of(soup, "#why")
    for part in ("2.5 baths, 0.5 more than typical", "1,850 sq ft, 410 more than typical",
                 "No garage, 2 fewer than typical", "In Old Town, not North Ames",
                 "3 bedrooms$0: no difference"):  # fmt: skip
        assert part in words
    amounts = [abs(float(str(item["value"]))) for item in found]
    assert amounts == sorted(amounts, reverse=True)
    check_sums(soup)


def test_a_column_s_own_name_keeps_its_small_letters(house: NumberModel) -> None:
    own = house.card.by_name["sqft"].model_copy(
        update={"label": "gr_liv", "noun": "gr_liv", "reason_text": "{noun} {value}"}
    )
    fields = tuple(own if field.name == "sqft" else field for field in house.card.fields)
    phrases = cache_phrases(
        house.card.model_copy(update={"fields": fields}), {**house.manifest.reference}
    )
    assert phrases["sqft"].mention(1850, True).striptags() == "gr_liv 1,850 sq ft"
    assert phrases["year_built"].mention(1995, True).striptags() == "Built in 1995"


def test_a_reason_whose_sign_surprises_says_what_stays_the_same(client: FlaskClient) -> None:
    words = text_of(post_fragment(client, {**HOUSE, "beds": "0"}), "#why")
    assert "No bedroom above ground, 3 fewer than typical, at the same size + $" in words
    assert "at the same size" not in text_of(post_fragment(client, HOUSE), "#why")


def test_a_fact_as_of_the_typical_case_makes_no_difference(client: FlaskClient) -> None:
    form = {"beds": "3", "baths": "2.5", "sqft": "1850", "year_built": "1995"}
    words = text_of(post_fragment(client, {**form, "neighborhood": "Gilbert"}), "#why")
    assert "3 bedrooms$0: no difference" in words


def test_the_typical_case_has_one_number_wherever_it_stands(
    client: FlaskClient, house: NumberModel
) -> None:
    card, reference = house.card, house.manifest.reference
    given = {name: str(reference[name]) for name in card.names if name not in card.optional}
    soup = post_fragment(client, given)
    price = text_of(soup, "data.prediction")
    assert text_of(soup, "data.reference") == price
    assert f"typical {price}" in text_of(soup, ".strip")


def test_a_row_of_many_facts_is_named_by_its_first_and_the_count_of_the_others(
    client: FlaskClient, house: NumberModel
) -> None:
    every = house.card.examples[-1].values
    soup = post_fragment(client, every)
    title = str(soup.select("#result")[0]["data-title"])
    assert " · 4 bedrooms, 3.5 baths, 2,650 sq ft and 7 more facts – " in title.replace("\xa0", " ")
    empty = get_page(client, "/")
    assert "and 7 more facts" in text_of(empty, ".examples li:last-child")


def test_a_fact_that_the_typical_case_lacks_has_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    shutil.copytree(ROOT / "model" / "house_price", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["reference"]["year_built"] = None
    (folder / "manifest.json").write_text(json.dumps(manifest))
    app = create_app(Settings(models=("house",), ratelimit="off"), tmp_path)
    soup = post_fragment(app.test_client(), {**HOUSE, "year_built": "1990"})
    assert "Built in 1990 + $" in text_of(soup, "#why")
    check_sums(soup)


def test_what_has_no_row_of_its_own_stands_in_one_sentence(
    client: FlaskClient, house: NumberModel
) -> None:
    soup = post_fragment(client, house.card.examples[-1].values)
    assert len(soup.select(".reasons data.contribution")) == 6
    assert len(soup.select("#why data.contribution")) == len(house.card.names)
    check_sums(soup)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_amounts_add_up_to_the_dollar_for_random_houses(
    client: FlaskClient, house: NumberModel, data: st.DataObject
) -> None:
    form: dict[str, Any] = {}
    for field in house.card.fields:
        if not field.required and not data.draw(st.booleans()):
            continue
        if field.kind == "choice":
            form[field.name] = data.draw(st.sampled_from([c.value for c in field.choices]))
        elif field.kind in ("integer", "number"):
            form[field.name] = data.draw(st.integers(int(field.min) + 1, int(field.max)))
    check_sums(post_fragment(client, form))


@given(
    st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=12), st.integers(-300, 300),
    st.sampled_from([1.0, 100.0]),
)  # fmt: skip
def test_apportioned_amounts_are_close_to_the_exact_ones_and_add_up(
    exact: list[float], off: int, step: float
) -> None:
    total = (round(sum(exact) / step) + off) * step if any(exact) else 0
    rounded = apportion(exact, total, step)
    assert sum(rounded) == pytest.approx(total)
    left = abs(off) + len(exact) / 2 + 1
    for shown, amount in zip(rounded, exact, strict=True):
        assert abs(shown - amount) <= (left + 1) * step
        assert amount or not shown


def test_the_rounding_of_the_total_goes_to_what_makes_a_difference() -> None:
    assert apportion([-3_582, 0, 188], -3_800, 200) == [-4_000, 0, 200]
    assert apportion([-29_894, -24_922, 1_190], -53_400, 100) == [-29_800, -24_800, 1_200]


def test_many_small_facts_have_the_sign_of_their_sum(house: NumberModel) -> None:
    card, scale = house.card, NumberScale(house.card)
    reference = house.manifest.reference
    presenter = ContributionsPresenter(card, scale, cache_phrases(card, reference), {})
    large = (60_000, 50_000, 40_000, 30_000, 20_000, -10_000)
    shapley = ShapleyValues(100_000, tuple(range(9)), (*large, 160, 160, 160), (9,), -500)
    prediction = 290_000, "$290,000"
    view = presenter.present(shapley, reference, reference, prediction, "", "")
    assert [row.amount for row in view.rows][-1] == "\u2212\xa0$10,000"
    (others,) = view.others
    assert others.value == "-20"
    assert others.amount == "$0"  # each of the three is 200 when it is rounded alone


def test_the_waterfall_leads_from_row_to_row(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "sqft": "700"})
    place = float(str(soup.select(".reasons circle")[0]["cx"]).rstrip("%"))
    for bar in soup.select(".reasons rect"):
        x, width = (float(str(bar[name]).rstrip("%")) for name in ("x", "width"))
        ends = (x, x + width) if bar["class"] == ["up"] else (x + width, x)
        assert ends[0] == pytest.approx(place, abs=0.2)
        place = ends[1]
    assert place == pytest.approx(
        float(str(soup.select(".reasons circle")[1]["cx"]).rstrip("%")), abs=0.2
    )


def test_the_what_if_varies_the_chosen_fact(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "what_if": "baths"})
    (chosen,) = soup.select("#what_if option[selected]")
    assert chosen["value"] == "baths"
    words = text_of(soup, "#what_if svg title")
    assert "here $" in words
    assert "at 2.5 baths" in words
    assert soup.select_one("#what_if svg .knob")
    (slider,) = soup.select("#what_if input[type=range]")
    assert slider["data-sets"] == "baths"
    assert slider["aria-label"] == "Bathrooms"
    assert slider["value"] == "2.5"


def test_the_choice_of_the_what_if_is_part_of_the_address(client: FlaskClient) -> None:
    response = client.post("/predict-fragment", data={**HOUSE, "what_if": "baths"})
    url = response.headers["HX-Replace-Url"]
    assert url == "/?beds=3&baths=2.5&sqft=1850&what_if=baths"
    page = get_page(client, url)
    assert page.select_one("#what_if option[value=baths][selected]")
    default = client.post("/predict-fragment", data={**HOUSE, "what_if": "sqft"})
    assert "what_if" not in default.headers["HX-Replace-Url"]
    unknown = post_fragment(client, {**HOUSE, "what_if": "<b>"})
    assert unknown.select_one("#what_if option[value=sqft][selected]")


def test_the_choice_outlives_a_wrong_field(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "beds": "99", "what_if": "baths"}, status=422)
    (kept,) = soup.select("#result input[name=what_if]")
    assert kept["value"] == "baths"


def test_a_fact_that_is_not_given_has_a_curve_without_a_dot(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "what_if": "year_built"})
    assert not soup.select("#what_if svg .knob")
    (slider,) = soup.select("#what_if input[type=range]")
    assert slider["aria-valuetext"] == "not given"


@pytest.mark.parametrize("fact", [{"baths": "2.57"}, {"lot_area": "9613"}, {"sqft": "1851"}])
def test_the_thumb_of_the_slider_stands_below_the_dot(
    client: FlaskClient, fact: dict[str, str]
) -> None:
    soup = post_fragment(client, {**HOUSE, **fact, "what_if": next(iter(fact))})
    (slider,) = soup.select("#what_if input[type=range]")
    low, high, value = (float(str(slider[name])) for name in ("min", "max", "value"))
    (dot,) = soup.select("#what_if .knob")
    place = float(str(dot["cx"]).rstrip("%"))
    assert (value - low) / (high - low) * 100 == pytest.approx(place, abs=0.5)


def test_a_value_beyond_the_curve_stands_at_its_end(client: FlaskClient) -> None:
    soup = post_fragment(client, {"beds": "4", "baths": "3", "sqft": "5500"})
    (dot,) = soup.select("#what_if .knob")
    assert dot["cx"] == "100.0%"
    assert "5,500" in soup.select("#what_if .ends span")[-1].get_text()
    (slider,) = soup.select("#what_if input[type=range]")
    assert slider["max"] == slider["value"] == "5500"


def test_a_choice_has_a_bar_for_each_value_the_largest_first(
    client: FlaskClient, house: NumberModel
) -> None:
    soup = post_fragment(client, {**HOUSE, "neighborhood": "Gilbert", "what_if": "neighborhood"})
    field = house.card.by_name["neighborhood"]
    assert field.kind == "choice"
    prices = [dollars(text.get_text()) for text in soup.select("#what_if .bars b")]
    assert len(prices) == len(field.choices)
    assert prices == sorted(prices, reverse=True)
    own = f"Gilbert {text_of(soup, 'data.prediction')}"
    assert " ".join(soup.select("#what_if .here")[0].stripped_strings) == own


def test_three_sales_are_shown_with_price_year_and_what_differs(
    client: FlaskClient, house: NumberModel
) -> None:
    soup = post_fragment(client, HOUSE)
    rows = soup.select("#similar li")
    assert len(rows) == 3
    assert house.neighbors is not None
    prices = set(house.neighbors.targets.tolist())
    for row in rows:
        (price,) = row.select("data.similar")
        assert float(str(price["value"])) in prices
        assert re.search(r"in 20(06|07|08|09|10)", row.get_text())
    assert "sq ft" in text_of(soup, "#similar")


def test_a_house_that_was_sold_finds_itself(client: FlaskClient, house: NumberModel) -> None:
    assert house.neighbors is not None
    row = house.neighbors.rows[100]
    sale = {f.name: f.decode(float(code)) for f, code in zip(house.card.fields, row, strict=True)}
    soup = post_fragment(client, sale)
    first = soup.select("#similar li")[0]
    assert "the same in every fact" in first.get_text()
    (support,) = soup.select("data.support")
    assert support["value"] == "inside"


def test_a_sale_names_three_differences_and_counts_the_others(
    client: FlaskClient, house: NumberModel
) -> None:
    assert house.neighbors is not None
    row = house.neighbors.rows[100]
    sale = {f.name: f.decode(float(code)) for f, code in zip(house.card.fields, row, strict=True)}
    notes = post_fragment(client, sale).select("#similar li .small")
    assert [note.get_text().replace("\xa0", " ") for note in notes] == [
        "the same in every fact that is given",
        "72 sq ft larger, 5 years newer, lot 117 sq ft smaller",
        "70 sq ft smaller, 3 years newer, condition Good, and 2 more",
    ]


@pytest.mark.parametrize(
    "unusual",
    [
        {"beds": "8", "baths": "1", "sqft": "700"},
        {"beds": "0", "baths": "8", "sqft": "5000"},
        {**HOUSE, "year_built": "1880", "garage_cars": "5", "fireplaces": "5"},
    ],
)
def test_a_house_unlike_all_sales_is_called_a_guess_and_gets_no_coverage(
    client: FlaskClient, unusual: dict[str, str]
) -> None:
    soup = post_fragment(client, unusual)
    (support,) = soup.select("#result data.support")
    assert support["value"] == "outside"
    assert "No house like this is among the sales" in text_of(soup, ".range .wide")
    assert text_of(soup, ".range .narrow").startswith("A guess: $")
    assert "for 9 of 10" not in text_of(soup, "#result")
    assert "half the time" not in text_of(soup, "#result")
    assert data_of(soup, "interval-low") < data_of(soup, "interval-high")


def test_most_sales_are_inside_the_support(client: FlaskClient, house: NumberModel) -> None:
    assert house.neighbors is not None
    inside = 0
    rows = house.neighbors.rows[::60]
    for row in rows:
        sale = {f.name: f.decode(float(c)) for f, c in zip(house.card.fields, row, strict=True)}
        only = {name: sale[name] for name in HOUSE}
        (support,) = post_fragment(client, only).select("data.support")
        inside += support["value"] == "inside"
    assert inside >= 0.95 * len(rows)


def test_the_link_to_share_shows_the_same_estimate(client: FlaskClient) -> None:
    soup = post_fragment(client, {**HOUSE, "sqft": "1,850", "what_if": "baths"})
    (link,) = soup.select("#share")
    shared = get_page(client, str(link["href"]))
    assert str(shared.select_one("#result")) == str(soup.select_one("#result"))


def test_a_printed_page_lists_forty_facts_and_counts_the_others(house: NumberModel) -> None:
    card = house.card
    field, values = card.by_name["lot_area"], house.manifest.reference
    many = [field.model_dump() | {"name": f"lot_{number}"} for number in range(200)]
    examples = [{"title": "A lot", "values": {"lot_0": 9000}}]
    changes = {"fields": many, "what_if": "", "examples": examples}
    wide = NumberCard.model_validate(card.model_dump() | changes)
    typical = dict.fromkeys(wide.names, values["lot_area"])
    scale = NumberScale(card)
    presenter = ExplanationPresenter(wide, typical, scale, {})
    explained = Explained(PointPrediction(1.0))
    facts = presenter.present(explained, {**typical, "lot_7": None}, 1.0).facts
    assert facts.count("lot size") == MAX_PRINTED
    assert facts.endswith(", and 159 more, which are in the address.")
    few = presenter.present(explained, dict.fromkeys(typical) | {"lot_1": 9000}, 1.0).facts
    assert few == "lot size 9,000\u00a0sq ft."
