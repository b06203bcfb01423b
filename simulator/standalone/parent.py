"""The process of `knary gateway`: owns the sockets, keeps the workers running, feeds them tables.

The same sockets, children and link as under `knary up`, without API, store and launcher. Read
`StandaloneGateway.run` first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from knary import __version__
from simulator.clock import Clock, SystemClock
from simulator.gatewaylink.link import Link
from simulator.gatewaylink.settings import LinkSettings
from simulator.instance.children import Child, ChildPlan, Surroundings
from simulator.instance.ending import Ending, LifePipe, has_terminal, signals
from simulator.instance.environment import child_environment
from simulator.instance.folders import make_run_folders, remove_run_folders
from simulator.instance.leftovers import EPHEMERAL_PREFIX, clear_leftovers
from simulator.instance.lock import Lock
from simulator.instance.options import LOOPBACK, ParentSettings
from simulator.instance.paths import WORKER_METRICS, InstancePaths
from simulator.instance.plans import plan_worker, turns_settings
from simulator.instance.rolling import Workers
from simulator.instance.sessionkey import ensure_session_key
from simulator.instance.sockets import (
    Bounds,
    Listening,
    PortChoice,
    listen_shared,
    listen_single,
)
from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import Seen
from simulator.standalone.file import RoutesFile
from simulator.standalone.metrics import PATH as METRICS_PATH
from simulator.standalone.metrics import MetricsServer
from simulator.standalone.options import FileSettings, GatewayOptions, MetricsSettings
from simulator.standalone.reading import Configuration

log = logging.getLogger(__name__)

RESTART_SIGNAL = signal.SIGUSR1
_STDERR = 2


@dataclass(frozen=True)
class Sockets:
    """The gateway's port, and that of the metrics if there is one."""

    gateway: Listening
    metrics: Listening | None


@dataclass(frozen=True)
class Work:
    """What the parent is to run: what was asked for, and what it has for that."""

    options: GatewayOptions
    file: RoutesFile
    wanted: Configuration  # what the file said at the start
    sockets: Sockets
    paths: InstancePaths


def run(options: GatewayOptions) -> int:
    """Run the gateway in the foreground until it is told to stop; return the exit status.

    0: stopped when asked to; 130: stopped at once by a second signal. Raise RoutesError when the
    file is none of routes, KnaryError when it could not start; then nothing of it is left.
    """
    clock = SystemClock()
    limits = ParentSettings()
    file = RoutesFile(options.file, clock=clock, settings=FileSettings())
    wanted = file.read()  # before anything is made
    with contextlib.ExitStack() as held:
        # Whatever this process and its children make is for their owner alone.
        held.callback(os.umask, os.umask(0o077))
        clear_leftovers(Path(tempfile.gettempdir()), clock.now().timestamp())
        sockets = _open_sockets(options, wanted, limits, held)
        paths = _make_folders(held)
        ensure_session_key(options.session_key or paths.session_key)
        _log_to_stderr(options)
        life = LifePipe()
        held.callback(life.close)
        surroundings = Surroundings(
            life.reading, _STDERR, child_environment(os.environ), settings=limits
        )
        gateway = StandaloneGateway(
            Work(options, file, wanted, sockets, paths),
            surroundings,
            end_life=life.end,
            out=sys.stdout,
            clock=clock,
        )
        return asyncio.run(gateway.run())


def _open_sockets(
    options: GatewayOptions,
    wanted: Configuration,
    limits: ParentSettings,
    held: contextlib.ExitStack,
) -> Sockets:
    """Open both ports. Raise PortTaken or KnaryError."""
    bounds = Bounds(limits.listen_backlog, limits.port_attempts_max)
    choice = PortChoice("gateway", f"`listen` in {options.file}", wanted.port, wanted.port)
    gateway = listen_shared(wanted.address, choice, wanted.workers, bounds)
    held.callback(gateway.close)
    if options.metrics_port is None:
        return Sockets(gateway, None)
    port = options.metrics_port
    metrics = listen_single(LOOPBACK, PortChoice("metrics", "--metrics-port", port, port), bounds)
    held.callback(metrics.close)
    return Sockets(gateway, metrics)


def _make_folders(held: contextlib.ExitStack) -> InstancePaths:
    """Make the folder of sockets and counts. Its lock says that it is in use: who is killed leaves
    it, and the next to start clears it away.
    """
    data = Path(tempfile.mkdtemp(prefix=EPHEMERAL_PREFIX))
    held.callback(shutil.rmtree, data, ignore_errors=True)
    paths = InstancePaths(data)
    lock = Lock.take(paths.lock)
    held.callback(lock.release)
    make_run_folders(paths)
    held.callback(remove_run_folders, paths)
    return paths


