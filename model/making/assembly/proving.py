"""Which assembly the data prove, and what they show of it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.making.assembly.assemblies import (
    UNCHANGED,
    Assembly,
    answer,
    build,
    select_raw,
)
from model.making.assembly.candidates import list_assemblies
from model.making.assembly.class_names import ReadTruth, list_namings
from model.making.assembly.gate import (
    LEAST_ROWS,
    Finding,
    Subject,
    check_outputs,
    choose_rows,
)
from model.making.assembly.guesses import (
    code_unknown,
    name_classes,
    name_codes,
    prove_guesses,
    write_codes,
)
from model.making.assembly.inputs import compute_matrix
from model.making.assembly.inverses import Inverse
from model.making.assembly.search import AssemblySearch, explain_none
from model.making.assembly.trials import TriedAssembly, ask_all, find_complete, try_all
from model.making.data.assigning import assign_columns
from model.making.errors import AddError, NotProvedError
from model.making.kinds.evidence import are_surely_less
from model.making.steps.fitted_steps import find_categories, list_steps
from model.serving.word_numbers import WordNumbers

_CLEAR = 0.03
"""How much better the best assembly must rank than one that answers otherwise."""
_AS_GOOD = -0.1
"""The skill from which answers are about as good as the same one for everybody."""
_SAME = 1e-6
_MOST_CHECKED = 5
"""Assemblies of which a cause is looked for, where none is proved."""
_HOW = (
    "Say it with --before FILE (the steps in their order), --features a,b,c (the columns in their "
    "order), --classes a,b or --target-inverse."
)


NO_TARGET = Finding(unchecked="the data do not have what the model answers")
"""What the gate finds where nothing can be checked."""


class NoAssemblyError(AddError):
    """The data have no columns of which the model's inputs can be made."""


@dataclass(frozen=True)
class Proof:
    """What was taken, and why.

    ``fitted`` is the ``assembly`` as an estimator of those columns that are ``available``; ``asks``
    is True where a person has to say yes. ``taken`` and ``rejected`` are the assemblies with their
    figures, in words; ``rejected`` is "" where nothing else was possible. ``finding`` is what the
    gate found, ``unused`` are files and steps in them that it does without.
    """

    assembly: Assembly
    fitted: Any
    available: tuple[str, ...]
    asks: bool
    taken: str
    rejected: str
    finding: Finding
    unused: tuple[str, ...]

    @property
    def is_assembled(self) -> bool:
        """Whether anything was put together or decided."""
        return bool(self.rejected) or not self.taken.startswith(UNCHANGED)


def prove(search: AssemblySearch, classes: Sequence[str], read_truth: ReadTruth) -> Proof:
    """Try every assembly on rows of the data, take the one that they prove, and check it.

    ``classes`` are names of the model's classes in their order, as a person says.

    Raises:
        NoAssemblyError: if the data lack what the model takes.
        NotProvedError: if several are possible, and none is clearly the best.
        AddError: if nothing that is possible answers the data's rows.
    """
    assemblies = list_assemblies(search)
    if not assemblies:
        raise NoAssemblyError(explain_none(search))
    namings = list(list_namings(search, classes, read_truth))
    tried = try_all(search, assemblies, namings)
    truths = {names: truth for names, _, truth in namings}
    try:
        chosen, rejected = choose_assembly(tried, len(search.table))
        prove_guesses(search, chosen, truths[chosen.assembly.classes])
    except NotProvedError:
        guessing = [item for item in tried if item.assembly.guessed]
        if guessing:
            best = max(guessing, key=lambda item: item.fit.rank)
            name_codes(search, best, truths[best.assembly.classes])  # knows better
        unnamed = [item for item in tried if item.assembly.guesses_classes]
        if finding := _find_cause(search, unnamed or tried, truths):
            raise NotProvedError(f"{finding.text}{finding.advice}") from None
        if unnamed:
            name_classes(search, unnamed, truths)
        raise
    truth = truths[chosen.assembly.classes]
    settled = code_unknown(search, chosen, truth)
    assembly = settled.assembly
    return Proof(
        assembly,
        build(assembly, search.estimator.fitted, search.table),
        search.available,
        rejected is not None or assembly.guesses or settled is not chosen,
        settled.text,
        rejected.text if rejected else "",
        _check(search, assembly, truth),
        tuple(search.contents.list_unused(assembly.parts)),
    )


