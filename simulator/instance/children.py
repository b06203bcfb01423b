"""One child process of the parent: started, watched, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from msgspec import Struct

from simulator.clock import Clock
from simulator.instance.options import ParentSettings

log = logging.getLogger(__name__)

_REPORT_BYTES_MAX = 4096  # PIPE_BUF: so much is written, and read, whole
COMMAND = (sys.executable, "-P", "-m", "knary.process")


@dataclass(frozen=True)
class ChildPlan:
    """What to start. `settings` lack the two descriptors that every start adds: life and ready.

    `descriptors` are inherited under their own numbers. `pid_file` holds the child's process id
    for as long as it lives. `variables` are those of the user's environment that it may see; all
    when None.
    """

    name: str
    title: str
    settings: Mapping[str, object]
    stop_s_max: float
    descriptors: tuple[int, ...] = ()
    pid_file: Path | None = None
    variables: frozenset[str] | None = None

    def with_settings(self, more: Mapping[str, object]) -> ChildPlan:
        """Return the plan with these settings besides its own."""
        return replace(self, settings={**self.settings, **more})

    def environment(self, whole: Mapping[str, str]) -> dict[str, str]:
        """Return the child's part of the user's environment."""
        kept = whole if self.variables is None else self.variables & whole.keys()
        return {name: whole[name] for name in kept}


@dataclass(frozen=True)
class Surroundings:
    """What all children share. `life_fd` is readable at its end when the parent is gone."""

    life_fd: int
    log_fd: int
    environment: Mapping[str, str]
    command: tuple[str, ...] = COMMAND
    settings: ParentSettings = field(default_factory=ParentSettings)


class Child:
    """Keeps one child running until it is stopped.

    A child that ends before it was ever ready is not tried again: `give_up` is told why, and also
    what the child itself reported on its ready pipe (`{"error": TEXT}`), or "".
    """

    def __init__(
        self,
        plan: ChildPlan,
        surroundings: Surroundings,
        *,
        clock: Clock,
        give_up: Callable[[str, str], None],
    ) -> None:
        self.plan = plan
        self.ready = asyncio.Event()
        self._surroundings = surroundings
        self._clock = clock
        self._give_up = give_up
        self._process: Process | None = None
        self._error = ""
        self._noted = ""  # what is in the file of the process id
        self._stopping = asyncio.Event()
        self._done = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Return the id of the process that runs now."""
        return None if self._process is None else self._process.pid

    async def keep(self) -> None:
        """Start the child, and again whenever it ends, until `stop` or `end`."""
        limits = self._surroundings.settings
        short_lives = 0
        try:
            while not self._stopping.is_set():
                started = self._clock.monotonic()
                try:
                    why = f"{self.plan.title} ended: {describe_exit(await self._run_once())}"
                except OSError as error:  # no process or memory to be had: that may pass
                    why = f"{self.plan.title} cannot be started: {error.strerror}"
                if self._stopping.is_set():
                    return
                if not self.ready.is_set():
                    self._give_up(why, self._error)
                    return
                lived_s = self._clock.monotonic() - started
                short_lives = 0 if lived_s >= limits.restart_calm_s else short_lives + 1
                delay_s = restart_delay_s(short_lives, limits)
                log.warning("%s after %.1f s; it starts again in %.1f s", why, lived_s, delay_s)
                await self._wait_unless_stopping(delay_s)
        finally:
            self._done.set()

    async def stop(self) -> None:
        """Ask the child to end, wait its `stop_s_max` seconds, then kill it."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.plan.stop_s_max):
                await self._done.wait()
        except TimeoutError:
            log.warning("%s did not stop in %s s", self.plan.title, self.plan.stop_s_max)
            await self.kill()

    async def kill(self) -> None:
        """Kill the child and its process group; return when it is gone."""
        self._stopping.set()
        self._signal(signal.SIGKILL)
        await self._done.wait()

    async def ended_within(self, wait_s_max: float) -> bool:
        """Start it no more; tell whether it ends by itself in that time."""
        self._stopping.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s_max):
                await self._done.wait()
        return self._done.is_set()

    def note_again(self) -> None:
        """Keep the file of the process id once more: another child of this plan had it."""
        if self.pid is not None:
            self._note_pid(self.pid)

    async def _run_once(self) -> int:
        """Start the process and return its exit code when it has ended."""
        reading, writing = os.pipe()
        settings = {
            **self.plan.settings,
            "life_fd": self._surroundings.life_fd,
            "ready_fd": writing,
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *self._surroundings.command,
                self.plan.name,
                msgspec.json.encode(settings).decode(),
                stdin=DEVNULL,
                stdout=self._surroundings.log_fd,
                stderr=self._surroundings.log_fd,
                env=self.plan.environment(self._surroundings.environment),
                pass_fds=(*self.plan.descriptors, self._surroundings.life_fd, writing),
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._process = process
        watch = _ReadyPipe(reading, self._on_report)
        try:
            self._note_pid(process.pid)
            if self._stopping.is_set():
                self._signal(signal.SIGTERM)
            return await process.wait()
        finally:
            # Its id may be given to another process from here on.
            self._process = None
            self._note_pid(None)
            watch.close()

    def _note_pid(self, pid: int | None) -> None:
        """Keep the file of the process id; without one, on a full disk, the child runs too."""
        path = self.plan.pid_file
        if path is None:
            return
        try:
            if pid is None:
                if self._noted == path.read_text(encoding="ascii").strip():  # not a successor's
                    path.unlink()
            else:
                self._noted = str(pid)
                path.write_text(str(pid), encoding="ascii")
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("cannot keep %s: %s", path, error.strerror)

    def _on_report(self, line: bytes) -> None:
        """Take the one line that a child says of its start."""
        try:
            self._error = msgspec.json.decode(line, type=_Report).error
        except msgspec.MsgspecError:
            log.warning("%s reported what is no JSON: %r", self.plan.title, line)
        if not self._error:
            self.ready.set()

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)

    async def _wait_unless_stopping(self, delay_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()


class _Report(Struct, frozen=True):
    """A child is ready, or it says why it never will be."""

    error: str = ""


class _ReadyPipe:
    """Hands over what the child writes; at the pipe's end it only lets go."""

    def __init__(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        self._descriptor = descriptor
        self._take = take
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._on_readable)

    def close(self) -> None:
        """Read what came last, and let go. May be called again."""
        if self._descriptor >= 0:
            self._on_readable()
            self._let_go()

    def _on_readable(self) -> None:
        try:
            data = os.read(self._descriptor, _REPORT_BYTES_MAX)
        except BlockingIOError:
            return
        if data:
            self._take(data)
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor < 0:
            return
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1


def restart_delay_s(short_lives: int, settings: ParentSettings) -> float:
    """Return how long to wait before the next start, after that many short lives in a row."""
    if short_lives <= 1:
        return 0.0
    doublings = min(short_lives - 2, 30)
    return min(settings.restart_delay_s_first * 2.0**doublings, settings.restart_delay_s_max)


def describe_exit(code: int) -> str:
    """Return an exit code in words; a negative one is a signal (subprocess's convention)."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
