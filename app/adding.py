"""``flask --app wsgi model …``: what a person sees of adding, checking and removing models."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from model.adding import Added
    from model.adding.columns import Kind

MODELS = Path(__file__).parent.parent / "model"

models_folder = click.option(
    "--models",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=MODELS,
    help="The folder in which the models' folders stand; the app's own is the default.",
)


@click.group("model")
def model() -> None:
    """Add, check, list and remove models."""


@model.command("add")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="What it is called in its address, like my-model.")
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file with the rows that it was fitted on.",
)
@click.option("--target", required=True, help="The column of the data that it answers.")
@click.option(
    "--holdout",
    help="Rows that it has not seen, for figures and a range: another CSV file, or the column of "
    "the data that marks them.",
)
@click.option("--trust", is_flag=True, help="Load a joblib or pickle file: that runs its code.")
@click.option("--features", help="Its columns in their order, where it does not know: a,b,c.")
@click.option("--classes", help="Names of its classes in their order, where it has numbers: a,b.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="COLUMN=KIND",
    help="What a column is, where the guess is wrong: integer, number, choice or flag.",
)
@click.option("--coverage", type=click.FloatRange(0.51, 0.99), default=0.9, show_default=True)
@click.option("--force", is_flag=True, help="Replace a model of this name.")
@models_folder
def add(
    path: Path,
    name: str,
    data: Path,
    target: str,
    holdout: str | None,
    trust: bool,
    features: str | None,
    classes: str | None,
    kinds: tuple[str, ...],
    coverage: float,
    force: bool,
    root: Path,
) -> None:
    """Make a model's folder from PATH, a joblib, pickle or ONNX file, and from its data."""
    try:
        from model.adding import STAGES, AddError, Request, add_model
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}. Run `make run` once, or `make add-tools`.") from None
    request = Request(
        path=path,
        name=name,
        data=data,
        target=target,
        holdout=holdout,
        trust=trust,
        features=_listed(features),
        classes=_listed(classes),
        kinds=dict(_kind(text) for text in kinds),
        coverage=coverage,
        force=force,
    )
    try:
        with click.progressbar(
            length=len(STAGES), label=f"Adding {name}", item_show_func=lambda stage: stage or ""
        ) as bar:

            def report(stage: str) -> None:
                place = STAGES.index(stage)
                bar.update(place - bar.pos, stage)

            added = add_model(request, root, report)
            bar.update(len(STAGES) - bar.pos, "done")
    except AddError as error:
        raise click.ClickException(str(error)) from None
    _tell(added)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _kind(text: str) -> "tuple[str, Kind]":
    from model.adding.columns import KINDS

    column, _, said = text.rpartition("=")
    kind = next((kind for kind in KINDS if kind == said), None)
    if not column or kind is None:
        raise click.BadParameter(f"{text!r}: write COLUMN=KIND, a kind of {', '.join(KINDS)}.")
    return column, kind


def _tell(added: "Added") -> None:
    """Print what was guessed, what was found, and what a person should do now."""
    card = added.folder / "card.toml"
    click.echo(f"\n{card} was drafted. What it guessed:\n")
    rows = [("field", "kind", "takes", "from the column"), *added.fields]
    widths = [min(max(len(row[place]) for row in rows), 38) for place in range(3)]
    for row in rows:
        cells = [_short(cell, width).ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo(f"  {'  '.join(cells)}  {row[3]}")
    click.echo(f"\nIt answers: {added.output}\nServed: {added.served}")
    for label, figure in added.figures:
        click.echo(f"  {figure:>10}  {label}")
    for note in added.notes:
        click.echo(f"Note: {note}")
    click.echo(
        f"\nNow write in {card}: limits and not_for first (what it cannot know, what nobody should "
        "use it for),\nthen title, labels, units, help and the words of choices.\n"
        f"Check it: flask --app wsgi model check {added.slug}\n"
        f"Serve it: FORMCAST_MODELS={added.slug} make run"
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