def _find_cause(
    search: AssemblySearch,
    tried: Sequence[TriedAssembly],
    truths: Mapping[tuple[str, ...], Float64Array],
) -> Finding | None:
    """What a known cause puts right of assemblies of which none is right by itself.

    A person gives a scaler because the model needs it: those with most of them are checked.
    """
    scalers = {part.where for part in (*search.transformers, *search.scalers_of_target)}
    ranked = sorted(tried, key=lambda item: -item.fit.rank)
    most = max(len(item.assembly.parts & scalers) for item in ranked)
    fullest = [item for item in ranked if len(item.assembly.parts & scalers) == most]
    guesses_classes = ranked[0].assembly.guesses_classes
    if fullest[0].fit.beats_constant and not guesses_classes:
        return None
    found = []
    for item in fullest[:_MOST_CHECKED]:
        finding = _check(search, item.assembly, truths[item.assembly.classes])
        for cause in finding.causes[:1]:
            of_inputs = cause.text.startswith("its inputs")
            # No order of names puts a missing scaler right, and no other scaler one that is there.
            is_apt = of_inputs if guesses_classes else not (of_inputs and item.assembly.steps)
            is_enough = search.kind.is_good_enough(cause.fit)
            if not item.assembly.guesses:  # what the files say needs less than a guess
                is_enough = cause.fit.beats_constant
            if is_apt and is_enough:
                found.append(finding)
    return max(found, key=lambda item: item.causes[0].fit.rank, default=None)


def take_only(search: AssemblySearch, classes: Sequence[str]) -> Proof:
    """Take the one assembly that is possible; nothing can be tried without a target.

    ``classes`` are names of the model's classes in their order, as a person says.

    Raises:
        NoAssemblyError: if the data lack what the model takes.
        NotProvedError: if several are possible, or only a guess.
    """
    assemblies = list_assemblies(search)
    if not assemblies:
        raise NoAssemblyError(explain_none(search))
    # What the files say is enough: a guess beside it could not be proved.
    assemblies = [item for item in assemblies if not item.guesses] or assemblies
    assemblies = _list_differing(search, assemblies)
    steps = {part.where for part in search.transformers}
    fullest = max(assemblies, key=lambda item: len(item.parts & steps))
    others = [item for item in assemblies if item is not fullest]
    if others and all(item.parts & steps < fullest.parts & steps for item in others):
        assemblies = [fullest]  # a person gives a step because the model needs it
    if len(assemblies) > 1:
        listed = ", or ".join(item.text for item in assemblies[:2])
        raise NotProvedError(
            f"Several assemblies are possible, and without a target the data do not tell which one "
            f"is meant: {listed}. {_HOW}"
        )
    assembly = replace(assemblies[0], classes=tuple(classes))
    if assembly.guesses:
        raise NotProvedError(
            f"Without a target the data do not prove this: {assembly.text}. {_HOW}"
        )
    return Proof(
        assembly,
        build(assembly, search.estimator.fitted, search.table),
        search.available,
        bool(others),
        assembly.text,
        others[0].text if others else "",
        NO_TARGET,
        tuple(search.contents.list_unused(assembly.parts)),
    )


def _list_differing(search: AssemblySearch, assemblies: Sequence[Assembly]) -> list[Assembly]:
    """Those that answer rows of the data, the first of each that answer alike."""
    if len(assemblies) < 2:
        return list(assemblies)
    index, _ = choose_rows(find_complete(search, assemblies[0]))
    found: list[tuple[Assembly, Float64Array]] = []
    for assembly, answers in zip(assemblies, ask_all(search, assemblies, index), strict=True):
        if answers is not None and not any(np.allclose(answers, other) for _, other in found):
            found.append((assembly, answers))
    return [assembly for assembly, _ in found] or list(assemblies)


def choose_assembly(
    tried: Sequence[TriedAssembly], rows: int
) -> tuple[TriedAssembly, TriedAssembly | None]:
    """Choose the best assembly, and the next best that answers otherwise.

    Args:
        tried: all that are possible; of those that answer alike the first is taken.
        rows: the number of rows in the data.

    Raises:
        NotProvedError: if none is clearly the best, or the best is no better than a constant.
    """
    ranked = sorted(tried, key=lambda item: -item.fit.rank)  # stable: the fullest comes first
    best = ranked[0]
    fullest = _find_fullest(ranked)
    if fullest and not fullest.assembly.guesses and fullest.fit.skill >= _AS_GOOD:
        return fullest, next((item for item in ranked if not _same(item, fullest)), None)
    others = [item for item in ranked[1:] if not _same(item, best)]
    if not others:
        return best, None
    if rows < LEAST_ROWS:
        raise NotProvedError(
            f"Several assemblies are possible, and {rows} rows are too few to tell "
            f"which one is meant: {best.assembly.text}, or {others[0].assembly.text}. {_HOW}"
        )
    near = next((item for item in others if not _is_clearly_better(best, item)), None)
    if near:
        raise NotProvedError(
            f"The data do not tell which assembly is meant: {best.text}, or {near.text}. "
            + (
                _tell_inverses_apart(best.assembly.inverse, near.assembly.inverse)
                or _tell_codes_apart(best.assembly, near.assembly)
                or _tell_padding_apart(best.assembly, near.assembly)
                or _tell_texts_apart(best.assembly, near.assembly)
                or _HOW
            )
        )
    if not best.fit.beats_constant:
        raise NotProvedError(
            f"The best assembly is {best.text}, and the data do not prove it: the same answer for "
            f"everybody is as good. The next best is {others[0].text}. {_HOW}"
        )
    return best, others[0]


