"""Follows Pods and the launcher, and brings the two together: one Replica per Pod."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Sequence
from typing import assert_never

from simulator.clock import Clock
from simulator.errors import Expired
from simulator.images import ImageMap
from simulator.instance.paths import InstancePaths
from simulator.launcher.client import Disconnected, LauncherClient, LauncherEvent
from simulator.launcher.protocol import Exited, Forget, Hello, Listing, Refused, Started, Stop
from simulator.launcher.sockets import NetworkSockets
from simulator.resources.core import PROCESS_FINALIZER, Pod
from simulator.store.objects import Store, WatchEvent
from simulator.supervisor import places
from simulator.supervisor.ports import Ports
from simulator.supervisor.replica import Replica
from simulator.supervisor.settings import SupervisorSettings
from simulator.supervisor.status import is_released
from simulator.supervisor.world import World

log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one local process per Pod, and the Pods' status true.

    `settled` is set once every Pod that was there at the start says what is so: which processes
    were adopted, and which addresses nobody answers at any more.
    """

    def __init__(
        self,
        store: Store,
        launcher: LauncherClient,
        images: Callable[[], ImageMap],
        clock: Clock,
        paths: InstancePaths,
        settings: SupervisorSettings,
    ) -> None:
        first = zlib.crc32(bytes(paths.data.absolute()))
        ports = Ports(first, settings)
        self.settled = asyncio.Event()
        sockets = NetworkSockets(paths.networks_socket)
        self._world = World(store, launcher, images, clock, paths, settings, ports, sockets)
        self._replicas: dict[str, Replica] = {}  # by uid
        self._has_listing = False  # of this connection
        self._is_listed = asyncio.Event()  # of the first one

    async def run(self) -> None:
        """Supervise until cancelled. Processes live on."""
        world = self._world
        pods = world.store.list(Pod)
        await asyncio.to_thread(places.remove_strangers, world.paths, pods)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_pods(tasks))
                tasks.create_task(world.launcher.run(self._take))
                tasks.create_task(self._settle())
        finally:
            for replica in self._replicas.values():
                replica.close()
            world.sockets.close()

    # Pods.

    async def _follow_pods(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            watch = self._world.store.watch([Pod])
            try:
                self._take_all(self._world.store.list(Pod), tasks)
                async for event in watch:
                    self._take_pod(event, tasks)
                return
            except Expired:
                log.warning("fell behind the store; reading all pods anew")
            finally:
                watch.close()

    def _take_all(self, pods: Sequence[Pod], tasks: asyncio.TaskGroup) -> None:
        there = {pod.uid for pod in pods}
        for uid, replica in tuple(self._replicas.items()):
            if uid not in there:
                replica.pod_gone()
        for pod in pods:
            self._observe(pod, tasks)

    def _take_pod(self, event: WatchEvent, tasks: asyncio.TaskGroup) -> None:
        pod = event.object
        if not isinstance(pod, Pod):
            return
        if event.type != "DELETED":
            self._observe(pod, tasks)
        elif (replica := self._replicas.get(pod.uid)) is not None:
            replica.pod_gone()

    def _observe(self, pod: Pod, tasks: asyncio.TaskGroup) -> None:
        replica = self._replicas.get(pod.uid)
        if replica is not None:
            replica.pod_changed(pod)
            return
        if is_released(pod) and PROCESS_FINALIZER not in pod.metadata.finalizers:
            return  # over; what keeps the object is not ours
        replica = self._replicas[pod.uid] = Replica(pod, self._world, tasks, self._forget)
        if self._has_listing:
            replica.meet(None)

    def _forget(self, replica: Replica) -> None:
        self._replicas.pop(replica.pod.uid, None)

    # The launcher.

    def _take(self, event: LauncherEvent) -> None:
        match event:
            case Listing():
                self._meet(event)
            case Started() | Exited() | Refused():
                self._take_report(event)
            case Disconnected():
                self._has_listing = False
            case Hello():
                pass
            case _:
                assert_never(event)

    def _take_report(self, report: Started | Exited | Refused) -> None:
        replica = self._replicas.get(report.id)
        if replica is None:
            if isinstance(report, Exited):
                self._world.launcher.send(Forget(report.id))
            return
        match report:
            case Started():
                replica.started(report)
            case Exited():
                replica.exited(report)
            case Refused():
                replica.refused(report)

    def _meet(self, listing: Listing) -> None:
        """Bring Pods and processes together, after a restart of either side."""
        self._has_listing = True
        listed = {one.started.id: one for one in listing.replicas}
        for uid, replica in tuple(self._replicas.items()):
            replica.meet(listed.pop(uid, None))
        for stranger in listed.values():
            if stranger.exited is None:
                log.warning("ending process %d: its pod is gone", stranger.started.pid)
                grace_s = self._world.settings.grace_s_default
                self._world.launcher.send(Stop(stranger.started.id, grace_s))
            else:
                self._world.launcher.send(Forget(stranger.started.id))
        self._is_listed.set()

    async def _settle(self) -> None:
        """Set `settled` when what was there at the start is known, and written."""
        await self._is_listed.wait()
        for replica in tuple(self._replicas.values()):
            await replica.written.wait()
        self.settled.set()
