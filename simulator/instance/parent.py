"""`knary up`: the parent process. It owns the lock, the listening sockets and the children; it
restarts what dies, and dies last. Read `Parent.run` first.
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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from simulator.clock import Clock, SystemClock
from simulator.errors import KnaryError
from simulator.instance import description as descriptions
from simulator.instance.children import Child, ChildPlan, Surroundings
from simulator.instance.description import Description
from simulator.instance.detached import run_detached
from simulator.instance.ending import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    Ending,
    LifePipe,
    has_terminal,
    signals,
)
from simulator.instance.environment import child_environment
from simulator.instance.folders import (
    make_data_folder,
    make_run_folders,
    open_log,
    remove_run_folders,
)
from simulator.instance.leftovers import EPHEMERAL_PREFIX, clear_leftovers
from simulator.instance.lock import Lock, Taken, take_within
from simulator.instance.network import settled
from simulator.instance.options import ParentSettings, UpOptions
from simulator.instance.owner import Owner
from simulator.instance.paths import InstancePaths, default_data_folder
from simulator.instance.plans import Plans, describe, plan_children
from simulator.instance.rolling import Workers
from simulator.instance.sessionkey import ensure_session_key
from simulator.instance.sockets import open_ports
from simulator.instance.tail import follow, last_line
from simulator.instance.terminal import Terminal, ready_lines, running_line
from simulator.resources.meta import timestamp

__all__ = ["EXIT_INTERRUPTED", "EXIT_OK", "UpOptions", "run"]

log = logging.getLogger(__name__)


class Contents(NamedTuple):
    """What goes into a new instance and out of it at its end, through its ports as any client does.

    Both raise KnaryError.
    """

    fill: Callable[[UpOptions, InstancePaths], None]
    export: Callable[[UpOptions, InstancePaths], None]


# Replace the workers one by one. SIGHUP asks for the same, as of nginx, unless it can be the
# terminal's own, which ends what runs there.
RESTART_SIGNAL = signal.SIGUSR1


def run(options: UpOptions, contents: Contents) -> int:
    """Run an instance in the foreground until it is told to stop; return the exit status.

    0: stopped when asked to; 130:
    stopped at once by a second signal. Raise KnaryError when it could not start; then nothing of
    it is left.
    """
    with _data_folder(options) as data:
        terminal = Terminal(sys.stdout, sys.stderr)
        options = replace(options, data=data, network=settled(options.network))
        return _run_in(options, contents, terminal, ParentSettings())


def _run_in(
    options: UpOptions, contents: Contents, terminal: Terminal, limits: ParentSettings
) -> int:
    """Take what an instance needs, run it, and give everything back in reverse order."""
    clock = SystemClock()
    paths = InstancePaths(options.data)
    owner = None if options.owner_fd is None else Owner(options.owner_fd)
    with contextlib.ExitStack() as held:
        # Whatever this process and its children make is for their owner alone.
        held.callback(os.umask, os.umask(0o077))
        lock = _take_folder(paths, limits)
        held.callback(lock.release)
        clear_leftovers(Path(tempfile.gettempdir()), clock.now().timestamp())
        ports = open_ports(options, limits)
        held.callback(ports.close)
        for note in ports.notes:
            terminal.line(note)
        make_run_folders(paths)
        held.callback(remove_run_folders, paths)
        ensure_session_key(paths.session_key)
        log_fd = open_log(paths.log, limits.log_bytes_max)
        held.callback(os.close, log_fd)
        _log_to(log_fd)
        life = LifePipe()
        held.callback(life.close)
        description = describe(options, ports, timestamp(clock.now()))
        surroundings = Surroundings(
            life.reading, log_fd, child_environment(os.environ), settings=limits
        )
        parent = Parent(
            Work(options, description, plan_children(options, description, ports, lock, limits)),
            surroundings,
            fill=partial(contents.fill, options, paths),
            export=partial(contents.export, options, paths),
            end_life=life.end,
            owner=owner,
            terminal=terminal,
            clock=clock,
        )
        return asyncio.run(parent.run())


@dataclass(frozen=True)
class Work:
    """What the parent is to run, and what it says about it."""

    options: UpOptions
    description: Description
    plans: Plans


class Parent:
    """Starts the children together, keeps them running, and stops them in order."""

    def __init__(
        self,
        work: Work,
        surroundings: Surroundings,
        *,
        fill: Callable[[], None],
        export: Callable[[], None],
        end_life: Callable[[], None],
        terminal: Terminal,
        clock: Clock,
        owner: Owner | None = None,
    ) -> None:
        self._work = work
        self._limits = surroundings.settings
        self._fill = fill
        self._export = export
        self._owner = owner
        self._end_life = end_life
        self._terminal = terminal
        self._paths = InstancePaths(work.options.data)
        self._ending = Ending()

        def child(plan: ChildPlan, give_up: Callable[[str, str], None]) -> Child:
            return Child(plan, surroundings, clock=clock, give_up=give_up)

        self._launcher = child(work.plans.launcher, self._fail)
        self._control_plane = child(work.plans.control_plane, self._fail)
        self._workers = Workers(work.plans.workers, child, self._fail, self._limits.start_s_max)

    @property
    def _children(self) -> tuple[Child, ...]:
        return (self._launcher, self._control_plane, *self._workers.all())

    async def run(self) -> int:
        """Run until a signal ends it; return the exit status. Raise KnaryError when it fails."""
        offset = self._paths.log.stat().st_size
        async with asyncio.TaskGroup() as group:
            with signals(self._handlers(group)):
                for child in self._children:
                    group.create_task(child.keep())
                showing = None
                if self._work.options.verbose:
                    poll_s = self._limits.verbose_poll_s
                    showing = group.create_task(
                        follow(self._paths.log, offset, poll_s, self._terminal.raw)
                    )
                if self._owner is not None:
                    self._owner.watch(self._ending.on_owner_gone)
                try:
                    await self._live()
                finally:
                    await self._stop()
                    if showing is not None:
                        showing.cancel()
        return self._ending.exit_status()

    async def _live(self) -> None:
        """Start, say so, and wait for the end. Return early when the end comes early."""
        self._terminal.progress("knary is starting …")
        if not await self._ending.unless_told(self._all_ready()):
            return
        descriptions.write(self._paths.description, self._work.description)
        if not await self._ending.unless_told(self._fill_in()):
            return
        home = default_data_folder(os.environ)
        for line in ready_lines(self._work.description, home, self._terminal.width):
            self._terminal.line(line)
        if self._owner is not None:
            self._owner.say_ready(self._work.description)
        await self._ending.told.wait()
        await self._ending.unless_hurried(self._export_state())

    async def _all_ready(self) -> None:
        try:
            async with asyncio.timeout(self._limits.start_s_max):
                for child in self._children:
                    await child.ready.wait()
        except TimeoutError:
            late = [child.plan.title for child in self._children if not child.ready.is_set()]
            self._fail(f"{', '.join(late)} not ready after {self._limits.start_s_max:.0f} s", "")

    async def _fill_in(self) -> None:
        """Put in what `--import` and `-f` name, off this loop: what it calls may need a restart.

        Detached: it may wait for minutes, and who stops the instance does not wait for it.
        """
        options = self._work.options
        if not options.manifests and options.snapshot is None:
            return
        self._terminal.progress("applying the manifests …")
        try:
            await run_detached(self._fill)
        except KnaryError as error:
            self._ending.fail(str(error))

    async def _export_state(self) -> None:
        """Write the state to where `--export-on-exit` says, while there is who knows it."""
        if self._work.options.export is None:
            return
        self._terminal.progress("exporting the state …")
        try:
            async with asyncio.timeout(self._limits.export_s_max):
                await run_detached(self._export)
        except (KnaryError, TimeoutError) as error:
            self._ending.note_failure(f"the state was not exported: {error or 'it took too long'}")

    async def _stop(self) -> None:
        """Stop the children in order; at once when the user asks again."""
        self._workers.restart_no_more()
        self._terminal.progress("stopping …")
        self._paths.description.unlink(missing_ok=True)
        await self._ending.stop(
            self._stop_in_order(), self._end_life, lambda: self._children, self._limits.end_s_max
        )
        self._terminal.progress("")

    async def _stop_in_order(self) -> None:
        """First who takes requests, then who changes things, then who owns the replicas."""
        await asyncio.gather(*(worker.stop() for worker in self._workers.all()))
        await self._control_plane.stop()
        await self._launcher.stop()

    def _handlers(self, group: asyncio.TaskGroup) -> dict[signal.Signals, Callable[[], None]]:
        def restart() -> None:
            if not self._ending.told.is_set():
                self._workers.restart(group)

        return {
            signal.SIGINT: self._ending.on_signal,
            signal.SIGTERM: self._ending.on_signal,
            signal.SIGHUP: self._ending.on_signal if has_terminal() else restart,
            RESTART_SIGNAL: restart,
        }

    def _fail(self, why: str, error: str) -> None:
        """End because a child could not be started; `error` is what it says itself."""
        if not error:
            error = f"{why}\n  {last_line(self._paths.log)}\n  more in {self._paths.log}"
        self._ending.fail(error)


def _take_folder(paths: InstancePaths, limits: ParentSettings) -> Lock:
    make_data_folder(paths.data)
    try:
        return take_within(paths.lock, limits.lock_wait_s_max, time.sleep)
    except Taken as taken:
        running = descriptions.read(paths.description)
        raise KnaryError(running_line(running, paths.data, taken.pid)) from taken
    except OSError as error:
        raise KnaryError(f"cannot lock {paths.lock}: {error.strerror}") from error


@contextlib.contextmanager
def _data_folder(options: UpOptions) -> Iterator[Path]:
    """Give the folder to use: the user's, or a fresh one that is removed at the end."""
    if not options.ephemeral:
        yield options.data.expanduser().absolute()
        return
    fresh = Path(tempfile.mkdtemp(prefix=EPHEMERAL_PREFIX))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _log_to(descriptor: int) -> None:
    """Send this process's log where its children's goes."""
    logging.basicConfig(
        stream=os.fdopen(os.dup(descriptor), "a", buffering=1, encoding="utf-8"),
        level=logging.INFO,
        format="%(asctime)s parent[%(process)d] %(levelname)s %(message)s",
    )
