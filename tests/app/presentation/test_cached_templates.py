"""A filled skeleton is the rendered template, byte for byte."""

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kinds.number import NumberPresenter
from app.kinds.registry import view_site
from app.presentation.cached_templates import Skeleton
from app.presentation.submission import read_submission
from model import Model
from model.contract.fields import AnyField, ChoiceField, IntegerField, NumberField
from model.contract.files import read_card
from tests.tools import ROOT


@pytest.fixture(scope="module")
def skeleton(app: Flask, house: Model) -> Skeleton:
    template = app.jinja_env.get_template("kinds/_result.html")
    return Skeleton(template, site=view_site(house, ""), version=house.version)


def typed(field: AnyField) -> st.SearchStrategy[str]:
    """What may stand in a field: mostly a good value, sometimes none or a wrong one."""
    good: st.SearchStrategy[str]
    if isinstance(field, ChoiceField):
        good = st.sampled_from([choice.value for choice in field.choices])
    elif isinstance(field, IntegerField | NumberField):
        good = st.integers(int(field.min), int(field.max)).map(str)
    else:
        good = st.sampled_from(["yes", "no"])
    return st.one_of(good, good, st.sampled_from(["", "<b>", "0", "9"]))


CARD = read_card(ROOT / "model" / "house_price" / "card.toml")
FORMS = st.fixed_dictionaries(
    {
        **{field.name: typed(field) for field in CARD.fields},
        "what_if": st.sampled_from(CARD.names),
    }
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FORMS)
def test_filling_gives_what_rendering_gives(
    skeleton: Skeleton, house: Model, form: dict[str, str]
) -> None:
    data = {name: [value] for name, value in form.items()}
    result = NumberPresenter(house).result(read_submission(house.card, data))
    assert skeleton.render("result", result) == skeleton.render_plainly("result", result)


def test_the_empty_result_is_rendered_too(skeleton: Skeleton, house: Model) -> None:
    result = NumberPresenter(house).result(None)
    assert skeleton.render("result", result) == skeleton.render_plainly("result", result)


def test_text_is_escaped_in_a_filled_skeleton(app: Flask, house: Model) -> None:
    template = app.jinja_env.get_template("kinds/_result.html")
    skeleton = Skeleton(template, site=view_site(house, ""), version="v")
    empty = NumberPresenter(house).result(None)
    for heading in ("first", "<script>\"&'", "\ue0000\ue001", "a\0b"):
        text = skeleton.render("result", empty._replace(heading=heading))
        assert b"<script>" not in text
        assert text == skeleton.render_plainly("result", empty._replace(heading=heading))
