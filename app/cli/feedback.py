"""The commands ``flask --app wsgi feedback …``: export, delete and purge what visitors reported.

In a docstring, click shows what comes before the form feed.
"""

import datetime as dt
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from app.cli.folders import find_folder, models_folder
from app.config import SettingError, Settings
from app.feedback.outcomes import ReportedOutcome
from app.feedback.receipts import format_number, read_number
from model import Card, ModelError, read_card
from model.contract.tables.writing import write_row

if TYPE_CHECKING:
    from app.feedback.store import Store

COLUMNS = (
    "receipt", "model", "version", "day", "source", "answer", "low", "high", "probability",
    "truth", "comment",
)  # fmt: skip
"""The columns of an export, before those of the facts."""


@click.group("feedback")
def feedback() -> None:
    """Export, delete and purge what visitors reported of answers."""


@feedback.command("export")
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path, allow_dash=True))
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
@models_folder
def export(target: Path, name: str, training: bool, column: str, root: Path) -> None:
    """Write the reports to the file OUT as CSV, or to standard output for a dash.

    With --training it is a file for `model add --data` and for your own training.

    \f
    Raises:
        ClickException: if the store, the model or the file cannot be used; it says why.
        UsageError: if --training has no model to say the fields.
    """
    if training and not name:
        raise click.UsageError("--training needs --model: the columns are those of its form.")
    with _open_store() as (store, since):
        reports = store.iterate(name.replace("_", "-"), "visitor", since)
        try:
            with _open_target(target) as file:
                if training:
                    rows = _list_training(reports, name, column, root)
                else:
                    rows = _list_reports(list(reports))
                count = -1  # the first row has the names
                for row in rows:
                    file.write(write_row(row))
                    count += 1
        except OSError as error:
            raise click.ClickException(f"{target}: {error.strerror}.") from None
    click.echo(f"{count:,} report{'' if count == 1 else 's'} written.", err=True)


@feedback.command("delete")
@click.argument("receipt", default="")
@click.option("--model", "name", default="", help="Delete every report on this model.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(receipt: str, name: str, yes: bool) -> None:
    """Delete the report with the number RECEIPT, or all of a model.

    \f
    Raises:
        ClickException: if there is none, or the store cannot be used.
        UsageError: if it is not clear what to delete.
    """
    if bool(receipt) == bool(name):
        raise click.UsageError("Give the number of a receipt, or --model.")
    with _open_store() as (store, _):
        if receipt:
            number = read_number(receipt)
            if not number or not store.delete(number):
                raise click.ClickException(f"Nothing is kept under the number {receipt}.")
            click.echo(f"The report {format_number(number)} is deleted.")
            return
        if not yes:
            click.confirm(f"Delete every report on {name}?", abort=True)
        count = store.delete_outcomes(name.replace("_", "-"), "visitor")
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
    reports: Iterator[ReportedOutcome], name: str, column: str, root: Path
) -> Iterator[Sequence[Any]]:
    """The names of the columns, then the values and the truth of each report that can be read."""
    try:
        card = read_card(find_folder(name, root) / "card.toml")
    except ModelError as error:
        raise click.ClickException("\n".join(error.problems)) from None
    if not isinstance(card, Card):
        raise click.ClickException(
            f"{name} answers pictures, which are not kept: there is nothing to train with."
        )
    yield [*card.names, column or card.output.noun.replace(" ", "_")]
    missed = 0
    for report in reports:
        if report.truth is None:
            continue
        values, _ = card.validate_row(report.facts)
        if values is None:
            missed += 1
            continue
        yield [*(values[field] for field in card.names), report.truth]
    if missed:
        click.echo(
            f"{missed:,} left out: a field that the form needs was not kept, or takes other values "
            "now.",
            err=True,
        )
