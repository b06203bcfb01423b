"""From any change in the store to a new RouteTable in every worker, and back.

Three tasks: one takes events, one compiles and publishes what they changed, one writes down what
every worker has acknowledged. The last one looks at the state of things and not at events, so a
write that fails is simply due again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from gateway.contract import RouteTable
from simulator.clock import Clock
from simulator.errors import ApiError, Conflict, Expired, NotFound
from simulator.gatewaylink.settings import PublisherSettings
from simulator.reconciling.reader import Reader
from simulator.resources.core import ANNOTATION_ADDRESS, DRAIN_FINALIZER, Pod
from simulator.resources.faults import Fault
from simulator.resources.meta import Key, R, Resource, parse_timestamp
from simulator.resources.networking import Ingress
from simulator.resources.serving import Revision
from simulator.store.objects import Watch
from simulator.traffic.ingress_status import status_of
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import Compiled, TableCompiler

log = logging.getLogger(__name__)

MANAGER = "gateway-publisher"  # of the fields that it writes

KINDS: tuple[type[Resource], ...] = (Revision, Pod, Ingress, Fault)


class Objects(Reader, Protocol):
    """What the publisher needs of the store."""

    @property
    def version(self) -> int: ...
    def watch(self, kinds: tuple[type[Resource], ...]) -> Watch: ...
    async def update(self, obj: R, manager: str = ...) -> R: ...
    async def update_status(self, obj: R, manager: str = ...) -> R: ...


class Gateway(Protocol):
    """What the publisher needs of the link."""

    @property
    def acknowledged(self) -> int: ...
    def publish(self, table: RouteTable) -> None: ...
    def busy(self) -> frozenset[str]: ...


class _Drain(Struct, frozen=True):
    """A Pod that leaves: no table from `version` on has its address."""

    uid: str
    address: str
    version: int
    until: datetime


class _Waiter(Struct, frozen=True):
    """Who waits until the workers serve what the store had at `version`, and what he asked for."""

    version: int
    round: int
    done: asyncio.Future[None]


class Publisher:
    """Keeps the gateway's table that of the store. `progress` is set by the link."""

    def __init__(
        self,
        store: Objects,
        gateway: Gateway,
        compiler: TableCompiler,
        *,
        clock: Clock,
        progress: asyncio.Event,
        settings: PublisherSettings,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._compiler = compiler
        self._clock = clock
        self._progress = progress
        self._settings = settings
        self._changed = asyncio.Event()
        self._known: dict[tuple[type[Resource], Key], Resource] = {}
        self._leaving: dict[Key, Pod] = {}  # Pods that a drain is yet to begin for
        self._drains: dict[Key, _Drain] = {}
        self._unconfirmed: dict[Key, int] = {}  # Ingress to the table version that has it
        self._version = -1
        self._taken = 0  # all of the store's changes up to this one are in the compiler
        self._waiters: list[_Waiter] = []
        self._round = 0
        self._served = (0, 0)  # what the newest table is of: version taken, and round
        self.first_acknowledged = asyncio.Event()

    async def run(self) -> None:
        """Publish at once what the store has, then every change, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._publish_changes())
            group.create_task(self._confirm_progress())

    def renew(self, settings: TrafficSettings) -> None:
        """Make all routes anew, by these settings."""
        self._compiler.renew(settings)
        self._changed.set()

    async def served(self, version: int) -> None:
        """Return when every worker serves what the store had at a version of one of `KINDS`.

        And what `renew` was told before this.
        """
        self._round += 1
        waiter = _Waiter(version, self._round, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._changed.set()
        try:
            await waiter.done
        finally:
            self._waiters.remove(waiter)

    # Events in ---------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            watch = self._store.watch(KINDS)
            try:
                await self._take_all()
                async for event in watch:
                    if event.type == "DELETED":
                        self._drop(event.object)
                    else:
                        self._put(event.object)
                    self._taken = event.version
                    self._changed.set()
                return  # the store is closed
            except Expired:
                log.warning("fell behind the store; reading it anew")
            finally:
                watch.close()

    async def _take_all(self) -> None:
        """Take what there is, with a pause now and then; the watch has what changes meanwhile."""
        gone = dict(self._known)
        version = self._store.version
        taken = 0
        for kind in KINDS:
            for obj in self._store.list(kind):
                gone.pop((kind, obj.key), None)
                self._put(obj)
                taken += 1
                if taken % self._settings.step_objects == 0:
                    await asyncio.sleep(0)
        for obj in gone.values():
            self._drop(obj)
        self._taken = max(self._taken, version)
        self._changed.set()

    def _put(self, obj: Resource) -> None:
        self._known[type(obj), obj.key] = obj
        match obj:
            case Pod():
                self._compiler.put_pod(obj)
                if obj.is_deleting and DRAIN_FINALIZER in obj.metadata.finalizers:
                    self._leaving[obj.key] = obj
            case Revision():
                self._compiler.put_revision(obj)
            case Ingress():
                self._compiler.put_ingress(obj)
            case Fault():
                self._compiler.put_fault(obj)

    def _drop(self, obj: Resource) -> None:
        self._known.pop((type(obj), obj.key), None)
        match obj:
            case Pod():
                self._compiler.drop_pod(obj)
                self._leaving.pop(obj.key, None)
                self._drains.pop(obj.key, None)
            case Revision():
                self._compiler.drop_revision(obj)
            case Ingress():
                self._compiler.drop_ingress(obj)
            case Fault():
                self._compiler.drop_fault(obj)

    # Tables out --------------------------------------------------------------------------------

    async def _publish_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._publish()
            self._progress.set()

    async def _publish(self) -> None:
        """Compile all that was taken: what came together goes out together, without a delay.

        A large table in steps, so that the API and the controllers are not held up. A Pod that
        leaves meanwhile may still be in it, and waits for the next one.
        """
        leaving, self._leaving = self._leaving, {}
        holds = (self._taken, self._round)
        compiled = await self._compiled(max(self._version + 1, self._store.version))
        table = compiled.table
        if table.version != self._version:
            self._version = table.version
            self._gateway.publish(table)
        self._served = holds
        self._unconfirmed.update(dict.fromkeys(compiled.judged, table.version))
        for key, pod in leaving.items():
            begun = self._drains.get(key)
            since = begun.version if begun and begun.uid == pod.uid else table.version
            address = pod.metadata.annotations.get(ANNOTATION_ADDRESS, "")
            self._drains[key] = _Drain(pod.uid, address, since, drain_deadline(pod))

    async def _compiled(self, version: int) -> Compiled:
        steps = self._compiler.compiling(version)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                compiled: Compiled = done.value
                return compiled
            await asyncio.sleep(0)

    # What was acknowledged ---------------------------------------------------------------------

    async def _confirm_progress(self) -> None:
        wait_s: float | None = None
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    await self._progress.wait()
            except TimeoutError:
                pass  # a grace period is over, or a write is to be tried again
            self._progress.clear()
            if self._version >= 0 and self._gateway.acknowledged >= self._version:
                self.first_acknowledged.set()
                self._tell_waiters()
            results = await asyncio.gather(*self._due_statuses(), *self._due_releases())
            wait_s = self._settings.retry_s if not all(results) else self._next_deadline_s()

    def _tell_waiters(self) -> None:
        taken, asked = self._served
        for one in self._waiters:
            if one.version <= taken and one.round <= asked and not one.done.done():
                one.done.set_result(None)

    def _due_statuses(self) -> list[Awaitable[bool]]:
        """Return the writes that tell the Ingresses what the workers serve now."""
        acknowledged = self._gateway.acknowledged
        due = [(key, at) for key, at in self._unconfirmed.items() if at <= acknowledged]
        writes: list[Awaitable[bool]] = []
        for key, version in due:
            ingress = self._store.get(Ingress, *key)
            verdict = None if ingress is None else self._compiler.verdict(ingress)
            if ingress is None or verdict is None:
                del self._unconfirmed[key]
                continue
            status = status_of(ingress, verdict, self._clock.now())
            if status == ingress.status:
                del self._unconfirmed[key]
                continue
            # Nobody else writes this status, and it says which generation it is about: there is
            # no conflict to look out for.
            current = ingress.with_metadata(resource_version="")
            new = msgspec.structs.replace(current, status=status)
            writes.append(self._confirm(key, version, new))
        return writes

    async def _confirm(self, key: Key, version: int, ingress: Ingress) -> bool:
        """Write the status; tell whether that is done with."""
        if not await _written(self._store.update_status(ingress, MANAGER)):
            return False
        if self._unconfirmed.get(key) == version:
            del self._unconfirmed[key]
        return True

    def _due_releases(self) -> list[Awaitable[bool]]:
        """Return the writes that let go of Pods which no worker uses, or which had their time."""
        now, acknowledged = self._clock.now(), self._gateway.acknowledged
        busy = self._gateway.busy()
        writes: list[Awaitable[bool]] = []
        for key, drain in tuple(self._drains.items()):
            is_over = drain.version <= acknowledged and drain.address not in busy
            if not is_over and now < drain.until:
                continue
            pod = self._store.get(Pod, *key)
            if pod is None or pod.uid != drain.uid:
                del self._drains[key]
            else:
                writes.append(self._release(pod))
        return writes

    async def _release(self, pod: Pod) -> bool:
        """Take the drain finalizer away; tell whether that is done with."""
        kept = tuple(name for name in pod.metadata.finalizers if name != DRAIN_FINALIZER)
        released = pod.with_metadata(finalizers=kept)
        if not await _written(self._store.update(released, MANAGER)):
            return False
        self._drains.pop(pod.key, None)
        return True

    def _next_deadline_s(self) -> float | None:
        """Return when the next drain has had its time, in seconds from now."""
        if not self._drains:
            return None
        first = min(drain.until for drain in self._drains.values())
        return max(0.0, (first - self._clock.now()).total_seconds())


async def _written(write: Awaitable[Resource]) -> bool:
    """Await the write; tell whether it is done, or the object gone."""
    try:
        await write
    except NotFound:
        return True
    except Conflict:
        return False  # it was changed meanwhile: look again
    except ApiError as error:
        log.warning("the store refused a write: %s", error)
        return False
    return True


def drain_deadline(pod: Pod) -> datetime:
    """Return when a Pod that is being deleted has had its grace period."""
    return parse_timestamp(pod.metadata.deletion_timestamp or "")
