"""The store: what is kept, found and deleted, and whatever happens to its database."""

import datetime as dt
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from app.config import SettingError, Settings
from app.feedback.databases import SqliteDatabase
from app.feedback.opening import open_store, warn_of_loss
from app.feedback.outcomes import FieldBin, ReportedOutcome
from app.feedback.store import PAGE, Store, StoreError, read_migrations
from tests.app.feedback.postgres import Postgres, find_programs
from tests.tools import ROOT

DAY = dt.date(2026, 11, 29)
SALE = ReportedOutcome(
    "A1", "house-price", "v1", DAY, {"beds": "3", "odd": "\0\ud800'%s?"}, 210_000.0, 230_000.0,
    low=180_000.0, high=250_000.0, said="100 % sure\n\0",
)  # fmt: skip
POSTGRES = pytest.param(
    "postgres",
    marks=[
        pytest.mark.second_tier,
        pytest.mark.skipif(find_programs() is None, reason="no PostgreSQL on this machine"),
    ],
)


@pytest.fixture(scope="module", params=["sqlite", POSTGRES])
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The environment that names an empty database."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("store")
        yield {"FORMCAST_FEEDBACK": "on", "FORMCAST_DATA": str(folder / "new" / "kept.sqlite3")}
        return
    postgres = Postgres()
    postgres.create()
    postgres.start()
    yield {"DATABASE_URL": postgres.url}
    postgres.remove()


def open_at(environ: dict[str, str]) -> Store:
    settings = {name: text for name, text in environ.items() if name.startswith("FORMCAST")}
    store = open_store(Settings.from_environment(settings), environ)
    assert store is not None
    return store


def test_of_eight_connections_that_migrate_at_once_one_does_it(address: dict[str, str]) -> None:
    def migrate(_: int) -> int:
        with closing(open_at(address)) as store:
            return store.migrate()

    with ThreadPool(8) as pool:
        done = pool.map(migrate, range(8))
    assert sorted(done) == [0] * 7 + [len(read_migrations())]


@pytest.fixture
def store(address: dict[str, str]) -> Iterator[Store]:
    store = open_at(address)
    yield store
    store.delete_outcomes()
    store.close()


def test_an_outcome_is_read_as_it_was_kept_and_kept_once(store: Store) -> None:
    label = SALE._replace(
        id="B2", value="cat", truth="dog", low=None, high=None, probability=0.75, source="file"
    )
    assert store.insert([SALE, label]) == [True, True]
    assert store.insert([SALE._replace(said="again")]) == [False]
    assert store.find("A1") == SALE
    assert list(store.iterate()) == [SALE, label]
    assert list(store.iterate(source="file")) == [label]
    assert list(store.iterate(since=DAY + dt.timedelta(1))) == []
    assert list(store.iterate("another")) == []


def test_more_outcomes_than_a_page_are_each_read_once_in_the_order_of_days_and_times(
    store: Store,
) -> None:
    many = [
        SALE._replace(
            id=f"N{number:05}",
            day=DAY - dt.timedelta(number % 7),
            time=f"{number % 3:02}:30" if number % 2 else "",
        )
        for number in range(2 * PAGE + 1)
    ]
    store.insert(many)
    assert list(store.iterate()) == sorted(many, key=lambda one: (one.day, one.time, one.id))


def test_what_is_deleted_or_older_than_its_time_is_gone(store: Store) -> None:
    store.insert([SALE, SALE._replace(id="old", day=DAY - dt.timedelta(181))])
    assert store.purge(DAY - dt.timedelta(180)) == 1
    assert store.find("old") is None
    assert store.delete("A1")
    assert not store.delete("A1")
    assert list(store.iterate()) == []


def test_a_picture_is_read_with_its_outcome_alone_and_goes_with_it(store: Store) -> None:
    shown = SALE._replace(picture=b"\xff\xd8\0jpeg")
    store.insert([shown, SALE._replace(id="B2")])
    assert store.find("A1") == shown
    assert store.find("B2") == SALE._replace(id="B2")
    assert next(store.iterate()) == SALE
    store.purge(DAY + dt.timedelta(1))
    assert store.find("A1") is None


def test_outcomes_of_visitors_and_of_files_are_counted_apart(store: Store) -> None:
    case = SALE._replace(source="file")
    store.insert([SALE, case._replace(id="B2"), case._replace(id="C3"),
                  case._replace(id="D4", model="other")])  # fmt: skip
    assert store.count_outcomes("house-price") == (1, 2)
    assert store.delete_outcomes("house-price", "file") == 2
    assert store.count_outcomes("house-price") == (1, 0)
    assert store.count_outcomes("other") == (0, 1)


def test_counts_add_up(store: Store) -> None:
    three = FieldBin("house-price", "v1", DAY, "beds", "3")
    empty = three._replace(bin="empty")
    store.add_counts({three: 2, empty: 1})
    store.add_counts({three: 5})
    assert store.read_counts("house-price") == {three: 7, empty: 1}
    assert store.read_counts("house-price", DAY + dt.timedelta(1)) == {}
    store.purge(DAY + dt.timedelta(1))
    assert store.read_counts("house-price") == {}


def test_a_connection_that_ended_meanwhile_is_opened_again(
    store: Store, address: dict[str, str]
) -> None:
    store.insert([SALE])
    if store.database.keeps_connection:
        with closing(open_at(address)) as other, other._transaction() as run:
            run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = ? AND pid <> pg_backend_pid()",
                ("formcast",),
            )
    assert store.insert([SALE, SALE._replace(id="C3")]) == [False, True]


def test_a_value_is_kept_once(store: Store) -> None:
    assert store.keep_once("secret", "first") == "first"
    assert store.keep_once("secret", "second") == "first"


