"""What a docstring promises: shapes of arrays, and every error that a function raises."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import docstring_parser
import pytest

from tests.tools import ROOT

Function = ast.FunctionDef | ast.AsyncFunctionDef

MODULES = sorted(path for room in ("app", "model") for path in (ROOT / room).rglob("*.py"))
SHAPE = re.compile(r"\[[\w*+., -]+\]|\([\w*+., -]+,[\w*+., -]*\)|\bshape\b")
"""[N, 3], (rows, fields), "the shape of …"."""


@dataclass(frozen=True)
class Documented:
    """A public function or class, with where it stands."""

    path: Path
    node: Function | ast.ClassDef

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.node.lineno} {self.node.name}"

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.node) or ""


@cache
def parse(path: Path) -> ast.Module:
    """The code of a module, parsed once for all tests."""
    return ast.parse(path.read_text())


def public(path: Path) -> Iterator[Documented]:
    """The public functions, classes and methods of a module; an override has its base's words."""
    for node in parse(path).body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield Documented(path, node)
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function) and not method.name.startswith("_"):
                    found = Documented(path, method)
                    if found.docstring or not node.bases:
                        yield found


@cache
def array_names() -> frozenset[str]:
    """The names that stand for arrays: NumPy's own, and every alias of one."""
    names = {"NDArray", "ndarray"}
    for path in MODULES:
        for node in parse(path).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.AnnAssign):
                target = node.target
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.Subscript):
                words = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(value)}
                if words & {"NDArray", "ndarray"}:
                    names.add(target.id)
    return frozenset(names)


def takes_arrays(annotation: ast.expr | None) -> bool:
    """Whether an annotation names an array, alone or in a tuple, a sequence or a union."""
    if annotation is None:
        return False
    words = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(annotation)}
    return bool(words & array_names())


def arguments(function: Function) -> list[ast.arg]:
    """All arguments, in their order."""
    found = function.args
    return [*found.posonlyargs, *found.args, *found.kwonlyargs]


def raised(function: Function) -> set[str]:
    """The names of the exceptions that a function raises itself, and does not catch itself."""
    names: set[str] = set()

    def visit(node: ast.AST, caught: frozenset[str]) -> None:
        if isinstance(node, Function | ast.Lambda | ast.ClassDef) and node is not function:
            return
        if isinstance(node, ast.Try):
            inner = caught | {
                name.attr if isinstance(name, ast.Attribute) else name.id
                for handler in node.handlers
                if handler.type is not None
                for name in ast.walk(handler.type)
                if isinstance(name, ast.Name | ast.Attribute)
            }
            rest: list[ast.AST] = [*node.handlers, *node.orelse, *node.finalbody]
            for tried in node.body:
                visit(tried, inner)
            for other in rest:
                visit(other, caught)
            return
        if isinstance(node, ast.Raise) and node.exc is not None:  # a bare one passes on
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = error.attr if isinstance(error, ast.Attribute) else getattr(error, "id", "")
            if name[:1].isupper() and name not in caught | {"NotImplementedError"}:
                names.add(name)
        for child in ast.iter_child_nodes(node):
            visit(child, caught)

    visit(function, frozenset())
    return names


@pytest.fixture(scope="module")
def documented() -> list[Documented]:
    """All that is public in the app and the model."""
    return [found for path in MODULES for found in public(path)]


def test_every_error_that_a_public_function_raises_is_in_its_docstring(
    documented: list[Documented],
) -> None:
    unsaid = {
        str(found): sorted(missing)
        for found in documented
        if isinstance(found.node, Function)
        and (
            missing := raised(found.node)
            - {error.type_name for error in docstring_parser.parse(found.docstring).raises}
        )
    }
    assert unsaid == {}


def test_every_array_that_a_public_function_takes_or_gives_has_its_shape_in_the_docstring(
    documented: list[Documented],
) -> None:
    unsaid = []
    for found in documented:
        text = docstring_parser.parse(found.docstring)
        if isinstance(found.node, ast.ClassDef):
            fields = [item for item in found.node.body if isinstance(item, ast.AnnAssign)]
            arrays = any(takes_arrays(item.annotation) for item in fields)
            if arrays and not SHAPE.search(found.docstring):
                unsaid.append(f"{found}: fields")
            continue
        described = {param.arg_name: param.description or "" for param in text.params}
        for argument in arguments(found.node):
            if takes_arrays(argument.annotation):
                words = described.get(argument.arg, found.docstring)
                if not SHAPE.search(words):
                    unsaid.append(f"{found}: {argument.arg}")
        if takes_arrays(found.node.returns):
            words = (text.returns and text.returns.description) or found.docstring
            if not SHAPE.search(words):
                unsaid.append(f"{found}: returns")
    assert unsaid == []


def test_no_two_public_types_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in parse(path).body:
            name = node.name if isinstance(node, ast.ClassDef) else ""
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                target = node.targets[0].id
                name = (
                    target if re.fullmatch(r"_?[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*", target) else ""
                )
            if name:
                places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
