"""What ``flask --app wsgi …`` can do beside Flask's own commands: one function a group."""

import click
from flask import Flask

from app.cli.models import model
from app.config import SettingError, explain


def add_commands(app: Flask) -> None:
    """Add the commands to the app."""
    app.cli.add_command(settings)
    app.cli.add_command(model)


def commands_alone(error: Exception) -> Flask:
    """An app with its commands and nothing to serve, for settings or a model that is broken.

    What looks into a broken model has to work just then. Flask looks a command of ours up from its
    own group; a server, or a command of Flask's that needs the whole app, asks from elsewhere.

    Raises:
        SystemExit: where more than a command is asked for, with what is wrong.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.parent is not None:
        # The message says how to mend it; a traceback above it would only hide that.
        raise SystemExit(f"Formcast cannot start. {error}") from None
    app = Flask("app", static_folder=None)
    add_commands(app)
    return app


@click.command("settings")
def settings() -> None:
    """Show every setting with its value, where that comes from, and what it is for."""
    try:
        for item in explain():
            shown = item.value or "(empty)"
            click.echo(f"{item.variable} = {shown}  [{item.origin}]\n    {item.help}")
    except SettingError as error:
        raise SystemExit(str(error)) from None
