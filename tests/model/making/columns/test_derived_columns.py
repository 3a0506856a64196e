"""Columns that a model takes and nobody can be asked for are computed from those on the form."""

from __future__ import annotations

import calendar
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from app import create_app
from app.config import Settings
from model import ClassModel, NumberModel, load_model
from tests.model.making.conftest import add, run
from tests.models import ModelFiles
from tests.tools import ROOT

ROWS = 300
REGIONS = {"10115": "north", "20095": "north", "80331": "south"}
FEATURES = {
    "age": "2020 - year",
    "log_km": "log1p(km)",
    "month": "month(sold)",
    "weekday": "weekday(sold)",
    "region": "lookup(zip, regions.json)",
    "diesel": '`Fuel type` == "diesel"',
    "audi": 'contains(name, "Audi")',
}


@dataclass(frozen=True)
class Cars:
    """Cars as a file has them, and the columns that a notebook makes of them."""

    folder: Path
    raw: pd.DataFrame
    features: pd.DataFrame

    def save(self, fitted: Any) -> ModelFiles:
        joblib.dump(fitted, self.folder / "model.joblib")
        return ModelFiles(self.folder / "model.joblib", self.folder / "cars.csv", "price")

    def facts(self, row: int) -> dict[str, Any]:
        """What a program sends for a row."""
        cells = self.raw.iloc[row]
        return {
            "year": int(cells["year"]),
            "km": float(cells["km"]),
            "sold": cells["sold"],
            "zip": str(cells["zip"]),
            "fuel_type": cells["Fuel type"],
            "name": cells["name"],
        }


