"""The expressions of derived columns: what they compute, and what they refuse with the place."""

from __future__ import annotations

import operator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.expressions import Cells, Expression, ExpressionError, parse_definition

NAN = np.nan
COLUMNS = {
    "year": Cells("number", np.array([2000.0, NAN, 2010.0])),
    "size (m²)": Cells("number", np.array([1.0, 0.0, 4.0])),
    "name": Cells("text", np.array(["Anna Maria", None, "Bo"], dtype=object)),
    "sold": Cells("date", np.array([0.0, NAN, 18262.0])),  # 1970-01-01 and 2020-01-01
}
LOOKUPS: dict[str, dict[str, float | str]] = {
    "regions.json": {"Bo": "north"},
    "rates.json": {"2000": 3.5, "2010": 4.0},
    "days.json": {"1970-01-01": 1.0},
    "shares.json": {"0.5": "half", "0": "none"},
}


def compute(text: str) -> list[Any]:
    found = Expression(text).evaluate(COLUMNS, LOOKUPS)
    cells: list[Any] = np.broadcast_to(found.array, (3,)).tolist()
    return [None if cell is None or cell != cell else cell for cell in cells]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020 - year", [20, None, 10]),
        ("year / `size (m²)`", [2000, None, 502.5]),
        ("1 / `size (m²)`", [1, None, 0.25]),
        ("-2 ** 2", [-4, -4, -4]),
        ("2 ** -1", [0.5, 0.5, 0.5]),
        ("2 ** 3 ** 2", [512, 512, 512]),
        ("(1 + 2) * 3 - 4 / 2", [7, 7, 7]),
        ("log(`size (m²)`)", [0, None, np.log(4)]),
        ("log1p(`size (m²)`)", [np.log(2), 0, np.log(5)]),
        ("sqrt(`size (m²)`)", [1, 0, 2]),
        ("abs(`size (m²)` - 2)", [1, 2, 2]),
        ("min(year, 2005)", [2000, None, 2005]),
        ("max(`size (m²)`, 1, 2)", [2, 2, 4]),
        ("round(year / 7, 2)", [285.71, None, 287.14]),
        ("round(2.5)", [2, 2, 2]),
        ("floor(year / 7)", [285, None, 287]),
        ("sin(`size (m²)`) ** 2 + cos(`size (m²)`) ** 2 + sin(0)", [1, 1, 1]),
        ("year > 2005", [0, None, 1]),
        ("year >= 2000 and `size (m²)` < 2", [1, None, 0]),
        ("year > 2005 or `size (m²)` == 0", [0, 1, 1]),
        ("not year > 2005", [1, None, 0]),
        ("year > 2005 and 0", [0, 0, 0]),
        ('if(year > 2005, "new", "old")', ["old", None, "new"]),
        ("if(fill(year, 0) > 2005, 1, `size (m²)`)", [1, 0, 1]),
        ("fill(year, 1999)", [2000, 1999, 2010]),
        ('fill(name, "nobody")', ["Anna Maria", "nobody", "Bo"]),
        ("length(name)", [10, None, 2]),
        ('contains(name, "Maria")', [1, None, 0]),
        ("name == 'Bo'", [0, None, 1]),
        ("name != 'Bo'", [1, None, 0]),
        ("lookup(name, regions.json)", [None, None, "north"]),
        ('lookup(year, "rates.json") * 2', [7, None, 8]),
        ("lookup(sold, days.json)", [1, None, None]),
        ("year(sold)", [1970, None, 2020]),
        ("month(sold) * 100 + day(sold)", [101, None, 101]),
        ("weekday(sold)", [3, None, 2]),
        ('"2020-01-31" - sold', [18292, None, 30]),
        ("day(sold + 30)", [31, None, 31]),
        ('sold >= "2000-01-01"', [0, None, 1]),
        ("day(30 + sold)", [31, None, 31]),
        ("month(sold - 1)", [12, None, 12]),
        ('sold - "1970-01-02"', [-1, None, 18261]),
        ("weekday(sold + 4) + weekday(sold + 3)", [6, None, 11]),
        ("day(sold + 1.9)", [2, None, 2]),
        ("0 and year", [0, 0, 0]),
        ("year and 0", [0, 0, 0]),
        ("1 and year", [1, None, 1]),
        ("1 or year", [1, 1, 1]),
        ("year or 1", [1, 1, 1]),
        ("0 or year", [1, None, 1]),
        ("year or 0", [1, None, 1]),
        ("0 or `size (m²)` - 1", [0, 1, 1]),
        ("not `size (m²)`", [0, 1, 0]),
        ("year <= 2000", [1, None, 0]),
        ("year != 2000", [0, None, 1]),
        ("name == name", [1, None, 1]),
        ("`size (m²)` > 1", [0, 0, 1]),
        ("`size (m²)` >= 1", [1, 0, 1]),
        ("`size (m²)` < 1", [0, 1, 0]),
        ("if(year, 1, 2)", [1, None, 1]),
        ("round(1 / 3, 15)", [0.333333333333333] * 3),
        ("round(year, -2)", [2000, None, 2000]),
        ("max(" + ", ".join(map(str, range(20))) + ")", [19] * 3),
        ("lookup(`size (m²)` / 8, shares.json)", [None, "none", "half"]),
        ("floor(-0.5) + abs(-0.5)", [-0.5] * 3),
        ("2 ** -64", [2.0**-64] * 3),
        ("(10 ** 64) ** 6", [None] * 3),
    ],
)
def test_an_expression_computes_each_row_and_what_is_unknown_stays_unknown(
    text: str, expected: list[Any]
) -> None:
    assert compute(text) == [
        item if item is None or isinstance(item, str) else pytest.approx(item) for item in expected
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yaer + 1", "at “yaer + 1” (character 1): there is no column yaer (did you mean year?)."),
        ("2 * lenght(name)", "(character 5): there is no function lenght (did you mean length?)."),
        ("log(1, 2)", "log takes 1 value, and these are 2."),
        ("name + 1", "at “+ 1” (character 6): it needs a number, and gets a text."),
        ("name < 'x'", "it needs a number, and gets a text."),
        ("year(year)", "it needs a date, and gets a number."),
        ("'Monday' - sold", "'Monday' is no date; write one like 2020-05-31."),
        ("if(year > 1, name, 3)", "both values must be of one kind"),
        ("contains(name, name)", 'the second argument must be a text like "x".'),
        ("round(year, year)", "the digits must be a whole number like 2."),
        ("lookup(name, )", "the name of a JSON file is needed here."),
        ("1 < year < 3", "write two comparisons with and between them."),
        ("year = 2000", "write == to compare."),
        ("(year", "at its end (character 6): ) is needed here."),
        ("`year", "the closing quote is missing."),
        ("year +", "at its end (character 7): a value is needed here."),
        ("", "at its end (character 1): a value is needed here."),
        ("2 year", "an operator or the end is needed here."),
        ("0x10", "this is neither a number nor a name"),
        ("1_000", "this is neither a number nor a name"),
        ("year.__class__", "this sign has no meaning here."),
        ("[year for year in name]", "this sign has no meaning here."),
        ("lambda: 1", "this sign has no meaning here."),
        ("__import__('os').system('true')", "there is no function __import__"),
        ("'2020-02-30' - sold", "'2020-02-30' is no date; write one like 2020-05-31."),
        ("'20200131' - sold", "'20200131' is no date; write one like 2020-05-31."),
        ("name - sold", "it needs a date, and gets a text."),
        ("sold + sold", "it needs a number, and gets a date."),
        ("sold * 2", "it needs a number, and gets a date."),
        ("name == 1", "it needs a number, and gets a text."),
        ("fill(year, 'x')", "both values must be of one kind, and these are a number and a text."),
        ("round(year, 16)", "the digits must be a whole number like 2."),
        ("round(year, 0.5)", "the digits must be a whole number like 2."),
        ("length(year)", "it needs a text, and gets a number."),
        ("min(1)", "min takes 2 to 20 values, and these are 1."),
        ("max(" + ",".join("1" * 21) + ")", "max takes 2 to 20 values, and these are 21."),
        ("round()", "round takes 1 to 2 values, and these are 0."),
        ("abs(1 2)", "at “2)” (character 7): a comma or ) is needed here."),
        ("1 + * 2", "at “* 2” (character 5): a value is needed here."),
        ("2 ** 65", "an exponent is at most 64."),
        ("2 ** -65", "an exponent is at most 64."),
        ("(" * 33 + "1" + ")" * 33, "nested more than 32 deep"),
        ("1" + "+1" * 101, "more than 100 operations"),
        (" " * 1000 + "1", "it has 1,001 characters, and 1,000 are the most."),
        ("(" * 40 + "1" + ")" * 40, "nested more than 32 deep"),
        ("1" + "+1" * 200, "more than 100 operations"),
        ("-" * 900 + "1", "more than 100 operations"),
        ("2**" * 100 + "1", "nested more than 32 deep"),
        ("1+" * 600 + "1", "it has 1,201 characters, and 1,000 are the most."),
    ],
)
def test_a_mistake_is_a_sentence_that_quotes_the_expression_and_the_place(
    text: str, problem: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        compute(text)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"In “{text[:100]}")