class StandaloneGateway:
    """The workers on their sockets, with the file's newest good routes."""

    def __init__(
        self,
        work: Work,
        surroundings: Surroundings,
        *,
        end_life: Callable[[], None],
        out: TextIO,
        clock: Clock,
    ) -> None:
        self._work = work
        self._limits = surroundings.settings
        self._end_life = end_life
        self._out = out
        self._ending = Ending()
        self._version = 0
        self._count = 0
        self._unannounced = False

        def child(plan: ChildPlan, give_up: Callable[[str, str], None]) -> Child:
            return Child(plan, surroundings, clock=clock, give_up=give_up)

        plans = _plans(work, self._limits)
        self._workers = Workers(plans, child, self._fail, self._limits.start_s_max)
        self._link = Link(
            work.paths.gateway_socket,
            tuple(work.paths.worker_pid(index) for index in range(len(plans))),
            clock=clock,
            on_progress=self._on_progress,
            settings=LinkSettings(),
        )

    async def run(self) -> int:
        """Run until a signal ends it; return the exit status. Raise KnaryError when it fails."""
        self._publish(self._work.wanted)
        async with asyncio.TaskGroup() as group:
            with signals(self._handlers(group)):
                helpers = [group.create_task(self._link.run())]
                for child in self._workers.all():
                    group.create_task(child.keep())
                try:
                    async with self._metrics():
                        if await self._ending.unless_told(self._all_ready()):
                            self._say_ready()
                            helpers.append(group.create_task(self._follow()))
                            await self._ending.told.wait()
                finally:
                    await self._stop()
                    for helper in helpers:
                        helper.cancel()
        return self._ending.exit_status()

    async def _all_ready(self) -> None:
        try:
            async with asyncio.timeout(self._limits.start_s_max):
                for child in self._workers.children:
                    await child.ready.wait()
        except TimeoutError:
            self._fail(f"the workers are not ready after {self._limits.start_s_max:.0f} s", "")

    def _say_ready(self) -> None:
        gateway, metrics = self._work.sockets.gateway, self._work.sockets.metrics
        extra = f", metrics {metrics.url('http')}{METRICS_PATH}" if metrics else ""
        self._out.write(
            f"knary gateway is ready: {gateway.url('http')},"
            f" {_routes(self._count)} from {self._work.options.file}{extra}\n"
        )
        self._out.flush()

    async def _stop(self) -> None:
        self._workers.restart_no_more()
        await self._ending.stop(
            self._stop_workers(), self._end_life, self._workers.all, self._limits.end_s_max
        )

    async def _stop_workers(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers.all()))

    def _fail(self, why: str, error: str) -> None:
        """End because a worker could not be started; `error` is what it says itself."""
        self._ending.fail(error or why)

    # Routes ------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        await self._work.file.follow(self._take, self._refuse)

    def _publish(self, wanted: Configuration) -> None:
        self._version += 1
        self._count = len(wanted.routes)
        self._link.publish(wanted.table(self._version))

    def _take(self, wanted: Configuration) -> None:
        """Serve what the file asks for by now, as far as that can change."""
        if fixed := _fixed_changes(self._work.wanted, wanted):
            log.warning(
                "%s: %s cannot change while the gateway runs; start it again for that",
                self._work.options.file,
                " and ".join(f"`{name}`" for name in fixed),
            )
        self._publish(wanted)
        self._unannounced = True

    def _refuse(self, why: str) -> None:
        first, *more = why.splitlines()
        others = f" (and {len(more)} more)" if more else ""
        log.error("%s%s; the routes before stay in force", first, others)

    def _on_progress(self) -> None:
        """Say so once every worker serves the newest routes."""
        if self._unannounced and self._link.acknowledged >= self._version:
            self._unannounced = False
            log.info(
                "%s was read again: %s in force", self._work.options.file, _routes(self._count)
            )

    # Signals and metrics -----------------------------------------------------------------------

    def _handlers(self, group: asyncio.TaskGroup) -> dict[signal.Signals, Callable[[], None]]:
        ends_with_terminal = (
            has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        )

        def hang_up() -> None:
            """Read the file again, unless it was the terminal that hung up: then it is gone."""
            if ends_with_terminal and not has_terminal():
                self._ending.on_signal()
            else:
                self._work.file.ask()

        def restart() -> None:
            if not self._ending.told.is_set():
                self._workers.restart(group)

        return {
            signal.SIGINT: self._ending.on_signal,
            signal.SIGTERM: self._ending.on_signal,
            signal.SIGHUP: hang_up,
            RESTART_SIGNAL: restart,
        }

    @contextlib.asynccontextmanager
    async def _metrics(self) -> AsyncIterator[None]:
        """Serve the metrics, if they were asked for, while the block runs."""
        listening = self._work.sockets.metrics
        if listening is None:
            yield
            return
        page = MetricsPage(self._work.paths.run, WORKER_METRICS, __version__)
        settings = MetricsSettings()
        answering = await asyncio.start_server(
            MetricsServer(page, self._seen, settings).serve,
            sock=listening.sockets[0],
            limit=settings.head_bytes_max,
        )
        async with answering:
            yield

    def _seen(self) -> Seen:
        return Seen(builds=tuple(worker.build for worker in self._link.workers()))


def _plans(work: Work, limits: ParentSettings) -> tuple[ChildPlan, ...]:
    plans = (
        plan_worker(index, (one,), work.options, work.paths, limits)
        for index, one in enumerate(work.sockets.gateway.sockets)
    )
    told: dict[str, object] = {"quiet": not work.options.verbose}
    if work.options.session_key is not None:
        told["session_key_file"] = str(work.options.session_key.absolute())
    told |= turns_settings(work.paths, len(work.sockets.gateway.sockets))
    return tuple(plan.with_settings(told) for plan in plans)


def _fixed_changes(first: Configuration, wanted: Configuration) -> list[str]:
    """Return the fields that would have to change and cannot."""
    listens = (first.address, first.port) == (wanted.address, wanted.port)
    checks = {"listen": listens, "workers": first.workers == wanted.workers}
    return [name for name, is_same in checks.items() if not is_same]


def _routes(count: int) -> str:
    return f"{count} route{'s' if count != 1 else ''}"


def _log_to_stderr(options: GatewayOptions) -> None:
    """Say what a user has to know; with -v everything, with times."""
    if options.verbose:
        form = "%(asctime)s parent[%(process)d] %(levelname)s %(message)s"
        logging.basicConfig(level=logging.INFO, format=form)
    else:
        logging.basicConfig(level=logging.WARNING, format="knary gateway: %(message)s")
        log.setLevel(logging.INFO)
