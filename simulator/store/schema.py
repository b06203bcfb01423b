"""The database's tables, and how a file of an older knary becomes one of this.

`MIGRATIONS[n]` leads from schema version n to n + 1; SQLite keeps the version in user_version.
A migration never changes once it was released: a new one follows it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from simulator.errors import KnaryError


class SchemaTooNew(KnaryError):
    """The file was written by a newer knary, whose meaning this one cannot know."""


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE objects (
             kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
             PRIMARY KEY (kind, namespace, name))"""
    )
    connection.execute(
        """CREATE TABLE events (
             version INTEGER PRIMARY KEY, at_s REAL NOT NULL, type TEXT NOT NULL,
             kind TEXT NOT NULL, before BLOB, body BLOB NOT NULL)"""
    )
    # The counters have rows of their own: they must outlive the last object and the last event.
    connection.execute(
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute("INSERT INTO counters VALUES ('version', 0), ('horizon', 0)")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first,)


def migrate(
    connection: sqlite3.Connection,
    migrations: tuple[Callable[[sqlite3.Connection], None], ...] = MIGRATIONS,
) -> None:
    """Bring the file to this knary's schema, each step whole or not at all.

    Raise SchemaTooNew, or whatever SQLite raises; the file is then as it was before the step.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise SchemaTooNew(
            f"the database has schema version {version}, this knary knows {len(migrations)}: "
            "start it with the newer knary that wrote it, or choose another --data folder"
        )
    for step in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations[step](connection)
            connection.execute(f"PRAGMA user_version = {step + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
