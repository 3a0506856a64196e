"""What must hold for any model of rows, whoever wrote its card: of its answers and its pages."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from model import Classification, Classifier, Regressor
from model.contract.card import Card
from model.contract.fields import AnyField, ChoiceField, Features, FlagField
from model.contract.files import read_any_card
from tests.html import data_of, get_page, post_fragment, post_page, text_of
from tests.tools import ROOT

FOLDERS = sorted(path.parent for path in (ROOT / "model").glob("*/card.toml"))
"""Every model that is in the repo, served or not."""

ROWS = [folder for folder in FOLDERS if isinstance(read_any_card(folder / "card.toml"), Card)]
"""Those that answer rows; a model of pictures has tests of its own."""


def features_of(model: Regressor | Classifier, values: dict[str, Any]) -> Features:
    """The row of values as they are typed."""
    features, errors = model.card.validate_row(values)
    assert features is not None, errors
    return features


def check_answer(model: Regressor | Classifier, features: Features) -> None:
    """A finite number inside its range, or a class of the card with probabilities that add up."""
    said = model.predict(features)
    if isinstance(said, Classification):
        assert said.label in {item.value for item in model.card.class_output.classes}
        if said.probabilities is not None:
            assert sum(said.probabilities) == pytest.approx(1)
            assert said.probability == max(said.probabilities)
        return
    assert math.isfinite(said.value)
    if model.manifest.calibration is not None:
        assert said.interval is not None
        assert said.interval.low <= said.value <= said.interval.high


def check_bounds(model: Regressor | Classifier, field: AnyField, values: dict[str, Any]) -> None:
    """The values at the ends are answered, those beyond them refused in the field's words."""
    if isinstance(field, ChoiceField | FlagField):
        for choice in field.choices:
            check_answer(model, features_of(model, {**values, field.name: choice.value}))
        outside: list[float | str] = ["no such choice"]
    else:
        step = 1 if field.kind == "integer" else 0
        low, high = field.min, field.max
        inside = [low + step or math.nextafter(low, high), high - step or math.nextafter(high, low)]
        for value in (low, high, *inside, field.example):
            check_answer(model, features_of(model, {**values, field.name: value}))
        beyond = (low - 1, high + 1) if step else (_below(low), -_below(-high))
        outside = [*beyond, "x"]
    for wrong in outside:
        refused, errors = model.card.validate_row({**values, field.name: wrong})
        assert refused is None
        assert list(errors) == [field.name]
        assert field.label in errors[field.name] or field.noun in errors[field.name]


def _below(value: float) -> float:
    return math.nextafter(float(value), -math.inf)


def check_pages(client: FlaskClient, prefix: str, model: Regressor | Classifier) -> None:
    """Every page and fragment of the model is well-formed, and the reasons lead to the answer."""
    card = model.card
    empty = get_page(client, prefix)
    assert len(empty.select(".examples a")) == len(card.examples)
    assert {tag["data-field"] for tag in empty.select(".field")} == set(card.names)
    for link in empty.select(".examples a"):
        page = get_page(client, str(link["href"]))
        assert page.select_one('#result[data-state="fresh"]'), link["href"]
    get_page(client, prefix + "about")
    values = _typed(card.examples[0].values)
    check_result(post_fragment(client, values, path=prefix + "predict-fragment"), model, values)
    post_page(client, {**values, card.names[0]: "<b>"}, 422, path=prefix)
    wrong = post_fragment(
        client, {**values, card.names[0]: "<b>"}, 422, path=prefix + "predict-fragment"
    )
    assert text_of(wrong, f"#{card.names[0]}-error")
    if isinstance(model, Classifier) and not card.class_output.probabilities:
        return  # a label alone has no amounts: no reasons, and nothing to vary
    # Of thirty facts every fourth: they differ in their names alone.
    for name in card.names[:: 1 + len(card.names) // 10]:
        asked = {**values, "what_if": name}
        fragment = post_fragment(client, asked, path=prefix + "predict-fragment")
        assert text_of(fragment, "#what_if > p")
        assert fragment.select(f'#what_if input[value="{name}"][checked]')


def check_result(
    fragment: BeautifulSoup, model: Regressor | Classifier, values: dict[str, str]
) -> None:
    """The contributions of the facts given lead from the reference to the answer."""
    if isinstance(model, Classifier):
        said = model.predict(features_of(model, values))
        element = fragment.select_one("#result data.prediction")
        assert element is not None
        assert element["value"] == said.label
        if said.probability is None:
            assert not fragment.select("data.probability, #why")
            return
        answer = said.probability
    else:
        answer = data_of(fragment, "prediction")
        assert answer == pytest.approx(model.predict(features_of(model, values)).value, rel=1e-6)
    contributions = [float(str(tag["value"])) for tag in fragment.select("data.contribution")]
    assert len(contributions) == sum(value != "" for value in values.values())
    total = data_of(fragment, "reference") + sum(contributions)
    assert total == pytest.approx(answer, rel=1e-6, abs=1e-7)


def _typed(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