def test_a_deleted_comment_is_in_no_file(tmp_path: Path) -> None:
    store = Store(SqliteDatabase(tmp_path / "kept.sqlite3"))
    store.insert([SALE._replace(said="a secret remark")])
    assert any(b"a secret remark" in path.read_bytes() for path in tmp_path.iterdir())
    store.delete("A1")
    assert not any(b"a secret remark" in path.read_bytes() for path in tmp_path.iterdir())


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    Store(SqliteDatabase(tmp_path / "new" / "kept.sqlite3")).insert([SALE])
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "kept.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_spoilt_or_replaced_is_noticed_at_the_next_use(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    store = Store(SqliteDatabase(path))
    store.insert([SALE])
    whole = path.read_bytes()
    path.write_bytes(b"nothing of a database " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        store.insert([SALE._replace(id="C3")])
    path.write_bytes(whole)
    assert store.insert([SALE, SALE._replace(id="C3")]) == [False, True]
    path.unlink()
    assert store.insert([SALE]) == [True]


def test_a_folder_that_cannot_be_made_and_a_table_that_is_gone_are_store_errors(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Store(SqliteDatabase(tmp_path / "file" / "kept.sqlite3")).insert([SALE])
    store = Store(SqliteDatabase(tmp_path / "kept.sqlite3"))
    store.migrate()
    connection = sqlite3.connect(tmp_path / "kept.sqlite3")
    connection.execute("DROP TABLE outcome")
    connection.close()
    with pytest.raises(StoreError, match="outcome"):
        store.insert([SALE])


def test_a_migration_that_fails_changes_nothing_and_an_older_program_still_works(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_a.sql").write_text("CREATE TABLE a (x TEXT);")
    (folder / "0002_b.sql").write_text("CREATE TABLE b (x TEXT); CREATE TABLE a (x TEXT);")
    database = SqliteDatabase(tmp_path / "kept.sqlite3")
    with pytest.raises(StoreError, match="already exists"):
        Store(database, folder).migrate()
    connection = sqlite3.connect(database.path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    last = read_migrations()[-1].number
    assert Store(database).migrate() == last
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / f"{last + 1:04}_b.sql").write_text("CREATE TABLE b (x TEXT)")
    assert Store(database, newer).migrate() == 1
    assert Store(database).insert([SALE]) == [True]


def test_a_file_that_stays_open_is_opened_anew_where_it_is_another(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    store = Store(SqliteDatabase(path))
    store.keeps_open = True
    store.insert([SALE])
    first = store._connection
    store.insert([SALE._replace(id="B2")])
    assert store._connection is first
    whole = tmp_path / "whole"
    with closing(Store(SqliteDatabase(whole))) as other:
        other.insert([SALE._replace(id="C3")])
    whole.replace(path)
    assert [found.id for found in store.iterate()] == ["C3"]
    path.unlink()
    assert store.insert([SALE]) == [True]
    assert [found.id for found in store.iterate()] == ["A1"]
    store.rest()
    assert [found.name for found in tmp_path.iterdir()] == ["kept.sqlite3"]  # no log is left


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import gevent, sys
from app.feedback.databases import SqliteDatabase
from app.feedback.store import Store
from app.feedback.store_thread import HOLD, StoreThread
from tests.app.feedback.test_store import SALE
from pathlib import Path
store = Store(SqliteDatabase(Path(sys.argv[1])))
thread = StoreThread(store)
for turn in range(2):  # the second after a rest
    before = store.commits
    sent = [
        gevent.spawn(thread.insert, SALE._replace(id=f"{turn}-{number}")) for number in range(50)
    ]
    gevent.joinall(sent, raise_error=True)
    assert [one.value for one in sent] == [True] * 50
    assert store.commits - before <= 3, store.commits
    assert thread.run(lambda own: own.find(f"{turn}-49")) is not None
    assert store._connection is not None
    while store._connection is not None:
        gevent.sleep(HOLD / 5)
"""


def test_outcomes_that_come_together_are_written_together_and_the_file_is_closed_after_a_rest(
    tmp_path: Path,
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", GREENLETS, str(tmp_path / "kept.sqlite3")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("setting", "url", "kept"),
    [("auto", "", False), ("off", "postgres://x/y", False), ("auto", "mysql://x/y", False)],
)
def test_nothing_is_kept_unless_it_was_asked_for(setting: str, url: str, kept: bool) -> None:
    found = open_store(Settings(feedback=setting), {"DATABASE_URL": url})
    assert (found is not None) is kept


def test_an_address_that_was_asked_for_and_cannot_be_used_stops_the_start() -> None:
    with pytest.raises(SettingError, match="not an address of PostgreSQL"):
        open_store(Settings(feedback="on"), {"DATABASE_URL": "mysql://x/y"})
    with pytest.raises(SettingError, match="Check how it is written"):
        open_store(Settings(feedback="on"), {"DATABASE_URL": "postgres://a:b@c:port/%zz"})


def test_without_its_driver_the_line_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingError, match="Run: pip install -r app/feedback/requirements"):
        open_store(Settings(feedback="on"), {"DATABASE_URL": "postgres://x/y"})


def test_a_password_is_in_no_message() -> None:
    store = open_store(Settings(), {"DATABASE_URL": "postgres://me:hidden@127.0.0.1:1/x"})
    assert store is not None
    with pytest.raises(StoreError) as error:
        store.migrate()
    assert "hidden" not in str(error.value)


def test_a_disk_that_a_restart_empties_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_loss(SqliteDatabase(tmp_path / "x"), {})
    assert not caplog.messages
    warn_of_loss(SqliteDatabase(tmp_path / "x"), {"DYNO": "web.1"})
    assert "the disk of a dyno is empty again after a restart" in caplog.text
