"""The commands ``flask --app wsgi model …``: look at, add, check, list and remove models.

In a docstring, click shows what comes before the form feed.
"""

import json
import math
import re
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click
from babel import Locale, UnknownLocaleError
from click.core import ParameterSource

from app.cli import preview
from app.cli.folders import OWN_MODELS, find_folder, models_folder
from app.cli.outcomes import outcomes
from app.cli.plots import write_plots
from app.cli.predicting import predict
from app.config import SettingError, Settings
from model import ModelError, load_model, read_card
from model.contract.fields import FIELD_KINDS
from model.contract.files import read_json
from model.contract.image_card import MAX_SAMPLES
from model.contract.preprocessing import LevelScale, Resize
from model.contract.upgrading import upgrade_folder

if TYPE_CHECKING:
    from model.making import AddedModel, AddOptions


class NotProved(click.ClickException):
    """The data do not prove that a model answers rightly; it ends with 4."""

    exit_code = 4


@click.group("model")
def model() -> None:
    """Look at, add, check, list and remove models, let one answer a file, or hold it to truths."""


model.add_command(predict)
model.add_command(outcomes)


@model.command("add")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE…",
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
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --trust: the Python file with classes and functions that the model needs. "
    "It is copied into the model's folder.",
)
@click.option(
    "--features",
    help="Its columns in order, where the file has no names: a,b,c, or a file with them.",
)
@click.option(
    "--before",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
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
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
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
    type=click.Choice(get_args(LevelScale)),
    help="For pictures: the numbers that the network takes; unit is 0 to 1.",
)
@click.option(
    "--channels",
    type=click.Choice(["RGB", "BGR"]),
    help="For pictures: the order of the colours.",
)
@click.option(
    "--resize",
    type=click.Choice(get_args(Resize)),
    help="For pictures: what happens to one of another shape.",
)
@click.option(
    "--samples",
    type=click.IntRange(0, MAX_SAMPLES),
    default=MAX_SAMPLES,
    show_default=True,
    help="For pictures, with --publish-rows: how many of them visitors can try.",
)
@click.option("--yes", is_flag=True, help="Take what the data prove, without a question.")
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
    paths: tuple[Path, ...],
    name: str,
    data: tuple[Path, ...],
    where: str,
    max_rows: int | None,
    target: str,
    holdout: str | None,
    trust: bool,
    module: Path | None,
    features: str | None,
    classes: str | None,
    derive: tuple[str, ...],
    kinds: tuple[str, ...],
    required: str | None,
    decimal: Literal[".", ","] | None,
    coverage: float,
    force: bool,
    publish_rows: bool,
    size: str | None,
    scale: LevelScale | None,
    channels: Literal["RGB", "BGR"] | None,
    resize: Resize | None,
    samples: int,
    before: tuple[Path, ...],
    target_inverse: str,
    units: tuple[str, ...],
    dictionary: Path | None,
    unit_names: tuple[str, ...],
    locale: str,
    yes: bool,
    as_is: bool,
    opens: bool,
    root: Path,
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
    try:
        from model.making import AddError, AddOptions, PictureOptions
        from model.making.assembly.candidates import make_inverse
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"Adding a model needs {error.name}, which is not installed. Run `make add-tools`."
        ) from None
    try:
        if target_inverse:
            make_inverse(target_inverse)
    except AddError as error:
        raise click.BadParameter(str(error)) from None
    asked = AddOptions(
        paths=paths,
        name=name,
        data=data[0],
        more_data=data[1:],
        where=where,
        max_rows=max_rows,
        target=target,
        holdout=holdout,
        trust=trust,
        module=module,
        features=_read_list(features),
        classes=_split(classes),
        derive=derive,
        kinds=dict(_parse_kind(text) for text in kinds),
        required=_split(required),
        decimal=decimal,
        coverage=coverage,
        force=force,
        publish_rows=publish_rows,
        before=before,
        target_inverse=target_inverse,
        units=dict(_parse_unit(text) for text in units),
        as_is=as_is,
        dictionary=dictionary,
        unit_names=tuple(_parse_unit_name(text) for text in unit_names),
        locale=_check_locale(locale),
        pictures=PictureOptions(
            size=_parse_size(size),
            scale=scale,
            channels=channels,
            resize=resize,
            samples=samples,
        ),
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


@model.command("draft")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Take what the data prove, without a question.")
@models_folder
def draft(name: str, yes: bool, root: Path) -> None:
    """Draft the model NAME anew from its data, and keep what was written into its card.

    \f
    Raises:
        ClickException: if it cannot be drafted; it says why.
    """
    try:
        from model.making import AddError, recall_options
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"Drafting needs {error.name}, which is not installed. Run `make add-tools`."
        ) from None
    folder = find_folder(name, root)
    try:
        options = recall_options(folder)
    except AddError as error:
        raise click.ClickException(str(error)) from None
    _add(options, root, yes, keep_card=True)


