"""What a model's classes may be called, and the truth that such names give."""

from collections.abc import Callable, Iterator, Sequence

from model.contract.arrays import Float64Array
from model.making.assembly.inputs import simplify
from model.making.assembly.search import AssemblySearch
from model.making.data.text_cells import as_text
from model.making.errors import AddError

ReadTruth = Callable[[Sequence[str]], Float64Array]
"""Reads the true answers, shape (rows,), for names of the classes.

Raises AddError where the target does not hold these."""

IN_ORDER = "classes in the order of the "
"""What names that only an order suggests are called, followed by its name."""

NAMED_BY = "classes named by "
"""What names from a file are called, followed by where they stand."""


def list_namings(
    search: AssemblySearch, classes: Sequence[str], read_truth: ReadTruth
) -> Iterator[tuple[tuple[str, ...], str, Float64Array]]:
    """Yield names for the classes, where they come from, and the truth, shape (rows,).

    Raises:
        AddError: if the target does not hold the names that a person gave.
    """
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
    numbered = all(name.lstrip("-").isdecimal() for name in own) or own == ["False", "True"]
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
        yield tuple(names), f"{NAMED_BY}{codes.where}"
    if in_data:
        yield (), ""
    elif len(cells) == len(own):
        yield tuple(sorted(cells)), f"{IN_ORDER}alphabet"
        yield tuple(cells), f"{IN_ORDER}data"
