"""The two databases that the store can use, and where they differ.

Both take the same SQL, with ``?`` for a value, so that neither an ORM nor a second text of any
statement is needed.
"""

import os
import sqlite3
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any

TIMEOUT = 5
"""Seconds that one step waits: for a connection, for another process, for an answer."""

MIGRATION_LOCK = 0x666F726D
"""The number of PostgreSQL's advisory lock; no other use of the database has the same by chance."""


class Database(ABC):
    """One database: how to connect, and what differs in SQL."""

    name: str
    """What messages call it."""

    errors: tuple[type[Exception], ...]
    """What its driver raises."""

    begin = "BEGIN"
    """Begins a transaction that writes."""

    keeps_connection = False
    """Whether a connection always stays open between transactions."""

    @abstractmethod
    def connect(self) -> Any:
        """Open a connection whose ``execute`` takes SQL with values, outside of a transaction."""

    def identify(self) -> object:
        """Return what changes where another database may have taken the place of an open one."""
        return None  # that ends a connection to a server

    def adapt(self, sql: str) -> str:
        """Write the places of values as the driver reads them."""
        return sql

    def lock(self, connection: Any) -> None:  # noqa: B027 (what begins a transaction may lock)
        """Wait inside a transaction until no other process migrates."""

    def forget(self, connection: Any) -> None:  # noqa: B027 (a server cleans up by itself)
        """Remove what the database still keeps of rows that were deleted, where it can."""


class SqliteDatabase(Database):
    """A file. It is opened anew where it was replaced or written by somebody else."""

    errors = (sqlite3.Error, OSError)
    begin = "BEGIN IMMEDIATE"  # which is the lock, too

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=TIMEOUT, isolation_level=None)
        try:
            self._use_wal(connection)
            # A commit is on the disk; what is deleted is overwritten.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def identify(self) -> object:
        """The file and when it was written; a commit writes another one beside it."""
        with suppress(OSError):
            found = self.path.stat()
            return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
        return object()  # like no other: the file is gone

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:  # SQLite does not wait for this lock itself
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def forget(self, connection: sqlite3.Connection) -> None:
        """Empty the log of changes, too."""
        with suppress(sqlite3.OperationalError):  # another process reads: it is emptied later
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgresDatabase(Database):
    """A server. Its connection stays open, and is opened again after an error."""

    keeps_connection = True

    def __init__(self, url: str) -> None:
        """Take an address; nothing is opened yet.

        Raises:
            ImportError: where psycopg is not installed.
            ValueError: for an address that cannot be read.
        """
        import psycopg  # optional, and 60 ms of the start

        self._psycopg = psycopg
        self.errors = (psycopg.Error, OSError)
        self._url = url
        try:
            found = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            raise ValueError("It cannot be read as an address of PostgreSQL") from error
        self.name = f"PostgreSQL at {found.get('host') or 'localhost'}"  # no password

    def connect(self) -> Any:
        connection = self._psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=TIMEOUT,
            prepare_threshold=None,  # a pooler gives each transaction another session
            tcp_user_timeout=TIMEOUT * 1000,
            application_name="formcast",
        )
        # Not as an option of the connection, which poolers refuse.
        connection.execute(f"SET statement_timeout = {TIMEOUT * 1000}")
        return connection

    def adapt(self, sql: str) -> str:
        return sql.replace("?", "%s")

    def lock(self, connection: Any) -> None:
        connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
