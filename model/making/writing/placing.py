"""Where the folder of a new model goes, and how it takes the place of an older one."""

from pathlib import Path

from model.making.errors import AddError
from model.making.options import AddOptions

_RESERVED = (
    "about",
    "api",
    "batch",
    "embed",
    "feedback",
    "feedback-fragment",
    "healthz",
    "link",
    "mcp",
    "metrics",
    "predict-fragment",
    "readyz",
    "static",
)


def choose_folder(options: AddOptions, root: Path) -> Path:
    """Choose the folder of a model that is to be added under ``root``.

    A replacement that was broken off is undone first.

    Raises:
        AddError: if its name is no part of an address, or stands for something else already.
    """
    slug = options.name.replace("_", "-")
    if not (slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower()):
        raise AddError(f"--name {options.name}: write lower-case letters, digits and dashes.")
    if not slug[0].isalpha() or slug in _RESERVED:
        raise AddError(
            f"--name {options.name} cannot be part of an address: it must begin with a letter, and "
            f"{', '.join(_RESERVED)} are taken. Choose another."
        )
    folder = root / slug.replace("-", "_")
    if not root.is_dir():
        raise AddError(f"{root} is not a folder. Name the folder of the models with --models.")
    _restore_backup(folder)
    if folder.exists() and not (folder / "card.toml").is_file():
        raise AddError(f"{folder} exists and is not a model. Choose another --name.")
    if folder.exists() and not options.force:
        raise AddError(f"{folder} exists. Choose another --name, or add --force to replace it.")
    return folder


def replace_folder(folder: Path, work: Path, temporary: Path) -> None:
    """Rename ``work`` to ``folder``; if that fails, a model that was there comes back.

    ``temporary`` takes the replaced model; whoever made this folder deletes it.

    Raises:
        AddError: if the file system refuses.
    """
    backup = _backup_path(folder)
    if backup.exists():  # beside a model, so another run put that in its place and was then killed
        backup.rename(temporary / "older")
    try:
        if folder.exists():
            folder.rename(backup)
        work.rename(folder)
    except OSError as error:
        raise AddError(f"{folder} could not be put in its place: {error}.") from error
    finally:  # after an interrupt, too
        _restore_backup(folder)
        if backup.exists():
            backup.rename(temporary / "old")


def _restore_backup(folder: Path) -> None:
    """Undo a replacement that was broken off after the old model had left its place."""
    backup = _backup_path(folder)
    if backup.exists() and not folder.exists():
        backup.rename(folder)


def _backup_path(folder: Path) -> Path:
    """Return where a model stands while another takes its place; a later run finds it there."""
    return folder.with_name(f".{folder.name}.old")
