"""A cached template fills in what Jinja renders from the same template, byte for byte."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, Template

from app.kinds.registry import build_site, make_presenter
from app.presentation.cached_templates import CachedTemplate
from app.presentation.submission import read_submission
from model import Classifier, Regressor, load_as
from model.contract.fields import AnyField, ChoiceField, IntegerField, NumberField
from tests.flowers import write_flowers


class Line(NamedTuple):
    """A part without further parts, with every kind of leaf."""

    text: str
    number: float
    times: int
    shown: bool


class Page(NamedTuple):
    """A part with parts in it."""

    title: str
    first: Line | None
    lines: tuple[Line, ...]


TEMPLATE = Environment(autoescape=True).from_string("""
<h1 title="{{ page.title }}">{{ page.title or "none" }}{{ constant }}</h1>
{% if page.first %}<b>{{ page.first.number }}{{ page.first.text }}</b>{% endif %}
{% for line in page.lines if line.shown %}
<p>{{ loop.index }}{% if line.times %} of {{ line.times }}{% endif %}: {{ line.text }}
({{ line.number }}){% endfor %}""")
TEXTS = st.text(st.sampled_from("ab<>&'\"é0\0\ue000\ue001{}% ")) | st.text()
LINES = st.builds(Line, text=TEXTS, number=st.floats(), times=st.integers(), shown=st.booleans())
PAGES = st.builds(
    Page,
    title=TEXTS,
    first=st.none() | LINES,
    lines=st.lists(LINES, max_size=3).map(tuple),
)
PLAIN = CachedTemplate(TEMPLATE, constant="<&>")
"""One for all examples, so that a later one fills the shape that an earlier one left."""


@given(PAGES)
def test_any_view_is_filled_in_as_jinja_renders_it(page: Page) -> None:
    expected = TEMPLATE.render(page=page, constant="<&>").encode()
    for _ in range(2):
        assert PLAIN.render("page", page) == expected


@dataclass(frozen=True)
class Served:
    """A model, the template of its results, and what never changes in it."""

    model: Regressor | Classifier
    template: Template
    constant: dict[str, Any]


@pytest.fixture(scope="module", params=["number", "classes"])
def served(
    app: Flask, house: Regressor, tmp_path_factory: pytest.TempPathFactory, request: Any
) -> Served:
    model: Regressor | Classifier = house
    if request.param == "classes":
        model = load_as(Classifier, write_flowers(tmp_path_factory.mktemp("models") / "flowers"))
    template = app.jinja_env.get_template("kinds/_result.html")
    return Served(model, template, {"site": build_site(model, ""), "version": model.version})


def typed_values(field: AnyField) -> st.SearchStrategy[str]:
    """What people may type: mostly a good value, sometimes none or a wrong one."""
    good: st.SearchStrategy[str]
    if isinstance(field, ChoiceField):
        good = st.sampled_from([choice.value for choice in field.choices])
    elif isinstance(field, IntegerField | NumberField):
        good = st.integers(int(field.min), int(field.max)).map(str)
    else:
        good = st.sampled_from(["yes", "no"])
    return st.one_of(good, good, st.sampled_from(["", "<b>", "0", "9"]))


@settings(max_examples=60)
@given(data=st.data())
def test_any_form_is_answered_as_jinja_renders_its_result(
    served: Served, data: st.DataObject
) -> None:
    card = served.model.card
    form = st.fixed_dictionaries(
        {
            **{field.name: typed_values(field) for field in card.fields},
            "what_if": st.sampled_from(card.names),
        }
    )
    cached = CachedTemplate(served.template, **served.constant)
    presenter = make_presenter(served.model)
    results = [presenter.present(None)]
    for values in data.draw(st.lists(form, min_size=1, max_size=3)):
        posted = {name: [value] for name, value in values.items()}
        results.append(presenter.present(read_submission(card, posted)))
    for result in results:
        expected = served.template.render(result=result, **served.constant).encode()
        for _ in range(2):  # rendered first, then filled in
            assert cached.render("result", result) == expected