@model.command("check")
@click.argument("name")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows whose truth is known, to check its answers by; with --target.",
)
@click.option("--target", default="", help="The column of --data that holds the truth.")
@models_folder
def check(name: str, data: Path | None, target: str, root: Path) -> None:
    """Show every problem of the model NAME, with the line to change.

    Its answers are checked by rows of its data: those of --data, else those that its folder keeps.

    \f
    Raises:
        ClickException: if there is any, or the rows cannot be read.
        UsageError: if one of --data and --target is missing.
        NotProved: if rows of its data show that it answers something else.
    """
    if (data is None) == bool(target):
        raise click.UsageError("--data and --target belong together: give both, or none.")
    folder = find_folder(name, root)
    try:
        found = load_model(folder)
    except ModelError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        count = len(error.problems)
        raise click.ClickException(
            f"{count} {'problem' if count == 1 else 'problems'} to fix in {folder}."
        ) from None
    click.echo(f"{folder} is sound: {found.card.title} (version {found.version})")
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
    try:
        from model.making.looking import look
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"Looking at a model needs {error.name}, which is not installed. Run `make add-tools`."
        ) from None
    found = look(paths)
    click.echo(found.text)
    if not found.servable:
        raise click.exceptions.Exit(3 if found.in_part else 1)


@model.command("list")
@models_folder
def list_models(root: Path) -> None:
    """Show the models, and at which address each is served."""
    served = _read_served()
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
    if slug in _read_served():
        click.echo(f"{slug} is served: take it out of FORMCAST_MODELS, too.")
    if not yes:
        click.confirm(f"Delete {folder} and everything in it?", abort=True)
    if folder.is_symlink():
        folder.unlink()  # its target belongs to somebody else
    else:
        shutil.rmtree(folder)
    click.echo(f"{folder} is gone.")


def _read_served() -> tuple[str, ...]:
    """Return the slugs of the models that the settings serve; none where a setting is broken."""
    try:
        return Settings.from_environment().models
    except SettingError as error:
        click.echo(f"Note: {error}", err=True)
        return ()


def _repeat_command() -> str:
    """The command as it was given, to be copied."""
    context = click.get_current_context()
    words = ["flask", "--app", "wsgi", "model", "add"]
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


def _read_list(text: str | None) -> tuple[str, ...]:
    """A list of names, or those in a file of JSON or text."""
    if not text or not Path(text).is_file():
        return _split(text)
    content = Path(text).read_text(encoding="utf-8-sig")
    try:
        found = json.loads(content)
    except ValueError:
        found = [line.strip() for line in content.replace(",", "\n").splitlines() if line.strip()]
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise click.BadParameter(f"{text} holds no list of names.")
    return tuple(found)


def _parse_unit(text: str) -> tuple[str, float]:
    column, _, factor = text.rpartition("=")
    try:
        number = float(factor)
    except ValueError:
        number = math.nan
    if not column or not math.isfinite(number) or number == 0:
        raise click.BadParameter(f"{text!r}: write COLUMN=FACTOR, like weight=1000.")
    return column, number


def _parse_unit_name(text: str) -> tuple[str, str]:
    column, _, unit = text.rpartition("=")
    if not column.strip() or not unit.strip():
        raise click.BadParameter(f"{text!r}: write COLUMN=UNIT, like weight=kg.")
    return column.strip(), unit.strip()


def _check_locale(name: str) -> str:
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        raise click.BadParameter(f"--locale {name} is not known. Write one like de_DE.") from None
    return name


def _parse_size(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,4})[x×, ]([0-9]{1,4})", text.strip().lower())
    if found is None or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
        raise click.BadParameter(f"--size {text}: write WIDTHxHEIGHT in pixels, like 224x224.")
    return int(found[1]), int(found[2])


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _parse_kind(text: str) -> tuple[str, str]:
    column, _, value = text.rpartition("=")
    if not column or value not in FIELD_KINDS:
        raise click.BadParameter(
            f"{text!r}: write COLUMN=KIND; a kind is one of {', '.join(FIELD_KINDS)}."
        )
    return column, value


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
    if slug in _read_served():
        return "It is one of the models that are served: start the server anew, or reload it."
    return f"Serve it: FORMCAST_MODELS={slug} make run"
