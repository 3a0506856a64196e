"""Guesses that are in no file: the rows of the data must prove each by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice, permutations
from operator import itemgetter

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.making.assembly.assemblies import Assembly
from model.making.assembly.gate import choose_rows
from model.making.assembly.inputs import ORDERS
from model.making.assembly.search import AssemblySearch, explain_none
from model.making.assembly.trials import TriedAssembly, ask_all, find_complete
from model.making.data.text_cells import as_text
from model.making.errors import NotProvedError

_SURE = 0.01
"""How much worse a model must rank where the values of one column get other numbers."""
_FEW = 5
"""Values of which every numbering is tried, so that the right one ranks best."""
_SAME = 1e-9
_BETTER = 0.003
"""How much better it must rank where two of many values exchange numbers: some do so by chance."""
_MOST_REPLACED = 300


def prove_guesses(search: AssemblySearch, chosen: TriedAssembly, truth: Float64Array) -> None:
    """Refuse an assembly with guesses that the rows do not prove, each by itself.

    Args:
        search: what may be put together.
        chosen: the assembly that fits best.
        truth: of all rows, shape (rows,).

    Raises:
        NotProvedError: with what to give.
    """
    assembly = chosen.assembly
    if not assembly.guesses:
        return
    index, _ = choose_rows(find_complete(search, assembly))
    moved = search.kind.list_readings(chosen.answers, truth[index], truth, True)[1:]
    if assembly.guesses_classes and (not chosen.fit.beats_constant or moved):
        raise NotProvedError(
            "No file names the model's classes, and the data do not prove their order. Name them "
            f"in the order of its numbers: --classes '{','.join(assembly.classes)}', if that is it."
        )
    if assembly.is_window and not chosen.fit.beats_constant:
        raise NotProvedError(f"{explain_none(search)} The data do not prove {assembly.text}.")
    if assembly.is_window:
        _prove_window(search, chosen, truth[index], index)
    for column in assembly.guessed:
        rank = chosen.fit.rank
        usual, _ = _find_best(search, _recode(search, assembly, column), truth, index)
        numberings = _renumber(assembly, column)
        possible, other = _find_best(search, numberings, truth, index)
        few = len(search.columns.cells(column)) <= _FEW
        is_better = possible > rank + (_SAME if few else _BETTER)
        best = other if other is not None and is_better else assembly
        if not chosen.fit.beats_constant or usual > rank - _SURE or best is not assembly:
            codes = {as_text(cell): int(code) for item in best.inputs
                     if item.source == column for cell, code in item.codes}  # fmt: skip
            raise NotProvedError(
                f"Which numbers stand for the values of {column!r} is in no file, and the data do "
                "not prove it. Add the encoder's file, or a JSON file like "
                f"{json.dumps({column: codes})} with the right numbers."
            )


def _prove_window(
    search: AssemblySearch, chosen: TriedAssembly, truth: Float64Array, index: IntArray
) -> None:
    """Refuse guessed columns if the model does better with another one in the place of one.

    A wrong guess that shares some columns with the right one beats a constant, too.

    Raises:
        NotProvedError: with both columns.
    """
    assembly = chosen.assembly
    given = list(islice(_replace_each(search, assembly), _MOST_REPLACED))
    best, words = chosen.fit.rank + _SURE, ""
    answers = ask_all(search, [other for other, _ in given], index)
    for answered, (other, said) in zip(answers, given, strict=True):
        if answered is not None:
            turned = other.inverse.function(answered) if other.inverse else answered
            rank = search.kind.fit(turned, truth).rank
            if rank > best:
                best, words = rank, said
    if words:
        raise NotProvedError(
            f"{explain_none(search)} The data do not prove {assembly.text}: {words} it does better."
        )


def _replace_each(search: AssemblySearch, assembly: Assembly) -> Iterator[tuple[Assembly, str]]:
    """The same assembly with another column of the data in one place, and what was replaced."""
    spare = [name for name in search.available if name not in assembly.names]
    for column in spare:
        codes = None
        if not search.columns.is_number(column):
            known = search.columns.find_codes(column)
            codes = known[0] if known else search.columns.infer_codes(column, "alphabet")
        other = search.columns.make_input(column, codes)
        for place, name in enumerate(assembly.names):
            names = (*assembly.names[:place], column, *assembly.names[place + 1 :])
            inputs = tuple(other if item.source == name else item for item in assembly.inputs)
            yield (
                replace(assembly, names=names, inputs=inputs),
                f"with {column!r} in the place of {name!r}",
            )


def _find_best(
    search: AssemblySearch, others: Sequence[Assembly], truth: Float64Array, index: IntArray
) -> tuple[float, Assembly | None]:
    """The best rank among assemblies, and whose it is."""
    best: tuple[float, Assembly | None] = -np.inf, None
    for other, answers in zip(others, ask_all(search, others, index), strict=True):
        if answers is not None:
            given = other.inverse.function(answers) if other.inverse else answers
            rank = search.kind.fit(given, truth[index]).rank
            best = max(best, (rank, other), key=itemgetter(0))
    return best


def _renumber(assembly: Assembly, column: str) -> list[Assembly]:
    """The same assembly with every numbering of a column from 0 or 1, as somebody may write one.

    Of more values than a few it has those that differ by an exchange of two.
    """
    codes = next(item.codes for item in assembly.inputs if item.source == column and item.codes)
    cells, numbers = [cell for cell, _ in codes], [number for _, number in codes]
    orders: Iterable[Sequence[float]] = permutations(numbers)
    if len(numbers) > _FEW:
        orders = (_exchange(numbers, *pair) for pair in combinations(range(len(numbers)), 2))
    made = []
    for order in islice(orders, _MOST_REPLACED):
        for start in (0.0, 1.0):
            given = tuple((cell, code + start) for cell, code in zip(cells, order, strict=True))
            inputs = tuple(replace(item, codes=given) if item.source == column and item.codes
                           else item for item in assembly.inputs)  # fmt: skip
            if inputs != assembly.inputs:
                made.append(replace(assembly, inputs=inputs))
    return made


def _exchange(numbers: Sequence[float], one: int, other: int) -> list[float]:
    exchanged = list(numbers)
    exchanged[one], exchanged[other] = numbers[other], numbers[one]
    return exchanged


def _recode(search: AssemblySearch, assembly: Assembly, column: str) -> list[Assembly]:
    """The same assembly with other numbers for the values of one column."""
    made: list[Assembly] = []
    for order in ORDERS:
        codes = search.columns.infer_codes(column, order)
        other = search.columns.make_input(column, codes)
        inputs = tuple(other if item.source == column and item.codes else item
                       for item in assembly.inputs)  # fmt: skip
        if inputs != assembly.inputs and not any(inputs == each.inputs for each in made):
            made.append(replace(assembly, inputs=inputs))
    return made
