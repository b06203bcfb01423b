"""The SQLite file: one transaction per batch of writes, each an object row and an event row.

Synchronous: every method runs on the store's own thread. WAL with synchronous=FULL syncs the log
at each commit, so what was acknowledged outlives a power cut (sqlite.org/wal.html; NORMAL does
not promise that).
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from simulator.errors import Expired, KnaryError, StorageFailed, StorageFull
from simulator.resources.meta import Resource
from simulator.store import documents, schema
from simulator.store.settings import StoreSettings

log = logging.getLogger(__name__)

_PRIMARY_CODE = 0xFF  # the rest of an error code says more of the same (sqlite.org/rescode.html)


class DatabaseUnusable(KnaryError):
    """The database file cannot be opened or is damaged."""


class Row(NamedTuple):
    """One write as it is stored. `kind` is the name that `documents` gives it."""

    version: int
    type: str  # ADDED, MODIFIED or DELETED
    kind: str
    namespace: str
    name: str
    before: bytes | None
    body: bytes


class EventRow(NamedTuple):
    """One event of the history."""

    version: int
    type: str
    kind: str
    before: bytes | None
    body: bytes


class Contents(NamedTuple):
    """Everything that was committed: the last version, and the objects."""

    version: int
    objects: tuple[Resource, ...]


class Database:
    """An open database file, which this process alone may use."""

    def __init__(self, connection: sqlite3.Connection, settings: StoreSettings) -> None:
        self._connection = connection
        self._settings = settings
        self.commits = 0  # each is one sync of the log, however many writes share it

    @classmethod
    def open(cls, path: Path, settings: StoreSettings) -> Self:
        """Open or create the file, readable by its owner alone, at this knary's schema.

        Raise DatabaseUnusable or schema.SchemaTooNew.
        """
        try:
            # SQLite gives its -wal file the mode of the database file.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            os.chmod(path, 0o600)
            connection = sqlite3.connect(
                path, timeout=settings.busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise DatabaseUnusable(f"cannot open the database {path}: {error}") from error
        try:
            _prepare(connection, settings)
            schema.migrate(connection)
        except sqlite3.Error as error:
            connection.close()
            raise DatabaseUnusable(_why_unusable(path, error)) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, settings)

    def load(self) -> Contents:
        """Return everything committed. Raise DatabaseUnusable or documents.DocumentUnreadable."""
        try:
            rows = self._connection.execute("SELECT kind, body FROM objects").fetchall()
            version = self._counter("version")
        except sqlite3.Error as error:
            raise DatabaseUnusable(f"the database cannot be read: {error}") from error
        return Contents(version, tuple(documents.decode(kind, body) for kind, body in rows))

    def commit(self, rows: Sequence[Row], at_s: float) -> None:
        """Store all rows or none, safe against a power cut. Raise StorageFailed when none is."""
        version = rows[-1].version
        try:
            self._write(rows, at_s, version)
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            if self._holds(version):
                return
            log.error("a write of %d rows failed: %s", len(rows), error)
            raise _refusal(error) from error

    def events_after(self, version: int, until: int, kinds: frozenset[str]) -> list[EventRow]:
        """Return the oldest events of these kinds with `version` < their version <= `until`.

        At most `history_chunk_events`; an answer shorter than that is complete. No kinds means
        all. Raise Expired when events after `version` were compacted, StorageFailed when the
        disk fails.
        """
        marks = ", ".join("?" * len(kinds))
        only = f"AND kind IN ({marks}) " if kinds else ""
        query = (
            "SELECT version, type, kind, before, body FROM events "  # noqa: S608 (marks only)
            f"WHERE version > ? AND version <= ? {only}ORDER BY version LIMIT ?"
        )
        limit = self._settings.history_chunk_events
        try:
            horizon = self._counter("horizon")
            rows = self._connection.execute(query, (version, until, *kinds, limit)).fetchall()
        except sqlite3.Error as error:
            raise StorageFailed(f"the store's history cannot be read: {error}") from error
        if version < horizon:
            raise Expired(f"too old resource version: {version} ({horizon})")
        return [EventRow(*row) for row in rows]

    def compact(self, now_s: float) -> None:
        """Forget events that are both old enough and not among the last ones to keep.

        A failure is logged: the history only stays longer.
        """
        try:
            self._compact(now_s)
        except sqlite3.Error as error:
            log.warning("the history could not be compacted: %s", error)
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; the log is merged into it."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _write(self, rows: Sequence[Row], at_s: float, version: int) -> None:
        execute_many = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        # In order: a batch may create an object and delete it again.
        for row in rows:
            if row.type == "DELETED":
                self._connection.execute(
                    "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
                    (row.kind, row.namespace, row.name),
                )
            else:
                self._connection.execute(
                    "INSERT INTO objects VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (kind, namespace, name) DO UPDATE SET body = excluded.body",
                    (row.kind, row.namespace, row.name, row.body),
                )
        execute_many(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            [(row.version, at_s, row.type, row.kind, row.before, row.body) for row in rows],
        )
        self._set_counter("version", version)
        self._connection.execute("COMMIT")
        self.commits += 1

    def _compact(self, now_s: float) -> None:
        connection = self._connection
        surplus = connection.execute(
            "SELECT version FROM events ORDER BY version DESC LIMIT 1 OFFSET ?",
            (self._settings.history_events_min,),
        ).fetchone()
        if surplus is None:
            return
        (horizon,) = connection.execute(
            "SELECT max(version) FROM events WHERE version <= ? AND at_s <= ?",
            (surplus[0], now_s - self._settings.history_s_min),
        ).fetchone()
        if horizon is None:
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM events WHERE version <= ?", (horizon,))
        self._set_counter("horizon", horizon)
        connection.execute("COMMIT")

    def _holds(self, version: int) -> bool:
        """Tell whether a commit that reported an error is in the file all the same."""
        try:
            return self._counter("version") >= version
        except sqlite3.Error:
            return False

    def _counter(self, name: str) -> int:
        (value,) = self._connection.execute(
            "SELECT value FROM counters WHERE name = ?", (name,)
        ).fetchone()
        return int(value)

    def _set_counter(self, name: str, value: int) -> None:
        self._connection.execute("UPDATE counters SET value = ? WHERE name = ?", (value, name))


def _prepare(connection: sqlite3.Connection, settings: StoreSettings) -> None:
    # Exclusive: the objects in memory are the truth only while nobody else writes the file.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # The log is merged into the file every so many pages, and cut to its bound when it was longer.
    connection.execute(f"PRAGMA wal_autocheckpoint = {settings.wal_pages_max}")
    connection.execute(f"PRAGMA journal_size_limit = {settings.wal_bytes_max}")


def _refusal(error: sqlite3.Error) -> StorageFailed:
    """Return what a client is told: the cause, and the way out."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
    if primary == sqlite3.SQLITE_FULL:
        return StorageFull(
            "the disk that holds the data folder is full: nothing was changed; "
            "free space there, then try again"
        )
    return StorageFailed(
        f"the store could not write to its disk ({error}): nothing was changed; "
        "free space or mend the disk, then try again"
    )


def _why_unusable(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return (
            f"the database {path} is in use by another process: "
            "stop that one, or choose another --data folder"
        )
    return (
        f"the database {path} cannot be used: {error}; "
        "move it away to start empty, or choose another --data folder"
    )
