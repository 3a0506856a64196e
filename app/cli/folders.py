"""Where the commands find the models' folders."""

from pathlib import Path

import click

from app.config import ROOT, SettingError, Settings

OWN_MODELS = (ROOT / "model").resolve()
"""The folder whose models are served."""

models_folder = click.option(
    "--models",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=OWN_MODELS,
    help="The folder with the models' folders; the app's own is the default.",
)


def find_folder(name: str, root: Path) -> Path:
    """Find the folder of a model that exists.

    Raises:
        ClickException: if there is none; it names those that are there.
    """
    folder = root / name.replace("-", "_")
    if folder.parent == root and (folder / "manifest.json").is_file():
        return folder  # a model without a card can be removed, and a check says what is missing
    if folder.parent != root or not (folder / "card.toml").is_file():
        names = sorted(path.parent.name.replace("_", "-") for path in root.glob("*/card.toml"))
        raise click.ClickException(
            f"There is no model {name!r} in {root}. There are: {', '.join(names) or 'none'}."
        )
    return folder


def read_served() -> tuple[str, ...]:
    """Return the slugs of the models that the settings serve; none where a setting is broken."""
    try:
        return Settings.from_environment().models
    except SettingError as error:
        click.echo(f"Note: {error}", err=True)
        return ()
