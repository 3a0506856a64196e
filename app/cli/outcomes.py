"""The command ``flask --app wsgi model outcomes``: holds a model against what came true.

In a docstring, click shows what comes before the form feed.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.errors import tell_errors
from app.cli.folders import find_folder, models_folder
from app.cli.table_options import table_options
from app.config import Settings
from app.feedback.opening import open_store
from app.feedback.outcomes import ReportedOutcome
from app.feedback.store import Store
from app.kinds import make_adapter
from app.monitoring.known_cases import read_known_cases, to_known_case
from app.presentation.track_record import TrackWords
from model import load_model
from model.contract import formatting
from model.contract.tables import ReadOptions
from model.monitoring.cases import Case, CaseFile
from model.monitoring.track_record import KnownCase, TrackRecord, describe_verdict, summarize_cases
from model.serving.served_model import ServedModel

BROKEN = 4
"""The exit status where a promise is broken, as where data do not prove a model."""

_MOST_REASONS = 5


@click.command("outcomes")
@click.argument("name")
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--target", default="", help="The column with the truth, where its name says else.")
@click.option("--date", default="", help="The column with the day on which it came true.")
@table_options("FILE")
@models_folder
def outcomes(
    name: str,
    source: Path,
    target: str,
    date: str,
    root: Path,
    reading: ReadOptions,
) -> None:
    """Hold the model NAME against FILE, which has cases whose truth is now known.

    FILE is a table with the columns of the form, the truth, and perhaps the day. It must have every
    case of its time: where only those are in it in which the model was wrong, it proves nothing.
    Where FORMCAST_FEEDBACK is on, the cases are kept, the same one once, and the pages of the model
    say how it stands. It ends with 0 where the promise holds, with 4 where it does not, and with 1
    where FILE cannot be used.

    \f
    Raises:
        ClickException: if the file, the model or the store cannot be used; it says why.
        Exit: if the promise is broken.
    """
    with tell_errors(source):
        model = load_model(find_folder(name, root))
        adapter = make_adapter(model)
        with source.open("rb") as file:
            read = adapter.read_cases(file, source.name, reading, target, date)
        store = open_store(Settings.from_environment())
        brought = list_outcomes(model, read.cases)
        kept = None if store is None else keep(store, model, brought)
    record = summarize_cases(model, [*map(to_known_case, brought)])
    assert record is not None  # noqa: S101 (a file without cases is refused)
    tell_reading(model, read)
    assert adapter.track_words is not None  # noqa: S101 (those of rows)
    tell_figures(model, adapter.track_words, record)
    click.echo(describe_verdict(model, record))
    broken = record.is_broken
    if kept is None:
        click.echo("Nothing was kept: FORMCAST_FEEDBACK is off.", err=True)
    else:
        new, known = kept
        everything = summarize_cases(model, known)
        _echo_kept(model, len(read.cases), new, len(known))
        if everything is not None and len(known) > len(read.cases):
            click.echo(f"All files together: {describe_verdict(model, everything)}")
            broken = everything.is_broken
    if broken:
        raise click.exceptions.Exit(BROKEN)


def list_outcomes(model: ServedModel[Any, Any], cases: Sequence[Case]) -> list[ReportedOutcome]:
    """The cases of a file as the store keeps them, in the order in which it gives them."""
    today = dt.date.today()
    found = [
        ReportedOutcome(
            case.id,
            model.slug,
            model.version,
            case.day or today,
            case.facts,
            case.value,
            case.truth,
            case.low,
            case.high,
            case.probability,
            source="file",
            time=case.time,
        )
        for case in cases
    ]
    return sorted(found, key=lambda outcome: (outcome.day, outcome.time, outcome.id))


def keep(
    store: Store, model: ServedModel[Any, Any], brought: Sequence[ReportedOutcome]
) -> tuple[int, list[KnownCase]]:
    """Keep the cases of a file; return how many are new, and all cases of this version.

    Raises:
        StoreError: if the database does not do it.
    """
    try:
        return sum(store.insert(brought)), read_known_cases(store, model)
    finally:
        store.close()


def tell_reading(model: ServedModel[Any, Any], read: CaseFile) -> None:
    """Say how the file was read, and which rows were left out."""
    for note in read.notes:
        click.echo(note, err=True)
    count = formatting.format_number(len(read.cases), model.card.locale)
    click.echo(f"{count} of {read.rows:,} rows have an answer and a truth.")
    for row, reason in list(read.left_out.items())[:_MOST_REASONS]:
        click.echo(f"  row {row:,} is left out: {reason}", err=True)
    if len(read.left_out) > _MOST_REASONS:
        click.echo(f"  … and {len(read.left_out) - _MOST_REASONS:,} more", err=True)
    if read.unusual:
        click.echo(f"Unlike the data, but counted, too: {read.unusual:,}.")
    if read.learned:
        click.echo(
            f"{read.learned:,} have the facts of rows that the model learned from. If they are "
            "those rows, it looks better here than it is."
        )


def tell_figures(model: ServedModel[Any, Any], words: TrackWords, record: TrackRecord) -> None:
    """Print coverage, calibration and error, and the same by month where there are months."""
    locale = model.card.locale

    def percent(share: float) -> str:
        return formatting.format_percent(share, locale, digits=1)

    click.echo(f"{words.error_text}: {words.format_error(record.error)}")
    if record.fifths:
        shares = ", ".join(map(percent, record.fifths))
        click.echo(f"Ranges held, from the lowest fifth of the answers to the highest: {shares}")
    for item in record.reliability:
        click.echo(f"  {percent(item.probability)} sure: right in {percent(item.right)}")
    if len(record.periods) < 2:
        return
    for period in record.periods:
        held = "" if record.held is None else f", held {percent(period.held / period.cases)}"
        error = words.format_error(period.error)
        click.echo(f"  {period.first:%Y-%m}: {period.cases:,} cases{held}, error {error}")


def _echo_kept(model: ServedModel[Any, Any], given: int, new: int, known: int) -> None:
    number = formatting.format_number
    locale = model.card.locale
    before = f"; {number(given - new, locale)} were there already" if new < given else ""
    click.echo(f"{number(new, locale)} were kept{before}. {number(known, locale)} are known.")
