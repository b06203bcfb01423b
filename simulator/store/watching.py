"""The event history, and those who follow it.

The newest events are in memory, older ones in the database until they are compacted. A follower
gets every event after its starting version, in order, each once; one that falls further behind
than its bounded queue gets Expired, and reads the objects anew.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal

from msgspec import Struct

from simulator.errors import Expired
from simulator.resources.meta import Resource
from simulator.store.settings import StoreSettings

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


class WatchEvent(Struct, frozen=True):
    """One committed write. A DELETED object is the last state at a resourceVersion of its own.

    `before` is what selectors could see of the object before the write, when the write changed
    that (`documents.selectable`): so a watch sees objects enter and leave its selection.
    """

    type: EventType
    object: Resource
    version: int
    before: Resource | None = None


class HistoryChunk(Struct, frozen=True):
    """Events from the database in order; `is_last` when none is left up to the asked version."""

    events: tuple[WatchEvent, ...]
    last_version: int
    is_last: bool


Kinds = frozenset[type[Resource]] | None
LoadHistory = Callable[[int, int, Kinds], Awaitable[HistoryChunk]]


class Watch:
    """An async iterator of WatchEvents for one consumer. Raises Expired; ends when closed."""

    def __init__(
        self,
        kinds: Kinds,
        queue_events_max: int,
        load: LoadHistory,
        forget: Callable[[Watch], None],
    ) -> None:
        self._kinds = kinds
        self._queue_events_max = queue_events_max
        self._load = load
        self._forget = forget
        self._backlog: deque[WatchEvent] = deque()  # history, before what is queued
        self._queue: deque[WatchEvent] = deque()
        self._stored: tuple[int, int] | None = None  # versions still to be read from the database
        self._expired: str | None = None
        self._is_woken = False
        self.is_closed = False
        self._waiter: asyncio.Future[None] | None = None

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> WatchEvent:
        while not (events := await self.next_events(1)):
            if self.is_closed:
                raise StopAsyncIteration
        return events[0]

    @property
    def kinds(self) -> Kinds:
        return self._kinds

    @property
    def is_drained(self) -> bool:
        """Tell whether every event committed so far was handed over."""
        return not (self._stored or self._backlog or self._queue or self._expired)

    async def next_events(self, events_max: int) -> list[WatchEvent]:
        """Wait for events; return those that are there, none when closed or woken. Raise Expired.

        One consumer at a time: it is woken by a future of its own and not by an Event, which
        costs twice as much where a thousand watches wait for one write.
        """
        while True:
            if self._expired is not None:
                self.close()
                raise Expired(self._expired)
            if self.is_closed:
                return []
            if self._stored is not None and not self._backlog:
                await self._load_chunk(*self._stored)
            elif source := self._backlog or self._queue:
                return [source.popleft() for _ in range(min(events_max, len(source)))]
            elif self._is_woken:
                self._is_woken = False
                return []
            else:
                await self._wait()

    def wake(self) -> None:
        """Let a consumer that waits have a look, though nothing happened."""
        self._is_woken = True
        self._notify()

    def close(self) -> None:
        """Stop following; an iteration under way ends."""
        self.is_closed = True
        self._forget(self)
        self._notify()

    def begin(self, stored: tuple[int, int] | None, recent: Sequence[WatchEvent]) -> None:
        """Start with the database's events in the range `stored`, then with `recent` ones."""
        self._stored = stored
        self._queue.extend(event for event in recent if self.wants(event))

    def expire(self, message: str) -> None:
        """Let the consumer get Expired next, whatever else is queued."""
        self._expired = message
        self._queue.clear()
        self._notify()

    def push(self, event: WatchEvent) -> None:
        """Queue an event that was just committed, or expire when the queue is full."""
        if self.is_closed or self._expired is not None:
            return
        if len(self._queue) >= self._queue_events_max:
            self.expire(f"too old resource version: the watch fell behind ({event.version})")
            self._forget(self)
            return
        self._queue.append(event)
        self._notify()

    def wants(self, event: WatchEvent) -> bool:
        return self._kinds is None or type(event.object) in self._kinds

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _notify(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _load_chunk(self, after: int, until: int) -> None:
        try:
            chunk = await self._load(after, until, self._kinds)
        except Expired as error:
            self.expire(error.message)
            return
        self._backlog.extend(chunk.events)
        self._stored = None if chunk.is_last else (chunk.last_version, until)


class History:
    """The newest events in memory, and every open watch."""

    def __init__(self, version: int, settings: StoreSettings, load: LoadHistory) -> None:
        self._settings = settings
        self._load = load
        self._recent: list[WatchEvent] = []  # every event after `_floor`
        self._sizes: list[int] = []  # of each of them, in bytes as it is stored
        self._bytes = 0
        self._floor = version
        self._watches: dict[Watch, None] = {}
        # By kind, None for all: a write costs nothing for those who do not follow its kind.
        self._followers: dict[type[Resource] | None, dict[Watch, None]] = {}

    def publish(self, events: Sequence[WatchEvent], sizes: Sequence[int]) -> None:
        """Add committed events, with their sizes in bytes, and hand them to who follows."""
        self._recent.extend(events)
        self._sizes.extend(sizes)
        self._bytes += sum(sizes)
        keep, bytes_max = (
            self._settings.history_in_memory_events,
            self._settings.history_in_memory_bytes_max,
        )
        if len(self._recent) > 2 * keep or self._bytes > bytes_max:
            self._forget_old(keep, bytes_max // 2)
        for event in events:
            for kind in (type(event.object), None):
                # A copy: one that is full forgets itself.
                for watch in tuple(self._followers.get(kind, ())):
                    watch.push(event)

    def _forget_old(self, events: int, bytes_: int) -> None:
        """Keep the newest events in memory, so many and so large; others are in the database."""
        dropped = 0
        while len(self._recent) - dropped > events or self._bytes > bytes_:
            self._bytes -= self._sizes[dropped]
            dropped += 1
        if dropped:
            self._floor = self._recent[dropped - 1].version
            del self._recent[:dropped], self._sizes[:dropped]

    def follow(
        self, kinds: Collection[type[Resource]] | None, since: int | None, version: int
    ) -> Watch:
        """Return a watch of what comes after `since`; None is `version`, the last committed one."""
        watch = Watch(
            None if kinds is None else frozenset(kinds),
            self._settings.watch_queue_events_max,
            self._load,
            self._forget,
        )
        since = version if since is None else since
        if since > version:
            # Another database's version, or one from the future: only a new list can help.
            watch.expire(f"too large resource version: {since}, current: {version}")
            return watch
        start = bisect_right(self._recent, since, key=lambda event: event.version)
        stored = (since, self._floor) if since < self._floor else None
        watch.begin(stored, self._recent[start:])
        self._watches[watch] = None
        for kind in watch.kinds if watch.kinds is not None else (None,):
            self._followers.setdefault(kind, {})[watch] = None
        return watch

    def close(self) -> None:
        """End every watch."""
        for watch in tuple(self._watches):
            watch.close()

    def _forget(self, watch: Watch) -> None:
        if watch in self._watches:
            del self._watches[watch]
            for kind in watch.kinds if watch.kinds is not None else (None,):
                del self._followers[kind][watch]
