"""What a person gave, as it was read: the parts in their files, and the rows of their data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from model.making.assembly.contents import Contents, read_contents
from model.making.assembly.joined_texts import join_texts, list_text_columns
from model.making.assembly.unknown_values import leave_out_unknown
from model.making.catboost.files import is_catboost
from model.making.columns.deriving import Derivations, derive_columns
from model.making.columns.describing import takes_numbers
from model.making.data.assigning import assign_columns
from model.making.data.number_texts import read_quantities
from model.making.data.tables import LabelledTable, RowChoice, read_rows
from model.making.data.text_cells import NO_TEXTS
from model.making.dictionaries import add_units, read_dictionary
from model.making.onnx.signatures import list_weight_files
from model.making.options import AddNote, AddOptions
from model.making.sources.library_files import restore_blanks
from model.making.sources.model_folders import NamedColumns, open_folders
from model.making.sources.networks import read_network


@dataclass(frozen=True)
class GivenData:
    """The parts of a model and the rows, with what the person asks for.

    ``contents`` is what the files hold, None for an ONNX file. ``rows`` are the data as the form
    gives them, ``derived`` is the table as the model takes it, and ``choice`` which rows these are.
    """

    options: AddOptions
    contents: Contents | None
    rows: LabelledTable
    derived: pd.DataFrame
    derivations: Derivations
    choice: RowChoice

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that the model predicts."""
        return tuple(map(str, self.rows.truths.columns))

    @property
    def taken(self) -> LabelledTable:
        """The rows as the model takes them."""
        return replace(self.rows, table=self.derived)

    def describe_source(self, has_truth: bool) -> str:
        """Say which files and columns it was, and whether a truth is missing that it could have."""
        names = [path.name for path in (self.options.data, *self.options.more_data)]
        files = f"The file{'s' * (len(names) > 1)} {', '.join(names)}{self.choice.describe()}"
        if self.targets:
            columns = f"column{'s' * (len(self.targets) > 1)} {' and '.join(self.targets)}"
            return f"{files}, {columns}."
        return f"{files}." + (" What the model answers is missing." if has_truth else "")


def read_given(options: AddOptions, add_note: AddNote) -> GivenData:
    """Read the files and the data.

    Raises:
        AddError: if one of them cannot be read, or an option does not go with the data.
    """
    options, listed = open_folders(options)
    paths = sorted(options.paths, key=lambda path: path.suffix != ".onnx")  # it leads the others
    if paths[0].suffix == ".onnx":
        weights = list_weight_files(paths[0])
        paths = [path for path in paths if path.resolve() not in weights]
    options = replace(options, paths=tuple(paths))
    contents = _read_files(options, listed)
    known = contents.list_known_texts() if contents else NO_TEXTS
    kept = {name for name, kind in options.kinds.items() if not takes_numbers(kind)}
    choice = RowChoice(options.where, options.max_rows)
    rows = read_rows(
        options.data,
        options.target,
        options.holdout,
        options.decimal,
        replace(known, kept=frozenset(kept)),
        options.more_data,
        choice,
    )
    for part in contents.estimators if contents else ():
        renamed = restore_blanks(part.fitted, list(map(str, rows.table.columns)))
        for name, column in renamed.items():
            add_note(f"{name!r} in the file is taken as {column!r}.")
    if contents:
        rows = replace(rows, table=_restore_headers(rows.table, contents))
    target = next(iter(map(str, rows.truths.columns)), "")
    options = replace(options, target=target)
    quantities = read_quantities(rows.table, known.are_texts, options.decimal, add_note)
    numbers = {name: read.numbers for name, read in quantities.items()}
    rows = replace(
        rows,
        table=assign_columns(rows.table, numbers),
        truths=assign_columns(
            rows.truths, {name: numbers[name] for name in rows.truths if name in numbers}
        ),
    )
    for note in dict.fromkeys(rows.notes):  # two files may say the same
        add_note(note)
    if contents:
        options = join_texts(contents, options, rows, add_note)
    texts = list_text_columns(contents) if contents else ()
    derivations, rows, derived = derive_columns(options, rows, add_note, texts)
    if contents:
        rows, derived = leave_out_unknown(contents, rows, derived, add_note)
    described = read_dictionary(options.dictionary) if options.dictionary else {}
    described = add_units(
        described,
        [*((name, read.unit) for name, read in quantities.items()), *options.unit_names],
        list(rows.table.columns),
    )
    options = replace(options, described=described)
    return GivenData(options, contents, rows, derived, derivations, choice)


def _restore_headers(table: pd.DataFrame, contents: Contents) -> pd.DataFrame:
    """The table with the blanks around its headers that a part knows, and that reading took off."""
    parts = [*contents.estimators, *contents.transformers]
    known = dict.fromkeys(name for part in parts for name in part.names or ())
    bare = {name.strip(): name for name in known if name.strip() not in known}
    return table.rename(columns=bare)


def _has_more(options: AddOptions) -> bool:
    """Whether a person gives more than the file of a model, which stands around it."""
    return bool(options.paths[1:] or options.before or options.target_inverse or options.units)


def _read_files(options: AddOptions, listed: Sequence[NamedColumns]) -> Contents | None:
    """Read the files, with the lists of columns of the folders in which they lie."""
    if options.python and is_catboost(options.paths[0]):
        return None  # it stands alone
    if options.paths[0].suffix == ".onnx" and (
        not _has_more(options) or options.python or read_network(options.paths[0]) is None
    ):
        return None
    paths = tuple(dict.fromkeys((*options.paths, *options.before)))
    contents = read_contents(paths, options.trust, options.module)
    contents.lists += listed
    return contents
