"""The commands ``flask --app wsgi model add`` and ``model draft``: make a model's folder.

In a docstring, click shows what comes before the form feed.
"""

import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
from click.core import ParameterSource

from app.cli import preview
from app.cli.errors import NotProved, require_tools
from app.cli.folders import OWN_MODELS, find_folder, models_folder, read_served
from app.cli.option_values import (
    EXISTING_FILE,
    NAMED_SCALES,
    check_locale,
    parse_kind,
    parse_scale,
    parse_size,
    parse_unit,
    parse_unit_name,
    read_list,
    split_names,
)
from app.cli.plots import write_plots
from model.contract.fields import FIELD_KINDS
from model.contract.image_card import MAX_SAMPLES
from model.contract.preprocessing import Interpolation, Resize

if TYPE_CHECKING:
    from model.making import AddedModel, AddOptions


@click.command("add")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE…"
)
@click.option("--name", required=True, help="Its name in its address, like my-model.")
@click.option(
    "--data",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="The rows that it was trained on: a file (CSV, TSV, JSON, ARFF …), or a folder of them; "
    "several are read one below the other. "
    "For a network that takes pictures: a folder with a folder of pictures for each class, or a "
    "CSV file of file names and classes.",
)
@click.option("--where", default="", help="Only rows for which this is true, like 'price > 0'.")
@click.option(
    "--max-rows",
    type=click.IntRange(min=1),
    help="At most so many rows, taken at random, for a large file.",
)
@click.option(
    "--target",
    default="",
    help="The column of the data that it predicts, or several: a,b. "
    "Without it nothing can be checked.",
)
@click.option(
    "--holdout",
    help="Rows that it was not trained on, for figures and a range: another CSV file, or the "
    "column of the data that marks them.",
)
@click.option(
    "--trust", is_flag=True, help="Let code of the file run: for classes that are not known here."
)
@click.option(
    "--module",
    type=EXISTING_FILE,
    help="With --trust: the Python file with classes and functions that the model needs. "
    "It is copied into the model's folder.",
)
@click.option(
    "--python",
    default="",
    metavar="PATH",
    help="The Python of an environment that has CatBoost, PyTorch or TensorFlow, which exports a "
    "file of its own.",
)
@click.option(
    "--features",
    help="Its columns in order, where the file has no names: a,b,c, or a file with them.",
)
@click.option(
    "--before",
    multiple=True,
    type=EXISTING_FILE,
    metavar="FILE",
    help="The file of a step before the model, such as a scaler; several in their order.",
)
@click.option(
    "--target-inverse",
    default="",
    help='What turns its answer into the target: exp, expm1, exp10, square or "scale 1000".',
)
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="COLUMN=FACTOR",
    help="What a column of the data is multiplied by before the model takes it: weight=1000.",
)
@click.option(
    "--dictionary",
    type=EXISTING_FILE,
    help="A data dictionary: a CSV file or a Markdown table of column, label, unit and help.",
)
@click.option(
    "--units",
    "unit_names",
    multiple=True,
    metavar="COLUMN=UNIT",
    help="What a column is measured in, for the page: weight=kg. Changes no number.",
)
@click.option(
    "--locale", default="en_US", show_default=True, help="How the page writes numbers, like de_DE."
)
@click.option(
    "--classes",
    "--clusters",
    "classes",
    help="Names of its classes or groups in order, where it has numbers: a,b.",
)
@click.option(
    "--order",
    metavar="CLASSES",
    help="Its classes from the lowest to the highest, where they are steps of a scale, like stars: "
    'a,b,c. Or "no", where they look like it and are not.',
)
@click.option(
    "--risk", default="", metavar="CLASS", help="The class whose probability is the answer."
)
@click.option(
    "--derive",
    multiple=True,
    metavar="NAME=EXPRESSION",
    help="A column that the model takes and the form computes, like 'age = 2020 - year'.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="COLUMN=KIND",
    help=f"The kind of a column, where the guess is wrong: {', '.join(FIELD_KINDS)}.",
)
@click.option(
    "--required",
    help="Columns that the form always asks for, though the model answers without: a,b.",
)
@click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="What separates decimals, for columns that do not tell: 1.850 could be 1850.",
)
@click.option("--coverage", type=click.FloatRange(0.51, 0.99), default=0.9, show_default=True)
@click.option("--force", is_flag=True, help="Replace a model of this name.")
@click.option(
    "--publish-rows",
    is_flag=True,
    help="Show visitors rows of the data, as similar cases and as examples.",
)
@click.option(
    "--size",
    metavar="WIDTHxHEIGHT",
    help="For pictures: what the network takes, where its file does not say it: 224x224.",
)
@click.option(
    "--scale",
    metavar="SCALE",
    help=f"For pictures: the numbers that the network takes: {', '.join(NAMED_SCALES)} (unit is "
    "0 to 1), or the mean and the spread by which your code normalizes: 0.1307,0.3081.",
)
@click.option(
    "--channels", type=click.Choice(["RGB", "BGR"]), help="For pictures: the order of the colours."
)
@click.option(
    "--resize",
    type=click.Choice(get_args(Resize)),
    help="For pictures: what happens to one of another shape.",
)
@click.option(
    "--interpolation",
    type=click.Choice(get_args(Interpolation)),
    help="For pictures: which pixels make one of a smaller picture.",
)
@click.option(
    "--samples",
    type=click.IntRange(0, MAX_SAMPLES),
    default=MAX_SAMPLES,
    show_default=True,
    help="For pictures, with --publish-rows: how many of them visitors can try.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Take what the data prove, and install what a file needs, without a question.",
)
@click.option(
    "--as-is", is_flag=True, help="Add it although its answers look wrong; its page says so."
)
@click.option(
    "--open",
    "opens",
    is_flag=True,
    help="Show its page when it is added: in the browser, or without a terminal as preview.png.",
)
@models_folder
def add(
    name: str,
    data: tuple[Path, ...],
    yes: bool,
    opens: bool,
    root: Path,
    **given: Any,
) -> None:
    """Make a model's folder from its FILE or FILES and from its data.

    A file is a joblib, pickle, skops, ONNX, JSON or text file, one of XGBoost or LightGBM, or the
    folder of a model of MLflow or Hugging Face. What the files hold is put together as the
    data prove it: scalers, encoders, lists of columns, names of classes.

    \f
    Raises:
        ClickException: if the model cannot be added; it says why.
        BadParameter: if an option is not written as it should be.
        NotProved: if the data do not prove that it would answer rightly.
    """
    with require_tools("Adding a model"):
        from model.making import AddError, AddOptions, PictureOptions
        from model.making.assembly.inverses import make_inverse
    try:
        if given["target_inverse"]:
            make_inverse(given["target_inverse"])
    except AddError as error:
        raise click.BadParameter(str(error)) from None
    scale, levels = parse_scale(given.pop("scale"))
    pictures = PictureOptions(
        size=parse_size(given.pop("size")),
        scale=scale,
        levels=levels,
        **{key: given.pop(key) for key in ("channels", "resize", "interpolation", "samples")},
    )
    read = {
        "features": read_list(given["features"]),
        "classes": split_names(given["classes"]),
        # A virtual environment's Python is a link, which must not be followed.
        "python": os.path.abspath(given["python"]) if given["python"] else "",
        "order": split_names(given["order"]),
        "required": split_names(given["required"]),
        "kinds": dict(map(parse_kind, given["kinds"])),
        "units": dict(map(parse_unit, given["units"])),
        "unit_names": tuple(map(parse_unit_name, given["unit_names"])),
        "locale": check_locale(given["locale"]),
    }
    # The other options are called as what they set.
    asked = AddOptions(
        name=name, data=data[0], more_data=data[1:], pictures=pictures, **given | read
    )
    _add(asked, root, yes)
    _show(name, root, opens)


