"""Which assembly the data prove, and what they show of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.making.assembly.candidates import (
    UNCHANGED,
    Assembly,
    AssemblySearch,
    answer,
    ask_model,
    build,
    predict_quietly,
    select_raw,
)
from model.making.assembly.chains import run_steps
from model.making.assembly.gate import (
    LEAST_ROWS,
    Finding,
    Subject,
    check_answers,
    choose_rows,
)
from model.making.assembly.inputs import ORDERS, compute_matrix, simplify
from model.making.errors import AddError, NotProvedError
from model.making.fitted_steps import find_encoded_columns
from model.making.kinds.evidence import Fit
from model.making.kinds.output_kind import OutputKind
from model.making.text_cells import as_text

ReadTruth = Callable[[Sequence[str]], Float64Array]
"""Reads the true answers, shape (rows,), for names of the classes.

Raises AddError where the target does not hold these."""

_CLEAR = 0.03
"""How much better the best assembly must rank than one that answers otherwise."""
_SIGNIFICANT = 4.0
"""The t statistic from which a slight advantage counts; it is met by chance once in 30,000."""
_IN_ORDER = "classes in the order of the "
_NAMED_BY = "classes named by "
_SURE = 0.01
"""How much worse a model must rank where the values of one column get other numbers."""
_MOST_REPLACED = 300
_SAME = 1e-6


class NoAssemblyError(AddError):
    """The data have no columns of which the model's inputs can be made."""


@dataclass(frozen=True)
class Proof:
    """What was taken, and why.

    ``fitted`` takes the columns ``names`` of those that are ``available``; ``by_place`` is True
    where nothing but the data gives their order, ``asks`` where a person has to say yes. ``taken``
    and ``rejected`` are the assemblies with their figures, in words; ``rejected`` is "" where
    nothing else was possible. ``finding`` is what the gate found, ``unused`` are files and steps in
    them that it does without.
    """

    fitted: Any
    names: tuple[str, ...]
    available: tuple[str, ...]
    classes: tuple[str, ...]
    by_place: bool
    asks: bool
    taken: str
    rejected: str
    finding: Finding
    runs_code: bool
    module: Path | None
    unused: tuple[str, ...] = ()

    @property
    def is_assembled(self) -> bool:
        """Whether anything was put together or decided."""
        return bool(self.rejected) or not self.taken.startswith(UNCHANGED)


@dataclass(frozen=True)
class _Tried:
    """An assembly with what rows of the data say: answers and losses are those of these rows.

    ``answers`` have shape (rows,) or (rows, classes), ``losses`` (rows,).
    """

    assembly: Assembly
    fit: Fit
    answers: Float64Array
    losses: Float64Array


def prove(search: AssemblySearch, classes: Sequence[str], read_truth: ReadTruth) -> Proof:
    """Try every assembly on rows of the data, take the one that they prove, and check it.

    Args:
        search: what may be put together.
        classes: names of the model's classes in their order, as a person says.
        read_truth: reads the target.

    Raises:
        NoAssemblyError: if the data lack what the model takes.
        NotProvedError: if several are possible, and none is clearly the best.
        AddError: if nothing that is possible answers the data's rows.
    """
    assemblies = search.list_all()
    if not assemblies:
        raise NoAssemblyError(_explain_none(search))
    namings = list(_list_namings(search, classes, read_truth))
    tried = _try_all(search, assemblies, namings)
    chosen, rejected = _choose(search, tried)
    assembly = chosen.assembly
    truth = {names: truth for names, _, truth in namings}[assembly.classes]
    _prove_guesses(search, chosen, truth)
    finding = _check(search, assembly, truth)
    fitted = build(assembly, search.estimator.fitted, search.table)
    return Proof(
        fitted,
        assembly.names,
        search.available,
        assembly.classes,
        assembly.by_place,
        rejected is not None or assembly.guesses,
        f"{assembly.text} ({chosen.fit.text})",
        f"{rejected.assembly.text} ({rejected.fit.text})" if rejected else "",
        finding,
        search.contents.runs_code,
        search.contents.module,
        tuple(search.contents.list_unused(assembly.parts)),
    )


NO_TARGET = Finding(unchecked="the data do not have what the model answers")


