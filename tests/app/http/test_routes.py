"""One table says where every request goes, and nothing else reads a path for that."""

import ast
import re
from pathlib import Path

import pytest

from app import create_app
from app.config import Settings
from app.http.application import Application
from app.http.routes import Route, RouteTable, Surface, SurfaceRule
from tests.tools import ROOT

TELLING = re.compile(
    r"/?(?:embed/)?predict-fragment|/?embed|/?api/?|/static/?|/healthz|/readyz|/metrics|/mcp"
    r"|(?:pages|embed|api)-"
)
"""What a path or a blueprint's name has in it that would tell surfaces apart."""

COMPARING = {
    "compile", "endswith", "fullmatch", "match", "partition", "removeprefix", "removesuffix",
    "rpartition", "search", "startswith",
}  # fmt: skip


@pytest.fixture(scope="module")
def everything() -> Application:
    ancestors = ("https://example.org",)
    return create_app(Settings(metrics=True, mcp=True, embed_ancestors=ancestors, log="text"))


def test_every_rule_says_its_surface_and_the_rules_of_a_model_say_which(
    everything: Application,
) -> None:
    routes = {rule.rule: rule.route for rule in everything.url_map.iter_rules()
              if isinstance(rule, SurfaceRule)}  # fmt: skip
    assert routes.keys() == {str(rule) for rule in everything.url_map.iter_rules()}
    shared = {"/static/<name>", "/healthz", "/readyz", "/metrics", "/robots.txt", "/mcp"}
    assert {path for path, route in routes.items() if not route.model} == shared
    for path, route in routes.items():
        if route.model:
            assert (route.model == "chest-xray") == path.startswith("/chest-xray/")
    with pytest.raises(TypeError, match="surface"):
        everything.url_rule_class("/undeclared")


@pytest.mark.parametrize(
    ("method", "path", "surface", "declared"),
    [
        ("GET", "/", Surface.PAGE, "/"),
        ("HEAD", "/about", Surface.PAGE, "/about"),
        ("get", "/about", Surface.PAGE, "/about"),
        ("POST", "/predict-fragment", Surface.FRAGMENT, "/predict-fragment"),
        ("GET", "/predict-fragment", Surface.FRAGMENT, "none"),
        ("GET", "/chest-xray/embed", Surface.FRAME, "/chest-xray/embed"),
        ("PUT", "/embed/predict-fragment", Surface.FRAME_FRAGMENT, "none"),
        ("GET", "/api", Surface.PAGE, "/api"),
        ("GET", "/api/", Surface.PAGE, "/api"),
        ("POST", "/api", Surface.API, "none"),
        ("DELETE", "/chest-xray/api/", Surface.API, "none"),
        ("OPTIONS", "/api/predict", Surface.API, "/api/predict"),
        ("GET", "/api/predict", Surface.API, "none"),
        ("GET", "/api/nothing", Surface.API, "none"),
        ("POST", "/no-such-model/api/predict", Surface.API, "none"),
        ("GET", "/no-such-model/api", Surface.PAGE, "none"),
        ("GET", "/one/two/api/predict", Surface.PAGE, "none"),
        ("GET", "/static/app.css", Surface.ASSET, "/static/<name>"),
        ("POST", "/static/app.css", Surface.ASSET, "none"),
        ("GET", "/metrics", Surface.PROBE, "/metrics"),
        ("POST", "/nowhere/predict-fragment", Surface.PAGE, "none"),
        ("GET", "/embed/", Surface.PAGE, "none"),
        ("", "", Surface.PAGE, "none"),
    ],
)
def test_a_request_that_no_route_takes_has_a_surface_too(
    everything: Application, method: str, path: str, surface: Surface, declared: str
) -> None:
    route = RouteTable(everything.url_map).find(method, path)
    assert (route.surface, route.path) == (surface, declared)


def test_the_table_finds_the_rule_that_flask_would_match(everything: Application) -> None:
    adapter = everything.url_map.bind("localhost")
    for rule in everything.url_map.iter_rules():
        for method in rule.methods or ():
            found: Route = everything.routes.find(method, rule.rule)
            if found.rule is None:
                assert rule.arguments
            else:
                matched = adapter.match(rule.rule, method, return_rule=True)
                assert matched == (found.rule, {})


def guesses(path: Path) -> list[str]:
    """The expressions of a module that compare with a path that tells surfaces apart."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            words: list[ast.expr] = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in COMPARING:
            words = node.args
        else:
            continue
        texts = [
            part for word in words for part in ast.walk(word) if isinstance(part, ast.Constant)
        ]
        if any(TELLING.search(str(text.value)) for text in texts):
            found.append(f"{path.relative_to(ROOT)}: {ast.unparse(node)}")
    return found


def test_no_other_module_tells_surfaces_apart_by_the_text_of_a_path() -> None:
    modules = {*(ROOT / "app").rglob("*.py"), ROOT / "wsgi.py"}
    (table,) = {path for path in modules if path.name == "routes.py"}
    assert len(guesses(table)) == 2  # the two lines that know "/api": the check can fail
    assert [line for path in modules - {table} for line in guesses(path)] == []
