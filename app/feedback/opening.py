"""Which database the settings name, and what must be said of it at the start."""

import logging
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.config import ROOT, SettingError, Settings
from app.feedback.store import Store

if TYPE_CHECKING:
    from app.feedback.databases import Database

_POSTGRES = re.compile(r"postgres(ql)?(\+[a-z0-9]+)?://")
"""Also as SQLAlchemy writes it, with a driver."""

_FORGETFUL_HOSTS = {"DYNO": "a dyno", "K_SERVICE": "Cloud Run", "SPACE_ID": "a Space"}
"""Variables of hosts whose disk is empty again after a restart."""

_log = logging.getLogger(__name__)


def open_store(settings: Settings, environ: Mapping[str, str] = os.environ) -> Store | None:
    """Make the store that the settings name; it connects when it is used.

    Returns:
        None where nothing is to be kept, or only ``DATABASE_URL`` asks for it and cannot be used.

    Raises:
        SettingError: if FORMCAST_FEEDBACK is on and ``DATABASE_URL`` cannot be used.
    """
    url = environ.get("DATABASE_URL", "").strip()
    if not settings.wants_feedback(url):
        return None
    try:
        return Store(choose_database(settings, url))
    except SettingError as error:
        if settings.feedback == "on":
            raise
        _log.warning("No feedback is kept. %s", error)
        return None


def choose_database(settings: Settings, url: str) -> "Database":
    """Choose PostgreSQL where there is a ``DATABASE_URL``, else the file of FORMCAST_DATA.

    Raises:
        SettingError: for an address of another database, or without what reaches it.
    """
    # Here, so that no driver is imported where nothing is kept.
    from app.feedback.databases import PostgresDatabase, SqliteDatabase

    if not url:
        return SqliteDatabase(ROOT / settings.data)
    address, found = _POSTGRES.subn("postgresql://", url, count=1)
    if not found or not _POSTGRES.match(url):
        raise SettingError(
            "DATABASE_URL is not an address of PostgreSQL. Write one like "
            "postgresql://user:password@host/name, or unset it to use the file that FORMCAST_DATA "
            "names."
        )
    try:
        return PostgresDatabase(address)
    except ImportError:
        raise SettingError(
            "DATABASE_URL is set, but psycopg is not installed. Run: pip install -r "
            "app/feedback/requirements.txt (on a host that installs requirements.txt alone, add "
            "the lines of that file to it)."
        ) from None
    except ValueError as error:
        raise SettingError(f"DATABASE_URL: {error}. Check how it is written.") from None


def warn_of_loss(database: "Database", environ: Mapping[str, str] = os.environ) -> None:
    """Warn where what is kept goes with the next restart."""
    from app.feedback.databases import SqliteDatabase

    host = next((name for key, name in _FORGETFUL_HOSTS.items() if environ.get(key)), "")
    if host and isinstance(database, SqliteDatabase):
        _log.warning(
            "Feedback is kept in %s, and the disk of %s is empty again after a restart. Set "
            "DATABASE_URL to a PostgreSQL, or FORMCAST_DATA to a disk that stays.",
            database.name,
            host,
        )
