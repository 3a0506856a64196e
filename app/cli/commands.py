"""The commands that ``flask --app wsgi`` has beside Flask's own."""

import secrets
import time

import click
from flask import Flask
from flask.cli import FlaskGroup

from app.cli.feedback import feedback
from app.cli.models import model
from app.config import SettingError, Settings, explain
from app.limits.access import hash_key, hash_password, make_key, sign_link


def add_commands(app: Flask) -> None:
    """Add the commands to the app."""
    app.cli.add_command(settings)
    app.cli.add_command(model)
    app.cli.add_command(link)
    app.cli.add_command(feedback)


def is_looked_up() -> bool:
    """Whether Flask looks up one of these commands, which need none of the models that are served.

    It looks in its own group; its own commands, like ``run``, load the app below that.
    """
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def make_command_app() -> Flask:
    """Make an app that serves nothing, for these commands; they work beside a broken model, too."""
    app = Flask("app", static_folder=None)
    add_commands(app)
    return app


@click.group("settings", invoke_without_command=True)
@click.pass_context
def settings(context: click.Context) -> None:
    """Show every setting with its value, the origin of the value, and its purpose.

    \f
    Raises:
        SystemExit: if a setting cannot be used; it says why.
    """
    if context.invoked_subcommand:
        return
    try:
        for item in explain():
            shown = item.value or "(empty)"
            click.echo(f"{item.variable} = {shown}  [{item.origin}]\n    {item.help}")
    except SettingError as error:
        raise SystemExit(str(error)) from None


@settings.command("hash")
@click.password_option(help="Asked for, if it is not given.")
def hash_command(password: str) -> None:
    """Write the line of a setting for a password, which is not stored anywhere."""
    click.echo(f"FORMCAST_PASSWORD_HASH={hash_password(password)}")


@settings.command("key")
@click.argument("name")
def key_command(name: str) -> None:
    """Make an API key, and the line by which the server knows it."""
    key = make_key()
    click.echo(f"The key, which nothing shows again:\n    {key}")
    click.echo("The line for FORMCAST_KEYS or the file that FORMCAST_KEYS_FILE names:")
    click.echo(f"    {name}:{hash_key(key)}")


@click.command("link")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True)
def link(days: int) -> None:
    """Make a link that opens the app for one reader, until it ends.

    \f
    Raises:
        SystemExit: where no setting has a secret to sign it with.
    """
    try:
        chosen = Settings.from_environment()
    except SettingError as error:
        raise SystemExit(str(error)) from None
    if not chosen.link_key:
        raise SystemExit(
            "A link needs a secret that signs it. Set this one where the server runs, too:\n"
            f"    FORMCAST_LINK_KEY={secrets.token_urlsafe(32)}"
        )
    token = sign_link(chosen.link_key, int(time.time()) + days * 24 * 3600)
    origin = chosen.public_url or "https://YOUR-HOST"
    click.echo(f"{origin}{chosen.root_path}/link/{token}/")
