"""The WSGI entry: ``gunicorn wsgi:app``, ``flask --app wsgi``.

mod_wsgi, Passenger, PythonAnywhere and uWSGI look for ``application``.
"""

import sys

try:
    from flask import Flask

    from app import create_app
    from app.cli.commands import is_looked_up, make_command_app
    from app.config import SettingError
    from model import ModelError
except ModuleNotFoundError as error:
    if str(error.name).split(".")[0] in ("app", "model"):
        raise
    raise SystemExit(  # as where the environment of `make run` is not activated
        f"Formcast cannot start. {error.name} is not installed for {sys.executable}. Use the "
        "environment of `make run`, as by `. .venv/bin/activate`, or install requirements.txt."
    ) from None

if is_looked_up():
    app: Flask = make_command_app()
else:
    try:
        app = create_app()
    except (SettingError, ModelError) as error:
        # The message says how to fix it; a traceback above it would only hide that.
        raise SystemExit(f"Formcast cannot start. {error}") from None

application = app
