"""The pages of a classifier of rows: class, probabilities, and their explanation."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from app.config import Settings
from app.kinds import classes, make_adapter
from app.presentation.scales import ShareScale
from model import ClassModel, ModelError
from model.contract.manifest import ProbabilityCalibration
from tests.flowers import write_flowers
from tests.html import data_of, get_page, post_fragment, post_page, text_of
from tests.loading import change_file, load_as

IRIS = {"length": "6", "width": "5"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    write_flowers(root / "flowers")
    write_flowers(root / "labels", probabilities=False)
    write_flowers(root / "few", temperature=0.5, rows_held_out=60, most=60.5 / 61)
    write_flowers(root / "unknown", temperature=0.5, rows_held_out=None)
    change_file(
        write_flowers(root / "risk") / "card.toml",
        'noun = "flower"',
        'noun = "risk"\nrisk = "rose"',
    )
    return root


@pytest.fixture(scope="module")
def app(models: Path) -> Flask:
    return create_app(Settings(models=("flowers", "labels", "few", "unknown", "risk")), models)


def points(text: str) -> int:
    """ "− 12 points" and "34%" as whole numbers."""
    amount = int(re.sub(r"[^0-9]", "", text))
    return -amount if "−" in text else amount


def shares(soup: BeautifulSoup) -> dict[str, float]:
    found = soup.select("#result data.probability")
    return {str(item["data-label"]): float(str(item["value"])) for item in found}


def test_a_class_stands_on_the_page_with_the_probability_of_each(client: FlaskClient) -> None:
    soup = post_fragment(client, IRIS)
    assert text_of(soup, "#result data.prediction") == "Iris"
    given = shares(soup)
    assert list(given) == ["iris", "rose"]
    assert sum(given.values()) == pytest.approx(1)
    bars = [bar["width"] for bar in soup.select("#shares rect:not(.shape)")]
    assert bars == [f"{given[label] * 100:.1f}%" for label in given]
    assert [bar["class"] for bar in soup.select("#shares rect:not(.shape)")] == [["up"], ["within"]]
    words = text_of(soup, "#result .range .wide")
    assert words == f"The model is {round(given['iris'] * 100)}% sure: Iris."
    (result,) = soup.select("#result")
    assert result["data-announce"] == f"Flower: Iris. {words}"


def test_the_classes_that_are_not_shown_have_what_is_left(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.presentation.result.MAX_CLASSES", 1)
    given = client.post("/api/predict", json={"length": 6, "width": 5}).get_json()["probabilities"]
    rest = f"The class not shown has {min(given.values()):.0%}."
    assert rest in text_of(post_fragment(client, IRIS), "#result")


def test_page_and_fragment_show_the_same_class(client: FlaskClient) -> None:
    fragment = post_fragment(client, IRIS)
    for page in (get_page(client, "/?length=6&width=5"), post_page(client, IRIS)):
        assert page.select_one("#result") == fragment.select_one("#result")


def test_the_reasons_lead_to_the_probability_of_the_class_that_is_named(
    client: FlaskClient,
) -> None:
    soup = post_fragment(client, IRIS)
    assert "Probability of Iris" in text_of(soup, "#why > p:first-of-type")
    assert "Probability of Iris by length" in text_of(soup, "#curve-title")
    assert {str(item["data-field"]) for item in soup.select("data.contribution")} == set(IRIS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(0, 100), width=st.integers(0, 100))
def test_the_points_add_up_to_the_percentage_shown(
    client: FlaskClient, length: int, width: int
) -> None:
    soup = post_fragment(client, {"length": str(length / 10), "width": str(width / 10)})
    found = soup.select("#result data.contribution")
    exact = data_of(soup, "reference") + sum(float(str(item["value"])) for item in found)
    most = max(shares(soup).values())
    assert exact == pytest.approx(most, abs=1e-4)
    shown = points(text_of(soup, "data.reference")) + sum(points(i.get_text()) for i in found)
    assert shown == pytest.approx(min(round(most * 100), 99))


def test_a_wrong_field_withdraws_the_class(client: FlaskClient) -> None:
    soup = post_fragment(client, {**IRIS, "width": "99"}, status=422)
    assert not soup.select("data.prediction, data.probability")
    assert text_of(soup, "#result .price") == "No flower yet"
    assert [item.get_text() for item in soup.select("#shares span")] == ["Rose", "Iris"]


def test_few_rows_allow_no_certainty_and_the_page_says_how_few(client: FlaskClient) -> None:
    sure = {"length": "10", "width": "0"}
    soup = post_fragment(client, sure, path="/few/predict-fragment")
    words = text_of(soup, "#result .range .wide")
    assert words == "The model is as sure as 60 rows allow: Iris."
    assert text_of(soup, "#result .range .narrow") == "As sure as 60 rows allow"
    assert shares(soup)["iris"] == pytest.approx(60.5 / 61, abs=1e-6)
    assert points(soup.select("data.probability")[0].get_text()) == 99
    (found,) = client.post("/few/api/predict", json=[{"length": 10, "width": 0}]).get_json()
    assert found["probability"] == pytest.approx(shares(soup)["iris"], abs=1e-9)
    assert data_of(soup, "reference") + sum(
        float(str(item["value"])) for item in soup.select("data.contribution")
    ) == pytest.approx(found["probability"], abs=1e-7)
    soup = post_fragment(client, {"length": "6", "width": "5.5"}, path="/few/predict-fragment")
    assert "% sure: Iris." in text_of(soup, "#result .range .wide")


def test_a_model_of_which_nobody_knows_the_rows_is_never_over_99(client: FlaskClient) -> None:
    soup = post_fragment(client, {"length": "10", "width": "0"}, path="/unknown/predict-fragment")
    assert text_of(soup, "#result .range .wide") == "The model is 99% sure: Iris."
    assert "over" not in text_of(soup, "#shares")


def test_a_class_alone_comes_without_probabilities_or_reasons(client: FlaskClient) -> None:
    soup = post_fragment(client, IRIS, path="/labels/predict-fragment")
    assert text_of(soup, "#result data.prediction") == "Iris"
    assert not soup.select("data.probability, data.contribution, #why, #what_if")
    assert "does not say how sure it is" in text_of(soup, "#result .range")
    assert "%" not in text_of(soup, "#result")


def test_the_card_says_how_the_probabilities_were_calibrated(client: FlaskClient) -> None:
    soup = get_page(client, "/about")
    assert "What the probabilities mean" in soup.get_text()
    assert "divided by 2.00" in soup.get_text()
    text = get_page(client, "/few/about").get_text()
    assert "divided by 0.50" in text
    assert "None is shown above 99.2%: 60 rows cannot show that it is more certain" in text
    assert "None is shown above" not in get_page(client, "/unknown/about").get_text()


def test_no_probability_is_shown_as_certain(models: Path) -> None:
    card = load_as(ClassModel, models / "flowers").card
    scale = ShareScale(card.output, card.locale, ProbabilityCalibration(rows=500, temperature=1))
    assert scale.format(0.9999) == "over 99%"
    assert scale.format(0.0001) == "under 1%"
    assert scale.format(0.125) == "12%"
    assert [scale.format_difference(share) for share in (0.0, 0.01, 0.02)] == [
        "0\u00a0points",
        "1\u00a0point",
        "2\u00a0points",
    ]


def test_a_risk_is_the_probability_of_one_class_and_so_are_its_reasons(client: FlaskClient) -> None:
    soup = post_fragment(client, IRIS, path="/risk/predict-fragment")
    answer = client.post("/risk/api/predict?contributions=true", json={"length": 6, "width": 5})
    found = answer.get_json()
    assert found["risk"] == found["probabilities"]["rose"] < found["probability"]
    assert data_of(soup, "prediction") == pytest.approx(found["risk"])
    assert text_of(soup, "#result data.prediction") == f"{round(found['risk'] * 100)}%"
    words = "That is the probability of Rose. It was calibrated on 500 rows."
    assert text_of(soup, "#result .range .wide") == words
    assert text_of(soup, "#result .range .narrow") == "Probability of Rose"
    parts = [float(str(item["value"])) for item in soup.select("data.contribution")]
    assert data_of(soup, "reference") + sum(parts) == pytest.approx(found["risk"])
    get_page(client, "/risk/?length=6&width=5")


def test_a_risk_of_no_class_is_refused_with_the_line(models: Path, tmp_path: Path) -> None:
    change_file(
        write_flowers(tmp_path / "flowers") / "card.toml",
        'noun = "flower"',
        'noun = "risk"\nrisk = "tulip"',
    )
    with pytest.raises(ModelError, match='risk = "tulip" is no class'):
        load_as(ClassModel, tmp_path / "flowers")


def test_the_share_of_wrong_labels_is_told_to_a_tenth_of_a_percent(models: Path) -> None:
    adapter = make_adapter(load_as(ClassModel, models / "flowers"))
    assert isinstance(adapter, classes.ClassAdapter)
    assert adapter.format_error(0.12345) == "12.3%"
