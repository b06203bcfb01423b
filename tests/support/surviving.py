"""Clients that write and watch over the API while its server is killed, and what they must find.

Each object has one writer, which knows what was acknowledged and what it was about to write: what
it finds after a restart is the one or the other. Watchers go on from the version that they saw
last, and never list: what they have seen must be what there is.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.bare_http import Connection, CutOff

PATH = "/api/v1/namespaces/default/configmaps"
OBJECTS_PER_WRITER = 3
DATA_CHARACTERS_MAX = 3_000
CATCH_UP_S = 30.0
DELETES = 0.2  # of all writes to an object that is there

Document = dict[str, Any]


class Lost(AssertionError):
    """A promise of the store was broken."""


@dataclass
class Attempt:
    """A write whose answer is not there yet. `data` None is a delete."""

    name: str
    data: dict[str, str] | None


@dataclass
class Counts:
    """What happened in all rounds."""

    rounds: int = 0
    acknowledged: int = 0
    cut_off: int = 0  # writes that a kill left without an answer
    cut_off_and_stored: int = 0
    events: int = 0
    uids: set[str] = field(default_factory=set)


class Writer:
    """Writes to objects of its own, one write at a time, until the server is gone."""

    def __init__(self, name: str, dice: random.Random, acknowledged: Callable[[], None]) -> None:
        self._dice = dice
        self._acknowledged = acknowledged
        self.objects: dict[str, Document | None] = {
            f"{name}-{number}": None for number in range(OBJECTS_PER_WRITER)
        }
        self.attempt: Attempt | None = None
        self.deleted = 0  # acknowledged, too: their answers have no version
        self.acknowledged: dict[int, tuple[str, Document]] = {}  # version: type and object

    async def write(self, connection: Connection) -> None:
        """Write until the connection breaks; `attempt` is what is unanswered then."""
        with suppress(CutOff):
            while True:
                name = self._dice.choice(list(self.objects))
                await self._write(connection, name, self.objects[name])
                self._acknowledged()

    async def _write(self, connection: Connection, name: str, known: Document | None) -> None:
        if known is not None and self._dice.random() < DELETES:
            self.attempt = Attempt(name, None)
            _require(200, await connection.ask("DELETE", f"{PATH}/{name}"))
            self.objects[name], self.attempt = None, None
            self.deleted += 1
            return
        size = self._dice.randint(1, DATA_CHARACTERS_MAX)
        data = {"n": str(self._dice.random()), "filler": "x" * size}
        self.attempt = Attempt(name, data)
        type_, code, method, place = (
            ("MODIFIED", 200, "PUT", f"/{name}") if known else ("ADDED", 201, "POST", "")
        )
        document = (known or new(name)) | {"data": data}
        stored = _require(code, await connection.ask(method, PATH + place, document))
        if stored["data"] != data:
            raise Lost(f"{name}: acknowledged with other data")
        self.acknowledged[int(stored["metadata"]["resourceVersion"])] = (type_, stored)
        self.objects[name], self.attempt = stored, None

    def settle(self, found: dict[str, Document], counts: Counts) -> None:
        """Compare with what is there after a restart, and go on from that."""
        attempt, self.attempt = self.attempt, None
        for name, known in self.objects.items():
            now = found.get(name)
            if attempt is not None and attempt.name == name:
                counts.cut_off += 1
                if now != known:
                    self._require_whole(attempt, known, now)
                    counts.cut_off_and_stored += 1
                    self.objects[name] = now
            elif now != known:
                raise Lost(f"{name}: acknowledged {known}, found {now}")
        counts.acknowledged += len(self.acknowledged) + self.deleted
        self.acknowledged, self.deleted = {}, 0

    def _require_whole(
        self, attempt: Attempt, known: Document | None, now: Document | None
    ) -> None:
        data = None if now is None else now["data"]
        if data != attempt.data:
            raise Lost(f"{attempt.name}: half a write: {attempt} became {now}")
        if known is not None and now is not None:
            before, after = known["metadata"], now["metadata"]
            if before["uid"] != after["uid"]:
                raise Lost(f"{attempt.name}: an update gave it another uid")
            if int(before["resourceVersion"]) >= int(after["resourceVersion"]):
                raise Lost(f"{attempt.name}: its version did not rise")


class Fuse:
    """Calls `burnt` once, a moment after so many writes were acknowledged: no clock says when.

    A moment that a clock names is before the first write where the machine is busy.
    """

    def __init__(self, burnt: Callable[[], None]) -> None:
        self._burnt = burnt
        self._left = 0
        self._moment_s = 0.0

    def light(self, writes: int, moment_s: float) -> None:
        """Begin anew: after that many writes, and the moment that the next ones take."""
        self._left, self._moment_s = writes, moment_s
        if writes == 0:
            self._burn()

    def write(self) -> None:
        """Take that a write was acknowledged."""
        self._left -= 1
        if self._left == 0:
            self._burn()

    def _burn(self) -> None:
        asyncio.get_running_loop().call_later(self._moment_s, self._burnt)


class Watcher:
    """Follows every change, over all restarts, from the version that it saw last."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.replica: dict[str, Document] = {}
        self.events: dict[int, tuple[str, Document]] = {}
        self._moved = asyncio.Event()

    async def follow(self, connection: Connection) -> None:
        """Take events until the connection breaks."""
        query = f"?watch=true&resourceVersion={self.version}"
        with suppress(CutOff):
            # A line that the kill cut off has no end, and was not sent.
            async for line in connection.lines(PATH + query):
                self._take(json.loads(line))

    def _take(self, frame: Document) -> None:
        type_, obj = frame["type"], frame["object"]
        if type_ not in ("ADDED", "MODIFIED", "DELETED"):
            raise Lost(f"a watch got {frame}")
        name, version = obj["metadata"]["name"], int(obj["metadata"]["resourceVersion"])
        # Nothing else writes to this store, so every version is an event of this watch.
        if version != self.version + 1:
            raise Lost(f"a watch got version {version} after {self.version}")
        if (name in self.replica) is (type_ == "ADDED"):
            raise Lost(f"a watch got {type_} of {name} at {version}")
        if type_ == "DELETED":
            del self.replica[name]
        else:
            self.replica[name] = obj
        self.version = version
        self.events[version] = (type_, obj)
        self._moved.set()

    async def reach(self, version: int) -> None:
        """Wait until everything up to this version was seen."""
        async with asyncio.timeout(CATCH_UP_S):
            while self.version < version:
                self._moved.clear()
                await self._moved.wait()


