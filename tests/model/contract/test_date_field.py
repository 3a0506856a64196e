"""The field of kind date: what it reads and writes, and a model that asks for one."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import joblib
import jsonschema_rs
import numpy as np
import pandas as pd
import pytest
from babel import dates
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from sklearn.linear_model import LinearRegression

from app import create_app
from app.config import Settings
from model import NumberModel, read_card
from model.contract.fields import AnyField, DateField
from model.contract.fields.date import read_date
from tests.html import get_page, post_fragment, post_page, text_of
from tests.loading import load_as
from tests.model.contract.refusals import refusal
from tests.model.making.conftest import add
from tests.models import ModelFiles
from tests.tabular_checks import check_bounds, check_pages

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyField)
BLOCK = {"kind": "date", "name": "sold", "label": "Date of sale", "noun": "date",
         "min": "2006-01-01", "max": "2010-12-31", "example": "2010-05-31"}  # fmt: skip
LOCALES = (
    "ar_EG", "ca_ES", "de_DE", "en_GB", "en_US", "es_ES", "fa_IR", "he_IL", "hi_IN", "hu_HU",
    "ja_JP", "ko_KR", "lt_LT", "pt_BR", "ru_RU", "sv_SE", "th_TH", "vi_VN", "zh_CN",
)  # fmt: skip


def date_field(locale: str = "en_GB", **changes: Any) -> DateField:
    field: DateField = ADAPTER.validate_python({**BLOCK, **changes})
    field.localise(locale)
    return field


@pytest.mark.parametrize(
    ("locale", "typed", "day"),
    [
        ("en_US", "2010-05-31", "2010-05-31"),
        ("en_US", " 2010/5/31 ", "2010-05-31"),
        ("en_US", "\u200e5/31/2010\ufeff", "2010-05-31"),
        ("en_US", "２０１０-０５-３１", "2010-05-31"),
        ("en_US", "05/06/2010", "2010-05-06"),
        ("en_GB", "05/06/2010", "2010-06-05"),
        ("en_US", "31.5.2010", "2010-05-31"),
        ("en_US", "31 May 2010", "2010-05-31"),
        ("en_US", "Nov 28, 2009", "2009-11-28"),
        ("de_DE", "28. November 2009", "2009-11-28"),
        ("es_ES", "28 de noviembre de 2009", "2009-11-28"),
        ("es_ES", "28 noviembre 2009", "2009-11-28"),
        ("ja_JP", "2009年11月28日", "2009-11-28"),
        ("ar_EG", "٢٨/١١/٢٠٠٩", "2009-11-28"),
    ],
)
def test_a_day_is_read_as_people_of_the_locale_write_it(locale: str, typed: str, day: str) -> None:
    field = date_field(locale)
    assert field.validate_value(typed) == field.format_input(typed) == day


@pytest.mark.parametrize("typed", ["x", "2010", "31/05/10", "2010-02-30", "2010-13-01", "05/2010",
    "31 May", "May 2010", "May May 2010", "31 Mai 2010", "20100531", "2010-05-31T00:00", "<b>",
    "0000-05-31", "31/05/2010 2010", "5" * 5000, 14760, True, ["2010-05-31"]])  # fmt: skip
def test_anything_else_is_refused_with_a_date_to_copy(typed: object) -> None:
    assert refusal(date_field(), typed) == "Date of sale must be a date, like 2010-05-31"


def test_its_sentences_name_the_label_and_write_days_in_words() -> None:
    for typed in ("2005-12-31", "2011-01-01"):
        assert refusal(date_field(), typed) == (
            "Date of sale must be between 1 January 2006 and 31 December 2010"
        )
    with pytest.raises(PydanticCustomError, match="Enter the date"):
        date_field().validate_value(" ")
    assert date_field().accepted_text == "1 January 2006 to 31 December 2010"
    assert date_field("en_US").split_reason("2010-05-31") == (
        "date ",
        "May 31, 2010",
        "",
    )
    assert date_field(required=False).validate_value("") is None


@given(
    st.dates(min_value=dt.date(1000, 1, 1)),  # four digits are what makes a year
    st.sampled_from(LOCALES),
    st.sampled_from(("medium", "long")),
)
def test_what_a_locale_writes_it_reads(day: dt.date, locale: str, style: Any) -> None:
    assert read_date(dates.format_date(day, style, locale), locale) == day
    assert read_date(day.isoformat(), locale) == day


@given(st.dates())
def test_a_predictor_s_float_keeps_the_day(day: dt.date) -> None:
    field, text = date_field(), day.isoformat()
    assert field.decode(float(np.float32(field.encode(text)))) == text
    assert date_field().encode("1970-01-02") == 1


@given(st.text(max_size=80) | st.from_regex(r"[0-9]{1,4}[./ -][0-9]{1,4}[./ -][0-9]{1,4}"))
def test_any_text_is_a_day_within_the_bounds_or_refused(typed: str) -> None:
    field = date_field(required=False)
    try:
        found = field.validate_value(typed)
    except PydanticCustomError:
        return
    assert found is None or field.min <= found <= field.max


def test_the_curve_goes_along_whole_days_within_the_bounds() -> None:
    field = date_field()
    days = [field.decode(code) for code in field.make_grid(None).tolist()]
    assert (days[0], days[-1], len(days)) == ("2006-01-01", "2010-12-31", 19)
    known = np.array([field.encode("2006-01-02"), field.encode("2010-12-31")], dtype=np.float32)
    codes = field.make_grid(known).tolist()
    assert field.encode(field.min) <= codes[0] < codes[-1] <= field.encode(field.max)


@pytest.mark.parametrize("changes", [{"min": "2011-01-01"}, {"max": "31/12/2010"},
    {"min": "2006-02-30"}, {"example": "2011-01-01"}, {"unit": "days"}])  # fmt: skip
def test_bounds_that_make_no_sense_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        date_field(**changes)


def add_orders(root: Path) -> Path:
    """Add a model of numbers that asks for a day and a count; return the folder of models."""
    rng = np.random.default_rng(0)
    days = rng.integers(13_149, 14_974, 400)
    table = pd.DataFrame({"ordered": days, "people": rng.integers(1, 9, 400)})
    table["price"] = (days - 13_000) / 10 + 20 * table["people"] + rng.normal(0, 5, 400)
    training, holdout = table[:250], table[250:]
    model = LinearRegression().fit(training[["ordered", "people"]], training["price"])
    made = root / "given"
    made.mkdir()
    (root / "models").mkdir()
    files = ModelFiles(made / "model.joblib", made / "train.csv", "price", made / "holdout.csv")
    joblib.dump(model, files.path)
    training.to_csv(files.data, index=False)
    holdout.to_csv(made / "holdout.csv", index=False)
    result = add(files, "orders", root / "models", "--trust", "--kind", "ordered=date",
                 "--publish-rows")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "ordered: dates" in result.output
    return root / "models"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_orders(tmp_path_factory.mktemp("orders"))


@pytest.fixture
def client(models: Path) -> FlaskClient:
    return create_app(Settings(models=("orders",), ratelimit="off"), models).test_client()


ROW = {"ordered": "2008-05-31", "people": 4}


def test_its_pages_hold_what_every_model_s_pages_do(client: FlaskClient, models: Path) -> None:
    model = load_as(NumberModel, models / "orders")
    check_pages(client, "/", model)
    for field in model.card.fields:
        check_bounds(model, field, model.card.examples[0].values)


def test_the_form_has_a_picker_that_keeps_what_was_typed(client: FlaskClient) -> None:
    page = get_page(client, "/?ordered=May+31,+2008&people=4")
    (picker,) = page.select("#ordered")
    assert (picker["type"], picker["value"]) == ("date", "2008-05-31")
    assert str(picker["min"]) < "2008-05-31" < str(picker["max"])
    assert "May 31, 2008" in text_of(page, "#result")
    wrong = post_page(client, {"ordered": "1903-01-01", "people": "4"}, 422)
    assert wrong.select_one("#ordered")["value"] == "1903-01-01"  # type: ignore[index]
    assert "Ordered must be between" in text_of(wrong, "#ordered-error")


def test_its_curve_and_its_reasons_speak_of_days(client: FlaskClient) -> None:
    form = {"ordered": "2008-05-31", "people": "4", "what_if": "ordered"}
    fragment = post_fragment(client, form)
    assert "at May 31, 2008" in text_of(fragment, "#what_if svg title")
    assert "May 31, 2008" in text_of(fragment, "#why")
    assert "20" in text_of(fragment, "#similar")


def test_the_api_takes_what_the_form_takes_and_its_document_says_iso(client: FlaskClient) -> None:
    text = json.loads(client.get("/api/openapi.json").data)
    schema = {"$ref": "#/components/schemas/Row", "components": text["components"]}
    rows = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert text["components"]["schemas"]["Row"]["properties"]["ordered"]["format"] == "date"
    content = text["paths"]["/api/predict"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert client.post("/api/predict", json=example["value"]).status_code == 200
    reference = client.post("/api/predict?contributions=true", json=ROW).get_json()
    rows.validate(reference["contributions"]["reference"]["row"])

    def ask(value: object) -> tuple[int, Any]:
        answer = client.post("/api/predict", json={**ROW, "ordered": value})
        return answer.status_code, answer.get_json().get("prediction")

    status, prediction = ask("2008-05-31")
    assert status == 200
    assert prediction is not None
    for text_of_day in ("May 31, 2008", "2008/05/31", "5/31/2008", "2008-05-31T12:00:00.000Z"):
        assert ask(text_of_day) == (200, prediction), text_of_day
    for value in ("2008-02-30", "May 2008", "", None, 14_000, True):
        assert not rows.is_valid({**ROW, "ordered": value})
        assert ask(value)[0] == 422, value
    assert "date, 2004" in get_page(client, "/api").get_text()


def test_a_card_may_have_dates_as_toml_writes_them(models: Path, tmp_path: Path) -> None:
    text = (models / "orders" / "card.toml").read_text()
    bare, count = re.subn(r'"(\d{4}-\d\d-\d\d)"', r"\1", text)
    assert count > len(("min", "max", "example"))
    (tmp_path / "card.toml").write_text(bare)
    assert read_card(tmp_path / "card.toml") == read_card(models / "orders" / "card.toml")


@pytest.mark.parametrize(
    "typed", ["-", "2", "5", "31", "20", "200", "2008", "2008-", "2008-0", "2008-05", "2008-05-",
              "0002-05-31",
              "0200-12-01", "5/3", "5/31/", "5/31/20", "Ma", "May 3", "May 31, 20"],
)  # fmt: skip
def test_a_date_that_is_typed_in_part_is_incomplete(typed: str) -> None:
    field = ADAPTER.validate_python(BLOCK)
    field.localise("en_US")
    with pytest.raises(PydanticCustomError):
        field.read(typed)
    assert field.is_incomplete(typed)


@pytest.mark.parametrize(
    "typed", ["199", "1903-01", "1903-01-01", "0190-01-01", "2008-02-30",
              "5/31/1999", "13/13/2008", "Mx", "May 31, 1903", "123456"],
)  # fmt: skip
def test_what_can_be_no_date_any_more_is_not_incomplete(typed: str) -> None:
    field = ADAPTER.validate_python(BLOCK)
    field.localise("en_US")
    assert not field.is_incomplete(typed)


def test_points_stand_behind_the_day_in_every_locale_and_a_column_shows_its_order() -> None:
    assert read_date("04.03.2012", "en_US") == read_date("4. 3. 2012", "de_DE")
    assert read_date("04.03.2012", "en_US").isoformat() == "2012-03-04"
    assert read_date("3/4/2012", "en_US").isoformat() == "2012-03-04"
    field = DateField(
        kind="date", name="day", label="Day", noun="day", min="2011-01-01", max="2013-12-31",
        example="2012-05-01",
    )  # fmt: skip
    settled, note = field.settle_dates(["4/3/2012", None, 5, "31/12/2012"])
    assert settled.read("4/3/2012") == "2012-03-04"
    assert note == "Day: 4/3/2012 is read as March 4, 2012."
    assert field.read("4/3/2012") == "2012-04-03"
    with pytest.raises(PydanticCustomError, match="or have the day before the month as"):
        settled.read("12/31/2012")
    for others in ([], ["12/31/2012"], ["31/12/2012", "12/31/2012"]):
        settled, note = field.settle_dates(["1/1/2012", "4/3/2012", *others])
        assert settled.read("4/3/2012") == "2012-04-03"
        assert note == "Day: 4/3/2012 is read as April 3, 2012."
        with pytest.raises(PydanticCustomError, match="or have the month before the day"):
            settled.read("31/12/2012")
    assert field.settle_dates(["2012-04-03", "04.03.2012", ""]) == (field, "")


def test_a_program_s_date_is_refused_where_day_and_month_may_be_mistaken() -> None:
    """A form shows what it read, and a file's column tells; the API's answer does neither."""
    field = date_field()
    with pytest.raises(PydanticCustomError, match=r"must be a date, like \d{4}-\d\d-\d\d"):
        field.validate_value(field.read_json("05/06/2010"))
    for text, day in {"5/5/2010": "2010-05-05", "5.6.2010": "2010-06-05"}.items():
        assert field.validate_value(field.read_json(text)) == day