def test_a_long_expression_is_quoted_in_part() -> None:
    long = "1 + " * 30 + "yaer" + " " * 16 + "+ 1"
    with pytest.raises(ExpressionError) as caught:
        compute(long)
    said = str(caught.value)
    assert said.startswith(f"In “{long[:119]}…”, at “yaer" + " " * 15 + "…” (character 121): ")
    with pytest.raises(ExpressionError, match=f"In “{'x' * 120}”, at “{'x' * 19}…”"):
        compute("x" * 120)


@pytest.mark.parametrize("text", ["age", "= 3", "2 = year", "age == year", "my age = 3"])
def test_a_definition_needs_a_name_and_an_expression(text: str) -> None:
    with pytest.raises(ExpressionError, match="write a name and an expression"):
        parse_definition(text)


def test_a_name_with_blanks_stands_in_backticks() -> None:
    assert parse_definition(" `age (years)`=2020 - year ") == ("age (years)", "2020 - year")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(" * 31 + "1" + ")" * 31, 1),
        ("1**" * 31 + "1", 1),
        ("+".join(["(1)**1"] * 50), 50),
        ("1" + "+1" * 100, 101),
        ("1 ** 64", 1),
        (" " * 999 + "1", 1),
    ],
)
def test_as_much_as_may_be_is_computed(text: str, expected: float) -> None:
    assert compute(text) == [expected] * 3


@given(st.text(max_size=60))
def test_no_text_raises_anything_but_a_sentence(text: str) -> None:
    with suppress(ExpressionError):
        compute(text)


SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
numbers = st.integers(1, 99).map(str)
sums = st.recursive(
    numbers,
    lambda inner: st.tuples(inner, st.sampled_from(list(SIGNS)), inner).map(
        lambda parts: "({} {} {})".format(*parts)
    ),
    max_leaves=12,
)


@given(sums, st.sampled_from([*SIGNS, "<", ">=", "=="]), sums)
def test_arithmetic_is_that_of_python(left: str, sign: str, right: str) -> None:
    text = f"{left} {sign} -{right}"
    try:
        expected = eval(text)  # noqa: S307 (digits and signs)
    except ZeroDivisionError:
        assert compute(text)[0] is None
    else:
        found = compute(text)[0]
        assert found is not None
        assert found == pytest.approx(float(expected), rel=1e-9)
