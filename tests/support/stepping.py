"""The real controllers over a real store, one key at a time in a fixed order.

Whatever happens, happens in the same order each time: a test can then tell the whole of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from simulator.reconciling.apply import Outcome, apply
from simulator.reconciling.plan import Controller
from simulator.resources.meta import Key, Resource
from simulator.store.objects import Store, Watch, WatchEvent
from tests.support.clocks import ManualClock

STEPS_MAX = 2000
CHUNK = 100


class Stepper:
    """Works on what changes have woken, first come first served, until nothing is left to do."""

    def __init__(
        self, store: Store, controllers: Sequence[Controller[Any]], clock: ManualClock, watch: Watch
    ) -> None:
        self.seen: list[WatchEvent] = []
        self._store = store
        self._controllers = tuple(controllers)
        self._clock = clock
        self._watch = watch
        self._version = store.version
        self._queue: deque[tuple[Controller[Any], Key]] = deque()

    async def settle(self) -> None:
        """Let everything happen that is due now; each step takes a second of the clock."""
        for _ in range(STEPS_MAX):
            await self._notice()
            if not self._queue:
                return
            controller, key = self._queue.popleft()
            self._clock.advance(1)
            await self._step(controller, key)
        raise AssertionError("it never settles")

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, then let every object be looked at again."""
        self._clock.advance(seconds)
        for controller in self._controllers:
            for one in self._store.list(controller.kind):
                self._add(controller, one.key)
        await self.settle()

    async def _step(self, controller: Controller[Any], key: Key) -> None:
        observed = controller.observe(self._store, key)
        if observed is None:
            return
        now = self._clock.now()
        plan = controller.plan(observed, now)
        outcome = await apply(self._store, plan, controller.name, now)
        if outcome is not Outcome.DONE or plan.requeue_after_s == 0:
            await self._notice()
            self._add(controller, key)

    async def _notice(self) -> None:
        while self._version < self._store.version:
            for event in await self._watch.next_events(CHUNK):
                self._version = event.version
                self.seen.append(event)
                self._wake(event.object)

    def _wake(self, changed: Resource) -> None:
        for controller in self._controllers:
            if type(changed) in (controller.kind, *controller.watches):
                for key in controller.wakes(changed, self._store):
                    self._add(controller, key)

    def _add(self, controller: Controller[Any], key: Key) -> None:
        if (controller, key) not in self._queue:
            self._queue.append((controller, key))


@asynccontextmanager
async def stepping(
    store: Store, controllers: Sequence[Controller[Any]], clock: ManualClock
) -> AsyncIterator[Stepper]:
    """Yield a stepper that knows of every change from now on."""
    watch = store.watch()
    try:
        yield Stepper(store, controllers, clock, watch)
    finally:
        watch.close()