def _show(name: str, root: Path, opens: bool) -> None:
    """Show the page of a model that was added."""
    if not (opens or sys.stdout.isatty()):
        return
    slug = name.replace("_", "-")
    try:
        if opens and sys.stdout.isatty():
            preview.show(
                slug, root, lambda address: click.echo(f"It is at {address} (stop with Ctrl+C).")
            )
        elif chromium := preview.find_chromium():
            click.echo(f"This is its page: {preview.picture(slug, root, chromium)}")
        elif opens:
            click.echo("It was not opened: there is no terminal, and no Chromium for a picture.")
    except preview.PreviewError as error:
        click.echo(f"Its page could not be shown: {error}", err=True)


def _add(options: "AddOptions", root: Path, yes: bool, keep_card: bool = False) -> None:
    """Add a model, or draft it anew, and say what was made."""
    from model.making import AddError, NotProvedError, add_from_files, list_stages

    stages = list_stages(options)

    def ask(text: str) -> bool:
        click.echo(f"\n{text}")
        if yes:
            return True
        if not sys.stdin.isatty():
            line = _repeat_command()
            raise NotProved(f"Nothing was added yet. If that is right, run:\n  {line} --yes")
        return click.confirm("Is that right?")

    started = time.monotonic()
    # By default SIGTERM ends the process at once: nothing would be put back or cleaned up.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with click.progressbar(
            length=len(stages),
            label=f"Adding {options.name}",
            item_show_func=lambda stage: stage or "",
        ) as bar:

            def report(stage: str) -> None:
                if not sys.stdout.isatty() and stage in stages:  # where click draws no bar
                    click.echo(f"  {time.monotonic() - started:5.1f} s  {stage}")
                bar.update(stages.index(stage) - bar.pos if stage in stages else 0, stage)

            added = add_from_files(options, root, report, ask, keep_card)
            write_plots(added.folder)
            bar.update(len(stages) - bar.pos, "done")
    except NotProvedError as error:
        raise NotProved(str(error)) from None
    except AddError as error:
        raise click.ClickException(str(error)) from None
    finally:
        signal.signal(signal.SIGTERM, handler)
    _report(added)