def take_only(search: AssemblySearch, classes: Sequence[str]) -> Proof:
    """Take the one assembly that is possible; nothing can be tried without a target.

    Args:
        search: what may be put together.
        classes: names of the model's classes in their order, as a person says.

    Raises:
        NoAssemblyError: if the data lack what the model takes.
        NotProvedError: if several are possible.
    """
    assemblies = search.list_all()
    if not assemblies:
        raise NoAssemblyError(_explain_none(search))
    if len(assemblies) > 1:
        listed = ", or ".join(item.text for item in assemblies[:2])
        raise NotProvedError(
            f"Several assemblies are possible, and without a target the data do not tell which one "
            f"is meant: {listed}. {_HOW}"
        )
    (assembly,) = assemblies
    if assembly.guesses:
        raise NotProvedError(
            f"Without a target the data do not prove this: {assembly.text}. {_HOW}"
        )
    fitted = build(assembly, search.estimator.fitted, search.table)
    return Proof(
        fitted, assembly.names, search.available, tuple(classes), assembly.by_place, False,
        assembly.text, "", NO_TARGET, search.contents.runs_code,
        search.contents.module, tuple(search.contents.list_unused(assembly.parts)),
    )  # fmt: skip


def _explain_none(search: AssemblySearch) -> str:
    parts = [part.where for part in search.transformers]
    with_steps = f" with {' and '.join(parts)}" if parts else ""
    known = next(
        (part.names for part in [search.estimator, *search.transformers] if part.names), None
    )
    takes = f"{search.count} columns" if search.count else "columns"
    if known:
        columns = search.columns
        missing = [
            name
            for name in known
            if columns.find(name) is None and columns.find_level(name) is None
        ]
        if missing:
            return f"The data have no column {missing[0]!r}, and no column whose values make it."
    return (
        f"The model takes {takes}{with_steps}, and does not say which; the data have "
        f"{len(search.available)}: {', '.join(search.available)}. Name those that it was fitted "
        "on, in their order: --features a,b,c."
    )


def _list_namings(
    search: AssemblySearch, classes: Sequence[str], read_truth: ReadTruth
) -> Iterator[tuple[tuple[str, ...], str, Float64Array]]:
    """Names for the classes, where they come from, and the truth that they give."""
    own = [as_text(item) for item in search.kind.classes]
    if classes or not own:
        yield tuple(classes), "", read_truth(tuple(classes))
        return
    seen = set()
    cells = [as_text(value) for value in search.table[search.target].unique().tolist()]
    in_data = set(cells) <= set(own)
    for names, words in _find_class_names(search, own, cells, in_data):
        try:
            truth = read_truth(names)
        except AddError:
            continue
        if names not in seen:
            seen.add(names)
            yield names, words, truth
        if in_data:
            return
    if not seen:
        yield (), "", read_truth(())  # says what to write


