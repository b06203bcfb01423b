"""The loop: changes wake keys, keys are observed and planned for, plans are carried out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from simulator.clock import Clock
from simulator.errors import Expired
from simulator.reconciling.apply import Outcome, apply
from simulator.reconciling.bus import Bus
from simulator.reconciling.plan import Controller
from simulator.reconciling.progress import Progress, Unlooked
from simulator.reconciling.settings import DEFAULTS, ReconcilingSettings
from simulator.reconciling.workqueue import WorkQueue
from simulator.resources.meta import Key, Resource

_log = logging.getLogger(__name__)


async def run_controllers(
    store: Bus,
    controllers: Sequence[Controller[Any]],
    clock: Clock,
    settings: ReconcilingSettings = DEFAULTS,
    progress: Progress | None = None,
) -> None:
    """Run the controllers until cancelled, or until the store closes its watches.

    Every object there is gets looked at once at the start, and again whenever the watch missed
    something. `progress` tells how far they are.
    """
    progress = progress or Progress()
    loops = [ControllerLoop(controller, store, clock, settings) for controller in controllers]
    for loop in loops:
        progress.follow(loop.unlooked)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(loop.run(), name=loop.name) for loop in loops]
        await _follow(store, loops, progress)
        for task in running:
            task.cancel()


async def _follow(store: Bus, loops: Sequence[ControllerLoop], progress: Progress) -> None:
    interested: dict[type[Resource], list[ControllerLoop]] = {}
    for loop in loops:
        for kind in loop.kinds:
            interested.setdefault(kind, []).append(loop)
    while True:
        watch = store.watch(tuple(interested))
        version = store.version
        for loop in loops:
            loop.look_at_everything(version)
        progress.took(version)
        try:
            async for change in watch:
                for loop in interested[type(change.object)]:
                    loop.notice(change.object)
                progress.took(version_of(change.object))
            return
        except Expired:
            _log.warning("the controllers fell behind the store's changes; looking at everything")
        finally:
            watch.close()


class ControllerLoop:
    """One controller's keys: no key is ever worked on twice at the same time."""

    def __init__(
        self, controller: Controller[Any], store: Bus, clock: Clock, settings: ReconcilingSettings
    ) -> None:
        self.name = f"{controller.name}-controller"
        self.kinds = frozenset((controller.kind, *controller.watches))
        self._controller = controller
        self._store = store
        self._clock = clock
        self._settings = settings
        self._queue: WorkQueue[Key] = WorkQueue(settings.backoff_s_min, settings.backoff_s_max)
        self._woken = asyncio.Event()
        self._working = 0
        self.unlooked: Unlooked[Any] = Unlooked()

    def look_at_everything(self, version: int) -> None:
        """Let every object of the controller's kind be looked at, as of this version."""
        for resource in self._store.list(self._controller.kind):
            self._queue.add(resource.key)
            self.unlooked.woken(resource.key, version)
        self._woken.set()

    def notice(self, changed: Resource) -> None:
        """Let the keys be looked at that this change concerns."""
        try:
            keys = self._controller.wakes(changed, self._store)
        except Exception:
            _log.exception("%s: cannot tell what %s concerns", self.name, changed.key)
            return
        if not keys:
            return
        version = version_of(changed)
        for key in keys:
            self._queue.add(key)
            self.unlooked.woken(key, version)
        self._woken.set()

    async def run(self) -> None:
        """Work on keys as they come and fall due, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                now = self._clock.monotonic()
                while self._working < self._settings.concurrent_keys_max:
                    key = self._queue.take(now)
                    if key is None:
                        break
                    self._working += 1
                    self.unlooked.begin(key)
                    tasks.create_task(self._work(key))
                await self._wait(now)

    async def _wait(self, now: float) -> None:
        due = self._queue.next_due()
        full = self._working >= self._settings.concurrent_keys_max
        timeout_s = None if due is None or full else max(0.0, due - now)
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _work(self, key: Key) -> None:
        try:
            await self._reconcile(key)
        except Exception:
            backoff_s = self._queue.add_after_failure(key, self._clock.monotonic())
            _log.exception("%s: %s failed; again in %.3f s", self.name, key, backoff_s)
        finally:
            self._working -= 1
            self.unlooked.end(key)
            self._queue.done(key)
            self._woken.set()

    async def _reconcile(self, key: Key) -> None:
        observed = self._controller.observe(self._store, key)
        if observed is None:
            self._queue.forget_failures(key)
            return
        now = self._clock.now()
        plan = self._controller.plan(observed, now)
        outcome = await apply(self._store, plan, self.name, now)
        if outcome is Outcome.LOOK_AGAIN:
            self.unlooked.repeat(key)
            self._queue.add_at(key, self._clock.monotonic() + self._settings.conflict_delay_s)
            return
        if outcome is Outcome.BACK_OFF:
            self._queue.add_after_failure(key, self._clock.monotonic())
            return
        self._queue.forget_failures(key)
        if plan.requeue_after_s is not None:
            self._queue.add_at(key, self._clock.monotonic() + plan.requeue_after_s)


def version_of(obj: Resource) -> int:
    """Return the version of the store at which the object became as it is."""
    return int(obj.metadata.resource_version or 0)
