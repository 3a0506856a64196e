"""Every assembly of the files' parts that could be meant."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product

import numpy as np

from model.making.assembly.assemblies import Assembly
from model.making.assembly.chains import (
    AS_MISSING,
    AS_ZEROS,
    Step,
    ZerosAsMissing,
    can_miss_zeros,
    describe_steps,
    find_order,
    forget_names,
    place_steps,
)
from model.making.assembly.contents import Transformer
from model.making.assembly.inputs import Codes, Input, compute_matrix, list_sources, simplify
from model.making.assembly.inverses import Inverse, invert_scaler, make_inverse
from model.making.assembly.raw_columns import MOST_WINDOWS, list_raw, take_raw
from model.making.assembly.search import AssemblySearch
from model.making.data.text_cells import as_text

_MOST_CANDIDATES = 60
_BY_PLACE = "the order of the data"
_WINDOW = "the columns "
_LISTED = "columns in the order of "


def list_assemblies(search: AssemblySearch) -> list[Assembly]:
    """List the assemblies that use what is in the files, or what a person says.

    Raises:
        AddError: if the files do not have what a person says.
    """
    found = list_raw(search)
    if not found:
        for order in search.list_orders():
            for base in _list_bases(search, order):
                found += _assemble(search, order, base)
        fits = search.count in (None, len(search.features or search.available))
        if search.estimator.names is None and not search.transformers and fits:
            # One of its own code may take a table, and not say so.
            raw = take_raw(search, search.features or search.available, search.estimator.fitted)
            words = ("columns in the order of the data",) if search.contents.lists else ()
            found.append(replace(raw, words=words, by_place=not search.features))
    sparse = search.has_sparse_dummies or search.contents.lists_sparse
    if sparse and can_miss_zeros(search.estimator.fitted):
        found = [way for item in found for way in (_miss_zeros(search, item), _keep_zeros(item))]
    inverses = _list_inverses(search)
    return [
        replace(
            item,
            inverse=inverse,
            words=(*item.words, inverse.words),
            parts=item.parts | {inverse.where},
        )
        if inverse
        else item
        for item, inverse in product(found[:_MOST_CANDIDATES], inverses)
    ]


def _miss_zeros(search: AssemblySearch, assembly: Assembly) -> Assembly:
    absent = np.zeros(search.estimator.fitted.n_features_in_)
    if search.contents.lists_sparse and len(assembly.inputs) == len(absent):
        # A DictVectorizer leaves out dummies, and keeps numbers.
        absent[[item.level is None for item in assembly.inputs]] = np.nan
    steps = (*assembly.steps, Step(ZerosAsMissing(absent), ""))
    return replace(assembly, steps=steps, words=(*assembly.words, AS_MISSING))


def _keep_zeros(assembly: Assembly) -> Assembly:
    return replace(assembly, words=(*assembly.words, AS_ZEROS))


def _list_bases(
    search: AssemblySearch, order: Sequence[Transformer]
) -> Iterator[tuple[list[str] | list[Input], str]]:
    """The inputs of the first step, by name, and where their order comes from."""
    widths = [order[0].count] if order else [search.count]
    if order and search.count is not None and order[0].count < search.count:
        widths.insert(0, search.count)  # a step of some inputs, unless it makes more of them
    for width in widths:
        yield from _list_bases_of(search, order, width)


def _list_bases_of(
    search: AssemblySearch, order: Sequence[Transformer], width: int | None
) -> Iterator[tuple[list[str] | list[Input], str]]:
    if search.features and not search.dummies:
        yield list(search.features), ""
        return
    steps = [search.estimator, *order]
    for part in steps:
        if part.names is not None and len(part.names) == width:
            yield list(part.names), ""
            return
    listed = False
    for names, where in search.contents.lists:
        kept = [name for name in names if name != search.target]
        if len(kept) == width and _resolve(search, kept, "alphabet") is not None:
            yield kept, f"{_LISTED}{where}"
            listed = True
    if listed:
        return
    yield from _list_unnamed(search, order, width)


def _list_unnamed(
    search: AssemblySearch, order: Sequence[Transformer], width: int | None
) -> Iterator[tuple[list[str] | list[Input], str]]:
    """The inputs where no file names them."""
    encoded = [("codes", search.ordinals), ("dummies", search.dummies)]
    taken = {item.source for _, inputs in encoded for item in inputs}
    numbers = [name for name in search.available if search.columns.is_number(name)]
    matrix = search.table[numbers].to_numpy(dtype=float, na_value=np.nan)
    known = (part.names or find_order(part, numbers, matrix) or () for part in order)
    scaled = tuple(dict.fromkeys(name for names in known for name in names))
    for columns in dict.fromkeys((search.features or search.available, scaled)) if taken else ():
        rest = [
            Input(name)
            for name in columns
            if name not in taken and name in search.available and search.columns.is_number(name)
        ]
        words = "numbers in the scaler's order" if columns == scaled else "numbers"
        blocks = [(name, inputs) for name, inputs in (*encoded, (words, rest)) if inputs]
        for blocks_in_order in permutations(blocks):
            made = [item for _, inputs in blocks_in_order for item in inputs]
            if width in (None, len(made)):
                yield made, ", then ".join(words for words, _ in blocks_in_order)
    if search.dummies:
        return
    kept = tuple(name for name in search.available if name not in search.derived_from)
    for columns in dict.fromkeys((search.available, kept)):
        if width is None or len(columns) == width:
            yield list(columns), _BY_PLACE
            others = [name for name in columns if name not in scaled]
            if scaled and [*scaled, *others] != [*columns]:
                yield [*scaled, *others], "scaled columns first"
                yield [*others, *scaled], "scaled columns last"
            return
    if width is None:
        return
    groups = [{name} for name in taken] + _list_coded_columns(search)
    if len(numbers) == width and not groups:
        yield numbers, f"{_WINDOW}of numbers alone"
    for start in range(min(len(search.available) - width + 1, MOST_WINDOWS)):
        window = list(search.available[start : start + width])
        if window != numbers and all(group & set(window) for group in groups):
            yield window, f"{_WINDOW}from {window[0]} to {window[-1]}"


def _list_coded_columns(search: AssemblySearch) -> list[set[str]]:
    """For each encoder in the files: the columns of texts that it may be of, if any.

    A guess that leaves an encoder out is not worth a trial. One of the target is no encoder of
    a column.
    """
    cells = search.table[search.target].unique() if search.target else ()
    answers = {as_text(value) for value in cells}
    found = []
    for codes in search.contents.codes:
        columns = {
            name
            for name in search.available
            if not search.columns.is_number(name) and codes in search.columns.find_codes(name)
        }
        of_target = bool(answers) and answers <= set(codes.numbers)
        if columns and not codes.is_list and not of_target:
            found.append(columns)
    return found


def _assemble(
    search: AssemblySearch, order: Sequence[Transformer], base: tuple[list[str] | list[Input], str]
) -> list[Assembly]:
    """The assemblies of one order of steps on one list of inputs, one for each guess."""
    given, origin = base
    found: list[Assembly] = []
    for by, codes_numbers in product(("alphabet", "appearance"), (False, True)):
        resolved = _resolve(search, given, by, codes_numbers)
        if resolved is None:
            return found
        inputs, guessed, coded = resolved
        matrix = compute_matrix(inputs, search.table)
        names = [
            item if isinstance(item, str) else item.source if item.is_plain else item.text
            for item in given
        ]
        steps = place_steps(order, names, matrix, search.count)
        if steps is None:
            return found
        words = [origin] if origin not in ("", _BY_PLACE) else []
        if search.transformers:
            without = " and ".join(part.where for part in search.transformers)
            words.append(describe_steps(steps) if order else f"without {without}")
        dummies = dict.fromkeys(item.source for item in inputs if item.level is not None)
        if dummies:
            words.append(f"{', '.join(dummies)} as a column for each value")
        if coded:
            files = dict.fromkeys(where.partition("[")[0] for where in coded.values())
            words.append(f"{', '.join(coded)} coded by {' and '.join(files)}")
        if guessed:
            words.append(f"{', '.join(guessed)} coded by {by}")
        parts = {part.where for part in order}.union(coded.values())
        if origin.startswith(_LISTED):
            parts.add(origin.removeprefix(_LISTED))
        parts |= {where for where, made in search.dummies_of.items() if set(made) & set(inputs)}
        made = Assembly(
            tuple(list_sources(inputs)), tuple(inputs), steps, None, tuple(words),
            tuple(guessed), by_place=origin == _BY_PLACE, is_window=_WINDOW in origin,
            parts=frozenset(parts),
        )  # fmt: skip
        if not any(made.inputs == item.inputs for item in found):
            found.append(made)
    return found


def _resolve(
    search: AssemblySearch, given: Sequence[str | Input], by: str, codes_numbers: bool = False
) -> tuple[list[Input], list[str], dict[str, str]] | None:
    """Make the inputs of some names; None where one is not there.

    Args:
        given: names, or inputs that are made already.
        by: the order of the codes that no file has.
        codes_numbers: whether an encoder that may be of a column of numbers is taken for it.

    Returns:
        The inputs, the columns whose codes are in no file, and the files of the others' codes.
    """
    inputs: list[Input] = []
    guessed: list[str] = []
    coded: dict[str, str] = {}
    for name in given:
        if isinstance(name, Input):
            inputs.append(name)
            continue
        column = search.columns.find(name)
        if column is None:
            names = [each for each in given if isinstance(each, str)]
            level = search.columns.find_level(name, names)
            made = level and Input(level[0], level=level[1])
            if not made or made in inputs:
                return None
            inputs.append(made)
            continue
        codes = search.columns.find_codes(column)
        if search.columns.is_number(column):
            named = [each for each in codes if simplify(each.hint) == simplify(column)]
            coding = [each for each in codes if _may_code(search, each, column)]
            codes = named or (coding if codes_numbers else [])
        elif not codes:
            guessed.append(column)
            codes = [search.columns.infer_codes(column, by)]
        if codes and codes[0].where:
            coded[column] = codes[0].where
        inputs.append(search.columns.make_input(column, codes[0] if codes else None))
    return inputs, guessed, coded


def _may_code(search: AssemblySearch, codes: Codes, column: str) -> bool:
    """Whether codes without a name know just the numbers of a column, and change them."""
    cells = search.columns.cells(column)
    changed = any(codes.numbers[text] != float(cell) for text, cell in cells.items())
    return not codes.hint and len(codes.numbers) == len(cells) and changed


def _list_inverses(search: AssemblySearch) -> list[Inverse | None]:
    scalers = [
        replace(
            invert_scaler(forget_names(part.fitted), f"answers unscaled by {part.where}"),
            where=part.where,
        )
        for part in search.scalers_of_target
    ]
    if search.target_inverse:
        said = make_inverse(search.target_inverse)
        return [said, *(scaler.then(said) for scaler in scalers)]
    found: list[Inverse | None] = []
    for name, where in search.contents.inverses:
        made = make_inverse(name)
        words = f"{made.words}, as {where} says"
        found.append(replace(made, words=words, where=where))
    for scaler in scalers:
        found += [scaler, *(scaler.then(make_inverse(name)) for name in ("expm1", "exp"))]
    return [*found, None]
