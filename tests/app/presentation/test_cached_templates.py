"""A cached template fills in what Jinja renders from the same template, byte for byte."""

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from markupsafe import Markup

from app import create_app
from app.config import Settings
from app.kinds.adapter import KindAdapter
from app.kinds.classes import ClassAdapter
from app.kinds.number import NumberAdapter
from app.kinds.pictures import PictureAdapter
from app.kinds.rows import RowAdapter
from app.presentation.cached_templates import CachedTemplate, find_shape
from app.presentation.result import Result
from app.presentation.submission import read_submission
from model import ClassModel, NumberModel, PictureModel
from model.contract.fields import AnyField, ChoiceField, IntegerField, NumberField
from tests.flowers import write_flowers
from tests.html import FRAGMENT
from tests.loading import load_as
from tests.pictures import chest, encoded
from tests.tools import ROOT


class Line(NamedTuple):
    """A part without further parts, with every kind of leaf."""

    text: str
    number: float
    times: int
    shown: bool
    markup: Markup


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
({{ line.number }}){{ line.markup }}{% endfor %}""")
TEXTS = st.text(st.sampled_from("ab<>&'\"é0\0\ue000\ue001{}% ")) | st.text()
LINES = st.builds(
    Line,
    text=TEXTS,
    number=st.floats(),
    times=st.integers(),
    shown=st.booleans(),
    markup=TEXTS.map(Markup),
)
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


class Served:
    """An adapter, the template of its results, and what never changes in it."""

    def __init__(self, app: Flask, adapter: KindAdapter[Any, Any]) -> None:
        self._template = app.jinja_env.get_template(adapter.result_template)
        self._constant = {"site": adapter.build_site(""), "version": adapter.model.version}
        self._cached = CachedTemplate(self._template, **self._constant)
        self.adapter = adapter

    def check(self, result: Result) -> None:
        """Compare what is filled in with what Jinja renders."""
        expected = self._template.render(self._constant, result=result).encode()
        for _ in range(2):  # rendered first, then filled in
            assert self._cached.render("result", result) == expected


@pytest.fixture(scope="module", params=["number", "classes"])
def served(
    app: Flask, house: NumberModel, tmp_path_factory: pytest.TempPathFactory, request: Any
) -> Served:
    if request.param == "number":
        return Served(app, NumberAdapter(house))
    folder = write_flowers(tmp_path_factory.mktemp("models") / "flowers")
    return Served(app, ClassAdapter(load_as(ClassModel, folder)))


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


@given(data=st.data())
def test_any_form_is_answered_as_jinja_renders_its_result(
    served: Served, data: st.DataObject
) -> None:
    adapter = served.adapter
    assert isinstance(adapter, RowAdapter)
    card = adapter.model.card
    form = st.fixed_dictionaries(
        {
            **{field.name: typed_values(field) for field in card.fields},
            "what_if": st.sampled_from(card.names),
        }
    )
    results = [adapter.present(None, None)]
    for values in data.draw(st.lists(form, min_size=1, max_size=3)):
        submission = read_submission(card, {name: [value] for name, value in values.items()})
        explained = None
        if submission.row is not None:
            (explained,) = adapter.model.explain([submission.row], values["what_if"])
        results.append(adapter.present(submission, explained))
    for result in results:
        served.check(result)


def test_houses_have_few_shapes(house: NumberModel) -> None:
    """Each further shape costs a visitor a rendering, and room for it pushes others out."""
    adapter = NumberAdapter(house)
    assert house.neighbors is not None
    shapes = set()
    for codes in house.neighbors.rows[:400].tolist():
        values = {
            field.name: [field.format_typed(field.decode(code))]
            for field, code in zip(house.card.fields, codes, strict=True)
            if code == code  # not NaN
        }
        submission = read_submission(house.card, values)
        assert submission.row is not None
        (explained,) = house.explain([submission.row], adapter.default_what_if)
        shapes.add(find_shape(adapter.present(submission, explained))[0])
    assert len(shapes) < 40


def test_pictures_are_answered_as_jinja_renders_their_results(app: Flask) -> None:
    adapter = PictureAdapter(load_as(PictureModel, ROOT / "model" / "chest_xray"))
    served = Served(app, adapter)
    for seed in (1, 2, 1):
        submission = adapter.decode([encoded(chest(seed))])
        assert submission.row is not None
        (explained,) = adapter.model.explain([submission.row])
        served.check(adapter.present(submission, explained))


def test_pages_and_fragments_are_the_same_where_nothing_is_cached() -> None:
    app = create_app(Settings(ratelimit="off"))
    client = app.test_client()
    queries = (
        "beds=3&baths=2&sqft=1850",
        "beds=3&baths=2&sqft=1850&what_if=beds",
        "beds=3",
        "beds=x",
    )

    def answer_all() -> list[bytes]:
        pages = [client.get(f"/?{query}").data for query in queries]
        posts = [client.post(FRAGMENT, data=dict(parse_qsl(query))).data for query in queries]
        return pages + posts

    cached = answer_all()
    app.jinja_env.auto_reload = True
    assert answer_all() == cached
