"""Which columns of the data are the features of the model, and in which order."""

from collections.abc import Collection, Sequence

from model.contract.expressions import write_column
from model.making.data.date_texts import read_dates
from model.making.data.tables import LabelledTable, require_column, suggest_name
from model.making.errors import AddError
from model.making.options import AddNote, AddOptions, write_derivation
from model.making.sources.model_sources import ModelSource


def match_features(
    source: ModelSource,
    rows: LabelledTable,
    options: AddOptions,
    add_note: AddNote,
    used: Collection[str] = (),
    dates: Collection[str] = (),
) -> list[str]:
    """Find the columns of the data that the model takes, in its order.

    Args:
        source: the model.
        rows: the data.
        options: what a person asks for.
        add_note: called for what was guessed, and for columns that are left out.
        used: the columns from which others are derived.
        dates: those of them that were dates, and hold days since 1970-01-01.

    Raises:
        AddError: if the data lack one, or it is not clear which ones the model takes.
    """
    table = rows.table
    for name in options.features:
        require_column(table.columns, name, options.data, "--features")
    available = [str(name) for name in table.columns if name not in (options.target, rows.marker)]
    known = source.match_names(available)
    if known is not None:
        names = list(known)
        if options.features and list(options.features) != names:
            raise AddError(
                f"The model itself knows its columns: {', '.join(names)}. Leave --features out."
            )
        if options.target in names:
            raise AddError(
                f"The model was fitted on {options.target!r}, which is the target. Name the "
                "column that it answers with --target. If it is this one, and a step of the model "
                "drops it, fit the model to the table without it, and save it again."
            )
        if missing := [name for name in names if name not in table.columns]:
            free = [name for name in available if name not in names]
            more = f" (nor {', '.join(map(repr, missing[1:]))})" if missing[1:] else ""
            encoded = source.find_encoded(names)
            hint = _hint_at_date(missing, rows, free, dates, encoded) or _hint(
                missing[0], available, free
            )
            raise AddError(
                f"{options.data} has no column {missing[0]!r}{more}, which the model was fitted on."
                f"{hint}"
            )
    else:
        names = list(options.features) or available
        if source.count is not None and source.count > len(names):
            given = "--features names" if options.features else "the data have"
            raise AddError(
                f"The model takes {source.count} columns, and {given} {len(names)}: "
                f"{', '.join(names)}. Add those that are missing. Where some were made of "
                "others, like one for each value of a text, add the file of the step that makes "
                "them, or a JSON file with the names of all columns in their order, like "
                '["size", "city_Ulm", "city_Bonn"].'
            )
        if source.count is not None and len(names) != source.count:
            raise AddError(
                f"The model takes {source.count} columns, and does not say which; the data "
                f"have {len(names)}: {', '.join(names)}. Name those that it was fitted on, in "
                "their order: --features a,b,c."
            )
    note_columns(names, available, known is None and not options.features, used, add_note)
    return names


def note_columns(
    names: Sequence[str],
    available: Sequence[str],
    by_place: bool,
    used: Collection[str],
    add_note: AddNote,
) -> None:
    """Say which columns a model is given without naming them, and which it does not take.

    Args:
        names: those that it takes.
        available: those that the data have.
        by_place: whether only the data give their order.
        used: the columns from which others are derived.
        add_note: called for each of the two.
    """
    if by_place and len(names) > 1:
        add_note(
            "The model does not name its columns, so they are used in the order of the data: "
            f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''}. If that is wrong, give "
            "their order with --features."
        )
    if extra := [name for name in available if name not in names and name not in used]:
        add_note(f"Columns that the model does not take: {', '.join(extra)}.")


_DATE_PARTS = {
    "year": "year", "yr": "year", "month": "month", "mnth": "month", "day": "day",
    "weekday": "weekday", "dayofweek": "weekday", "day_of_week": "weekday", "dow": "weekday",
}  # fmt: skip
"""Columns that people make of a date, and the function that does."""

_WORDS = {"month": '{"1": "January"}', "weekday": '{"0": "Monday"}'}
"""How files of words for parts of a date begin."""

_TIME_PARTS = ("hour", "hr", "minute")
"""Those for which no function is."""


def _hint_at_date(
    missing: list[str],
    rows: LabelledTable,
    free: list[str],
    dates: Collection[str],
    encoded: Collection[str],
) -> str:
    """How missing columns are derived from a date in the data; "" where the first cannot be."""
    parts = {name: _DATE_PARTS.get(name.lower(), "") for name in missing}
    times = [name for name in missing if name.lower() in _TIME_PARTS]
    if not parts[missing[0]] and missing[0] not in times:
        return ""
    date = next((name for name in free if name in dates or _are_dates(rows, name)), None)
    if date is None:
        return ""
    said = []
    if derived := [
        write_derivation(name, f"{part}({write_column(date)})")
        for name, part in parts.items()
        if part
    ]:
        said.append(f" If it was made from {date!r}, add: {' '.join(derived)}")
    if named := next((name for name in parts if parts[name] in _WORDS and name in encoded), None):
        words = f"lookup({parts[named]}({write_column(date)}), FILE.json)"
        said.append(
            f" If {named!r} had words and not numbers: {write_derivation(named, words)}, with a "
            f"JSON file of them, like {_WORDS[parts[named]]}"
        )
    if times:
        columns = ", ".join(map(repr, times))
        said.append(
            f" If {columns} was made from {date!r}: a date on a form has no time of day. Write "
            f"{columns} into the data as a number, and the form asks for it."
        )
    return ".".join(said)


def _are_dates(rows: LabelledTable, name: str) -> bool:
    """Whether the texts of a column are dates."""
    try:
        return read_dates(rows.table[name], name) is not None
    except AddError:
        return False


def _hint(missing: str, available: list[str], free: list[str]) -> str:
    """What may have happened to a missing column, and what to do."""
    derive = f"{write_derivation(missing, '…')}, with columns, numbers and functions."
    origins = [name for name in free if missing.startswith(f"{name}_")]
    if origins:
        return (
            f" Was it made from {origins[0]!r}, for example by get_dummies? Put the step that "
            "makes it into a Pipeline with the model, then fit and save that. Or say how the form "
            f"computes it: {derive}"
        )
    return (
        f"{suggest_name(missing, available, free)} Add it, or give the file that the model was "
        f"fitted on. If your code computes it from other columns, say how: {derive}"
    )
