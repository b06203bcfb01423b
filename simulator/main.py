"""The control plane's composition root: the only place that constructs and connects its parts."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import platform
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvloop
from msgspec import Struct

from simulator.api.access import Policy, allowed_hosts
from simulator.api.server import ApiServer
from simulator.api.settings import ApiSettings
from simulator.bootstrap import ensure_objects
from simulator.clock import SystemClock
from simulator.console.server import OPEN_PATHS, ConsoleServer, Figures
from simulator.console.state import InstanceState
from simulator.controllers.all import build
from simulator.controllers.settings import ControllerSettings
from simulator.errors import KnaryError
from simulator.gatewaylink.link import Link
from simulator.gatewaylink.publisher import Publisher
from simulator.gatewaylink.settings import LinkSettings, PublisherSettings
from simulator.imagefile import ImageFile
from simulator.imagewatch import watch_images
from simulator.instance.credentials import Credentials, ensure_credentials
from simulator.instance.description import Description
from simulator.instance.options import OWN_NETWORK
from simulator.instance.paths import WORKER_METRICS, InstancePaths
from simulator.instance.status import WorkerProcess, status_document
from simulator.launcher.client import LauncherClient
from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import Seen, replicas_of
from simulator.reconciling.controller import run_controllers
from simulator.reconciling.progress import Progress
from simulator.resources.core import Pod
from simulator.resources.faults import Fault
from simulator.store.objects import Store
from simulator.supervisor.settings import SupervisorSettings, settings_from
from simulator.supervisor.supervisor import Supervisor
from simulator.traffic.domains import Domains
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import TableCompiler

log = logging.getLogger(__name__)


class Startup(Struct, frozen=True, forbid_unknown_fields=True):
    """What the parent tells the control plane; the descriptors are inherited."""

    description: Description
    api_fd: int
    console_fd: int
    life_fd: int = -1
    ready_fd: int = -1
    images: str | None = None
    seed: int | None = None
    settle_s_max: float = 5.0  # for the launcher to say which replicas live


def run(text: str) -> int:
    """Run the control plane until it is told to stop; `text` is a `Startup` as JSON."""
    startup = msgspec.json.decode(text, type=Startup)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s control-plane %(levelname)s %(name)s: %(message)s",
    )
    ready = ReadyPipe(startup.ready_fd)
    failures: list[str] = []
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(startup, ready))
    except* KnaryError as errors:
        failures = list(_messages(errors))
    if not failures:
        return 0
    # What the user can mend: while the instance starts, the parent shows it.
    log.error("%s", "; ".join(failures))
    ready.say({"error": "; ".join(failures)})
    return 1


class ReadyPipe:
    """The pipe on which the parent awaits one line: ready, or why not."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, report: Mapping[str, Any]) -> None:
        """Write the line, if none was written before, and close the pipe."""
        if self._descriptor < 0:
            return
        with os.fdopen(self._descriptor, "w") as pipe:
            pipe.write(json.dumps(report) + "\n")
        self._descriptor = -1


def _messages(errors: BaseException) -> Iterator[str]:
    if isinstance(errors, BaseExceptionGroup):
        for error in errors.exceptions:
            yield from _messages(error)
    else:
        yield str(errors)