@click.command("draft")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Take what the data prove, without a question.")
@models_folder
def draft(name: str, yes: bool, root: Path) -> None:
    """Draft the model NAME anew from its data, and keep what was written into its card.

    \f
    Raises:
        ClickException: if it cannot be drafted; it says why.
    """
    with require_tools("Drafting"):
        from model.making import AddError, recall_options
    folder = find_folder(name, root)
    try:
        options = recall_options(folder)
    except AddError as error:
        raise click.ClickException(str(error)) from None
    _add(options, root, yes, keep_card=True)


def _repeat_command() -> str:
    """The command as it was given, to be copied."""
    context = click.get_current_context()
    words = ["flask", "--app", "wsgi", "model", str(context.info_name)]
    for parameter in context.command.params:
        value = context.params[str(parameter.name)]
        if context.get_parameter_source(str(parameter.name)) is not ParameterSource.COMMANDLINE:
            continue
        values = value if isinstance(value, tuple) else (value,)
        for each in values:
            if isinstance(parameter, click.Option):
                words.append(parameter.opts[0])
            if each is not True:
                words.append(str(each))
    return shlex.join(words)


def _report(added: "AddedModel") -> None:
    """Print what was guessed, what was measured, and what to do next."""
    from model.making import format_report

    card = added.folder / "card.toml"
    click.echo(f"\n{format_report(added)}")
    for written, drafted in added.conflicts:
        click.echo(f"The card keeps:\n{written}where the new draft has:\n{drafted}")
    click.echo(
        f"{card} was drafted, and this page stands beside it in REPORT.md.\n"
        f"Now write in {card}: limits and not_for first.\n"
        f"Check it: flask --app wsgi model check {added.slug}{_name_root(added.folder.parent)}\n"
        f"{_say_how_to_serve(added.slug, added.folder)}"
    )


def _name_root(root: Path) -> str:
    """The option that names the folder of the models, "" where it is the app's own."""
    return "" if root.resolve() == OWN_MODELS else f" --models {shlex.quote(str(root))}"


def _say_how_to_serve(slug: str, folder: Path) -> str:
    """What is left to do until visitors see a model that was added."""
    if folder.parent.resolve() != OWN_MODELS:
        return f"Serve it: move {folder} into {OWN_MODELS}, then FORMCAST_MODELS={slug} make run"
    if slug in read_served():
        return "It is one of the models that are served: start the server anew, or reload it."
    return f"Serve it: FORMCAST_MODELS={slug} make run"
