"""The Store: create, read, update and delete under optimistic concurrency, and watch.

One write's life: decided on the event loop, in call order, against the newest decided state
(committed or in flight) -> queued -> committed with everything else that waits, on the store's
own thread -> visible to reads and watches -> acknowledged. When a commit fails, all that was
decided since the last good one is refused with StorageFailed, and nothing has changed.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from simulator.clock import Clock
from simulator.errors import AlreadyExists, ApiError, NotFound, Unavailable
from simulator.fieldownership.objects import with_update_owned
from simulator.fieldownership.tracking import Writer
from simulator.resources.meta import EMPTY, Key, R, Resource, timestamp
from simulator.resources.scheme import BY_TYPE, info_of
from simulator.store import documents, transitions
from simulator.store.database import Contents, Database, Row
from simulator.store.indexes import KindTable
from simulator.store.replacing import Change
from simulator.store.settings import DEFAULTS, StoreSettings
from simulator.store.transitions import DEFAULT, DeleteOptions, Outcome, Removed, Unchanged, owned
from simulator.store.watching import (
    EventType,
    History,
    HistoryChunk,
    Kinds,
    Watch,
    WatchEvent,
)
from simulator.store.writes import Identity, Write, failure_of, settle

__all__ = ["DEFAULT", "DeleteOptions", "Store", "Watch", "WatchEvent"]

# The letters of generated names (apimachinery util/rand): no vowels, no look-alikes.
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_NAME_LENGTH_MAX = 63


class Store:
    """All objects of the instance. Reads and watches see committed state only."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        clock: Clock,
        settings: StoreSettings,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._tables: dict[type[Resource], KindTable] = {kind: KindTable() for kind in BY_TYPE}
        for obj in contents.objects:
            self._tables[type(obj)].put(obj)
        self._version = contents.version
        self._decided_version = contents.version
        self._history = History(contents.version, settings, self._load_history)
        self._in_flight: dict[Identity, Write] = {}
        self._pending: list[Write] = []
        self._committing: list[Write] = []
        self._flush_is_due = False
        self._events_since_compaction = 0
        self._is_closed = False

    @classmethod
    async def open(cls, path: Path, clock: Clock, settings: StoreSettings = DEFAULTS) -> Store:
        """Open the database file, or create it. Raise KnaryError when it cannot be used."""
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            database = await loop.run_in_executor(thread, Database.open, path, settings)
            try:
                contents = await loop.run_in_executor(thread, database.load)
                # Here too: one that is started often would never write enough for it.
                await loop.run_in_executor(thread, database.compact, clock.now().timestamp())
            except BaseException:
                await loop.run_in_executor(thread, database.close)
                raise
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(database, contents, clock, settings, thread)

    async def close(self) -> None:
        """Finish the writes under way, end the watches, close the file."""
        if self._is_closed:
            return
        self._is_closed = True
        while under_way := self._pending or self._committing:
            await asyncio.shield(under_way[-1].settled)
        self._history.close()
        await self._loop.run_in_executor(self._thread, self._database.close)
        self._thread.shutdown(wait=False)

    # Reads -------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The last committed resourceVersion; it never goes back, also over restarts."""
        return self._version

    @property
    def commits(self) -> int:
        """How often the disk was synced for writes: those that wait together share one commit."""
        return self._database.commits

    def get(self, kind: type[R], namespace: str, name: str) -> R | None:
        """Return the object, or None."""
        return cast("R | None", self._tables[kind].get(Key(namespace, name)))

    def list(
        self,
        kind: type[R],
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Sequence[R]:
        """Return the kind's objects by (namespace, name); all namespaces when None."""
        return cast("Sequence[R]", self._tables[kind].list(namespace, labels or EMPTY))

    def owned_by(self, kind: type[R], uid: str) -> Sequence[R]:
        """Return the kind's objects that name `uid` among their owners, by (namespace, name)."""
        return cast("Sequence[R]", self._tables[kind].owned_by(uid))

    def naming(self, kind: type[R], namespace: str, named: str, name: str) -> Sequence[R]:
        """Return the kind's objects that refer to the `named` kind's object of that name."""
        return cast("Sequence[R]", self._tables[kind].naming(namespace, named, name))

    def watch(
        self, kinds: Collection[type[Resource]] | None = None, since: int | None = None
    ) -> Watch:
        """Follow every write after version `since`, also from before a restart; None: from now.

        The iterator raises Expired when that history is gone or its bounded queue overflowed.
        """
        return self._history.follow(kinds, since, self._version)

    # Writes ------------------------------------------------------------------------------------

    # `manager` is who writes: what it changes becomes its own (metadata.managedFields). Without
    # one, the object says itself whose its fields are.

    async def create(self, obj: R, manager: str = "") -> R:
        """Store a new object: uid, resourceVersion, creationTimestamp, generation 1, its name
        from generateName when it has none. Raise AlreadyExists or StorageFailed.
        """
        kind = type(obj)
        name = obj.metadata.name or self.generated_name(obj)
        key = Key(obj.metadata.namespace, name)
        before = self._in_flight.get((kind, key))
        if self._decided(kind, key) is not None:
            if before is not None:
                await self._settled(before)
            raise taken(obj, name)
        now = timestamp(self._clock.now())
        if manager:
            obj = with_update_owned(None, obj, Writer(manager, obj.API_VERSION, now))
        new = transitions.create(obj, name=name, uid=str(uuid.uuid4()), now=now)
        return await self._commit(new, "ADDED", None)

    async def update(self, obj: R, manager: str = "") -> R:
        """Take metadata and spec of `obj`, keep the stored status.

        The generation rises iff the spec differs. Nothing changed: the stored object, no new
        version. The last finalizer taken from a deleted object removes it. Raise NotFound,
        Conflict (a resourceVersion or uid that is not the stored one's; "" is not checked),
        Invalid (finalizers added while deleting) or StorageFailed.
        """
        decide = self._tracking(transitions.update, obj, manager, "")
        return await self._change(type(obj), obj.key, decide)

    async def update_status(self, obj: R, manager: str = "") -> R:
        """Take only the status of `obj`. Raise NotFound, Conflict or StorageFailed."""
        decide = self._tracking(transitions.update_status, obj, manager, "status")
        return await self._change(type(obj), obj.key, decide)

    async def delete(self, kind: type[R], key: Key, options: DeleteOptions = DEFAULT) -> R:
        """Remove the object and return its last state; with finalizers, mark it deleted.

        Raise NotFound, Conflict (a precondition does not hold) or StorageFailed.
        """
        now = timestamp(self._clock.now())
        return await self._change(
            kind, key, lambda stored: transitions.delete(stored, options, now)
        )

    async def change_all(
        self, decide: Callable[[Sequence[Resource]], Iterable[Change]]
    ) -> Sequence[WatchEvent]:
        """Do in one commit what `decide` makes of all objects; return what that changed.

        Finalizers hold nothing up. Raise StorageFailed, and nothing has changed.
        """
        there: dict[Identity, Resource | None] = {
            (kind, obj.key): obj for kind in self._tables for obj in self.list(kind)
        }
        there |= {identity: one.decided for identity, one in self._in_flight.items()}
        now = [obj for obj in there.values() if obj is not None]
        writes = [self._decide(*change) for change in decide(now)]
        if writes:
            await self._settled(writes[-1])
        return [write.event for write in writes]

    async def flush(self) -> None:
        """Return when every write that was decided until now is committed, or refused."""
        for write in tuple(self._in_flight.values()):
            await asyncio.shield(write.settled)

    # How a write goes --------------------------------------------------------------------------

    def _tracking(
        self,
        decide: Callable[[Resource, Resource], Outcome],
        obj: Resource,
        manager: str,
        subresource: str,
    ) -> Callable[[Resource], Outcome]:
        """Return the decision about the stored object, which also says whose its fields are."""
        if not manager:
            return lambda stored: decide(stored, obj)
        writer = Writer(manager, obj.API_VERSION, timestamp(self._clock.now()), subresource)

        def tracked(stored: Resource) -> Outcome:
            known = stored.metadata.managed_fields
            return owned(decide(stored, obj.with_metadata(managed_fields=known)), stored, writer)

        return tracked

    async def _change(self, kind: type[R], key: Key, decide: Callable[[Resource], Outcome]) -> R:
        before = self._in_flight.get((kind, key))
        try:
            stored = self._decided(kind, key)
            if stored is None:
                info = info_of(kind)
                raise NotFound.of(info.group, info.plural, key.name)
            outcome = decide(stored)
        except ApiError:
            # A refusal must not rest on a write that may yet fail.
            if before is not None:
                await self._settled(before)
            raise
        if isinstance(outcome, Unchanged):
            if before is not None:
                await self._settled(before)
            return cast("R", stored)
        type_: EventType = "DELETED" if isinstance(outcome, Removed) else "MODIFIED"
        return cast("R", await self._commit(outcome.object, type_, stored))

    def _decided(self, kind: type[Resource], key: Key) -> Resource | None:
        write = self._in_flight.get((kind, key))
        return write.decided if write is not None else self._tables[kind].get(key)

    async def _commit(self, obj: R, type_: EventType, before: Resource | None) -> R:
        if len(self._pending) >= self._settings.pending_writes_max:
            raise Unavailable("too many writes wait for the disk: try again later")
        write = self._decide(obj, type_, before)
        await self._settled(write)
        return cast("R", write.event.object)

    def _decide(self, obj: Resource, type_: EventType, before: Resource | None) -> Write:
        """Decide the write, which the next commit has with all that are decided in this step."""
        if self._is_closed:
            raise Unavailable("knary is stopping: the store takes no more writes")
        version = self._decided_version + 1
        new = transitions.with_version(obj, version)
        seen_before = None if before is None else documents.selectable(before)
        if seen_before == documents.selectable(new):
            seen_before = None
        row = Row(
            version,
            type_,
            documents.kind_name(type(new)),
            *new.key,
            None if seen_before is None else documents.encode(seen_before),
            documents.encode(new),
        )
        write = Write(WatchEvent(type_, new, version, seen_before), row, self._loop.create_future())
        self._decided_version = version
        self._in_flight[write.identity] = write
        self._pending.append(write)
        self._flush_soon()
        return write

    async def _settled(self, write: Write) -> None:
        """Wait until the write is committed. Raise StorageFailed when it is not."""
        # Shielded: several callers may wait for one write, and each may be cancelled.
        failure = await asyncio.shield(write.settled)
        if failure is not None:
            raise type(failure)(failure.message)

    def _flush_soon(self) -> None:
        # In the loop's next turn, so that writes issued together share one commit.
        if not self._flush_is_due and not self._committing:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._committing or not self._pending:
            return
        self._committing, self._pending = self._pending, []
        self._loop.run_in_executor(
            self._thread,
            self._database.commit,
            [write.row for write in self._committing],
            self._clock.now().timestamp(),
        ).add_done_callback(self._finish)

    def _finish(self, commit: asyncio.Future[None]) -> None:
        batch, self._committing = self._committing, []
        error = None if commit.cancelled() else commit.exception()
        if error is None and not commit.cancelled():
            self._apply(batch)
            settle(batch, None)
        else:
            # What was decided later rests on what has just failed.
            batch += self._pending
            self._pending = []
            self._in_flight.clear()
            settle(batch, failure_of(error))
        if self._pending:
            self._flush_soon()

    def _apply(self, batch: Sequence[Write]) -> None:
        for write in batch:
            kind, key = identity = write.identity
            if write.decided is None:
                self._tables[kind].remove(key)
            else:
                self._tables[kind].put(write.decided)
            if self._in_flight.get(identity) is write:
                del self._in_flight[identity]
        self._version = batch[-1].event.version
        sizes = [len(write.row.body) for write in batch]
        self._history.publish([write.event for write in batch], sizes)
        self._events_since_compaction += len(batch)
        if self._events_since_compaction >= self._settings.compaction_every_events:
            self._events_since_compaction = 0
            now_s = self._clock.now().timestamp()
            self._loop.run_in_executor(self._thread, self._database.compact, now_s)

    def generated_name(self, obj: Resource) -> str:
        """Return a free name that starts with generateName; after some tries, one that is not."""
        base = obj.metadata.generate_name[: _NAME_LENGTH_MAX - _SUFFIX_LENGTH]
        for _ in range(self._settings.generated_name_attempts):
            suffix = "".join(secrets.choice(_NAME_LETTERS) for _ in range(_SUFFIX_LENGTH))
            name = base + suffix
            if self._decided(type(obj), Key(obj.metadata.namespace, name)) is None:
                break
        return name

    async def _load_history(self, after: int, until: int, kinds: Kinds) -> HistoryChunk:
        names = frozenset(documents.kind_name(kind) for kind in kinds or ())
        return await self._loop.run_in_executor(
            self._thread, self._read_history, after, until, names
        )

    def _read_history(self, after: int, until: int, names: frozenset[str]) -> HistoryChunk:
        """Read and decode events; runs on the store's thread."""
        rows = self._database.events_after(after, until, names)
        events = tuple(
            WatchEvent(
                cast("EventType", row.type),
                documents.decode(row.kind, row.body),
                row.version,
                None if row.before is None else documents.decode(row.kind, row.before),
            )
            for row in rows
        )
        is_last = len(rows) < self._settings.history_chunk_events
        return HistoryChunk(events, rows[-1].version if rows else until, is_last)


def taken(obj: Resource, name: str) -> AlreadyExists:
    """Return the refusal of a new object whose name is another's already."""
    info = info_of(obj)
    if obj.metadata.name:
        return AlreadyExists.of(info.group, info.plural, name)
    return AlreadyExists.of_generated(info.group, info.plural, name)
