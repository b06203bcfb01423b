"""Resets, seeds and snapshots: the state of the instance as a whole, in one step.

A reset leads back to the baseline: what there was when the instance said that it was ready, or
when it was told that this is the baseline. Objects are compared, not deleted and made again: a
service that is as it was in the baseline goes on running.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from simulator.clock import Clock
from simulator.console import snapshots
from simulator.errors import KnaryError, Unavailable
from simulator.gatewaylink.publisher import KINDS as PUBLISHED
from simulator.gatewaylink.publisher import Publisher
from simulator.resources.meta import Resource, timestamp
from simulator.resources.scheme import BY_TYPE
from simulator.store.objects import Store
from simulator.store.replacing import lasting, mended, replacement
from simulator.store.watching import WatchEvent
from simulator.traffic.rows import TrafficSettings

log = logging.getLogger(__name__)

SCHEMA = 1


@dataclass(frozen=True)
class StateSettings:
    """Bounds. `late_turns` of the loop are what a controller takes from its look to its writes."""

    begin_s_max: float = 10.0
    acknowledge_s_max: float = 10.0
    late_turns: int = 3
    mending_passes_max: int = 10


class Report(Struct, frozen=True, rename="camel"):
    """What the endpoints answer: docs/testing.md."""

    seed: int | None
    objects: int
    schema: int = SCHEMA


class _Dealt(Struct, frozen=True):
    """By which seed, and for how many times anew: outlives the control plane's process."""

    seed: int | None
    epoch: int


class InstanceState:
    """The only one that changes everything at once. Its methods take turns."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        traffic: TrafficSettings,
        clock: Clock,
        folder: Path,
        ensure: Callable[[Store], Awaitable[None]],
        version: str,
        settings: StateSettings = StateSettings(),
    ) -> None:
        """`folder` lives as long as the instance; `ensure` makes what every instance has."""
        self._store = store
        self._publisher = publisher
        self._traffic = traffic
        self._first_seed = traffic.seed
        self._clock = clock
        self._baseline_file = folder / "baseline.json"
        self._dealt_file = folder / "dealt.json"
        self._ensure = ensure
        self._version = version
        self._settings = settings
        self._baseline: list[Resource] = []
        self._turn = asyncio.Lock()
        self._has_begun = asyncio.Event()

    async def begin(self) -> None:
        """Take what there is as the baseline; a control plane that starts again goes on with it."""
        try:
            await self._go_on()
        except FileNotFoundError:
            await self._keep()
        except (OSError, msgspec.MsgspecError, KnaryError) as error:
            log.warning("the baseline is lost: from here on it is what there is now: %s", error)
            await self._keep()
        self._has_begun.set()

    async def keep_baseline(self) -> Report:
        """Let what there is now be what a reset leads back to."""
        async with self._my_turn():
            await self._keep()
            return self._report()

    async def reset(self, seed: int | None = None) -> Report:
        """Lead back to the baseline, and let all splits begin anew: with `seed`, else the first.

        Return when the gateway obeys.
        """
        async with self._my_turn():
            self._deal(self._first_seed if seed is None else seed, self._traffic.epoch + 1)
            await self._become(self._baseline)
            await self._note_dealt()
            return self._report()

    async def reseed(self, seed: int | None) -> Report:
        """Let all splits begin anew with this seed; None is chance. Return when they have."""
        async with self._my_turn():
            self._deal(seed, self._traffic.epoch + 1)
            await self._served(())
            await self._note_dealt()
            return self._report()

    async def settle(self) -> Report:
        """Return when every worker obeys what the store has by now."""
        await self._served(())
        return self._report()

    async def snapshot(self) -> bytes:
        """Return the state as a document."""
        return await asyncio.to_thread(self._written, self._objects())

    async def restore(self, document: bytes) -> Report:
        """Make the state that of a document. Raise ApiError for an unfit one, changing nothing."""
        wanted = await asyncio.to_thread(snapshots.read, document)
        async with self._my_turn():
            self._deal(self._traffic.seed, self._traffic.epoch + 1)
            await self._become(wanted)
            await self._ensure(self._store)
            await self._note_dealt()
            return self._report()

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        """Let one change everything at a time, and nobody before `begin`. Raise Unavailable."""
        try:
            async with asyncio.timeout(self._settings.begin_s_max):
                await self._has_begun.wait()
        except TimeoutError as error:
            raise Unavailable("it is starting: try again later") from error
        async with self._turn:
            yield

    async def _go_on(self) -> None:
        """Take what an earlier control plane of this instance kept."""
        document = await asyncio.to_thread(self._baseline_file.read_bytes)
        self._baseline = await asyncio.to_thread(snapshots.read, document)
        if self._dealt_file.exists():
            dealt = msgspec.json.decode(self._dealt_file.read_bytes(), type=_Dealt)
            self._deal(dealt.seed, dealt.epoch)

    async def _keep(self) -> None:
        self._baseline = lasting(self._objects())
        document = await asyncio.to_thread(self._written, self._baseline)
        await self._write(self._baseline_file, document)

    # How ---------------------------------------------------------------------------------------

    async def _become(self, wanted: list[Resource]) -> None:
        changes = [*await self._store.change_all(partial(replacement, wanted=wanted))]
        for _ in range(self._settings.mending_passes_max):
            for _ in range(self._settings.late_turns):
                await asyncio.sleep(0)
            await self._store.flush()
            more = await self._store.change_all(partial(mended, wanted=wanted))
            if not more:
                break
            changes += more
        await self._served(changes)

    async def _served(self, changes: Iterable[WatchEvent]) -> None:
        """Return when every worker obeys these changes, and the newest deal."""
        versions = [one.version for one in changes if isinstance(one.object, PUBLISHED)]
        try:
            async with asyncio.timeout(self._settings.acknowledge_s_max):
                await self._publisher.served(max(versions, default=0))
        except TimeoutError as error:
            raise Unavailable("it is done, but not all workers of the gateway obey yet") from error

    def _deal(self, seed: int | None, epoch: int) -> None:
        self._traffic = msgspec.structs.replace(self._traffic, seed=seed, epoch=epoch)
        self._publisher.renew(self._traffic)

    def _objects(self) -> list[Resource]:
        return [obj for kind in BY_TYPE for obj in self._store.list(kind)]

    def _written(self, objects: list[Resource]) -> bytes:
        return snapshots.written(objects, self._version, timestamp(self._clock.now()))

    async def _note_dealt(self) -> None:
        dealt = _Dealt(self._traffic.seed, self._traffic.epoch)
        await self._write(self._dealt_file, msgspec.json.encode(dealt))

    async def _write(self, file: Path, content: bytes) -> None:
        """Keep a file; without it, on a full disk, a control plane that starts again lacks it."""
        beside = file.with_name(f"{file.name}.new")
        try:
            await asyncio.to_thread(beside.write_bytes, content)
            beside.replace(file)
        except OSError as error:
            log.warning("cannot keep %s: %s", file, error.strerror)

    def _report(self) -> Report:
        return Report(self._traffic.seed, len(lasting(self._objects())))
