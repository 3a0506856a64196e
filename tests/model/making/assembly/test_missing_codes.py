"""What a model got for missing cells, and in which order parts without names took columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from model.making.errors import NotProvedError
from tests.model.making.assembly.proofs import put_together

KINDS = ["bar", "cafe", "shop"]
CODES = {kind: float(code) for code, kind in enumerate(KINDS)}


def let_shops(missing: float = 0.2, rows: int = 600) -> pd.DataFrame:
    """Shops and their rents; those of an unknown kind are let for much."""
    rng = np.random.default_rng(4)
    kinds = rng.choice(KINDS, rows)
    unknown = rng.random(rows) < missing
    rent = rng.uniform(20, 90, rows)
    known = pd.Series(kinds).mask(unknown)
    table = pd.DataFrame({"size": rent, "kind": known, "age": rent[::-1]})
    worth = known.map({"bar": 30, "cafe": 10, "shop": 50}).fillna(90)
    return table.assign(rent=rent + worth - rent[::-1] / 2 + rng.normal(0, 2, rows))


def code(table: pd.DataFrame, hole: float) -> pd.DataFrame:
    return table[["size", "kind", "age"]].assign(kind=table["kind"].map(CODES).fillna(hole))


def make_forest() -> RandomForestRegressor:
    return RandomForestRegressor(30, random_state=0)


def test_missing_cells_get_minus_one_where_the_rows_prove_it() -> None:
    table = let_shops()
    forest = make_forest().fit(code(table, -1), table["rent"])
    expected = forest.predict(code(table, -1))
    proof = put_together(table, forest)
    assert "kind coded as −1 where it is missing" in proof.taken
    assert proof.asks
    np.testing.assert_allclose(proof.fitted.predict(table), expected)


def test_missing_cells_get_the_value_that_no_cell_has() -> None:
    table, codes = let_shops(), {**CODES, "Unknown": 3.0}
    forest = make_forest().fit(code(table, 3), table["rent"])
    expected = forest.predict(code(table, 3))
    proof = put_together(table, forest, {"kind": codes})
    assert "kind coded as Unknown where it is missing" in proof.taken
    assert proof.asks
    np.testing.assert_allclose(proof.fitted.predict(table), expected)


@pytest.mark.parametrize("hole", [-1.0, 7.0])
def test_a_few_missing_cells_prove_nothing_and_a_file_says_what_they_got(hole: float) -> None:
    table = let_shops(missing=0.006)
    forest = make_forest().fit(code(table, hole), table["rent"])
    expected = forest.predict(code(table, hole))
    with pytest.raises(NotProvedError, match="where 'kind' is missing is in no file"):
        put_together(table, forest)
    proof = put_together(table, forest, {"kind": {**CODES, "nan": hole}})
    np.testing.assert_allclose(proof.fitted.predict(table), expected)


def test_missing_cells_get_what_the_encoder_gives_to_what_it_does_not_know() -> None:
    table = let_shops()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encoder.fit(table[["kind"]].dropna())
    forest = make_forest().fit(code(table, -1), table["rent"])
    expected = forest.predict(code(table, -1))
    proof = put_together(table, forest, steps={"encoder.pkl": encoder})
    np.testing.assert_allclose(proof.fitted.predict(table), expected)


def test_steps_without_names_tell_the_order_of_their_columns() -> None:
    table = let_shops(missing=0)
    table = table.assign(age=table["age"] * 7, floor=np.where(table.index % 3, "up", "down"))
    table = table[["age", "floor", "kind", "size", "rent"]]
    scaler = StandardScaler().fit(table[["size", "age"]].to_numpy())
    ordinal = OrdinalEncoder(categories=[["up", "down"]]).fit(table[["floor"]])
    dummies = OneHotEncoder().fit(table[["kind"]])
    rows = np.hstack(
        [
            scaler.transform(table[["size", "age"]].to_numpy()),
            dummies.transform(table[["kind"]]).toarray(),
            ordinal.transform(table[["floor"]]),
        ]
    )
    forest = make_forest().fit(rows, table["rent"])
    expected = forest.predict(rows)
    steps = {"scaler.pkl": scaler, "dummies.pkl": dummies, "ordinal.pkl": ordinal}
    proof = put_together(table, forest, steps=steps)
    assert "numbers in the scaler's order, then dummies, then codes" in proof.taken
    np.testing.assert_allclose(proof.fitted.predict(table), expected)
