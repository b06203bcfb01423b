"""The database file: private, this process's alone, migrated, and honest when it is damaged."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from simulator.errors import KnaryError
from simulator.store import schema
from simulator.store.database import DatabaseUnusable
from simulator.store.documents import DocumentUnreadable
from simulator.store.objects import Store
from simulator.store.settings import StoreSettings
from tests.support.clocks import ManualClock
from tests.support.stored import open_store, service

NO_WAIT = StoreSettings(busy_timeout_s=0.0)


def fails_to_open(path: Path) -> str:
    """Return why the store does not open."""

    async def scenario() -> str:
        with pytest.raises(KnaryError) as caught:
            await Store.open(path, ManualClock(), NO_WAIT)
        return str(caught.value)

    return asyncio.run(scenario())


def with_file(path: Path) -> Path:
    """Make a database with one Service in it."""

    async def scenario() -> None:
        async with open_store(path) as store:
            await store.create(service())

    asyncio.run(scenario())
    return path / "store.sqlite"


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_its_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    async def write(name: str) -> dict[str, int]:
        async with open_store(tmp_path) as store:
            await store.create(service(name))
            return modes(tmp_path)

    private = {"store.sqlite": 0o600, "store.sqlite-wal": 0o600}
    assert asyncio.run(write("one")) == private
    (tmp_path / "store.sqlite").chmod(0o644)
    assert asyncio.run(write("two")) == private


def test_a_second_store_of_the_file_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            await store.create(service())
            with pytest.raises(DatabaseUnusable, match="in use by another process"):
                await Store.open(tmp_path / "store.sqlite", ManualClock(), NO_WAIT)
            await store.create(service("still works"))

    asyncio.run(scenario())


def test_a_newer_schema_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = with_file(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    why = fails_to_open(path)
    assert "schema version 99, this knary knows 1" in why
    assert "--data" in why


def test_an_older_schema_is_migrated_step_by_step_each_whole(tmp_path: Path) -> None:
    path = with_file(tmp_path)
    connection = sqlite3.connect(path, isolation_level=None)

    def add(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE events ADD COLUMN note TEXT")

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE objects")
        raise sqlite3.OperationalError("as it happens")

    with pytest.raises(sqlite3.OperationalError, match="as it happens"):
        schema.migrate(connection, (*schema.MIGRATIONS, add, fail))
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT note FROM events").fetchall() == [(None,)]
    assert connection.execute("SELECT name FROM objects").fetchall() == [("hello",)]
    connection.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            "UPDATE objects SET kind = 'widgets.example.com'", "unknown kind", id="unknown kind"
        ),
        pytest.param("UPDATE objects SET body = '{\"metadata\": 7}'", "damaged", id="wrong type"),
        pytest.param("UPDATE objects SET body = X'00'", "damaged", id="no JSON"),
    ],
)
def test_a_damaged_object_is_named_and_never_skipped(
    tmp_path: Path, statement: str, expected: str
) -> None:
    path = with_file(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    assert expected in fails_to_open(path)


def test_what_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is a letter, not a database" * 100)
    assert "move it away" in fails_to_open(path)
    assert path.read_bytes().startswith(b"this is a letter")
    assert "cannot open" in fails_to_open(tmp_path / "nowhere" / "store.sqlite")
    assert "cannot open" in fails_to_open(tmp_path)


def test_errors_are_knarys_own() -> None:
    assert issubclass(DatabaseUnusable, KnaryError)
    assert issubclass(DocumentUnreadable, KnaryError)
