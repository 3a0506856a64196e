"""Whatever text is in the fields: 200 or 422, well-formed, and given back escaped."""

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import HOUSE
from tests.html import FRAGMENT, check_fragment, data_of, post_page

# HTML cannot hold NUL, other controls and noncharacters at all; test_fragment posts a NUL.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=60)
NUMBERS = st.one_of(
    st.integers(-10, 10_000).map(str),
    st.floats().map(str),
    st.decimals(allow_nan=True).map(str),
    st.from_regex(r"\A[ $+-]?[0-9٠-٩０-９]{0,5}[.,'½/ ][0-9]{0,4} ?[a-z]{0,5}\Z"),
)
ANY = st.one_of(TEXT, NUMBERS)
FORM = st.fixed_dictionaries(
    dict.fromkeys(HOUSE, ANY),
    optional=dict.fromkeys(("year_built", "neighborhood", "lot_area", "fireplaces"), ANY),
)
RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@RELAXED
@given(FORM)
def test_any_text_is_answered_well_formed(client: FlaskClient, form: dict[str, str]) -> None:
    response = client.post(FRAGMENT, data=form)
    assert response.status_code in (200, 422)
    soup = check_fragment(response)
    if response.status_code == 200:
        value = data_of(soup, "prediction")
        assert data_of(soup, "interval-low") <= value <= data_of(soup, "interval-high")
    else:
        assert not soup.select("data")


@RELAXED
@given(TEXT)
def test_any_text_is_given_back_as_it_was_typed(client: FlaskClient, typed: str) -> None:
    soup = post_page(client, {**HOUSE, "sqft": typed or "x"}, status=422)
    (sqft,) = soup.select("#sqft")
    assert sqft["value"] == (typed or "x")


@RELAXED
@given(st.integers(0, 8), st.sampled_from([0.5, 1, 1.5, 2, 3.5, 8]), st.integers(300, 6000))
def test_every_house_in_bounds_gets_a_finite_price(
    client: FlaskClient, beds: int, baths: float, sqft: int
) -> None:
    response = client.post(FRAGMENT, data={"beds": beds, "baths": baths, "sqft": sqft})
    assert response.status_code == 200
    assert 1_000 < data_of(check_fragment(response), "prediction") < 10_000_000
