"""A drafted page of many facts: few first, folds behind them, and figures for what is known."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.linear_model import LinearRegression

from app import create_app
from app.config import Settings
from model import ClassModel, load_model, read_card
from model.contract.fields import NumberField
from model.making import add_model
from model.making.writing.redrafting import merge_cards
from tests.drafts import tumours
from tests.html import data_of, get_page, post_fragment, text_of
from tests.model.making.conftest import add, run
from tests.tabular_checks import check_pages


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty measurements, added by one command."""
    folder = tmp_path_factory.mktemp("models")
    result = add(tumours(tmp_path_factory.mktemp("tumours")), "tumours", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def model(root: Path) -> ClassModel:
    found = load_model(root / "tumours")
    assert isinstance(found, ClassModel)
    return found


@pytest.fixture(scope="module")
def client(root: Path) -> FlaskClient:
    return create_app(Settings(models=("tumours",), ratelimit="off"), models=root).test_client()


def test_at_most_eight_facts_stand_first_and_the_others_in_named_folds(client: FlaskClient) -> None:
    page = get_page(client, "/")
    assert text_of(page, "h1") == "Is this tumour benign or malignant?"
    assert len(page.select("#form > .facts .field")) == 8
    folds = page.select("details.more")
    assert sum(len(fold.select(".field")) for fold in folds) == 22
    assert all(len(fold.select(".field")) <= 8 and not fold.has_attr("open") for fold in folds)
    assert {"Mean", "Worst", "Error"} <= {fold.select("h2")[0].text for fold in folds}
    assert all("more" in fold.select(".count")[0].text for fold in folds[:1])


def test_of_many_missing_facts_three_are_named_and_the_others_counted(client: FlaskClient) -> None:
    example = str(get_page(client, "/").select(".examples a")[0]["href"])
    page = get_page(client, example.partition("&")[0])
    sentence = text_of(page, "#result .sentence")
    assert sentence.startswith("Still to fill in: the ")
    assert sentence.count(", ") == 3
    assert sentence.endswith(", and 4 more.")


def test_a_fold_says_what_is_filled_in_it(client: FlaskClient, model: ClassModel) -> None:
    page = get_page(client, "/")
    inside = [str(field["data-field"]) for field in page.select("#more-1 .field")]
    before = text_of(page, "#more-1-filled")
    assert "filled" not in before
    label = model.card.by_name[inside[1]].label
    shown = {name: str(value) for name, value in model.card.examples[0].values.items()}
    typed = {**shown, inside[1]: str(model.card.by_name[inside[1]].example)}
    expected = f"1 of {len(inside)} filled: {label}"
    assert text_of(get_page(client, f"/?{urlencode(typed)}"), "#more-1-filled") == expected
    fragment = post_fragment(client, typed)
    assert text_of(fragment, "#more-1-filled") == expected
    assert text_of(post_fragment(client, shown), "#more-1-filled") == before


def test_a_fact_that_is_left_empty_is_taken_as_the_card_says(
    client: FlaskClient, model: ClassModel
) -> None:
    shown = dict(model.card.examples[0].values)
    assert len(shown) == 8
    defaults = {
        field.name: field.default for field in model.card.fields if field.default is not None
    }
    assert len(defaults) == 22
    few, every = (
        client.post("/api/predict", json=row).get_json()["probabilities"]
        for row in (shown, {**shown, **defaults})
    )
    assert few == pytest.approx(every, rel=1e-5)
    texture = get_page(client, "/").select_one("#mean_texture-hint")
    assert texture is not None
    assert f"Taken as {defaults['mean_texture']:g} where it is not given" in texture.text
    schema = client.get("/api/openapi.json").get_json()["components"]["schemas"]
    row = next(item for name, item in schema.items() if name.endswith("Row"))
    assert row["properties"]["mean_texture"]["default"] == defaults["mean_texture"]


def test_what_few_facts_are_worth_stands_beside_the_answer_and_on_about(
    client: FlaskClient, model: ClassModel
) -> None:
    figures = {metric.name: metric.value for metric in model.manifest.metrics}
    assert figures["accuracy_3"] <= figures["accuracy_8"] <= figures["accuracy"]
    about = get_page(client, "/about").text
    for count in (3, 5, 8):
        assert f"Right answers, {count} facts" in about
    assert "With the 8 facts that the form shows first, it named the right diagnosis" in about
    assert "Naming the most frequent one every time is right for" in about
    values = {name: str(value) for name, value in model.card.examples[0].values.items()}
    fragment = post_fragment(client, values)
    assert f"for {figures['accuracy_8']:.1%} of" in text_of(fragment, "#notes")


def test_pages_and_reasons_hold_together(client: FlaskClient, model: ClassModel) -> None:
    check_pages(client, "/", model)
    values = {field.name: str(field.default or field.example) for field in model.card.fields}
    values |= {name: str(value) for name, value in model.card.examples[1].values.items()}
    values["worst_texture"] = "40"
    fragment = post_fragment(client, values)
    assert len(fragment.select("#why data.contribution:not([hidden])")) <= 10


def test_reasons_of_thirty_unusual_facts_lead_to_the_answer(
    client: FlaskClient, model: ClassModel
) -> None:
    """More facts than are tried in all ways: first those are chosen that matter most."""
    facts = {}
    for place, field in enumerate(model.card.fields):
        assert isinstance(field, NumberField)
        facts[field.name] = round(field.min + (field.max - field.min) * (2 + place % 3) / 5, 4)
    fragment = post_fragment(client, {name: str(value) for name, value in facts.items()})
    parts = [float(str(tag["value"])) for tag in fragment.select("#why data.contribution")]
    answer = client.post("/api/predict", json=facts).get_json()
    total = data_of(fragment, "reference") + sum(parts)
    assert total == pytest.approx(answer["probability"], abs=1e-6)


def test_a_value_beyond_the_data_is_answered_with_a_warning(
    client: FlaskClient, model: ClassModel
) -> None:
    area = model.card.by_name["worst_area"]
    values = {name: str(value) for name, value in model.card.examples[0].values.items()}
    assert area.kind == "number"
    beyond = {**values, "worst_area": str(area.max)}
    said = text_of(post_fragment(client, beyond), "#worst_area-error")
    assert said == f"Above what the model has seen, which ends at {area.format_bare(area.seen_max)}"
    refused = post_fragment(client, {**values, "worst_area": str(area.max + 1)}, 422)
    assert "must be between" in text_of(refused, "#worst_area-error")


def test_a_new_draft_keeps_what_was_written_into_the_card(root: Path) -> None:
    path = root / "tumours" / "card.toml"
    written = path.read_text(encoding="utf-8").replace(
        'label = "Worst perimeter"', 'label = "Largest perimeter"'
    )
    path.write_text(f"# Written by hand.\n{written}", encoding="utf-8")
    result = run("draft", "tumours", "--models", root, "--yes")
    assert result.exit_code == 0, result.output
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Written by hand.\n")
    assert "Largest perimeter" in {field["label"] for field in tomllib.loads(text)["fields"]}


def test_where_card_and_draft_changed_the_same_line_the_card_s_stays_and_both_are_shown() -> None:
    old = "a = 1\nb = 2\nc = 3\nd = 4\n"
    merged = merge_cards(old, old.replace("b = 2", "b = 9"), old.replace("d = 4", "d = 7"))
    assert merged == ("a = 1\nb = 9\nc = 3\nd = 7\n", ())
    merged = merge_cards(old, old.replace("b = 2", "b = 9"), old.replace("b = 2", "b = 5"))
    assert merged == (old.replace("b = 2", "b = 9"), (("b = 9\n", "b = 5\n"),))
    assert merge_cards(old, old, "")[0] == ""
    assert merge_cards(old, "x = 0\n" + old, old)[0] == "x = 0\n" + old


def test_a_model_that_knows_little_leads_with_its_range_and_a_long_unit_with_its_label(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"age": rng.integers(18, 80, 400), "visits": rng.poisson(9, 400) * 3})
    spent = (200 + rows["age"] * 0.6 + rng.normal(0, 60, 400)).round().rename("spend")
    model = LinearRegression().fit(rows[:250], spent[:250])
    holdout = rows[250:], spent[250:]
    units = (("age", "years since birth"), ("spend", "thousand crowns"))
    add_model(
        model,
        rows[:250],
        spent[:250],
        name="spend",
        holdout=holdout,
        root=tmp_path,
        unit_names=units,
    )
    client = create_app(Settings(models=("spend",), ratelimit="off"), models=tmp_path).test_client()
    page = get_page(client, "/?age=40&visits=9")
    low, high = (text_of(page, f".interval-{end}") for end in ("low", "high"))
    assert text_of(page, ".price") == f"{low} to {high}"
    assert low.endswith("thousand crowns")
    answer = client.post("/api/predict", json={"age": 40, "visits": 9}).get_json()
    assert data_of(page, "prediction") == pytest.approx(answer["prediction"], rel=1e-5)
    shown = text_of(page, ".prediction")
    assert f"The best single guess is {shown}." in text_of(page, ".range")
    assert text_of(page, "#why-title") == f"Why {shown}?"
    assert text_of(page, "label[for=age]") == "Age (years since birth)"
    assert not page.select("[data-field=age] .unit")


def test_a_draft_writes_numbers_as_its_locale_does_and_gives_long_labels_a_row(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"age": rng.integers(18, 80, 1200), "geschwindigkeitsklasse": range(1200)})
    spent = (200 + rows["age"] * 0.6).rename("spend")
    model = LinearRegression().fit(rows, spent)
    add_model(model, rows, spent, name="spend", root=tmp_path, locale="de_DE")
    card = read_card(tmp_path / "spend" / "card.toml")
    assert [text.count("1.200 rows") for text in (card.summary, card.data_text)] == [1, 1]
    client = create_app(Settings(models=("spend",), ratelimit="off"), models=tmp_path).test_client()
    page = get_page(client, "/")
    assert [field["data-field"] for field in page.select(".field.whole")] == [
        "geschwindigkeitsklasse"
    ]
    assert not page.select(".few")
