"""Checks of predictions and pages that must hold for every tabular model."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app.kinds.streams import JSON_LINES
from app.presentation.contributions import MAX_NAMED, MAX_REASONS
from model import ClassModel, ClassPrediction, NumberModel, read_card
from model.contract.card import Card
from model.contract.fields import BaseField, Features, TextField
from tests.html import data_of, get_page, post_fragment, post_page, text_of
from tests.tools import ROOT

MODEL_FOLDERS = sorted(path.parent for path in (ROOT / "model").glob("*/card.toml"))
"""The folder of every bundled model, served or not."""

TABULAR_FOLDERS = [
    folder for folder in MODEL_FOLDERS if isinstance(read_card(folder / "card.toml"), Card)
]
"""Those of tabular models; a model of pictures has its own tests."""


def parse_features(model: NumberModel | ClassModel, values: dict[str, Any]) -> Features:
    """Return the valid features in values as visitors type them."""
    features, errors = model.card.validate_row(values)
    assert features is not None, errors
    return features


def check_prediction(model: NumberModel | ClassModel, features: Features) -> None:
    """Check for a finite number inside its range, or for a class with probabilities that add up."""
    (prediction,) = model.predict([features])
    if isinstance(prediction, ClassPrediction):
        assert isinstance(model, ClassModel)
        assert prediction.label in {item.value for item in model.card.output.classes}
        if prediction.probabilities is not None:
            assert sum(prediction.probabilities) == pytest.approx(1)
            assert prediction.probability == max(prediction.probabilities)
        return
    assert math.isfinite(prediction.value)
    if model.manifest.calibration is not None:
        assert prediction.interval is not None
        # A line may go below 0 where no truth does; its range does not follow it.
        least = 0.0 if model.manifest.calibration.scale == "sqrt" else -math.inf
        assert prediction.interval.low <= max(prediction.value, least)
        assert max(prediction.value, least) <= prediction.interval.high


def check_bounds(model: NumberModel | ClassModel, field: BaseField, values: dict[str, Any]) -> None:
    """Check that values at the bounds get predictions, and values beyond get the field's error."""
    if isinstance(field, TextField):
        for text in ("word", "x" * field.max_length, "🙂\n" * (field.max_length // 2)):
            check_prediction(model, parse_features(model, {**values, field.name: text}))
        _, errors = model.card.validate_row({**values, field.name: "x" * (field.max_length + 1)})
        assert list(errors) == [field.name]
        return
    low, high = field.code_bounds
    for code in {low, *field.round_codes(np.linspace(low, high, 5)).tolist(), high}:
        check_prediction(model, parse_features(model, {**values, field.name: field.decode(code)}))
    beyond = (
        [] if field.options or field.categories else [field.decode(low - 1), field.decode(high + 1)]
    )
    for wrong in (*beyond, "no such value"):
        refused, errors = model.card.validate_row({**values, field.name: wrong})
        assert refused is None
        assert list(errors) == [field.name]
        assert field.label in errors[field.name] or field.noun in errors[field.name]


def check_pages(client: FlaskClient, prefix: str, model: NumberModel | ClassModel) -> None:
    """Check that every page and fragment is well formed, and that reasons add up to the value."""
    card = model.card
    empty = get_page(client, prefix)
    assert len(empty.select(".examples a")) == len(card.examples)
    assert {tag["data-field"] for tag in empty.select(".field")} == set(card.names)
    for link in empty.select(".examples a"):
        page = get_page(client, str(link["href"]))
        assert page.select_one('#result[data-state="fresh"]'), link["href"]
    get_page(client, prefix + "about")
    values = _to_text(card.examples[0].values)
    check_result(post_fragment(client, values, path=prefix + "predict-fragment"), model, values)
    check_stream(client, prefix, [golden.features for golden in model.manifest.golden])
    first = card.fields[0]
    bad = "<b>" * first.max_length if isinstance(first, TextField) else "<b>"
    post_page(client, {**values, first.name: bad}, 422, path=prefix)
    wrong = post_fragment(client, {**values, first.name: bad}, 422, prefix + "predict-fragment")
    assert text_of(wrong, f"#{card.names[0]}-error")
    if isinstance(model, ClassModel) and not model.card.output.probabilities:
        return  # a label without probabilities has no reasons and no what-if
    # Every fourth of thirty facts is enough: only their names differ.
    for name in card.varying[:: 1 + len(card.varying) // 10]:
        form = {**values, "what_if": name}
        fragment = post_fragment(client, form, path=prefix + "predict-fragment")
        assert text_of(fragment, "#what_if > p")
        assert fragment.select(f'#what_if option[value="{name}"][selected]')


def check_stream(client: FlaskClient, prefix: str, rows: Sequence[dict[str, Any]]) -> None:
    """Each line of a stream says what a list of the same rows says."""
    listed = client.post(f"{prefix}api/predict", json=rows)
    lines = "\n".join(map(json.dumps, rows))
    streamed = client.post(f"{prefix}api/predict", data=lines, content_type=JSON_LINES)
    assert listed.status_code == streamed.status_code == 200
    found = [json.loads(line) for line in streamed.text.splitlines()]
    _compare_json(found, listed.json)


def _compare_json(found: Any, expected: Any) -> None:
    """Compare values of JSON, numbers to a millionth."""
    assert type(found) is type(expected), (found, expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)
        found, expected = [*found.values()], [*expected.values()]
    if isinstance(found, list):
        for one, other in zip(found, expected, strict=True):
            _compare_json(one, other)
    else:
        assert found == (
            pytest.approx(expected, rel=1e-6, abs=1e-7) if isinstance(found, float) else expected
        )


def check_result(
    fragment: BeautifulSoup, model: NumberModel | ClassModel, values: dict[str, str]
) -> None:
    """Check that the contributions of the given facts lead from the reference to the value."""
    if isinstance(model, ClassModel):
        (prediction,) = model.predict([parse_features(model, values)])
        element = fragment.select_one("#result data.prediction")
        assert element is not None
        assert element["value"] == prediction.label
        if prediction.probability is None:
            assert not fragment.select("data.probability, #why")
            return
        value = prediction.probability
    else:
        value = data_of(fragment, "prediction")
        (found,) = model.predict([parse_features(model, values)])
        assert value == pytest.approx(found.value, rel=1e-6)
    contributions = [float(str(tag["value"])) for tag in fragment.select("data.contribution")]
    given = sum(value != "" for value in values.values())
    # One amount sums up those that are neither listed nor named.
    assert len(contributions) == given or (given > MAX_REASONS + MAX_NAMED and contributions)
    total = data_of(fragment, "reference") + sum(contributions)
    assert total == pytest.approx(value, rel=1e-6, abs=1e-7)


def _to_text(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
