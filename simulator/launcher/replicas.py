"""What the launcher has started: who runs, who is being stopped, who ended and how."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from simulator.clock import Clock
from simulator.launcher import logs
from simulator.launcher.forking import Fork, Isolation
from simulator.launcher.networks import Networks, NoNetwork
from simulator.launcher.protocol import (
    Exited,
    Forget,
    List,
    Listed,
    Listing,
    Refused,
    Report,
    Signal,
    Spawn,
    Started,
    Stop,
)
from simulator.launcher.settings import LauncherSettings
from simulator.replicalogs.marks import UNMARKED, Mark

log = logging.getLogger(__name__)


@dataclass
class _Replica:
    started: Started
    log: str
    mark: Mark = UNMARKED  # how far its log is marked
    exited: Exited | None = None
    kill_at: float | None = None  # monotonic seconds; the end of a stop's grace


class Replicas:
    """Carries out commands and reaps. `tell` takes a report for every connection."""

    def __init__(
        self,
        fork: Fork,
        clock: Clock,
        tell: Callable[[Report], None],
        settings: LauncherSettings,
        networks: Networks | None,
    ) -> None:
        self._fork = fork
        self._networks = networks
        self._clock = clock
        self._tell = tell
        self._settings = settings
        self._replicas: dict[str, _Replica] = {}
        self._running: dict[int, str] = {}  # pid → id
        self._logs_due_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Tell whether no process runs."""
        return not self._running

    def listing(self) -> Listing:
        return Listing(tuple(Listed(r.started, r.exited) for r in self._replicas.values()))

    def carry_out(self, command: Spawn | Signal | Stop | List | Forget) -> None:
        """Carry out one command; what comes of it is told."""
        match command:
            case Spawn():
                self._spawn(command)
            case Signal():
                self._signal(command)
            case Stop():
                self._stop(command)
            case List():
                self._tell(self.listing())
            case Forget():
                replica = self._replicas.get(command.id)
                if replica is not None and replica.exited is not None:
                    del self._replicas[command.id]
                    if self._networks is not None:
                        self._networks.drop(command.id)

    def _spawn(self, spawn: Spawn) -> None:
        old = self._replicas.get(spawn.id)
        if old is not None and old.exited is None:
            self._tell(Refused(spawn.id, f"its process {old.started.pid} runs", running=True))
            return
        if not self._fork.knows(spawn):
            self._tell(Refused(spawn.id, f"no such program: {spawn.program}"))
            return
        try:
            logs.begin(spawn.log)
        except OSError as error:
            log.warning("cannot begin the log %s: %s", spawn.log, error.strerror)
        try:
            pid = self._fork.start(spawn, self._isolation(spawn))
        except OSError as error:
            self._tell(Refused(spawn.id, f"cannot fork: {error.strerror}"))
            return
        except NoNetwork as error:
            self._tell(Refused(spawn.id, f"cannot make a network: {error}"))
            return
        now_s = self._clock.now().timestamp()
        started = Started(spawn.id, pid, now_s, spawn.port, spawn.network is not None)
        self._replicas[spawn.id] = _Replica(started, spawn.log)
        self._running[pid] = spawn.id
        self._tell(started)

    def _isolation(self, spawn: Spawn) -> Isolation | None:
        """Return the network that the replica wants, if it wants one. Raise NoNetwork."""
        if spawn.network is None:
            return None
        if self._networks is None:
            raise NoNetwork("this launcher makes none")
        return self._networks.isolation(spawn.id, spawn.network.reach)

    def _signal(self, command: Signal) -> None:
        replica = self._known(command.id)
        if replica is not None:
            _send(replica.started.pid, command.signal)

    def _stop(self, command: Stop) -> None:
        replica = self._known(command.id)
        if replica is None:
            return
        kill_at = self._clock.monotonic() + max(0.0, command.grace_s)
        # A second stop may shorten the grace, never lengthen it.
        replica.kill_at = min(kill_at, replica.kill_at or kill_at)
        _send(replica.started.pid, signal.SIGTERM)
        # A stopped process (SIGSTOP) cannot take its SIGTERM.
        _send(replica.started.pid, signal.SIGCONT)

    def _known(self, id_: str) -> _Replica | None:
        """Return the running replica; say what is known of one that does not run."""
        replica = self._replicas.get(id_)
        if replica is None:
            self._tell(Refused(id_, "no such replica"))
            return None
        if replica.exited is not None:
            self._tell(replica.exited)
            return None
        return replica

    def reap(self) -> None:
        """Take in every child that ended; what is left of its group is killed first."""
        while (ended := _next_ended()) is not None:
            pid, status = ended
            id_ = self._running.pop(pid, None)
            if id_ is None:
                if self._networks is not None:
                    self._networks.reaped(pid)
                continue
            replica = self._replicas[id_]
            self._mark(replica)
            code = os.waitstatus_to_exitcode(status)
            replica.exited = Exited(
                id=id_,
                pid=pid,
                exit_code=code if code >= 0 else None,
                signal=-code if code < 0 else None,
                at_s=self._clock.now().timestamp(),
                tail=logs.tail(replica.log, self._settings.tail_bytes),
            )
            self._tell(replica.exited)

    def tend(self) -> float | None:
        """Do what is due; return the seconds until something is due again, None for nothing."""
        if not self._running:
            return None
        now = self._clock.monotonic()
        if now >= self._logs_due_at:
            self._logs_due_at = now + self._settings.log_check_s
            for id_ in self._running.values():
                self._tend_log(self._replicas[id_])
        next_at = self._logs_due_at
        for pid, id_ in self._running.items():
            replica = self._replicas[id_]
            if replica.kill_at is None:
                continue
            if now >= replica.kill_at:
                _send(pid, signal.SIGKILL)
                replica.kill_at = None
            else:
                next_at = min(next_at, replica.kill_at)
        if self._networks is not None:
            next_at = min(next_at, self._networks.tend(now))
        return max(0.0, next_at - now)

    def _tend_log(self, replica: _Replica) -> None:
        """Mark how far it has grown by now; empty it when that is too far."""
        self._mark(replica)
        if replica.mark.size > self._settings.log_bytes_max and logs.bound(
            replica.log, self._settings.log_bytes_max
        ):
            replica.mark = UNMARKED

    def _mark(self, replica: _Replica) -> None:
        replica.mark = logs.look(replica.log, replica.mark, self._settings.log_marks_max)

    def stop_all(self, grace_s: float) -> None:
        """Begin to stop everything that runs."""
        for id_ in tuple(self._running.values()):
            self._stop(Stop(id_, grace_s))

    def kill_all(self) -> None:
        """SIGKILL whatever still runs."""
        for pid in self._running:
            _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    """Signal a child's group; the child alone in the instant before it leads one."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    except PermissionError as error:
        log.warning("cannot signal process %d: %s", pid, error)


def _next_ended() -> tuple[int, int] | None:
    """Reap one child that ended: (pid, wait status); None when there is none now."""
    try:
        if hasattr(os, "waitid"):
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return None
            # Until it is reaped its pid stays its group's: nobody else's group can be meant.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(ended.si_pid, signal.SIGKILL)
            return os.waitpid(ended.si_pid, 0)
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    if pid == 0:
        return None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return pid, status