async def _serve(startup: Startup, ready: ReadyPipe) -> None:
    """Come up, be of service until SIGTERM, and leave everything written."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if startup.life_fd >= 0:
        # The parent is gone, so nobody is to stop us in order; what was acknowledged is on disk.
        loop.add_reader(startup.life_fd, os._exit, 1)
    async with AsyncExitStack() as held:
        plane = await _open(startup, held)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(plane.run(ready))
            await stopping.wait()
            running.cancel()
    log.info("stopped")


async def _open(startup: Startup, held: AsyncExitStack) -> ControlPlane:
    """Open the store, make credentials and serve the API; `held` closes what was opened."""
    clock = SystemClock()
    paths = InstancePaths(Path(startup.description.data_folder))
    api, console = socket.socket(fileno=startup.api_fd), socket.socket(fileno=startup.console_fd)
    host, port = api.getsockname()[:2]
    # Half of the start-up is cryptography's import: it goes on beside the rest.
    making = asyncio.to_thread(ensure_credentials, paths, host, port, clock.now())
    async with asyncio.TaskGroup() as opening:
        credentials = opening.create_task(making)
        opened = opening.create_task(Store.open(paths.database, clock))
    store = opened.result()
    held.push_async_callback(store.close)
    await ensure_objects(store)
    plane = ControlPlane(startup, paths, store, clock)
    hosts = allowed_hosts([host])
    servers = _Servers(store, clock, plane, credentials.result(), hosts)
    held.push_async_callback(servers.stop)
    await servers.start(api, console)
    return plane


class _Servers:
    """The API's port and the console's."""

    def __init__(
        self,
        store: Store,
        clock: SystemClock,
        plane: ControlPlane,
        credentials: Credentials,
        hosts: frozenset[str],
    ) -> None:
        settings = ApiSettings()
        self._context = credentials.server_context()
        self._api = ApiServer(
            store,
            settings,
            clock,
            Policy("https", hosts, credentials.token),
            plane.paths.replica_logs,
        )
        self._console = ConsoleServer(
            Policy("http", hosts, credentials.token, OPEN_PATHS),
            settings,
            plane.status,
            Figures(plane.metrics, plane.seen),
            plane.state,
            plane.publisher.first_acknowledged.is_set,
        )

    async def start(self, api: socket.socket, console: socket.socket) -> None:
        await self._api.start(api, self._context)
        await self._console.start(console)

    async def stop(self) -> None:
        await asyncio.gather(self._api.stop(), self._console.stop())


def _supervisor_settings(description: Description) -> SupervisorSettings:
    """Return the supervisor's limits; replicas reach the gateway's port for the inside."""
    local = urlsplit(description.gateway_local).port
    return replace(
        settings_from(os.environ),
        own_networks=description.network == OWN_NETWORK,
        reach=(local,) if local else (),
    )


class ControlPlane:
    """The parts behind the API, which meet in the store and nowhere else."""

    def __init__(
        self, startup: Startup, paths: InstancePaths, store: Store, clock: SystemClock
    ) -> None:
        description = startup.description
        self._startup = startup
        self._store = store
        self._clock = clock
        self.metrics = MetricsPage(paths.run, WORKER_METRICS, description.version)
        self.paths = paths
        extra = None if startup.images is None else Path(startup.images)
        images = ImageFile(paths.images, extra)
        controllers = build(
            ControllerSettings(domains=Domains(external=description.domain)), images.current
        )
        self._images = images
        self._reconciled = Progress()
        self._run_controllers = partial(
            run_controllers, store, controllers, clock, progress=self._reconciled
        )
        self._supervisor = Supervisor(
            store,
            LauncherClient(paths.launcher_socket),
            images.current,
            clock,
            paths,
            _supervisor_settings(description),
        )
        progress = asyncio.Event()
        self._link = Link(
            paths.gateway_socket,
            tuple(paths.worker_pid(index) for index in range(description.workers)),
            clock=clock,
            on_progress=progress.set,
            settings=LinkSettings(),
        )
        traffic = TrafficSettings(description.domain, description.splitter, startup.seed)
        self.publisher = Publisher(
            store,
            self._link,
            TableCompiler(traffic),
            clock=clock,
            progress=progress,
            settings=PublisherSettings(),
        )
        self.state = InstanceState(
            store, self.publisher, traffic, clock, paths.run, ensure_objects, description.version
        )

    async def run(self, ready: ReadyPipe) -> None:
        """Run every part until cancelled; one that fails ends them all, and the parent tries anew.

        Which replicas live is known before the first table goes out: an address of a process that
        died with an earlier control plane must not get a request.
        """
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._run_controllers())
            parts.create_task(self._supervisor.run())
            parts.create_task(self._link.run())
            parts.create_task(watch_images(self._images, self._store, clock=self._clock))
            try:
                async with asyncio.timeout(self._startup.settle_s_max):
                    await self._supervisor.settled.wait()
            except TimeoutError:
                log.warning("the launcher does not say which replicas live; going on without it")
            parts.create_task(self.publisher.run())
            await self.publisher.first_acknowledged.wait()
            await self.state.begin()
            gc.collect()
            gc.freeze()  # what start-up made stays: the collector need not look at it again
            log.info("ready as process %d", os.getpid())
            ready.say({"ready": True, "pid": os.getpid()})

    def seen(self) -> Seen:
        """Return what the metrics say of replicas and workers beside the gateway's counts."""
        builds = tuple(one.build for one in self._link.workers())
        return Seen(replicas_of(self._store.list(Pod)), builds)

    def status(self) -> Mapping[str, Any]:
        """Return the status document."""
        return status_document(
            self._startup.description,
            python=platform.python_version(),
            pid=os.getpid(),
            workers=[
                WorkerProcess(one.index, one.pid, one.build, one.turns)
                for one in self._link.workers()
            ],
            pods=self._store.list(Pod),
            faults=self._store.list(Fault),
            reconciled=self._reconciled.version,
            images_flaw=self._images.current().flaw,
        )
