"""A filled cached_template is the rendered template, byte for byte."""

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kinds.number import NumberPresenter
from app.kinds.registry import view_site
from app.presentation.cached_templates import CachedTemplate
from app.presentation.submission import read_submission
from model import Regressor
from model.contract.fields import AnyField, ChoiceField, IntegerField, NumberField
from model.contract.files import read_card
from tests.tools import ROOT


@pytest.fixture(scope="module")
def cached_template(app: Flask, house: Regressor) -> CachedTemplate:
    template = app.jinja_env.get_template("kinds/_result.html")
    return CachedTemplate(template, site=view_site(house, ""), version=house.version)


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
    cached_template: CachedTemplate, house: Regressor, form: dict[str, str]
) -> None:
    data = {name: [value] for name, value in form.items()}
    result = NumberPresenter(house).result(read_submission(house.card, data))
    assert cached_template.render("result", result) == cached_template.render_plainly(
        "result", result
    )


def test_the_empty_result_is_rendered_too(
    cached_template: CachedTemplate, house: Regressor
) -> None:
    result = NumberPresenter(house).result(None)
    assert cached_template.render("result", result) == cached_template.render_plainly(
        "result", result
    )


def test_text_is_escaped_in_a_filled_skeleton(app: Flask, house: Regressor) -> None:
    template = app.jinja_env.get_template("kinds/_result.html")
    cached_template = CachedTemplate(template, site=view_site(house, ""), version="v")
    empty = NumberPresenter(house).result(None)
    for heading in ("first", "<script>\"&'", "\ue0000\ue001", "a\0b"):
        text = cached_template.render("result", empty._replace(heading=heading))
        assert b"<script>" not in text
        assert text == cached_template.render_plainly("result", empty._replace(heading=heading))