@pytest.fixture
def cars(tmp_path: Path) -> Cars:
    """Cars with a year, a day, a postal code and a name."""
    rng = np.random.default_rng(0)
    sold = pd.to_datetime("2018-01-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), unit="D")
    raw = pd.DataFrame(
        {
            "year": rng.integers(1990, 2020, ROWS),
            "km": rng.integers(1000, 200_000, ROWS),
            "sold": sold.strftime("%Y-%m-%d"),
            "zip": rng.choice(list(map(int, REGIONS)), ROWS),
            "Fuel type": rng.choice(["petrol", "diesel"], ROWS),
            "name": rng.choice(["Audi A1", "Fiat 500", "Opel Corsa"], ROWS),
        }
    )
    features = pd.DataFrame(
        {
            "age": 2020 - raw["year"],
            "log_km": np.log1p(raw["km"]),
            "month": sold.month,
            "weekday": sold.day_of_week,
            "region": raw["zip"].astype(str).map(REGIONS),
            "diesel": (raw["Fuel type"] == "diesel").astype(int),
            "audi": raw["name"].str.contains("Audi").astype(int),
        }
    )
    raw["price"] = (
        (20_000 - 500 * features["age"] - 900 * features["log_km"] + 300 * features["month"])
        + 2000 * (features["region"] == "south") + 900 * features["diesel"]
        + 1500 * features["audi"] + 100 * features["weekday"] + rng.normal(0, 300, ROWS)
    ).round()  # fmt: skip
    raw["dear"] = np.where(raw["price"] > raw["price"].median(), "dear", "cheap")
    raw.to_csv(tmp_path / "cars.csv", index=False)
    (tmp_path / "regions.json").write_text(json.dumps(REGIONS))
    (tmp_path / "models").mkdir()
    return Cars(tmp_path, raw, features)


def derive(features: Mapping[str, str], *names: str) -> list[str]:
    """The options that derive columns."""
    found = ((name, features[name]) for name in names or features)
    return [item for name, text in found for item in ("--derive", f"{name} = {text}")]


def serve(cars: Cars, given: ModelFiles, *more: str) -> FlaskClient:
    """The app with the added model."""
    root = cars.folder / "models"
    result = add(given, "cars", root, *more)
    assert result.exit_code == 0, result.output
    assert load(cars).manifest.features is not None
    return create_app(Settings(models=("cars",), ratelimit="off"), models=root).test_client()


def load(cars: Cars) -> NumberModel | ClassModel:
    """The added model."""
    found = load_model(cars.folder / "models" / "cars")
    assert isinstance(found, NumberModel | ClassModel)
    return found


def ask(client: FlaskClient, rows: object) -> Any:
    """What the API answers."""
    return client.post("/api/predict", json=rows).json


def fit(cars: Cars, *steps: Any) -> Any:
    encode = make_column_transformer(
        (OneHotEncoder(), ["region"]),
        (OneHotEncoder(handle_unknown="ignore"), ["month"]),
        remainder="passthrough",
    )
    model = make_pipeline(*steps, encode, GradientBoostingRegressor(random_state=0))
    return model.fit(cars.features, cars.raw["price"])


@pytest.mark.parametrize("served", ["model.onnx", "model.joblib"])
def test_the_form_asks_for_what_the_data_have_and_the_answer_is_the_models(
    cars: Cars, served: str
) -> None:
    # Nobody compiles a function of Python.
    model = fit(cars, *[FunctionTransformer(pd.DataFrame.copy)] * (served == "model.joblib"))
    given = cars.save(model)
    options = [*derive(FEATURES), "--kind", "zip=choice", "--trust"]
    client = serve(cars, given, *options)
    loaded = load(cars)
    assert loaded.manifest.served == served
    assert loaded.card.names == ("year", "km", "sold", "zip", "fuel_type", "name")
    kinds = [field.kind for field in loaded.card.fields]
    assert kinds == ["integer", "integer", "date", "choice", "choice", "choice"]
    assert loaded.card.by_name["sold"].noun == "sold date"
    rows = range(0, ROWS, ROWS // 25)
    answers = ask(client, [cars.facts(row) for row in rows])
    expected = model.predict(cars.features.iloc[list(rows)])
    assert [item["prediction"] for item in answers] == pytest.approx(expected.tolist(), rel=1e-4)


def test_classes_get_derived_columns_and_are_answered_by_their_names(cars: Cars) -> None:
    taken = cars.features[["age", "log_km"]]
    model = LogisticRegression(max_iter=1000).fit(taken, cars.raw["dear"])
    given = cars.save(model)
    given = ModelFiles(given.path, given.data, "dear")
    client = serve(cars, given, *derive(FEATURES, "age", "log_km"))
    answers = ask(client, [{"year": 2019, "km": 1000.0}] * 2)
    assert [item["label"] for item in answers] == ["dear", "dear"]


def test_a_column_may_be_changed_in_place_and_a_later_one_uses_the_changed(cars: Cars) -> None:
    taken = pd.DataFrame({"km": np.log1p(cars.raw["km"]), "year": cars.raw["year"]})
    taken["wear"] = taken["km"] / (2021 - taken["year"])
    model = GradientBoostingRegressor(random_state=0).fit(taken, cars.raw["price"])
    expressions = {"km": "log1p(km)", "wear": "km / (2021 - year)"}
    client = serve(cars, cars.save(model), *derive(expressions))
    for row in range(0, ROWS, 12):
        facts = {name: cars.facts(row)[name] for name in ("km", "year")}
        answer = ask(client, facts)
        assert answer["prediction"] == pytest.approx(model.predict(taken.iloc[[row]])[0], rel=1e-4)


def test_the_page_about_the_model_gives_each_expression(cars: Cars) -> None:
    taken = cars.features[["age", "diesel"]]
    model = GradientBoostingRegressor(random_state=0).fit(taken, cars.raw["price"])
    client = serve(cars, cars.save(model), *derive(FEATURES, "age", "diesel"))
    page = client.get("/about").text
    assert "2020 - year" in page
    assert "`Fuel type` == &#34;diesel&#34;" in page


def test_where_no_form_can_ask_for_the_text_it_asks_for_what_is_derived_from_it(
    cars: Cars,
) -> None:
    cars.raw["name"] += [f" number {row}" for row in range(ROWS)]
    cars.raw.to_csv(cars.folder / "cars.csv", index=False)
    model = fit(cars)
    result = add(
        cars.save(model), "cars", cars.folder / "models", *derive(FEATURES), "--kind", "zip=choice"
    )
    assert "No form can ask for name, so it asks for audi itself." in result.output
    names = load(cars).card.names
    assert names == ("year", "km", "sold", "zip", "fuel_type", "audi")


def test_a_fact_that_fill_replaces_may_be_left_empty(cars: Cars) -> None:
    known = cars.raw["km"].where(cars.raw.index % 5 > 0)
    taken = pd.DataFrame({"km": known.fillna(50_000), "year": cars.raw["year"]})
    cars.raw.assign(km=known).to_csv(cars.folder / "cars.csv", index=False)
    model = GradientBoostingRegressor(random_state=0).fit(taken, cars.raw["price"])
    client = serve(cars, cars.save(model), *derive({"km": "fill(km, 50000)"}))
    answer = ask(client, {"year": 2005})
    expected = model.predict(pd.DataFrame({"km": [50_000.0], "year": [2005]}))[0]
    assert answer["prediction"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("age = 2020 - yeer", "at “yeer” (character 8): there is no column yeer (did you mean"),
        ("age = 2020 -", "at its end (character 13): a value is needed here"),
        ("age = eval(year)", "there is no function eval"),
        ("age = price / year", "takes price, which is the target"),
        ("age = year * holdout", "takes holdout, which marks rows"),
        ("age = 1 + 1", "names no column"),
        ("agge = 2020 - year", "the model does not take such a column. Did you mean 'age'?"),
        ("km = km * 2", "--derive km: the model does not take such a column."),
        ("year = km / 2", "gives"),
        ("age = lookup(zip, none.json)", "there is no file none.json"),
        ("age = lookup(zip, cars.csv)", "cars.csv is not JSON"),
        ("age = log(0 - year)", "“age = log(0 - year)” is unknown in every row"),
    ],
)
def test_what_cannot_be_derived_is_refused_with_the_place(
    cars: Cars, option: str, message: str
) -> None:
    model = GradientBoostingRegressor().fit(cars.features[["age"]], cars.raw["price"])
    root = cars.folder / "models"
    more = [] if option.startswith("age") else ["--derive", "age = 2020 - year"]
    cars.raw.assign(holdout=cars.raw.index % 3 == 0).to_csv(cars.folder / "cars.csv", index=False)
    given = replace(cars.save(model), holdout="holdout")
    result = add(given, "cars", root, "--derive", option, *more)
    assert result.exit_code == 1
    assert message in result.output
    assert not list(root.iterdir())


def test_a_choice_that_the_table_lacks_is_refused_where_the_model_needs_it(cars: Cars) -> None:
    (cars.folder / "regions.json").write_text(json.dumps({"10115": "north", "80331": "south"}))
    options = [*derive(FEATURES), "--kind", "zip=choice"]
    result = add(cars.save(fit(cars)), "cars", cars.folder / "models", *options)
    assert result.exit_code == 1
    assert "The model does not answer where zip is 20095" in result.output


def test_days_and_months_that_could_be_either_are_asked_for(cars: Cars) -> None:
    cars.raw["sold"] = [f"{day:02d}/{13 - day:02d}/2019" for day in range(1, 13)] * 25
    cars.raw.to_csv(cars.folder / "cars.csv", index=False)
    result = add(cars.save(fit(cars)), "cars", cars.folder / "models", *derive(FEATURES))
    assert result.exit_code == 1
    assert "in which day and month could be either" in result.output


def test_what_the_docs_write_can_be_run(cars: Cars, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "own-model.md").read_text()
    block = text.partition("## Derived columns")[2].partition("\n\n    ")[2].partition("\n\n")[0]
    words = shlex.split(block.replace("\\\n", " "))
    command = words.index("model") + 1
    taken = cars.features[["age", "log_km", "month"]].assign(
        region=cars.features["region"].map({"north": 1, "south": 2})
    )
    (cars.folder / "regions.json").write_text(json.dumps({"10115": 1, "20095": 1, "80331": 2}))
    cars.save(GradientBoostingRegressor(random_state=0).fit(taken, cars.raw["price"]))
    monkeypatch.chdir(cars.folder)
    result = run(*words[command:], "--models", cars.folder / "models")
    assert result.exit_code == 0, result.output
    assert load(cars).card.names == ("year", "km", "sold", "zip")


def test_rows_in_which_nothing_can_be_derived_are_counted(cars: Cars) -> None:
    taken = pd.DataFrame(
        {
            "rate": np.log((cars.raw["km"] - 20_000).where(lambda km: km > 0)),
            "year": cars.raw["year"],
        }
    )
    model = HistGradientBoostingRegressor(random_state=0).fit(taken, cars.raw["price"])
    result = add(
        cars.save(model), "cars", cars.folder / "models", *derive({"rate": "log(km - 20000)"})
    )
    assert f"rate is unknown in {taken['rate'].isna().sum()} rows where all" in result.output


def test_a_table_finds_codes_that_lost_their_zeros(cars: Cars) -> None:
    codes = {10115: "01115", 20095: "00095", 80331: "80331"}
    rates = {"01115": 1.5, "00095": 2.5, "80331": 3.5}
    (cars.folder / "rates.json").write_text(json.dumps(rates))
    text = cars.raw["zip"].map(codes)
    cars.raw.assign(zip=text).to_csv(cars.folder / "cars.csv", index=False)
    taken = pd.DataFrame({"rate": text.map(rates), "year": cars.raw["year"]})
    model = GradientBoostingRegressor(random_state=0).fit(taken, cars.raw["price"])
    options = derive({"rate": "lookup(zip, rates.json)"})
    client = serve(cars, cars.save(model), *options, "--kind", "zip=choice")
    for row in range(0, ROWS, 12):
        values = [codes[int(cars.raw["zip"][row])], str(int(codes[int(cars.raw["zip"][row])]))]
        year = int(cars.raw["year"][row])
        answers = [ask(client, {"zip": value, "year": year}) for value in values]
        found = [item["prediction"] for item in answers if "prediction" in item]
        assert found == pytest.approx([model.predict(taken.iloc[[row]])[0]] * len(found), rel=1e-4)
        assert found


def test_an_hour_that_a_notebook_made_of_a_column_of_times_is_asked_for(
    cars: Cars, tmp_path: Path
) -> None:
    hours = np.arange(ROWS) % 24
    model = GradientBoostingRegressor().fit(cars.features[["age"]].assign(hour=hours), hours)
    given = cars.save(model)
    table = cars.raw.assign(sold=cars.raw["sold"] + [f" {hour:02}:00:00" for hour in hours])
    table.assign(age=cars.features["age"]).to_csv(given.data, index=False)
    said = " ".join(add(given, "cars", tmp_path).output.split())
    assert "If 'hour' was made from 'sold': a date on a form has no time of day" in said
    assert "Write 'hour' into the data" in said


def test_all_parts_of_a_date_are_named_at_once_and_also_when_one_is_written(
    cars: Cars, tmp_path: Path
) -> None:
    columns = ["age", "month", "weekday"]
    model = GradientBoostingRegressor().fit(cars.features[columns], cars.raw["price"])
    given = cars.save(model)
    cars.raw.assign(age=cars.features["age"]).to_csv(given.data, index=False)
    weekday = "--derive 'weekday = weekday(sold)'"
    said = " ".join(add(given, "cars", tmp_path).output.split())
    assert f"If it was made from 'sold', add: --derive 'month = month(sold)' {weekday}" in said
    said = add(given, "cars", tmp_path, "--derive", "month = month(sold)").output
    assert f"If it was made from 'sold', add: {weekday}" in " ".join(said.split())


def test_days_of_the_week_by_their_names_are_looked_up(cars: Cars, tmp_path: Path) -> None:
    names = pd.to_datetime(cars.raw["sold"]).dt.day_name()
    columns = make_column_transformer((OneHotEncoder(), ["weekday"]), remainder="passthrough")
    rows = cars.features[["age"]].assign(weekday=names)
    model = make_pipeline(columns, LinearRegression()).fit(rows, cars.raw["price"])
    given = cars.save(model)
    cars.raw.assign(age=cars.features["age"]).to_csv(given.data, index=False)
    said = " ".join(add(given, "cars", tmp_path).output.split())
    written = "weekday = lookup(weekday(sold), FILE.json)"
    assert f"If 'weekday' had words and not numbers: --derive '{written}'" in said
    assert """like {"0": "Monday"}""" in said
    days = dict(enumerate(calendar.day_name))
    (given.data.parent / "days.json").write_text(json.dumps(days))
    options = ("--derive", written.replace("FILE", "days"))
    assert add(given, "cars", tmp_path, *options).exit_code == 0


def test_texts_with_which_an_expression_computes_are_read_as_numbers(
    cars: Cars, tmp_path: Path
) -> None:
    columns = ["age", "log_km"]
    model = GradientBoostingRegressor(random_state=0).fit(cars.features[columns], cars.raw["price"])
    given = cars.save(model)
    cars.raw.assign(km=cars.raw["km"].map("${:,}".format)).to_csv(given.data, index=False)
    options = derive(FEATURES, *columns)
    asked = add(given, "cars", tmp_path / "models", *options)
    assert "Column 'km' holds '$" in asked.output
    assert "--decimal . for" in asked.output
    client = serve(cars, given, *options, "--decimal", ".")
    rows = cars.raw[["year", "km"]][:10].to_dict("records")
    answers = [item["prediction"] for item in ask(client, rows)]
    assert answers == pytest.approx(list(model.predict(cars.features[columns][:10])), rel=1e-4)
