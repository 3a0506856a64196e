"""The WSGI entry: ``gunicorn wsgi:app``, ``flask --app wsgi``."""

from app import create_app
from app.config import SettingError
from model import ModelError

try:
    app = create_app()
except (SettingError, ModelError) as error:
    # The message says how to mend it; a traceback above it would only hide that.
    raise SystemExit(f"Formcast cannot start. {error}") from None
