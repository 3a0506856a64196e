"""The contract of the templates: they use every variable of their context, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import meta, nodes

from app.kinds import KINDS
from app.presentation import contexts as views
from model.contract.fields import FIELD_KINDS
from tests.conftest import HOUSE
from tests.html import FRAGMENT
from tests.tools import ROOT

TEMPLATES = ROOT / "templates"
CONTEXTS: dict[str, Any] = {
    "pages/page.html": views.PageContext,
    "presentation/fields/field.html": views.FieldContext,
    "presentation/field_errors.html": views.FieldErrorsContext,
    "presentation/hints.html": views.HintsContext,
    "pages/about.html": views.AboutContext,
    "pages/track_record.html": views.TrackRecordContext,
    "api/page.html": views.ApiContext,
    "pages/error.html": views.ErrorContext,
    "pages/embed.html": views.PageContext,
    "pages/batch.html": views.BatchContext,
    "pages/batch_empty.html": views.BatchEmptyContext,
    "pages/batch_progress.html": views.BatchProgressContext,
    "pages/batch_result.html": views.BatchResultContext,
    "pages/receipt.html": views.ReceiptContext,
    "pages/report.html": views.ReportContext,
    "pages/told.html": views.ToldContext,
}
FORMS = {"presentation/_form.html", "presentation/_report.html"}
PARTIALS = sorted(path for path in TEMPLATES.rglob("_*.html"))


def used_names(app: Flask, template: str) -> set[str]:
    """The names that a template and all that it extends or includes take from the context."""
    source = (TEMPLATES / template).read_text()
    tree = app.jinja_env.parse(source)
    names = set(meta.find_undeclared_variables(tree))
    targets: list[nodes.Node] = [block.target for block in tree.find_all(nodes.For)]
    targets += [target for block in tree.find_all(nodes.With) for target in block.targets]
    bound = {
        found.name
        for target in targets
        for found in ([target] if isinstance(target, nodes.Name) else target.find_all(nodes.Name))
    }
    inner: set[str] = set()
    for reference in meta.find_referenced_templates(tree):
        if reference is None:  # the widget of a field's kind: all get the same
            for kind in (*FIELD_KINDS, "image"):
                inner |= used_names(app, f"presentation/fields/{kind}.html")
        else:
            inner |= used_names(app, reference)
    return (names | (inner - bound)) - set(app.jinja_env.globals)


@pytest.mark.parametrize("template", sorted(CONTEXTS))
def test_a_template_uses_what_its_context_has_and_nothing_else(app: Flask, template: str) -> None:
    given = set(CONTEXTS[template]._fields)
    set_by_templates = {"live", "level", "error_of", "hints", "count_of", "advice_of", "gain_of"}
    assert used_names(app, template) - (set_by_templates - given) == given


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_uses_what_its_kind_of_model_has_and_nothing_else(app: Flask, kind: str) -> None:
    assert used_names(app, f"kinds/{kind}.html") == {"site", "version", "result"}


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: str(path.name))
def test_a_partial_never_extends(path: Path) -> None:
    assert "{% extends" not in path.read_text()


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: str(path.name))
def test_a_partial_has_one_root_whose_id_is_its_name(path: Path) -> None:
    bare = re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text())
    roots = [
        child for child in BeautifulSoup(bare, "html.parser").children if isinstance(child, Tag)
    ]
    assert len(roots) == 1
    assert roots[0]["id"] == path.name.removeprefix("_").split(".")[0]


def test_only_the_forms_send_requests() -> None:
    for path in TEMPLATES.rglob("*.html"):
        if str(path.relative_to(TEMPLATES)) not in FORMS:
            assert not re.search(r"hx-(get|post|trigger|target|sync)", path.read_text()), path


def test_nothing_is_marked_safe() -> None:
    for path in TEMPLATES.rglob("*.html"):
        assert not re.search(r"\|\s*safe", path.read_text()), path


def test_every_kind_of_field_has_a_widget() -> None:
    for name in (*FIELD_KINDS, "image"):
        assert (TEMPLATES / "presentation" / "fields" / f"{name}.html").is_file()


def test_a_fragment_holds_only_the_result_and_out_of_band_swaps(
    client: FlaskClient,
) -> None:
    soup = BeautifulSoup(client.post(FRAGMENT, data=HOUSE).data, "html.parser")
    roots = [child for child in soup.children if isinstance(child, Tag)]
    assert roots[0]["id"] == "result"
    assert all("data-hx-swap-oob" in root.attrs for root in roots[1:])
