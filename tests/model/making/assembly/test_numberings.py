"""Numbers that somebody gave by hand to the values of a column, and what the data prove of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from model.making.errors import NotProvedError
from tests.model.making.assembly.proofs import put_together

CITIES = [f"city {letter}" for letter in "abcdefgh"]
BY_HAND = dict(zip(CITIES, [3.0, 1.0, 4.0, 7.0, 5.0, 0.0, 2.0, 6.0], strict=True))


def rent_flats(rows: int = 900, shares: tuple[float, ...] | None = None) -> pd.DataFrame:
    """Flats in cities whose rents differ, and do not rise with the alphabet."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {"size": rng.uniform(20, 150, rows), "city": rng.choice(CITIES, rows, p=shares)}
    )
    level = dict(zip(CITIES, [5, 9, 2, 14, 11, 7, 16, 3], strict=True))
    table["rent"] = table["size"] * (5 + table["city"].map(level)) + rng.normal(0, 60, rows)
    return table


def fit(table: pd.DataFrame, codes: Mapping[str, float], model: Any) -> Any:
    return model.fit(table[["size"]].assign(city=table["city"].map(codes)), table["rent"])


def read_codes(refusal: str) -> dict[str, float | None]:
    text = refusal.partition("as a JSON file: ")[2]
    found: dict[str, dict[str, float | None]] = json.JSONDecoder().raw_decode(text)[0]
    return found["city"]


def test_codes_written_by_hand_are_named_and_taken_once_a_file_has_them() -> None:
    table = rent_flats()
    forest = fit(table, BY_HAND, RandomForestRegressor(30, random_state=0))
    expected = forest.predict(table[["size"]].assign(city=table["city"].map(BY_HAND)))
    with pytest.raises(NotProvedError) as caught:
        put_together(table, forest)
    assert "none of the usual orders is proved" in str(caught.value)
    codes = read_codes(str(caught.value))
    assert codes == BY_HAND
    proof = put_together(table, forest, {"city": BY_HAND})
    np.testing.assert_allclose(proof.fitted.predict(table), expected)


def test_what_rows_are_too_few_to_tell_is_left_to_the_person() -> None:
    table = rent_flats(shares=(0.2, 0.2, 0.2, 0.2, 0.1, 0.096, 0.002, 0.002))
    forest = fit(table, BY_HAND, RandomForestRegressor(30, min_samples_leaf=5, random_state=0))
    with pytest.raises(NotProvedError, match="the right number for each null") as caught:
        put_together(table, forest)
    codes = read_codes(str(caught.value))
    assert codes["city g"] is None
    assert codes["city h"] is None
    known = {city: code for city, code in codes.items() if code is not None}
    assert len(known) >= 3
    assert known == {city: BY_HAND[city] for city in known}


def test_an_order_that_is_nearly_the_alphabet_is_not_taken_for_it() -> None:
    table = rent_flats()
    for order in (CITIES, [*CITIES[:3], CITIES[4], CITIES[3], *CITIES[5:]]):
        codes = {city: float(place) for place, city in enumerate(order)}
        forest = fit(table, codes, RandomForestRegressor(30, random_state=0))
        if order == CITIES:
            assert "city coded by alphabet" in put_together(table, forest).taken
        else:
            with pytest.raises(NotProvedError) as caught:
                put_together(table, forest)
            assert read_codes(str(caught.value)) == codes


def test_numbers_that_no_counting_gives_are_not_named() -> None:
    table = rent_flats()
    tens = {city: 10 * code for city, code in BY_HAND.items()}
    for codes, model in ((BY_HAND, LinearRegression()), (tens, RandomForestRegressor(30))):
        with pytest.raises(NotProvedError) as caught:
            put_together(table, fit(table, codes, model))
        assert "as a JSON file: " not in str(caught.value)
