"""Guesses that are in no file: the rows of the data must prove each by itself."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NoReturn

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.making.assembly.assemblies import Assembly
from model.making.assembly.gate import LEAST_ROWS, choose_rows
from model.making.assembly.inputs import ORDERS, UNKNOWN
from model.making.assembly.numberings import find_codes, measure_losses, recode
from model.making.assembly.search import AssemblySearch, explain_none
from model.making.assembly.trials import TriedAssembly, ask_all, find_complete
from model.making.data.text_cells import as_text
from model.making.errors import NotProvedError
from model.making.kinds.class_evidence import match_classes
from model.making.kinds.evidence import are_surely_less

_SURE = 0.01
"""How much worse a model must rank where the values of one column get other numbers."""
_SAME = 1e-9
_MOST_REPLACED = 300
_MOST_SPARE = 3
"""Values that no cell has, of which one may stand for missing cells."""


def prove_guesses(search: AssemblySearch, chosen: TriedAssembly, truth: Float64Array) -> None:
    """Refuse an assembly with guesses that the rows do not prove, each by itself.

    ``chosen`` fits best; ``truth`` is that of all rows, shape (rows,).

    Raises:
        NotProvedError: with what to give.
    """
    assembly = chosen.assembly
    if not assembly.guesses:
        return
    index, _ = choose_rows(find_complete(search, assembly))
    moved = search.kind.list_readings(chosen.answers, truth[index], truth, True)[1:]
    if assembly.guesses_classes and (not chosen.fit.beats_constant or moved):
        name_classes(search, [chosen], {assembly.classes: truth})
    if assembly.is_window and not chosen.fit.beats_constant:
        raise NotProvedError(f"{explain_none(search)} The data do not prove {assembly.text}.")
    if assembly.is_window:
        _prove_window(search, chosen, truth[index], index)
    for column in assembly.guessed:
        losses = measure_losses(search, assembly, column, truth)
        own, best = losses.find_places(assembly.list_codes(column)), losses.choose()
        is_best = losses.weigh(own) <= losses.weigh(best) * (1 + _SAME)
        usual = _find_best(search, _recode(search, assembly, column), truth[index], index)
        if not chosen.fit.beats_constant or usual > chosen.fit.rank - _SURE or not is_best:
            raise NotProvedError(
                f"Which numbers stand for the values of {column!r} is in no file, and the data do "
                "not prove it. Add the encoder's file, or a JSON file like "
                f"{write_codes({column: losses.name_numbers(best)})} with the right numbers."
            )


def name_codes(search: AssemblySearch, chosen: TriedAssembly, truth: Float64Array) -> None:
    """Say the codes that the rows prove, where these are in no file and no usual ones.

    ``chosen`` is the best that guesses codes; ``truth`` is that of all rows, shape (rows,).

    Raises:
        NotProvedError: with the codes, if the rows prove any.
    """
    if codes := find_codes(search, chosen.assembly, truth):
        columns = " and of ".join(map(repr, codes))
        is_open = any(number is None for numbers in codes.values() for number in numbers.values())
        raise NotProvedError(
            f"Which numbers stand for the values of {columns} is in no file, and none of the usual "
            "orders is proved. The model fits the data clearly best with these numbers. If they "
            f"are those of your code, add them as a JSON file: {write_codes(codes)}"
            + (" with the right number for each null: the data do not tell it." if is_open else "")
        )


def name_classes(
    search: AssemblySearch,
    guessing: Sequence[TriedAssembly],
    truths: Mapping[tuple[str, ...], Float64Array],
) -> NoReturn:
    """Say which names of the classes to write, where only an order suggests any.

    ``guessing`` guess the names; ``truths`` are by these names, of all rows, shape (rows,).

    Raises:
        NotProvedError: with the order of the names in which most rows are right.
    """
    found = []
    for item in guessing:
        index, _ = choose_rows(find_complete(search, item.assembly))
        names, truth = item.assembly.classes, truths[item.assembly.classes][index]
        order = match_classes(item.answers, truth)
        fit = search.kind.fit(item.answers[:, np.argsort(order)], truth)
        found.append((fit, tuple(names[place] for place in order)))
    fit, names = max(found, key=lambda item: item[0].rank)
    option = f"--classes {shlex.quote(','.join(names))}"
    numbers = [as_text(number) for number in search.kind.classes]
    if not fit.beats_constant:
        rows = len(search.table)
        why = f"no order of them fits the rows: at best {fit.text}"
        if rows < LEAST_ROWS:
            why = f"{rows} rows are too few to tell"
        raise NotProvedError(
            f"No file says which names the model's numbers stand for, and {why}. Write them in the "
            f"order of {', '.join(numbers)}, like {option}."
        )
    pairs = ", ".join(f"{name} for {number}" for name, number in zip(names, numbers, strict=True))
    raise NotProvedError(
        "No file says which names the model's numbers stand for. The rows fit best with "
        f"{option} ({fit.text}): {pairs}. Write that if your code had it so."
    )


def code_unknown(
    search: AssemblySearch, chosen: TriedAssembly, truth: Float64Array
) -> TriedAssembly:
    """Find what a model got for missing cells of columns with codes, where no file says it.

    That is nothing, −1 as pandas' codes have it, or the code of a value that no cell has. In
    ``chosen`` the model gets nothing; ``truth`` is that of all rows, shape (rows,).

    Raises:
        NotProvedError: if the model's answers depend on it, and the rows do not prove it.
    """
    for column in dict.fromkeys(item.source for item in chosen.assembly.inputs if item.codes):
        assembly = chosen.assembly
        others = [name for name in assembly.names if name != column]
        holes = search.table[column].isna() & search.table[others].notna().all(axis=1)
        codes, index = assembly.list_codes(column), np.flatnonzero(holes)
        if UNKNOWN in codes or not len(index):
            continue
        fills = _list_fills(search, assembly, column)
        ways = [assembly]
        for text, number in fills.items():
            words = f"{column} coded as {text} where it is missing"
            coded = recode(search, assembly, column, {**codes, UNKNOWN: number})
            ways.append(replace(coded, words=(*assembly.words, words)))
        tried = [
            (search.kind.list_losses(way.invert(found), truth[index]), found, way)
            for way, found in zip(ways, ask_all(search, ways, index), strict=True)
            if found is not None
        ]
        if len(tried) < len(ways):  # the form will ask for it always
            continue
        tried.sort(key=lambda item: float(item[0].mean()))  # stable: nothing comes first
        (best, answers, way), *rest = tried
        if any(
            not np.allclose(answers, found) and not are_surely_less(best, losses)
            for losses, found, _ in rest
        ):
            like = write_codes({column: {**codes, UNKNOWN: next(iter(fills.values()))}})
            raise NotProvedError(
                f"What the model got where {column!r} is missing is in no file, and the data do "
                f"not prove it. Add a JSON file like {like} with the right number for "
                f"{UNKNOWN!r}, or NaN there if it stayed unknown."
            )
        if way is not assembly:
            chosen = replace(chosen, assembly=way)
    return chosen


def _list_fills(search: AssemblySearch, assembly: Assembly, column: str) -> dict[str, float]:
    """The codes that missing cells of a column may have got, by what they are called."""
    if column in assembly.guessed:
        return {"−1": -1.0}
    cells = search.columns.cells(column)
    known = next((codes.numbers for codes in search.columns.find_codes(column)), {})
    spare = {text: code for text, code in known.items() if text not in cells}
    return spare if len(spare) <= _MOST_SPARE else {}


def write_codes(codes: Mapping[str, Mapping[str, float | None]]) -> str:
    """Write the numbers of values, by column, as the JSON file that a person may add."""
    return json.dumps(
        {
            column: {text: code if code is None else int(code) for text, code in numbers.items()}
            for column, numbers in codes.items()
        }
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
            rank = search.kind.fit(other.invert(answered), truth).rank
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
) -> float:
    """The best rank among assemblies."""
    best = -np.inf
    for other, answers in zip(others, ask_all(search, others, index), strict=True):
        if answers is not None:
            best = max(best, search.kind.fit(other.invert(answers), truth).rank)
    return best


def _recode(search: AssemblySearch, assembly: Assembly, column: str) -> list[Assembly]:
    """The same assembly with the usual numbers for the values of one column."""
    made = [
        recode(search, assembly, column, search.columns.infer_codes(column, order).numbers)
        for order in ORDERS
    ]
    return [other for other in made if other.inputs != assembly.inputs]
