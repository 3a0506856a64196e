"""The commands ``flask --app wsgi feedback …``: export, delete and purge what visitors reported.

In a docstring, click shows what comes before the form feed.
"""

import datetime as dt
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from app.cli.errors import tell_errors
from app.cli.folders import find_folder, models_folder
from app.cli.option_values import EXISTING_FILE
from app.config import SettingError, Settings
from app.feedback.outcomes import ReportedOutcome
from app.feedback.receipts import format_number, read_number
from model import Card, read_card
from model.contract.tables import open_table
from model.contract.tables.matching import fold_name, match_columns
from model.contract.tables.writing import write_row

if TYPE_CHECKING:
    from app.feedback.store import Store

_NO_NAME = re.compile(r"[^\w .+-]")
"""What a class may have in its name and a folder should not."""

COLUMNS = (
    "receipt", "model", "version", "day", "source", "answer", "low", "high", "probability",
    "truth", "comment",
)  # fmt: skip
"""The columns of an export, before those of the facts."""


@click.group("feedback")
def feedback() -> None:
    """Export, delete and purge what visitors reported of answers."""


@feedback.command("export")
@click.argument(
    "target", metavar="OUT", required=False, type=click.Path(path_type=Path, allow_dash=True)
)
@click.option("--model", "name", default="", help="Reports on this model alone.")
@click.option(
    "--training",
    is_flag=True,
    help="Rows to train with: the fields of the form and the truth; only reports with a truth.",
)
@click.option(
    "--target",
    "column",
    default="",
    help="With --training: the name of the truth's column; the output's noun without it.",
)
@click.option(
    "--like",
    type=EXISTING_FILE,
    help="With --training: the file that the model was trained on, whose columns OUT gets.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="With --model: write the pictures that visitors let be kept, in a folder for each class.",
)
@models_folder
def export(
    target: Path | None,
    name: str,
    training: bool,
    column: str,
    like: Path | None,
    pictures: Path | None,
    root: Path,
) -> None:
    """Write the reports to the file OUT as CSV, or to standard output for a dash.

    With --training it is a file for `model add --data` and for your own training. With --like, too,
    it can stand beside the file that the model was trained on: columns that no field of the form
    asks for are empty. With --pictures, which needs no OUT, DIR is for `model add --data`; the
    pictures have the numbers of their receipts.

    \f
    Raises:
        ClickException: if the store, the model or the file cannot be used; it says why.
        UsageError: if it is not clear what to write.
    """
    if target is None and pictures is None:
        raise click.UsageError("Name the file OUT, or a folder with --pictures.")
    if pictures and not name:
        raise click.UsageError("--pictures needs --model: each has classes of its own.")
    if training and not name:
        raise click.UsageError("--training needs --model: the columns are those of its form.")
    if like and not training:
        raise click.UsageError("--like is for --training.")
    with _open_store() as (store, since):
        slug = name.replace("_", "-")
        if pictures is not None:
            _write_pictures(store, slug, since, pictures)
        if target is None:
            return
        reports = store.iterate(slug, "visitor", since)
        with tell_errors(target), _open_target(target) as file:
            if training:
                rows = _list_training(reports, name, column, like, root)
            else:
                rows = _list_reports(list(reports))
            count = -1  # the first row has the names
            for row in rows:
                file.write(write_row(row))
                count += 1
    click.echo(f"{count:,} report{'' if count == 1 else 's'} written.", err=True)


