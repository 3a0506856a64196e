"""The commands ``flask --app wsgi model …``: look at, add, check, list and remove models.

In a docstring, click shows what comes before the form feed.
"""

import shutil
from pathlib import Path
from typing import Any

import click

from app.cli.adding import add, draft
from app.cli.comparing import tell_comparison
from app.cli.errors import NotProved, require_tools
from app.cli.folders import find_folder, models_folder, read_served
from app.cli.outcomes import outcomes
from app.cli.predicting import predict
from model import ModelError, load_model, read_card
from model.contract.files import read_json
from model.contract.upgrading import upgrade_folder
from model.serving.served_model import ServedModel


@click.group("model")
def model() -> None:
    """Look at, add, check, list and remove models, let one answer a file, or hold it to truths."""


model.add_command(add)
model.add_command(draft)
model.add_command(predict)
model.add_command(outcomes)


@model.command("check")
@click.argument("name")
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    help="Rows whose truth is known, to check its answers by; with --target. With --against also a "
    "folder with a folder of pictures for each class.",
)
@click.option("--target", default="", help="The column of --data that holds the truth.")
@click.option("--against", default="", help="Another model, to compare it with on these rows.")
@models_folder
def check(name: str, data: Path | None, target: str, against: str, root: Path) -> None:
    """Show every problem of the model NAME, with the line to change.

    Its answers are checked by rows of its data: those of --data, else those that its folder keeps.
    With --against it is also held against another model, such as the one that is served now, by
    rows that neither should have learned from. It ends with 4 where NAME is worse by more than
    chance.

    \f
    Raises:
        ClickException: if there is any, or the rows cannot be read.
        UsageError: if one of --data and --target is missing.
        NotProved: if rows of its data show that it answers something else, or the other is better.
    """
    pictures = data is not None and data.is_dir()
    if (data is None) == bool(target) and not (pictures and against):
        raise click.UsageError("--data and --target belong together: give both, or none.")
    if against and data is None:
        raise click.UsageError("--against needs rows: name them with --data and --target.")
    folder = find_folder(name, root)
    found = _load_sound(folder)
    click.echo(f"{folder} is sound: {found.card.title} (version {found.version})")
    if not pictures:
        _check_answers(found, data, target)
    if data is not None and against:
        other = _load_sound(find_folder(against, root))
        if verdict := tell_comparison(found, other, data, target):
            raise NotProved(verdict)


def _load_sound(folder: Path) -> ServedModel[Any, Any]:
    """Load a model, or show every problem of it.

    \f
    Raises:
        ClickException: if there is any.
    """
    try:
        return load_model(folder)
    except ModelError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        count = len(error.problems)
        raise click.ClickException(
            f"{count} {'problem' if count == 1 else 'problems'} to fix in {folder}."
        ) from None


def _check_answers(found: ServedModel[Any, Any], data: Path | None, target: str) -> None:
    """Check answers by rows whose truth is known, and say what was found.

    \f
    Raises:
        ClickException: if the rows cannot be read.
        NotProved: if they show that it answers something else.
    """
    try:
        from model.making.assembly.checking import check_on_data, check_served
        from model.making.errors import AddError
    except ModuleNotFoundError as error:
        click.echo(f"Its answers were not checked: that needs {error.name} (`make add-tools`).")
        return
    try:
        finding = check_served(found) if data is None else check_on_data(found, data, target)
    except AddError as error:
        raise click.ClickException(str(error)) from None
    if finding.is_wrong:
        raise NotProved(finding.text)
    click.echo(finding.text)


@model.command("upgrade")
@click.argument("name")
@models_folder
def upgrade(name: str, root: Path) -> None:
    """Rewrite card and manifest of the model NAME in the present format.

    \f
    Raises:
        ClickException: if they cannot be rewritten; it says why.
    """
    folder = find_folder(name, root)
    try:
        upgrade_folder(folder)
    except ModelError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{folder / 'card.toml'} and manifest.json are in the present format.")


@model.command("look")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
def look_at(paths: tuple[Path, ...]) -> None:
    """Say what is in files, and whether a model in them can be served; nothing in them runs.

    It ends with 0 where a model can be added without --trust, else with 1; with 3 where one can,
    but another of the files cannot be read.

    \f
    Raises:
        ClickException: if what it needs is not installed.
        Exit: if no model can be added.
    """
    with require_tools("Looking at a model"):
        from model.making.looking.files import look
    found = look(paths)
    click.echo(found.text)
    if not found.servable:
        raise click.exceptions.Exit(3 if found.in_part else 1)


@model.command("list")
@models_folder
def list_models(root: Path) -> None:
    """Show the models, and at which address each is served."""
    served = read_served()
    for card in sorted(root.glob("*/card.toml")):
        slug = card.parent.name.replace("_", "-")
        address = "not served"
        if slug in served:
            address = "served at /" if slug == served[0] else f"served at /{slug}/"
        try:
            title = read_card(card).title + _name_code(card.parent)
        except ModelError:
            title = f"broken: flask --app wsgi model check {slug}"
        click.echo(f"{slug:<24} {address:<28} {title}")
    for slug in served:
        if not (root / slug.replace("-", "_") / "card.toml").exists():
            click.echo(f"{slug:<24} FORMCAST_MODELS names it, but it is not there")


def _name_code(folder: Path) -> str:
    """Name the files whose code a model was trusted with; "" where it has none.

    \f
    Raises:
        ModelError: if its manifest cannot be read.
    """
    manifest = read_json(folder / "manifest.json")
    if not isinstance(manifest, dict) or not manifest.get("runs_code"):
        return ""
    module = manifest.get("module")
    return f" (runs the code in model.joblib{f' and {module}' if module else ''})"


@model.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@models_folder
def remove(name: str, yes: bool, root: Path) -> None:
    """Delete the folder of the model NAME."""
    folder = find_folder(name, root)
    slug = folder.name.replace("_", "-")
    if slug in read_served():
        click.echo(f"{slug} is served: take it out of FORMCAST_MODELS, too.")
    if not yes:
        click.confirm(f"Delete {folder} and everything in it?", abort=True)
    if folder.is_symlink():
        folder.unlink()  # its target belongs to somebody else
    else:
        shutil.rmtree(folder)
    click.echo(f"{folder} is gone.")