async def listed(connection: Connection) -> tuple[int, dict[str, Document]]:
    """Return the list's version, and its objects by name."""
    answer = _require(200, await connection.ask("GET", PATH))
    found = {item["metadata"]["name"]: item for item in answer["items"]}
    return int(answer["metadata"]["resourceVersion"]), found


def new(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def _require(code: int, answer: tuple[int, Any]) -> Any:
    if answer[0] != code:
        raise Lost(f"{answer}")
    return answer[1]


def require_all_there(
    writers: list[Writer], watchers: list[Watcher], found: dict[str, Document], counts: Counts
) -> None:
    """Raise Lost unless everybody has seen the same, and all that was acknowledged."""
    for watcher in watchers:
        if watcher.replica != found:
            raise Lost("a watcher's replay is not the list")
        if watcher.events != watchers[0].events:
            raise Lost("two watchers saw different events")
    events = watchers[0].events
    for writer in writers:
        for version, (type_, stored) in writer.acknowledged.items():
            if events.get(version) != (type_, stored):
                raise Lost(f"version {version} is not what was acknowledged")
    for type_, obj in events.values():
        if type_ != "ADDED":
            continue
        uid = obj["metadata"]["uid"]
        if uid in counts.uids:
            raise Lost(f"the uid {uid} was given twice")
        counts.uids.add(uid)
    counts.events += len(events)
    for writer in writers:
        writer.settle(found, counts)
    for watcher in watchers:
        watcher.events = {}