def _find_class_names(
    search: AssemblySearch, own: Sequence[str], cells: Sequence[str], in_data: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    numbered = all(name.lstrip("-").isdecimal() for name in own)
    if not numbered:
        yield (), ""
        return
    for codes in search.contents.codes:
        by_number = {as_text(number): text for text, number in codes.numbers.items()}
        if len(by_number) != len(codes.numbers):
            continue
        names = [by_number.get(number, "") for number in own]
        if not all(names) and len(by_number) == len(own):
            names = list(by_number.values())
        if not all(names) or names == list(own):
            continue
        if in_data:
            of_column = any(
                set(search.columns.cells(column)) <= set(codes.numbers) or column in codes.numbers
                or simplify(column) == simplify(codes.hint)
                for column in search.available
            )  # fmt: skip
            if of_column or all(name.isdecimal() for name in names):
                continue
        elif not set(cells) <= set(names):
            continue
        yield tuple(names), f"{_NAMED_BY}{codes.where}"
    if in_data:
        yield (), ""
    elif len(cells) == len(own):
        yield tuple(sorted(cells)), f"{_IN_ORDER}alphabet"
        yield tuple(cells), f"{_IN_ORDER}data"


def _try_all(
    search: AssemblySearch,
    assemblies: Sequence[Assembly],
    namings: Sequence[tuple[tuple[str, ...], str, Float64Array]],
) -> list[_Tried]:
    """Ask every assembly the same rows, in one call; those that cannot answer are left out."""
    index, _ = choose_rows(_find_complete(search, assemblies[0]))
    answers = _ask(search, assemblies, index)
    if not any(each is not None for each in answers):
        problem = next(iter(search.problems), "its answers are not finite numbers")
        raise AddError(
            f"The model cannot answer the rows of the data: {problem.rstrip('.')}. Give the "
            "columns as they were when it was fitted, and put every step before it into a Pipeline "
            "with it."
        )
    tried = []
    for assembly, answered in zip(assemblies, answers, strict=True):
        if answered is None:
            continue
        with np.errstate(all="ignore"):
            given = assembly.inverse.function(answered) if assembly.inverse else answered
        for names, words, of_rows in namings:
            named = replace(
                assembly,
                classes=names,
                words=assembly.words + ((words,) if words else ()),
                guesses_classes=words.startswith(_IN_ORDER),
                parts=assembly.parts | {words.removeprefix(_NAMED_BY)},
            )
            fit = search.kind.fit(given, of_rows[index])
            losses = search.kind.list_losses(given, of_rows[index])
            tried.append(_Tried(named, fit, given, losses))
    return tried


def _list_numbers(search: AssemblySearch, assembly: Assembly) -> list[str]:
    """The raw columns that hold numbers and that the model does not treat as categories."""
    encoded = find_encoded_columns(assembly.fitted, assembly.names)
    return [name for name in assembly.names
            if search.columns.is_number(name) and name not in encoded]  # fmt: skip


def _numbers(search: AssemblySearch, assembly: Assembly) -> Float64Array:
    if assembly.inputs:
        return compute_matrix(assembly.inputs, search.table)
    names = _list_numbers(search, assembly)
    numbers: Float64Array = search.table[names].to_numpy(dtype=float, na_value=np.nan)
    return numbers


def _find_complete(search: AssemblySearch, assembly: Assembly) -> BoolArray:
    """Which rows have every column that an assembly takes, shape (rows,)."""
    complete: BoolArray = search.table[list(assembly.names)].notna().all(axis=1).to_numpy()
    return complete


def _ask(
    search: AssemblySearch, assemblies: Sequence[Assembly], index: IntArray
) -> list[Float64Array | None]:
    """The answers of each assembly, in one call of the model where all can be asked together."""
    part = search.table.iloc[index]
    estimator, kind = search.estimator.fitted, search.kind
    found: list[Float64Array | None] = [None] * len(assemblies)
    made: dict[int, Float64Array] = {}
    for place, item in enumerate(assemblies):
        try:
            if item.inputs:
                made[place] = run_steps(item.steps, compute_matrix(item.inputs, part))
            else:
                rows = select_raw(
                    search.table, item.names, part.index, item.as_categories, item.alone
                )
                found[place] = predict_quietly(item.fitted, kind, rows)
        except AddError:
            raise
        except Exception as error:  # a step or an estimator may raise anything
            search.problems.append(str(error))
    if made:
        try:
            together = ask_model(estimator, kind, np.concatenate(list(made.values())))
            found_together = np.split(together, len(made))
            for place, answers in zip(made, found_together, strict=True):
                found[place] = answers
        except AddError:
            raise
        except Exception as error:
            search.problems.append(str(error))
            if len(made) > 1:  # perhaps one of them alone has what the model does not take
                for place in made:
                    (found[place],) = _ask(search, [assemblies[place]], index)
    return [each if each is not None and np.isfinite(each).all() else None for each in found]


def _choose(search: AssemblySearch, tried: list[_Tried]) -> tuple[_Tried, _Tried | None]:
    """The best assembly, and the next best that answers otherwise."""
    ranked = sorted(tried, key=lambda item: -item.fit.rank)  # stable: the fullest comes first
    best = ranked[0]
    others = [item for item in ranked[1:] if not _same(item, best)]
    if not others:
        return best, None
    if len(search.table) < LEAST_ROWS:
        raise NotProvedError(
            f"Several assemblies are possible, and {len(search.table)} rows are too few to tell "
            f"which one is meant: {best.assembly.text}, or {others[0].assembly.text}. {_HOW}"
        )
    near = next((item for item in others if not _is_clearly_better(best, item)), None)
    if near:
        raise NotProvedError(
            "The data do not tell which assembly is meant: "
            f"{best.assembly.text} ({best.fit.text}), or {near.assembly.text} "
            f"({near.fit.text}). {_HOW}"
        )
    if not best.fit.beats_constant:
        raise NotProvedError(
            f"The best assembly is {best.assembly.text} ({best.fit.text}), and the data do not "
            "prove it: the same answer for everybody is as good. The next best is "
            f"{others[0].assembly.text} ({others[0].fit.text}). {_HOW}"
        )
    return best, others[0]


def _is_clearly_better(one: _Tried, other: _Tried) -> bool:
    """Whether one ranks clearly better, or is slightly better on most rows (paired t-test)."""
    if one.fit.rank - other.fit.rank >= _CLEAR:
        return True
    gains = other.losses - one.losses
    spread = float(np.std(gains))
    return spread > 0 and float(np.mean(gains)) / spread * len(gains) ** 0.5 >= _SIGNIFICANT


def _prove_guesses(search: AssemblySearch, chosen: _Tried, truth: Float64Array) -> None:
    """Refuse an assembly with guesses that the rows do not prove, each by itself.

    Raises:
        NotProvedError: with what to give.
    """
    assembly = chosen.assembly
    if not assembly.guesses:
        return
    index, _ = choose_rows(_find_complete(search, assembly))
    moved = search.kind.list_readings(chosen.answers, truth[index], truth, True)[1:]
    if assembly.guesses_classes and (not chosen.fit.beats_constant or moved):
        raise NotProvedError(
            "No file names the model's classes, and the data do not prove their order. Name them "
            f"in the order of its numbers: --classes '{','.join(assembly.classes)}', if that is it."
        )
    if assembly.is_window and not chosen.fit.beats_constant:
        raise NotProvedError(f"{_explain_none(search)} The data do not prove {assembly.text}.")
    if assembly.is_window:
        _prove_window(search, chosen, truth[index], index)
    for column in assembly.guessed:
        others = _recode(search, assembly, column)
        ranks = []
        for answers in _ask(search, others, index):
            if answers is not None:
                given = assembly.inverse.function(answers) if assembly.inverse else answers
                ranks.append(search.kind.fit(given, truth[index]).rank)
        if not chosen.fit.beats_constant or max(ranks, default=-1) > chosen.fit.rank - _SURE:
            codes = {as_text(cell): int(code) for item in assembly.inputs
                     if item.source == column for cell, code in item.codes}  # fmt: skip
            raise NotProvedError(
                f"Which numbers stand for the values of {column!r} is in no file, and the data do "
                "not prove it. Add the encoder's file, or a JSON file like "
                f"{json.dumps({column: codes})[:300]} with the right numbers."
            )


def _prove_window(
    search: AssemblySearch, chosen: _Tried, truth: Float64Array, index: IntArray
) -> None:
    """Refuse guessed columns if the model does better with another one in the place of one.

    A wrong guess that shares some columns with the right one beats a constant, too.

    Raises:
        NotProvedError: with both columns.
    """
    assembly = chosen.assembly
    given = list(islice(_replace_each(search, assembly), _MOST_REPLACED))
    best, words = chosen.fit.rank + _SURE, ""
    answers = _ask(search, [other for other, _ in given], index)
    for answered, (other, said) in zip(answers, given, strict=True):
        if answered is not None:
            turned = other.inverse.function(answered) if other.inverse else answered
            rank = search.kind.fit(turned, truth).rank
            if rank > best:
                best, words = rank, said
    if words:
        raise NotProvedError(
            f"{_explain_none(search)} The data do not prove {assembly.text}: {words} it does "
            "better."
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


_HOW = (
    "Say it with --before FILE (the steps in their order), --features a,b,c (the columns in their "
    "order), --classes a,b or --target-inverse."
)


def _same(one: _Tried, other: _Tried) -> bool:
    if one.assembly.classes != other.assembly.classes:
        return False
    return bool(np.allclose(one.answers, other.answers, rtol=_SAME, atol=_SAME))


def _check(search: AssemblySearch, assembly: Assembly, truth: Float64Array) -> Finding:
    """Check the assembly itself with the battery of causes."""
    numbers = _numbers(search, assembly)
    estimator, kind, inverse = search.estimator.fitted, search.kind, assembly.inverse
    if assembly.inputs:
        labels = [item.text for item in assembly.inputs]

        def ask(index: IntArray, rows: Float64Array) -> Any:
            return rows
    else:
        labels = _list_numbers(search, assembly)

        def ask(index: IntArray, rows: Float64Array) -> Any:
            labels_of = search.table.index[index]
            if assembly.alone:
                return search.table.loc[labels_of, assembly.names[0]]
            table = select_raw(search.table, assembly.names, labels_of, assembly.as_categories)
            return table.assign(**dict(zip(labels, rows.T, strict=True)))

    def answered(index: IntArray, rows: Float64Array) -> Float64Array:
        answers = answer(assembly, estimator, kind, ask(index, rows))
        return inverse.function(answers) if inverse else answers

    named = getattr(estimator, "feature_names_in_", None) is not None
    subject = Subject(
        numbers,
        labels,
        answered,
        _find_complete(search, assembly),
        places=bool(assembly.inputs) and not named,
    )
    return check_answers(subject, kind.with_names(assembly.classes), truth, _may_move(kind))


def _may_move(kind: OutputKind) -> bool:
    """Whether the classes are numbers, which stand for something in an order."""
    return bool(kind.classes) and not any(isinstance(item, str) for item in kind.classes)
