"""What the store is told of a replica: its Pod, in one commit, and Events as a kubelet's."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from simulator.errors import ApiError, NotFound
from simulator.reconciling.apply import apply
from simulator.reconciling.plan import Plan, Record
from simulator.resources.core import Pod
from simulator.resources.meta import timestamp
from simulator.resources.serving import serving_container
from simulator.supervisor.lifecycle import Life
from simulator.supervisor.status import annotated, pod_status
from simulator.supervisor.world import World

MANAGER: Final = "supervisor"  # of the fields that it writes
KUBELET: Final = "kubelet"


def stored(world: World, pod: Pod) -> Pod | None:
    """Return the Pod as it is stored, None when it is gone."""
    found = world.store.get(Pod, *pod.key)
    return found if found is not None and found.uid == pod.uid else None


async def write(world: World, pod: Pod, life: Life) -> ApiError | None:
    """Bring the stored Pod to what is known, in one commit; return why that failed."""
    found = stored(world, pod)
    if found is None:
        return None
    status = pod_status(found, life, timestamp(world.clock.now()))
    wanted = annotated(found, life)
    writes = []
    if wanted is not found:
        writes.append(world.store.update(wanted, MANAGER))
    if status != found.status and wanted.metadata.finalizers == found.metadata.finalizers:
        # Nobody else writes a Pod's status, and the version has just gone up.
        unversioned = found.with_metadata(resource_version="")
        new = msgspec.structs.replace(unversioned, status=status)
        writes.append(world.store.update_status(new, MANAGER))
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, ApiError) and not isinstance(result, NotFound):
            return result
        if isinstance(result, BaseException) and not isinstance(result, NotFound):
            raise result
    return None


class Teller:
    """Records Events about one Pod's container, in order; too many at once are not waited for."""

    def __init__(self, world: World, tasks: asyncio.TaskGroup) -> None:
        self._world = world
        self._tasks = tasks
        self._untold: list[Record] = []
        self._telling: asyncio.Task[None] | None = None

    def say(self, pod: Pod, type_: str, reason: str, message: str) -> None:
        """Let an Event be recorded. It is a note to a reader: one that cannot be is none."""
        if len(self._untold) >= self._world.settings.untold_events_max:
            return
        path = f"spec.containers{{{serving_container(pod.spec).name}}}"
        record = Record(pod, type_, reason, message, component=KUBELET, field_path=path)
        self._untold.append(record)
        if self._telling is None or self._telling.done():
            self._telling = self._tasks.create_task(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            record = self._untold.pop(0)
            now = self._world.clock.now()
            await apply(self._world.store, Plan((record,)), MANAGER, now)
