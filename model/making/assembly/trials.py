"""Assemblies tried on rows of the data: their answers, and how well these fit the truth."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.contract.expressions import write_column
from model.making.assembly.assemblies import Assembly, ask_model, select_raw
from model.making.assembly.chains import run_steps
from model.making.assembly.class_names import IN_ORDER, NAMED_BY
from model.making.assembly.gate import choose_rows
from model.making.assembly.inputs import compute_matrix
from model.making.assembly.search import AssemblySearch
from model.making.data.number_texts import read_number_texts
from model.making.errors import AddError
from model.making.kinds.evidence import Fit
from model.making.kinds.output_kind import round_digits
from model.making.options import write_derivation, write_filling
from model.making.steps.fitted_steps import find_categories, find_dropped_columns
from model.making.steps.texts import list_branches


@dataclass(frozen=True)
class TriedAssembly:
    """An assembly with what rows of the data say: answers and losses are those of these rows.

    ``answers`` have shape (rows,) or (rows, classes), ``losses`` (rows,).
    """

    assembly: Assembly
    fit: Fit
    answers: Float64Array
    losses: Float64Array

    @property
    def text(self) -> str:
        """What sets it apart, with its figures."""
        return f"{self.assembly.text} ({self.fit.text})"


def try_all(
    search: AssemblySearch,
    assemblies: Sequence[Assembly],
    namings: Sequence[tuple[tuple[str, ...], str, Float64Array]],
) -> list[TriedAssembly]:
    """Ask every assembly the same rows, in one call; those that cannot answer are left out.

    Args:
        search: what may be put together.
        assemblies: all that is possible.
        namings: names of the classes, where they come from, and the truth, shape (rows,).

    Raises:
        AddError: if none of them can answer.
    """
    # Each of several texts is asked where none is missing: a vectoriser takes no holes.
    needed = assemblies if assemblies[0].alone else assemblies[:1]
    complete = np.all([find_complete(search, item) for item in needed], axis=0)
    index, _ = choose_rows(complete)
    answers = ask_all(search, assemblies, index)
    if not any(each is not None for each in answers):
        problem = next(iter(search.problems), "its answers are not finite numbers")
        if advice := _advise_on_texts(search) or _advise_on_holes(search, assemblies[0].names):
            raise AddError(f"The model cannot answer the rows of the data. {advice}")
        is_unnamed = search.estimator.names is None and not search.features
        name_them = (
            " and name them in their order: --features a,b,c. Put" if is_unnamed else ". Put"
        )
        raise AddError(
            f"The model cannot answer the rows of the data: {problem.rstrip('.')}. Give the "
            f"columns as they were when it was fitted{name_them} every step before it into a "
            "Pipeline with it."
        )
    tried = []
    for assembly, answered in zip(assemblies, answers, strict=True):
        if answered is None:
            continue
        with np.errstate(all="ignore"):
            given = assembly.invert(answered)
        for names, words, of_rows in namings:
            named = replace(
                assembly,
                classes=names,
                words=assembly.words + ((words,) if words else ()),
                guesses_classes=words.startswith(IN_ORDER),
                parts=assembly.parts.union(
                    [words.removeprefix(NAMED_BY)] if words.startswith(NAMED_BY) else ()
                ),
            )
            fit = search.kind.fit(given, of_rows[index])
            losses = search.kind.list_losses(given, of_rows[index])
            tried.append(TriedAssembly(named, fit, given, losses))
    return tried


def _advise_on_texts(search: AssemblySearch) -> str:
    """Say which column holds texts where a model with encoders takes numbers; "" where none does.

    Raises:
        AddError: if it holds numbers that could be two each, and nobody said which.
    """
    fitted, names = search.estimator.fitted, search.estimator.names or ()
    taken = {*find_categories(fitted, names), *list_branches(fitted, names)}
    taken |= find_dropped_columns(fitted, names) if taken else set()
    for name in names if taken else ():
        if name in taken or name not in search.available or search.columns.is_number(name):
            continue
        cells = search.table[name]
        read_number_texts(cells, None)
        text = str(cells.dropna().iloc[0])
        number = re.match(r"\s*([0-9]+)", text)  # of 8GB it is 8
        codes = json.dumps({text: int(number[1]) if number else 1}, ensure_ascii=False)
        return (
            f"Column {name!r} holds texts like {text!r}, and no step that is known here makes "
            "numbers of them. Write the numbers that the model was fitted on into the data. Or, "
            f"where the texts are few, put them into a JSON file with their numbers, like {codes}, "
            f"and write --kind {shlex.quote(name + '=choice')} "
            f"{write_derivation(name, f'lookup({write_column(name)}, FILE.json)')}."
        )
    return ""


def _advise_on_holes(search: AssemblySearch, names: Sequence[str]) -> str:
    """Say what to write where a model takes no missing cells; "" where that is not what it says."""
    holes = [
        name
        for name in names
        if name in search.available
        and search.columns.is_number(name)
        and search.table[name].isna().any()
    ]
    if not holes or not any("NaN" in problem for problem in search.problems):
        return ""
    fills = [write_filling(name, round_digits(search.table[name].median())) for name in holes]
    return (
        f"It takes no missing cells, and rows lack {', '.join(holes)}. Say what your code wrote "
        f"there before the fit, like {' '.join(fills)}."
    )


def ask_all(
    search: AssemblySearch, assemblies: Sequence[Assembly], index: IntArray
) -> list[Float64Array | None]:
    """Ask each assembly some rows, in one call of the model where all can be asked together.

    ``index`` has the places of the rows, shape (asked,).

    Returns:
        For each assembly its answers, shape (asked,) or (asked, classes); None where it has none.

    Raises:
        AddError: if it is clear that none of them can answer.
    """
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
                found[place] = kind.predict_quietly(item.fitted, rows)
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
                    (found[place],) = ask_all(search, [assemblies[place]], index)
    return [each if each is not None and np.isfinite(each).all() else None for each in found]


def find_complete(search: AssemblySearch, assembly: Assembly) -> BoolArray:
    """Which rows have every column that an assembly takes, shape (rows,)."""
    complete: BoolArray = search.table[list(assembly.names)].notna().all(axis=1).to_numpy()
    return complete