def _find_fullest(ranked: Sequence[TriedAssembly]) -> TriedAssembly | None:
    """The one that takes more of the files than all others that may be meant; None if none does.

    A person gives a file because the model needs it, and answers that are hardly better than a
    constant tell nothing against that.

    Args:
        ranked: all that are possible, the best first.
    """
    near = [item for item in ranked if not _is_clearly_better(ranked[0], item)]
    fullest = max(near, key=lambda item: len(item.assembly.parts))
    parts = fullest.assembly.parts
    rivals = [item for item in near if not parts > item.assembly.parts]
    is_one = bool(parts) and all(_same(item, fullest) for item in rivals)
    return fullest if is_one else None


def _tell_inverses_apart(one: Inverse | None, other: Inverse | None) -> str:
    """Say which option decides between two, where both are written by the same one."""
    if one and other and one.said and other.said and one.said != other.said:
        return f"Write --target-inverse {one.said}, or --target-inverse {other.said}."
    return ""


def _tell_codes_apart(one: Assembly, other: Assembly) -> str:
    """Say which file decides between two that differ in the numbers of values alone."""
    codes = {column: one.list_codes(column) for column in one.guessed}
    if not codes or one.names != other.names or one.guessed != other.guessed:
        return ""
    return (
        "Add the encoder's file, or a JSON file with the numbers that your code gave, like "
        f"{write_codes(codes)}."
    )


def _tell_padding_apart(one: Assembly, other: Assembly) -> str:
    """Say what decides between two that fill or cut the numbers of words at another end."""
    if not one.alone or one.names != other.names or one.parts != other.parts:
        return ""
    words = list_steps(one.fitted)[0]
    if not isinstance(words, WordNumbers):
        return ""
    return (
        "Say what your code gave to pad_sequences, in the tokenizer's file: tokenizer.padding, "
        f"tokenizer.truncating = {words.padding!r}, {words.truncating!r}; pickle.dump(tokenizer, "
        "open('tokenizer.pkl', 'wb')). Keras itself takes 'pre' for both."
    )


def _tell_texts_apart(one: Assembly, other: Assembly) -> str:
    """Say what decides between two that take the texts of a column each."""
    if not one.alone or one.names == other.names:
        return ""
    lines = [f"--features {shlex.quote(item.names[0])}" for item in (one, other)]
    return (
        f"Write {' or '.join(lines)}. Where your code joined columns, write the joined texts into "
        "the data as a column, and name that."
    )


def _is_clearly_better(one: TriedAssembly, other: TriedAssembly) -> bool:
    """Whether one ranks clearly better, or is slightly better on most rows (paired t-test)."""
    clearly = one.fit.rank - other.fit.rank >= _CLEAR
    return clearly or are_surely_less(one.losses, other.losses)


def _same(one: TriedAssembly, other: TriedAssembly) -> bool:
    if one.assembly.classes != other.assembly.classes:
        return False
    return bool(np.allclose(one.answers, other.answers, rtol=_SAME, atol=_SAME))


def _check(search: AssemblySearch, assembly: Assembly, truth: Float64Array) -> Finding:
    """Check the assembly itself with the battery of causes."""
    estimator, kind = search.estimator.fitted, search.kind
    if assembly.inputs:
        labels = [item.text for item in assembly.inputs]
        numbers = compute_matrix(assembly.inputs, search.table)

        def ask(index: IntArray, rows: Float64Array) -> Any:
            return rows
    else:
        # Of the raw columns those that the model does not treat as categories.
        encoded = find_categories(assembly.fitted, assembly.names)
        labels = [name for name in assembly.names
                  if search.columns.is_number(name) and name not in encoded]  # fmt: skip
        numbers = search.table[labels].to_numpy(dtype=float, na_value=np.nan)

        def ask(index: IntArray, rows: Float64Array) -> Any:
            raw = select_raw(
                search.table,
                assembly.names,
                search.table.index[index],
                assembly.as_categories,
                assembly.alone,
            )
            return assign_columns(raw, dict(zip(labels, rows.T, strict=True)))

    def answered(index: IntArray, rows: Float64Array) -> Float64Array:
        with np.errstate(all="ignore"):
            return assembly.invert(answer(assembly, estimator, kind, ask(index, rows)))

    named = getattr(estimator, "feature_names_in_", None) is not None
    subject = Subject(
        numbers,
        labels,
        answered,
        find_complete(search, assembly),
        places=bool(assembly.inputs) and not named,
        coded=frozenset(place for place, item in enumerate(assembly.inputs) if item.codes),
    )
    truths = kind.with_names(assembly.classes).split(truth)
    # Classes that are numbers stand for something in an order.
    may_move = bool(kind.classes) and not any(isinstance(item, str) for item in kind.classes)
    return check_outputs(subject, truths, may_move)
