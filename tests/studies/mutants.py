"""``make mutants``: small faults in the code, one at a time, and which of them no test notices.

A mutant changes one comparison, condition, operation, number or returned value. The tests of its
room run in a copy of the tree, up to the first that fails. Annotations, decorators and texts stay
as they are: few tests should depend on those.
"""

import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
MAX_CPU = 400
"""Seconds of its own CPU time after which a mutant counts as noticed: it does not end."""

PROCESSES = 2

ROOMS = {
    "app/http/responses.py": ["tests/app/http", "tests/app/api/test_predict.py"],
    "model/contract": [
        "tests/model/contract", "tests/app/pages", "tests/app/api", "tests/app/presentation",
        "tests/model/serving", "tests/model/formats", "tests/model/making", "tests/app/kinds",
        "tests/app/cli",
    ],
    "model/serving": [
        "tests/model/serving", "tests/app/presentation", "tests/app/pages", "tests/app/api",
        "tests/app/kinds", "tests/model/making", "tests/model/monitoring", "tests/app/cli",
    ],
    "app/kinds": [
        "tests/app/kinds", "tests/app/pages", "tests/app/api", "tests/app/presentation",
        "tests/app/cli", "tests/model/making",
    ],
}  # fmt: skip
"""The tests that run for a file or folder, in their order."""

SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.Pow: ast.Mult,
}  # fmt: skip


class Mutant(NamedTuple):
    """One fault: the file, and the position of the node in a walk of its tree."""

    path: str
    position: int


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree in a fixed order, without annotations and decorators."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child)


def mutate(node: Any) -> bool:
    """Put the fault into a node; return False where it has none."""
    match node:
        case ast.Compare() if type(node.ops[0]) in SWAPS:
            node.ops[0] = SWAPS[type(node.ops[0])]()
        case ast.BoolOp() | ast.BinOp() | ast.AugAssign() if type(node.op) in SWAPS:
            node.op = SWAPS[type(node.op)]()
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call()):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant(value=int() | float() as number):
            node.value = number + 1
        case ast.Return() if node.value and not isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
        case _:
            return False
    return True


def find_mutants(paths: list[str]) -> list[Mutant]:
    """List every mutant of some files."""
    return [
        Mutant(path, position)
        for path in paths
        for position, node in enumerate(walk(ast.parse((ROOT / path).read_text())))
        if mutate(deepcopy(node))
    ]


def write_mutant(mutant: Mutant, original: Path, copy: Path) -> str:
    """Write the file of a mutant into a copy of the tree; return its line and changed code."""
    tree = ast.parse((original / mutant.path).read_text())
    node: Any = list(walk(tree))[mutant.position]
    mutate(node)
    (copy / mutant.path).write_text(ast.unparse(ast.fix_missing_locations(tree)))
    return f"{mutant.path}:{node.lineno}: {ast.unparse(node).splitlines()[0]}"


def start_tests(copy: Path, tests: list[str]) -> subprocess.Popen[bytes]:
    """Start tests in a copy of the tree."""
    limit = ["prlimit", f"--cpu={MAX_CPU}", sys.executable, "-m", "pytest"]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-k", "not schemathesis"]
    options += ["-m", "not second_tier"]  # those need tools that the copy does not have
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command, quiet = [*limit, *options, *tests], subprocess.DEVNULL
    return subprocess.Popen(command, cwd=copy, env=environ, stdout=quiet, stderr=quiet)


def main() -> None:
    """Try a sample of mutants; print those that no test noticed, and the share of the others."""
    count, seed = (int(text) for text in sys.argv[1:3])
    rooms = sys.argv[3:] or list(ROOMS)
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    room_of = {path: room for room in rooms for path in listed if path.startswith(room)}
    mutants = find_mutants([path for path in room_of if path.endswith(".py")])
    sample = random.Random(seed).sample(mutants, count)  # noqa: S311 (no secret)
    running: dict[int, tuple[Mutant, str, Path]] = {}
    survivors: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder, "original")  # somebody may go on working in the tree
        copies = [Path(folder, str(number)) for number in range(PROCESSES)]
        for path in listed:
            for copy in (original, *copies):
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, copy / path)
        all_tests = dict.fromkeys(chain.from_iterable(ROOMS[room] for room in rooms))
        if start_tests(copies[0], [*all_tests]).wait():
            sys.exit("The tests fail without any fault, or take longer than a fault may.")
        waiting = sample[::-1]
        while waiting or running:
            while copies and waiting:
                mutant, copy = waiting.pop(), copies.pop()
                code = write_mutant(mutant, original, copy)
                tests = start_tests(copy, ROOMS[room_of[mutant.path]])
                running[tests.pid] = mutant, code, copy
            child, status = os.wait()
            mutant, code, copy = running.pop(child)
            shutil.copy(original / mutant.path, copy / mutant.path)
            copies.append(copy)
            if status == 0:
                survivors.append(code)
                print(code, flush=True)
    print(f"{count - len(survivors)} of {count} noticed (seed {seed})")


if __name__ == "__main__":
    main()
