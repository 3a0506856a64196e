"""What the drafting guesses: names, units, titles, bounds and steps."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from model.contract.card import PAGE_IDS
from model.contract.fields import IntegerField, NumberField
from model.contract.fields.bounds import round_bounds, widen_bounds
from model.contract.fields.numberings import Numbering, find_numbering
from model.making.columns.describing import infer_columns
from model.making.columns.drafting import DraftField, draft_field
from model.making.columns.naming import name_columns
from model.making.dictionaries import Description
from model.making.errors import AddError
from model.making.kinds.classes import ClassesKind
from model.making.kinds.number import NumberKind, choose_rounding_step
from model.making.options import AddOptions
from model.making.writing.cards import field_keys
from model.making.writing.examples import round_code
from model.making.writing.toml import format_value
from tests.model.making.conftest import AddedModels, add
from tests.models import ModelFiles


@pytest.mark.parametrize(
    ("column", "name", "label", "unit"),
    [
        ("bill length mm", "bill_length_mm", "Bill length", "mm"),
        ("weightKG", "weight_kg", "Weight", "kg"),
        ("sqft_living", "sqft_living", "Living area", "sq ft"),
        ("Petal.Width (cm)", "petal_width_cm", "Petal width", "cm"),
        ("Größe", "grosse", "Größe", ""),
        ("2nd floor", "x_2nd_floor", "2nd floor", ""),
        ("名前", "fact", "名前", ""),
        ("BMI", "bmi", "Body mass index", ""),
        ("SibSp", "sib_sp", "SibSp", ""),
        ("isChild", "is_child", "Is child", ""),
        ("bp", "bp", "bp", ""),
        ("medv", "medv", "medv", ""),
        ("lstat", "lstat", "lstat", ""),
        ("Markt", "markt", "Markt", ""),
        ("Weight_in_lbs", "weight_in_lbs", "Weight", "lb"),
        ("num-of-doors", "num_of_doors", "Number of doors", ""),
        ("AveBedrms", "ave_bedrms", "Average bedrooms", ""),
        ("km_driven", "km_driven", "Kilometers driven", "km"),
        ("runtime_min", "runtime_min", "Runtime", "minutes"),
        ("price_max", "price_max", "Maximum price", ""),
        ("cena za m²", "cena_za_m2", "Cena za m²", ""),
        ("Chol", "chol", "Chol", ""),
        ("height_m", "height_m", "Height", "m"),
        ("cena_pln", "cena_pln", "Cena", "PLN"),
        ("moc_KM", "moc_km", "moc_KM", ""),
        ("temp_c", "temp_c", "Temperature", "°C"),
        ("temp °C", "temp_c", "Temperature", "°C"),
        ("wind_speed_ms", "wind_speed_ms", "Wind speed", "m/s"),
        ("latency_ms", "latency_ms", "Latency", "ms"),
        ("TotalWorkingYears", "total_working_years", "Total working years", ""),
        ("Strength(MPa, megapascals)", "strength_m_pa_megapascals", "Strength", "MPa"),
        ("Water (kg in m^3)", "water_kg_in_m_3", "Water", "kg in m³"),
        ("Sex (1 = male)", "sex_1_male", "Sex", ""),
        ("Spending Score (1-100)", "spending_score_1_100", "Spending score", ""),
        ("cnt", "cnt", "Count", ""),
        ("hours-per-week", "hours_per_week", "Hours per week", ""),
        ("Strength MPa", "strength_mpa", "Strength", "MPa"),
        ("Tensión_mmHg", "tension_mmhg", "Tensión", "mmHg"),
        ("chol_mg_dl", "chol_mg_dl", "chol_mg_dl", "mg/dL"),
        ("MSSubClass", "ms_sub_class", "MSSubClass", ""),
        ("thalach", "thalach", "thalach", ""),
        ("Parch", "parch", "Parch", ""),
        ("ph.karno", "ph_karno", "ph.karno", ""),
        ("soil_pH", "soil_ph", "Soil pH", ""),
        ("pH level", "ph_level", "pH level", ""),
        ("loyer €", "loyer", "Loyer", "EUR"),
        ("humidity %", "humidity", "Humidity", "%"),
        ("Price ($)", "price", "Price", "$"),
        ("what_if", "what_if_value", "What if", ""),
        ("id", "id_value", "Id", ""),
        ("ClaimNb", "claim_nb", "Number of claims", ""),
        ("rooms_nb", "rooms_nb", "Number of rooms", ""),
    ],
)
def test_a_column_s_name_becomes_a_field_s(column: str, name: str, label: str, unit: str) -> None:
    (found,) = name_columns([column], {column})
    assert (found.name, found.label, found.unit) == (name, label, unit)


def test_columns_that_would_have_one_label_show_how_each_is_spelled() -> None:
    question = "On a scale from 1 to 5, how content are you with the following: "
    columns = ["Age", "age_", "AGE", f"{question}[Food]", f"{question}[Beds]", "weight_kg"]
    named = name_columns(columns, set(columns))
    assert [item.label for item in named[:3]] == ["Age", "Age (age_)", "AGE"]
    assert [item.noun for item in named[:2]] == ["age", "age (age_)"]
    assert named[3].label == "4. On a scale from 1…tent are you with the following: [Food]"
    assert named[4].label == "5. On a scale from 1…tent are you with the following: [Beds]"
    assert named[5].label == "Weight"


def test_an_abbreviation_stays_the_column_s_own_name_and_a_german_noun_its_capital() -> None:
    chol, goout, height = name_columns(["Chol", "Goout", "Height"], set())
    assert (chol.is_own, goout.is_own, height.is_own) == (True, True, False)
    assert [item.noun for item in (chol, height)] == ["Chol", "height"]
    (zimmer,) = name_columns(["Zimmer"], set(), locale="de_DE")
    assert zimmer.noun == "Zimmer"
    drafted = drafted_number("Chol", 1, 2, 4).field, drafted_number("Height", 1, 2, 4).field
    assert [field.is_column_name for field in drafted] == [True, False]


def test_a_choice_between_numbers_has_their_unit() -> None:
    table = pd.DataFrame({"height_m": [3.5, 7.0] * 20, "Age (day)": [1, 28] * 20})
    height, age = infer_columns(table, list(table), set(), {})
    assert (height.kind, height.naming.label) == ("choice", "Height")
    assert height.labels == ("3.5\u00a0m", "7\u00a0m")
    assert age.labels == ("1\u00a0day", "28\u00a0days")


def test_a_number_beyond_0_and_1_is_no_yes_or_no() -> None:
    table = pd.DataFrame({"smoker": [0, 1, 2] * 20})
    with pytest.raises(AddError, match="is of kind flag, but it holds more than 0 and 1"):
        infer_columns(table, ["smoker"], set(), {"smoker": "flag"})


def test_a_year_that_is_0_or_1_is_no_yes_or_no() -> None:
    table = pd.DataFrame({name: [0, 1] * 20 for name in ("yr", "half_year", "holiday")})
    kinds = [column.kind for column in infer_columns(table, list(table), set(), {})]
    assert kinds == ["choice", "choice", "flag"]


def question(target: str, *classes: str) -> str:
    options = AddOptions((Path("m"),), "heart-disease", Path("d"), target)
    kind = ClassesKind(classes, True) if classes else NumberKind()
    return kind.draft_output(np.arange(3.0), options).title


def test_a_title_asks_for_what_is_answered() -> None:
    assert question("price_usd") == "What is the price?"
    assert question("y") == question("target") == "What does the model say of this case?"
    assert question("Survived", "No", "Yes") == "Survived: yes or no?"
    assert question("y", "No", "Yes") == "Heart disease: yes or no?"
    assert question("Survived", "died", "survived") == "Died or survived?"
    assert question("species", "a", "b", "c") == "Is it a, b or c?"
    assert question("species", *"abcdefghijklmnopqrstuvw") == "Which species is it?"
    assert question("target", "1", "2", "3") == "Which of 3 classes is it?"


def test_classes_that_were_named_are_no_kinds_of_the_target() -> None:
    asked = AddOptions((Path("m"),), "m", Path("d"), "digit")
    named = ClassesKind((0, 1, 2), True).with_names(("zero", "one", "two"))
    drafted = named.draft_output(np.arange(3.0), asked)
    assert drafted.title == "Is it zero, one or two?"


@pytest.mark.parametrize("column", ["adultMale", "is_{child}", "A" * 80, "many words " * 8])
def test_what_is_said_of_a_flag_reads_well_whatever_it_is_called(column: str) -> None:
    table = pd.DataFrame({column: [True, False]})
    (flag,) = infer_columns(table, [column], set(), {})
    drafted = draft_field(flag, True, np.array([1.0, 0.0]))
    field = drafted.field
    label = field.label if len(field.label) < 40 else "…"
    assert f"{label}” is yes or no" in field.missing_text
    assert field.missing_text.startswith("Say whether “")
    assert field.split_reason(True)[0].endswith("” is ")


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=30, unique=True))
def test_any_names_become_distinct_names_that_a_card_takes(columns: list[str]) -> None:
    found = name_columns(columns, set(columns[::2]))
    assert len({item.name for item in found}) == len(columns)
    for item in found:
        assert item.name not in PAGE_IDS
        NumberField(
            kind="number", name=item.name, label=item.label, noun=item.noun, unit=item.unit, min=0,
            max=1, example=0,
        )  # fmt: skip


@given(st.floats(-1e9, 1e9, allow_nan=False), st.floats(1e-6, 1e9, allow_nan=False), st.booleans())
def test_bounds_admit_every_value_and_are_not_much_wider(
    low: float, span: float, whole: bool
) -> None:
    high = low + span
    if whole:
        low, high = float(round(low)), float(round(high))
    if low == high:
        return
    first, last = round_bounds(low, high, whole)
    assert first <= low < high <= last
    assert last - first <= 1.4 * (high - low) + 2 * whole
    assert not whole or (first.is_integer() and last.is_integer())


@given(
    st.lists(st.floats(-1e9, 1e9).filter(lambda n: n == 0 or abs(n) > 1e-6), min_size=2),
    st.booleans(),
)
@example([-3.0, 0.0], False)
@example([0.0, 3.0], True)
@example([0.2, 0.95], False)
@example([0.2, 1.0], False)
@example([0.2, 1.1], False)
def test_drafted_bounds_leave_room_on_both_sides_but_not_beyond_0(
    numbers: list[float], whole: bool
) -> None:
    known = np.array(numbers)
    if whole:
        known = known.round()
    low, high = widen_bounds(known, whole, "")
    room = (known.max() - known.min()) / 3
    assert low == 0 if 0 <= known.min() < room else low <= known.min() - room
    below = known.min() < 0 and -room < known.max() <= 0
    if not whole and known.min() >= 0 and 0.95 <= known.max() <= 1:
        room = 0  # shares end at 100 %
    assert high == 0 if below else high >= known.max() + room
    assert low < high
    assert not whole or (low.is_integer() and high.is_integer())


def test_what_was_seen_ends_at_the_outermost_rows() -> None:
    field = drafted_number("Dose", *np.linspace(0.15, 0.85, 40)).field
    assert isinstance(field, NumberField)
    assert (field.seen_min, field.seen_max) == (0.15, 0.85)


def test_a_percentage_stays_one() -> None:
    assert widen_bounds(np.array([2.0, 20, 32]), False, "°C")[0] < 0  # a warm year had no frost
    assert widen_bounds(np.array([2.0, 20, 32]), False, "mm")[0] == 0
    assert widen_bounds(np.array([2.0, 50, 96]), False, "%") == (0, 100)
    assert widen_bounds(np.array([2.0, 50, 100]), False, "%") == (0, 100)
    assert widen_bounds(np.array([2.0, 50, 101]), False, "%")[1] > 101
    assert widen_bounds(np.array([2.0, 50, 96]), False, "mm")[1] > 100


@pytest.mark.parametrize(
    ("known", "bounds"),
    [
        ([0.0, 0.95], (0, 1)),
        ([0.0, 1.0], (0, 1)),
        ([0.0, 0.94], (0, 1.3)),
        ([0.0, 1.01], (0, 1.4)),
        ([-0.1, 1.0], (-0.5, 1.4)),
        ([7.0], (6, 8)),
        ([-30.0, -10.0], (-37, -3)),
        ([-30.0, 0.0], (-40, 0)),
        ([*[10.0] * 99, 100.0], (0, 190)),  # as much as lies beyond the outermost twentieth
        ([*[100.0] * 99, 1.0], (0, 140)),
        ([-1.0, 29.0], (-11, 39)),
    ],
)
def test_bounds_leave_a_third_or_what_lies_beyond_most_rows(
    known: list[float], bounds: tuple[float, float]
) -> None:
    assert widen_bounds(np.array(known), False, "") == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("words", "counts", "bounds"),
    [
        ("Job satisfaction", {1: 50, 2: 60, 3: 40, 4: 50, 5: 60, 6: 50}, (1, 6)),
        ("Quality", {1: 2, 2: 9, 3: 20, 4: 40, 5: 60}, (1, 5)),  # few give a 1
        ("famrel from 1 (very bad) to 5 (excellent)", dict.fromkeys(range(1, 6), 30), (1, 5)),
        ("m", dict.fromkeys(range(1, 13), 30), (1, 12)),  # months
        ("h", dict.fromkeys(range(24), 30), (0, 23)),  # hours
        ("Score", dict.fromkeys(range(22), 30), (0, 28)),
        ("Score", {0: 60, 1: 50, 2: 40, 3: 20, 4: 8, 5: 2}, (0, 7)),  # counts thin out
        ("Score", {1: 60, 2: 50, 3: 40, 4: 8, 5: 2}, (1, 7)),
        ("Score", {1: 24, 2: 60, 3: 50, 4: 40, 5: 8}, (0, 7)),  # thin out at both ends
        ("Score", {1: 10, 2: 10, 3: 10}, (1, 3)),
        ("Score", {1: 10, 2: 10, 3: 9}, (0, 4)),  # too few to tell
        ("Score", {0: 30, 1: 30}, (0, 2)),  # two steps are no scale
        ("Score", {0: 30, 1: 30, 2: 30}, (0, 2)),
        ("Score", {2: 30, 3: 30, 4: 30}, (1, 5)),  # it begins at neither 0 nor 1
        ("Score", {1: 30, 2: 30, 4: 30}, (0, 5)),  # it lacks a step
        ("Score", dict.fromkeys(range(1, 13), 30), (1, 12)),
        ("Score", dict.fromkeys(range(1, 14), 30), (0, 17)),  # too many steps for a scale
        ("Score", {1: 20, 2: 20, 3: 40, 4: 10, 5: 10}, (1, 5)),  # half as frequent as the mean
        ("Score", {1: 20, 2: 20, 3: 41, 4: 10, 5: 9}, (1, 7)),
        ("Rooms", dict.fromkeys(range(1, 6), 30), (0, 7)),  # a house may have six
        ("Number of rooms 2019", dict.fromkeys(range(1, 6), 30), (0, 7)),
    ],
)
def test_a_scale_ends_where_its_rows_do(
    words: str, counts: dict[int, int], bounds: tuple[int, int]
) -> None:
    known = np.repeat(*map(np.array, zip(*counts.items(), strict=True))).astype(float)
    assert widen_bounds(known, True, "", words) == bounds


@pytest.mark.parametrize(
    ("column", "first", "grouping"),
    [
        ("byggår", 1950, False),
        ("建成年份", 1950, False),
        ("antal år", 2, True),
        ("år", 3000, True),
        ("år", 1000, False),
        ("år", 999, True),
    ],
)
def test_a_year_has_no_thousands_in_languages_that_write_it_in_a_longer_word(
    column: str, first: int, grouping: bool
) -> None:
    field = drafted_number(column, *range(first, first + 40)).field
    assert isinstance(field, IntegerField)
    assert field.grouping is grouping


def test_days_without_signs_between_have_no_thousands_and_an_example_that_is_one() -> None:
    days = [20190100 + day for day in range(1, 29)] + [20200229]
    drafted = drafted_number("sold", *days)
    assert isinstance(drafted.field, IntegerField)
    assert not drafted.field.grouping
    assert drafted.field.help == "Year, month and day, like 20200201"
    assert round_code(drafted, 20190114, np.array(days, dtype=float)) == 20190101
    other = drafted_number("sold", *(day + 50 for day in days)).field
    assert isinstance(other, IntegerField)
    assert other.grouping


@pytest.mark.parametrize(
    ("column", "first", "grouping", "help_text"),
    [
        ("zipcode", 98_001, False, ""),
        ("store_code", 4_500_000, False, ""),
        ("timestamp", 1_600_000_000, False, "Seconds since 1970-01-01"),
        ("Time", 1_600_000, True, "Usually 1,600,002 to 1,600,037"),
        ("income", 1_600_000_000, True, "Usually 1,600,000,002 to 1,600,000,037"),
    ],
)
def test_what_is_numbered_and_not_counted_has_no_thousands(
    column: str, first: int, grouping: bool, help_text: str
) -> None:
    field = drafted_number(column, *range(first, first + 40)).field
    assert isinstance(field, IntegerField)
    assert (field.grouping, field.help) == (grouping, help_text)


@pytest.mark.parametrize(
    ("word", "least", "most", "help_text"),
    [
        ("date", 631_152_000, 2_524_607_999, "Seconds since 1970-01-01"),
        ("date", 631_151_999, 2_524_607_999, None),
        ("date", 631_152_000, 2_524_608_000, None),
        ("year", 1000, 2999, ""),
        ("year", 999, 2999, None),
        ("year", 1000, 3000, None),
        ("zip", 1, 9, ""),
        ("x", 19000101, 20991231, "Year, month and day, like 20991201"),
        ("x", 18991231, 20991231, None),
        ("x", 19000101, 21000101, None),
        ("x", 20190001, 20190102, None),
        ("x", 20190101, 20191301, None),
        ("x", 20190100, 20190102, None),
        ("x", 20190101, 20190132, None),
    ],
)
def test_years_days_and_seconds_end_where_nobody_means_them(
    word: str, least: float, most: float, help_text: str | None
) -> None:
    found = find_numbering(np.array([least, most], np.float64), {word})
    assert found == (None if help_text is None else Numbering(help_text, word == "year"))


def test_what_a_dictionary_says_of_a_scale_ends_its_field() -> None:
    table = pd.DataFrame({"famrel": np.tile([1, 2, 3, 4, 5], 20)})
    said = {"famrel": Description(help="From 1 (very bad) to 5 (excellent)")}
    for described, most in (({}, 7), (said, 5)):
        (column,) = infer_columns(table, ["famrel"], set(), {}, described=described)
        drafted = draft_field(column, True, table["famrel"].to_numpy(float)).field
        assert isinstance(drafted, IntegerField)
        assert (drafted.max, drafted.seen_max) == (most, 5)


@pytest.mark.parametrize(("load", "most"), [(load_diabetes, 0.001), (load_wine, 0.01)])
def test_fresh_rows_are_hardly_ever_refused(load: Callable[..., Any], most: float) -> None:
    rows = load().data
    refused, asked = 0, 0
    for seed in range(20):
        seen, fresh = np.split(np.random.default_rng(seed).permutation(rows), [len(rows) * 3 // 4])
        bounds = np.array([widen_bounds(column, False, "") for column in seen.T])
        refused += ((fresh < bounds[:, 0]) | (fresh > bounds[:, 1])).any(axis=1).sum()
        asked += len(fresh)
    assert refused <= most * asked


def test_bounds_end_where_the_model_answers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.uniform(5, 100, 200).round(1), "age": rng.normal(0, 9, 200)})
    table["price"] = np.log(table["size"]) + table["age"] / 9
    prepare = make_column_transformer(
        (FunctionTransformer(np.log), ["size"]), remainder="passthrough"
    )
    model = make_pipeline(prepare, LinearRegression()).fit(table[["size", "age"]], table["price"])
    joblib.dump(model, tmp_path / "model.joblib")
    table.to_csv(tmp_path / "train.csv", index=False)
    (tmp_path / "models").mkdir()
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    result = add(given, "mine", tmp_path / "models", "--trust")
    assert result.exit_code == 0, result.output
    card = tomllib.loads((tmp_path / "models" / "mine" / "card.toml").read_text())
    size, age = card["fields"]
    assert size["min"] == table["size"].min()
    assert size["max"] > 120
    assert age["min"] < table["age"].min()


def drafted_number(column: str, *numbers: float) -> DraftField:
    table = pd.DataFrame({column: numbers})
    (studied,) = infer_columns(table, [column], set(), {})
    return draft_field(studied, True, np.array(numbers, dtype=float))


def test_an_example_keeps_the_first_digit_of_a_small_number(tmp_path: Path) -> None:
    skewed = drafted_number("crime", *[0.0], *np.linspace(0.02, 0.4, 99), *np.linspace(1, 80, 30))
    codes = np.array([*np.linspace(0.02, 0.4, 99), *np.linspace(1, 80, 30)])
    assert round_code(skewed, 0.2613, codes) == pytest.approx(0.3)
    assert round_code(skewed, 0.0, codes) == 0
    assert round_code(skewed, 43.2, codes) == 40


def test_a_curve_ends_where_the_data_do_also_where_they_are_not_kept() -> None:
    weight = drafted_number("weight_lb", *range(1613, 5140, 17)).field
    assert weight.code_bounds == (400, 6400)
    grid = weight.make_grid(None).tolist()
    assert (grid[0], grid[-1]) == (1610, 5140)


def test_numbers_in_a_card_are_written_as_the_form_writes_them() -> None:
    mass = drafted_number("mass_g", *range(3025, 5501, 25))
    assert field_keys(mass)["help"] == "Usually 3,150 to 5,380 g"
    assert mass.field.accepted_text == "2,200 to 6,400 g"
    share = drafted_number("share", 0.0380759064334241, 0.0506801187398187, 0.0616962065186851)
    assert field_keys(share)["help"] == "Usually 0.0381 to 0.0617"
    assert share.field.example == 0.05068
    year = drafted_number("year_built", *range(1890, 2011))
    assert "help" not in field_keys(year)
    assert year.field.accepted_text == f"1850 to {min(2050, dt.date.today().year)}"


def test_no_drafted_number_has_more_digits_than_a_form_shows(added_models: AddedModels) -> None:
    card = added_models.load("diabetes").card
    typed = [field.name for field in card.fields if not field.options]
    given = [example.values for example in card.examples]
    numbers = [value for values in given for name, value in values.items() if name in typed]
    numbers += [card.by_name[name].example for name in typed]
    assert len(numbers) >= 9 + 3 * 2
    assert all(len(str(value).lstrip("-0.")) <= 4 for value in numbers)


def test_answers_are_shown_in_steps_that_fit_their_size() -> None:
    assert [choose_rounding_step(deviation) for deviation in (80_000, 77, 0.5)] == [1000, 1, 0.01]


@given(st.recursive(st.text() | st.integers(-9, 9) | st.booleans(), st.lists, max_leaves=9))
def test_what_is_written_into_a_card_is_read_back(value: object) -> None:
    assert tomllib.loads(f"value = {format_value(value, nested=False)}") == {"value": value}


def test_a_choice_of_numbers_takes_them_as_the_data_have_them() -> None:
    numbers = [0.0, 0.707106781186547] * 20
    field = drafted_number("half", *numbers).field
    assert [option.label for option in field.options] == ["0", "0.707"]
    assert [field.read_json(number) for number in numbers[:2]] == ["0", "0.707106781186547"]
    assert field.translate_cell("0.707106781186547") == "0.707106781186547"


def test_numbers_that_single_precision_does_not_hold_are_refused() -> None:
    for largest in (np.inf, 1e39):
        with pytest.raises(AddError, match="'mass' holds numbers that are infinite or beyond 3e38"):
            infer_columns(pd.DataFrame({"mass": [1.5, 2.5, largest]}), ["mass"], set(), {})


@pytest.mark.parametrize(
    ("column", "most", "asked"),
    [
        ("guests", 12, "Enter the number of guests"),
        ("num_rooms", 12, "Enter the number of rooms"),
        ("wages", 4_000, "Enter the wages"),
        ("status", 12, "Enter the status"),
    ],
)
def test_of_things_their_number_is_asked_for(column: str, most: int, asked: str) -> None:
    table = pd.DataFrame({column: np.linspace(0, most, 13).astype(int)})
    (studied,) = infer_columns(table, [column], set(), {})
    drafted = draft_field(studied, True, table[column].to_numpy(float))
    assert drafted.field.missing_text == asked
