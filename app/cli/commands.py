"""The commands that ``flask --app wsgi`` has beside Flask's own."""

import click
from flask import Flask

from app.cli.models import model
from app.config import SettingError, explain


def add_commands(app: Flask) -> None:
    """Add the commands to the app."""
    app.cli.add_command(settings)
    app.cli.add_command(model)


def make_command_app(error: Exception) -> Flask:
    """Make an app that serves nothing, for the commands that explain a broken setting or model.

    Flask looks up these commands in its own group. Elsewhere a server wants the app, or a command
    that needs all of it.

    Raises:
        SystemExit: if more than the commands is wanted; its message is that of the error.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.parent is not None:
        # The message says how to fix it; a traceback above it would only hide that.
        raise SystemExit(f"Formcast cannot start. {error}") from None
    app = Flask("app", static_folder=None)
    add_commands(app)
    return app


@click.command("settings")
def settings() -> None:
    """Show every setting with its value, the origin of the value, and its purpose.

    \f
    Raises:
        SystemExit: if a setting cannot be used; it says why.
    """
    try:
        for item in explain():
            shown = item.value or "(empty)"
            click.echo(f"{item.variable} = {shown}  [{item.origin}]\n    {item.help}")
    except SettingError as error:
        raise SystemExit(str(error)) from None
