"""A filled skeleton is the rendered template, byte for byte."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.pages import view_site
from app.result import Presenter
from app.skeletons import Skeleton
from app.submission import read_submission
from model import Model


@pytest.fixture(scope="module")
def skeleton(app: Flask, house: Model) -> Skeleton:
    template = app.jinja_env.get_template("_result.html")
    return Skeleton(template, site=view_site(house, ""), version=house.version)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_filling_gives_what_rendering_gives(
    skeleton: Skeleton, house: Model, data: st.DataObject
) -> None:
    form: dict[str, list[str]] = {}
    for field in house.card.fields:
        good: Any
        if field.kind == "choice":
            good = st.sampled_from([choice.value for choice in field.choices])
        elif field.kind in ("integer", "number"):
            good = st.integers(int(field.min), int(field.max)).map(str)
        drawn = data.draw(st.one_of(good, good, st.just(""), st.sampled_from(["<b>", "0", "9"])))
        form[field.name] = [drawn]
    form["what_if"] = [data.draw(st.sampled_from(house.card.names))]
    result = Presenter(house).result(read_submission(house.card, form))
    assert skeleton.render("result", result) == skeleton.render_plainly("result", result)


def test_the_empty_result_is_rendered_too(skeleton: Skeleton, house: Model) -> None:
    result = Presenter(house).result(None)
    assert skeleton.render("result", result) == skeleton.render_plainly("result", result)


def test_text_is_escaped_in_a_filled_skeleton(app: Flask, house: Model) -> None:
    from dataclasses import replace

    template = app.jinja_env.get_template("_result.html")
    skeleton = Skeleton(template, site=view_site(house, ""), version="v")
    empty = Presenter(house).result(None)
    for heading in ("first", "<script>\"&'", "\ue0000\ue001"):
        text = skeleton.render("result", replace(empty, heading=heading))
        assert "<script>" not in text
        assert text == skeleton.render_plainly("result", replace(empty, heading=heading))
