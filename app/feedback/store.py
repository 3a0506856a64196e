"""The store of outcomes and counts: a few statements, each a transaction of its own."""

import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from app.feedback.outcomes import (
    OUTCOME_COLUMNS,
    PICTURE_COLUMN,
    FieldBin,
    ReportedOutcome,
    decode_outcome,
    encode_outcome,
)

if TYPE_CHECKING:
    from app.feedback.databases import Database

MIGRATIONS = Path(__file__).parent / "migrations"
PAGE = 1000
"""Rows that are read at a time."""

_EVERY_COLUMN = f"{OUTCOME_COLUMNS}, {PICTURE_COLUMN}"

_NAME = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


class StoreError(Exception):
    """The database did not do what was asked; the message says which one and why."""


class Migration(NamedTuple):
    """One numbered change of the tables. Code of before must be able to go on after it."""

    number: int
    statements: tuple[str, ...]


@cache
def read_migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """Read the migrations, in their order."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match:
            statements = [text.strip() for text in path.read_text().split(";")]
            found.append(Migration(int(match[1]), tuple(filter(None, statements))))
    return tuple(found)


class Store:
    """Outcomes and counts in a database.

    It is for one thread at a time. It connects when it is first used, migrates the tables where
    they are older than the code, and connects again after an error or a fork. It closes a file
    after each transaction, unless ``keeps_open``: to close one takes three times what a write
    does. Every method raises
    ``StoreError`` where the database does not do it; then nothing of it was done.
    """

    def __init__(self, database: "Database", folder: Path = MIGRATIONS) -> None:
        self.database = database
        self._migrations = read_migrations(folder)
        self._connection: Any = None
        self._process = 0
        self._identity: object = None
        self.keeps_open = False
        self.commits = 0
        """How many transactions were kept."""

    def insert(self, outcomes: Sequence[ReportedOutcome]) -> list[bool]:
        """Keep outcomes, all or none.

        Returns:
            For each whether it is new; one whose id is there already changes nothing.
        """
        places = ", ".join("?" * len(ReportedOutcome._fields))
        sql = (
            f"INSERT INTO outcome ({_EVERY_COLUMN}) VALUES ({places}) "  # noqa: S608 (constants)
            "ON CONFLICT (id) DO NOTHING"
        )
        with self._transaction() as run:
            return [run(sql, encode_outcome(outcome)).rowcount > 0 for outcome in outcomes]

    def find(self, identity: str) -> ReportedOutcome | None:
        """Find an outcome by its id, with its picture."""
        with self._transaction() as run:
            row = run(
                f"SELECT {_EVERY_COLUMN} FROM outcome WHERE id = ?",  # noqa: S608 (as above)
                (identity,),
            ).fetchone()
        return None if row is None else decode_outcome(row)

    def iterate(
        self, model: str = "", source: str = "", since: dt.date = dt.date.min
    ) -> Iterator[ReportedOutcome]:
        """Read the outcomes by day and time, ``PAGE`` of them at a time, without their pictures.

        Args:
            model: the slug of the model; "" for every one.
            source: "visitor" or "file"; "" for both.
            since: the first day.
        """
        sql = (
            f"SELECT {OUTCOME_COLUMNS} FROM outcome "  # noqa: S608 (as above)
            "WHERE (day > ? OR (day = ? AND (time > ? OR (time = ? AND id > ?)))) "
            "AND (? IN ('', model)) AND (? IN ('', source)) "
            f"ORDER BY day, time, id LIMIT {PAGE}"
        )
        day, time, identity = since.isoformat(), "", ""
        while True:
            with self._transaction() as run:
                rows = run(sql, (day, day, time, time, identity, model, source)).fetchall()
            yield from map(decode_outcome, rows)
            if len(rows) < PAGE:
                return
            last = decode_outcome(rows[-1])
            day, time, identity = last.day.isoformat(), last.time, last.id

    def delete(self, identity: str) -> bool:
        """Delete an outcome; return whether it was there."""
        with self._transaction() as run:
            found = bool(run("DELETE FROM outcome WHERE id = ?", (identity,)).rowcount)
        self._forget()
        return found

    def delete_outcomes(self, model: str = "", source: str = "") -> int:
        """Delete the outcomes of a model and a source, "" for any; return how many there were."""
        sql = "DELETE FROM outcome WHERE (? IN ('', model)) AND (? IN ('', source))"
        with self._transaction() as run:
            found = int(run(sql, (model, source)).rowcount)
        self._forget()
        return found

    def purge(self, before: dt.date) -> int:
        """Delete reports and counts that are older than a day; return how many reports that were.

        Cases of a file stay: their days are those of the cases, and may be long ago.
        """
        sql = "DELETE FROM outcome WHERE day < ? AND source = 'visitor'"
        with self._transaction() as run:
            found = int(run(sql, (before.isoformat(),)).rowcount)
            run("DELETE FROM field_counts WHERE day < ?", (before.isoformat(),))
        if found:
            self._forget()
        return found

    def add_counts(self, counts: Mapping[FieldBin, int]) -> None:
        """Add to the counts of bins, all or none."""
        sql = (
            "INSERT INTO field_counts (model, version, day, field, bin, count) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (model, version, day, field, bin) "
            "DO UPDATE SET count = field_counts.count + excluded.count"
        )
        with self._transaction() as run:
            for key in sorted(counts):  # in one order, so that no two processes wait for each other
                day = key.day.isoformat()
                run(sql, (key.model, key.version, day, key.field, key.bin, counts[key]))

    def read_counts(self, model: str, since: dt.date = dt.date.min) -> dict[FieldBin, int]:
        """Read the counts of a model from a day on."""
        sql = (
            "SELECT model, version, day, field, bin, count FROM field_counts "
            "WHERE model = ? AND day >= ?"
        )
        with self._transaction() as run:
            rows = run(sql, (model, since.isoformat())).fetchall()
        return {
            FieldBin(row[0], row[1], dt.date.fromisoformat(row[2]), row[3], row[4]): int(row[5])
            for row in rows
        }

    def count_outcomes(self, model: str) -> tuple[int, int]:
        """Count the outcomes of a model: those of visitors and those of files."""
        sql = "SELECT COUNT(*) FROM outcome WHERE model = ? AND source = ?"
        with self._transaction() as run:
            visitors, files = (
                int(run(sql, (model, source)).fetchone()[0]) for source in ("visitor", "file")
            )
        return visitors, files

    def keep_once(self, name: str, value: str) -> str:
        """Keep a value under a name, unless there is one; return the one that is kept."""
        with self._transaction() as run:
            run(
                "INSERT INTO formcast (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, value),
            )
            return str(run("SELECT value FROM formcast WHERE name = ?", (name,)).fetchone()[0])

    def migrate(self) -> int:
        """Bring the tables up to date; return how many migrations this process has run."""
        with self._guard():
            connection = self._open(migrated=True)
            try:
                return self._migrate(connection)
            finally:
                self._release(connection)

    def rest(self) -> None:
        """Close a file until the next use, with an empty log: it would belong to any file there."""
        if self._connection is not None and not self.database.keeps_connection:
            with suppress(*self.database.errors):
                self.database.forget(self._connection)
            self._drop()

    def close(self) -> None:
        """Close the connection, if there is one; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None and self._process == os.getpid():
            connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Give what runs a statement; commit at the end, or roll back after an error."""
        with self._guard():
            connection = self._begin()
            try:

                def run(sql: str, values: Sequence[object]) -> Any:
                    return connection.execute(self.database.adapt(sql), values)

                yield run
                connection.execute("COMMIT")
                self.commits += 1
            finally:
                self._release(connection)

    def _begin(self) -> Any:
        """Begin a transaction, in a new connection where the kept one has ended meanwhile."""
        kept = self._connection
        try:
            connection = self._open()
            connection.execute(self.database.begin)
        except self.database.errors:
            if kept is None or kept is not self._connection:
                raise
            self._drop()
            connection = self._open()
            connection.execute(self.database.begin)
        return connection

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except self.database.errors as error:
            self._drop()
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise StoreError(f"{self.database.name}: {reason}") from error
        except BaseException:
            self._drop()
            raise

    def _open(self, migrated: bool = False) -> Any:
        if self._connection is not None and self._process == os.getpid():
            if self._identity == self.database.identify():
                return self._connection
            self.rest()
        connection = self.database.connect()
        self._connection, self._process = connection, os.getpid()
        if not migrated and self._read_number(connection) < self._migrations[-1].number:
            self._migrate(connection)
        return connection

    def _release(self, connection: Any) -> None:
        if self.database.keeps_connection or self.keeps_open:
            self._identity = self.database.identify()
        elif self._connection is connection:
            self._connection = None
            connection.close()  # which also rolls back what was not committed

    def _drop(self) -> None:
        try:
            self.close()
        except self.database.errors:
            self._connection = None

    def _read_number(self, connection: Any) -> int:
        """Read the number of the last migration that was run, 0 where there are no tables."""
        try:
            row = connection.execute(
                "SELECT value FROM formcast WHERE name = 'migration'"
            ).fetchone()
        except self.database.errors:
            return 0  # whatever else is wrong, the migration runs into it, too
        return 0 if row is None else int(row[0])

    def _migrate(self, connection: Any) -> int:
        run = connection.execute
        run(self.database.begin)
        self.database.lock(connection)
        run("CREATE TABLE IF NOT EXISTS formcast (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        row = run("SELECT value FROM formcast WHERE name = 'migration'").fetchone()
        reached = 0 if row is None else int(row[0])
        waiting = [migration for migration in self._migrations if migration.number > reached]
        for migration in waiting:
            for statement in migration.statements:
                run(statement)
            run(
                self.database.adapt(
                    "INSERT INTO formcast (name, value) VALUES ('migration', ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                ),
                (str(migration.number),),
            )
        run("COMMIT")
        return len(waiting)

    def _forget(self) -> None:
        with self._guard():
            connection = self._open()
            try:
                self.database.forget(connection)
            finally:
                self._release(connection)
