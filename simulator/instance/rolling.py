"""Replacing workers one after the other, so that no request is lost.

The successor starts on the very sockets of its predecessor, whose queues they share, and only
when it serves does the predecessor drain and end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from simulator.instance.children import Child, ChildPlan

log = logging.getLogger(__name__)

# Makes a child of a plan; the second argument is told when it could not be started.
MakeChild = Callable[[ChildPlan, Callable[[str, str], None]], Child]


class Workers:
    """The gateway's workers, each in its place."""

    def __init__(
        self,
        plans: tuple[ChildPlan, ...],
        make: MakeChild,
        give_up: Callable[[str, str], None],
        start_s_max: float,
    ) -> None:
        self._make = make
        self._start_s_max = start_s_max
        self._restarting: asyncio.Task[None] | None = None
        self.children = [make(plan, give_up) for plan in plans]
        self.leaving: list[Child] = []  # they finish what they have begun

    def all(self) -> tuple[Child, ...]:
        """Return every worker that may still run."""
        return (*self.children, *self.leaving)

    def restart(self, group: asyncio.TaskGroup) -> None:
        """Replace all of them, in turn; stop at the first whose successor does not start.

        Not while they start, or are being replaced already.
        """
        if self._restarting is not None and not self._restarting.done():
            log.warning("the workers are being restarted already")
        elif not all(child.ready.is_set() for child in self.children):
            log.warning("the workers are not restarted: they are starting")
        else:
            self._restarting = group.create_task(self._replace_all(group))

    def restart_no_more(self) -> None:
        """Leave all that may still run in `all`, and start no other."""
        if self._restarting is not None:
            self._restarting.cancel()

    async def _replace_all(self, group: asyncio.TaskGroup) -> None:
        for index in range(len(self.children)):
            if not await self._replace(index, group):
                return
        log.info("all workers have been replaced")

    async def _replace(self, index: int, group: asyncio.TaskGroup) -> bool:
        old = self.children[index]
        failed = asyncio.Event()

        def give_up(why: str, error: str) -> None:
            log.error("%s cannot be replaced, so it goes on: %s %s", old.plan.title, why, error)
            failed.set()

        successor = self._make(old.plan, give_up)
        self.leaving.append(successor)  # until it is in its place, it is one more to end
        group.create_task(successor.keep())
        started = await _first(successor.ready, failed, self._start_s_max)
        self.leaving.remove(successor)
        if not started:
            await successor.kill()
            old.note_again()  # its successor had the file of the process id
            return False
        self.children[index] = successor
        self.leaving.append(old)
        await old.stop()
        self.leaving.remove(old)
        return True


async def _first(good: asyncio.Event, bad: asyncio.Event, wait_s_max: float) -> bool:
    """Wait for one of two events; tell whether it was the good one, and in time."""
    waits = [asyncio.ensure_future(event.wait()) for event in (good, bad)]
    try:
        await asyncio.wait(waits, timeout=wait_s_max, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return good.is_set() and not bad.is_set()
