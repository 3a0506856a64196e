"""The WSGI entry: ``gunicorn wsgi:app``, ``flask --app wsgi``.

mod_wsgi, Passenger, PythonAnywhere and uWSGI look for ``application``.
"""

from flask import Flask

from app import create_app
from app.cli.commands import make_command_app
from app.config import SettingError
from model import ModelError

try:
    app: Flask = create_app()
except (SettingError, ModelError) as error:
    app = make_command_app(error)

application = app