@feedback.command("delete")
@click.argument("receipt", default="")
@click.option("--model", "name", default="", help="Delete every report on this model.")
@click.option(
    "--cases",
    is_flag=True,
    help="With --model: in place of reports the cases that `model outcomes` has read from files.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(receipt: str, name: str, cases: bool, yes: bool) -> None:
    """Delete the report with the number RECEIPT, or all of a model.

    With --cases what its promise is tested by is gone, and the test begins anew.

    \f
    Raises:
        ClickException: if there is none, or the store cannot be used.
        UsageError: if it is not clear what to delete.
    """
    if bool(receipt) == bool(name):
        raise click.UsageError("Give the number of a receipt, or --model.")
    if cases and not name:
        raise click.UsageError("--cases needs --model.")
    with _open_store() as (store, _):
        if receipt:
            number = read_number(receipt)
            if not number or not store.delete(number):
                raise click.ClickException(f"Nothing is kept under the number {receipt}.")
            click.echo(f"The report {format_number(number)} is deleted.")
            return
        if not yes:
            what = "every case of a file for" if cases else "every report on"
            click.confirm(f"Delete {what} {name}?", abort=True)
        count = store.delete_outcomes(name.replace("_", "-"), "file" if cases else "visitor")
    click.echo(f"{count:,} deleted.")


@feedback.command("purge")
@click.option("--days", type=click.IntRange(0, 3650), help="In place of FORMCAST_RETENTION_DAYS.")
def purge(days: int | None) -> None:
    """Delete what is older than FORMCAST_RETENTION_DAYS; a running server does it once a day.

    \f
    Raises:
        ClickException: if the store cannot be used.
    """
    with _open_store() as (store, since):
        before = since if days is None else dt.date.today() - dt.timedelta(days)
        count = store.purge(before)
    click.echo(f"{count:,} from before {before.isoformat()} deleted.")


@contextmanager
def _open_store() -> Iterator[tuple["Store", dt.date]]:
    """Open the store that the settings name, and say from which day on its reports are kept.

    Feedback may be off by now: what was kept is still there.
    """
    from app.feedback.databases import SqliteDatabase
    from app.feedback.opening import choose_database
    from app.feedback.store import Store, StoreError

    try:
        settings = Settings.from_environment()
        database = choose_database(settings, os.environ.get("DATABASE_URL", "").strip())
    except SettingError as error:
        raise click.ClickException(str(error)) from None
    if isinstance(database, SqliteDatabase) and not database.path.exists():
        raise click.ClickException(
            f"Nothing is kept: there is no file {database.path}. FORMCAST_DATA names another, "
            "DATABASE_URL a PostgreSQL, and FORMCAST_FEEDBACK=on keeps what visitors report."
        )
    since = dt.date.today() - dt.timedelta(settings.retention_days)
    with closing(Store(database)) as store:
        try:
            yield store, since
        except StoreError as error:
            raise click.ClickException(str(error)) from None


def _write_pictures(store: "Store", slug: str, since: dt.date, folder: Path) -> None:
    """Write the pictures of all reports that say what they show."""
    count = without = 0
    with tell_errors(folder):
        for report in store.iterate(slug, "visitor", since):
            found = store.find(report.id)
            if found is None or found.picture is None:
                continue
            if found.truth is None:
                without += 1
                continue
            own = folder / (_NO_NAME.sub("_", str(found.truth)).strip(". ") or "_")
            own.mkdir(parents=True, exist_ok=True)
            (own / f"{format_number(found.id)}.jpg").write_bytes(found.picture)
            count += 1
    click.echo(f"{count:,} picture{'' if count == 1 else 's'} written.", err=True)
    if without:
        click.echo(f"{without:,} left out: nobody said what they show.", err=True)


@contextmanager
def _open_target(target: Path) -> Iterator[TextIO]:
    if str(target) == "-":
        yield sys.stdout
        return
    with target.open("w", encoding="utf-8", newline="") as file:
        yield file


def _list_reports(reports: Sequence[ReportedOutcome]) -> Iterator[Sequence[Any]]:
    """The names of the columns, then a row for each report."""
    facts = list(dict.fromkeys(name for report in reports for name in report.facts))
    yield [*(f"formcast_{name}" if name in facts else name for name in COLUMNS), *facts]
    for report in reports:
        fixed = (
            format_number(report.id), report.model, report.version, report.day.isoformat(),
            report.source, report.value, report.low, report.high, report.probability,
            report.truth, report.said,
        )  # fmt: skip
        yield [*fixed, *(report.facts.get(name) for name in facts)]


def _list_training(
    reports: Iterator[ReportedOutcome], name: str, column: str, like: Path | None, root: Path
) -> Iterator[Sequence[Any]]:
    """The names of the columns, then the values and the truth of each report that can be read."""
    path = find_folder(name, root) / "card.toml"
    with tell_errors(path):
        card = read_card(path).tabular
    if card is None:
        raise click.ClickException(
            f"{name} answers pictures: a table cannot hold them. Write them with --pictures DIR."
        )
    header, places = _name_columns(card, column, like)
    yield header
    missed = 0
    for report in reports:
        if report.truth is None:
            continue
        values, _ = card.validate_row(report.facts)
        if values is None:
            missed += 1
            continue
        cells: list[Any] = [None] * len(header)
        for place, value in zip(
            places, (*(values[field] for field in card.names), report.truth), strict=True
        ):
            cells[place] = value
        yield cells
    if missed:
        click.echo(
            f"{missed:,} left out: a field that the form needs was not kept, or takes other values "
            "now.",
            err=True,
        )


def _name_columns(card: Card, column: str, like: Path | None) -> tuple[list[str], list[int]]:
    """The names of the columns of a training file, and the places of the fields and the truth.

    They are those of the form, or those of a file that the model was trained on.
    """
    if like is None:
        return [*card.names, column or card.output.noun.replace(" ", "_")], [
            *range(len(card.names) + 1)
        ]
    with tell_errors(like), like.open("rb") as file:
        header = [text.strip() for text in open_table(file, like.name).header]
        found = match_columns(card.fields, header).columns
    names = [column] if column else [card.output.noun, card.output.label]
    folded = [fold_name(text) for text in header]
    target = next((folded.index(one) for one in map(fold_name, names) if one in folded), None)
    missing = [name for name in card.names if name not in found]
    if target is None or target in found.values():
        raise click.ClickException(
            f"Which column of {like.name} has the {card.output.noun}? Name it with --target. It "
            f"has: {', '.join(header[:30])}."
        )
    if missing:
        raise click.ClickException(f"{like.name} has no column for {', '.join(missing)}.")
    return header, [*(found[name] for name in card.names), target]
