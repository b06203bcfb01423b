"""The launcher's side of the keeper of networks: starts it, and again; holds every network.

A network lives as long as something holds it: here a descriptor, from a replica's first start until
it is forgotten, so that one that starts again finds its network as it was.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import select
import signal
import socket
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from simulator.launcher.forking import Isolation, begin_anew
from simulator.launcher.keeper import keep
from simulator.launcher.keeping import (
    MESSAGE_BYTES_MAX,
    Drop,
    Failed,
    FromKeeper,
    Keep,
    Made,
    Make,
    Ping,
    Pong,
    Ready,
    ToKeeper,
    from_keeper,
    packed,
)
from simulator.launcher.settings import LauncherSettings
from simulator.netns import Kernel

log = logging.getLogger(__name__)


class NoNetwork(Exception):
    """A network could not be made; says why."""


@dataclass(frozen=True)
class _Network:
    descriptor: int
    reach: tuple[int, ...]


class Networks:
    """Makes networks for replicas. `listening` is where their sockets are had."""

    def __init__(
        self, listening: socket.socket, kernel: Kernel, settings: LauncherSettings
    ) -> None:
        self._listening = listening
        self._kernel = kernel
        self._settings = settings
        self._networks: dict[str, _Network] = {}
        self._user_namespace: int | None = None
        self._keeper: socket.socket | None = None
        self._pid = 0
        self._is_ready = False
        self._check_at = 0.0
        self._silent_checks = 0
        self._is_asked = False  # whether it is there

    def start(self) -> None:
        """Start a keeper, who takes over what an earlier one had. Raise OSError."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(self._settings.keeper_answer_s_max)
        # As for a replica: no handler of the launcher's may run in the child.
        old = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._pid = os.fork()
            if self._pid == 0:
                self._become_keeper(its, old)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
        its.close()
        self._keeper, self._is_ready = ours, False
        self._silent_checks, self._is_asked = 0, False
        for id_, network in self._networks.items():
            self._send(Keep(id_, network.reach), network.descriptor)

    def _become_keeper(self, its: socket.socket, mask: set[signal.Signals] | set[int]) -> NoReturn:
        try:
            own = [its.fileno(), self._listening.fileno()]
            if self._user_namespace is not None:
                own.append(self._user_namespace)
            begin_anew(mask, own)
            gc.enable()
            its.settimeout(None)
            keep(its, self._listening, self._user_namespace, self._kernel, self._settings)
        finally:
            os._exit(1)

    def isolation(self, id_: str, reach: tuple[int, ...]) -> Isolation:
        """Return the replica's network, made now unless it has one. Raise NoNetwork."""
        network = self._networks.get(id_)
        if network is None:
            try:
                descriptor = self._made(id_, reach)
            except (OSError, msgspec.MsgspecError) as error:
                log.warning("the keeper of networks does not answer: %s", error)
                self._end_keeper()
                descriptor = self._made_anew(id_, reach)
            network = self._networks[id_] = _Network(descriptor, reach)
        return Isolation(network.descriptor, self._user_namespace)

    def _made_anew(self, id_: str, reach: tuple[int, ...]) -> int:
        """Have a network made by another keeper: the one before was just killed, or hangs."""
        try:
            return self._made(id_, reach)
        except (OSError, msgspec.MsgspecError) as error:
            self._end_keeper()
            raise NoNetwork(f"their keeper does not answer: {error}") from error

    def _made(self, id_: str, reach: tuple[int, ...]) -> int:
        """Have a network made; return its descriptor."""
        if self._keeper is None:
            self.start()
        self._await_ready()
        self._send(Make(id_, reach))
        answer, descriptors = self._receive()
        while isinstance(answer, Pong):
            self._is_asked = False
            answer, descriptors = self._receive()
        if not isinstance(answer, Made) or answer.id != id_ or not descriptors:
            raise NoNetwork(answer.why if isinstance(answer, Failed) else str(answer))
        return descriptors[0]

    def _await_ready(self) -> None:
        if self._is_ready:
            return
        answer, descriptors = self._receive()
        if not isinstance(answer, Ready):
            raise NoNetwork(answer.why if isinstance(answer, Failed) else str(answer))
        self._is_ready = True
        if descriptors:
            self._user_namespace = descriptors[0]

    def drop(self, id_: str) -> None:
        """Let go of a replica's network, if it has one."""
        network = self._networks.pop(id_, None)
        if network is None:
            return
        os.close(network.descriptor)
        try:
            self._send(Drop(id_))
        except OSError as error:
            log.warning("lost the keeper of networks: %s", error)
            self._end_keeper()  # its successor knows nothing of what was dropped

    def tend(self, now: float) -> float:
        """Replace a keeper that hangs, or could not be started; return when to look again.

        Looks are counted, not seconds: when everything stood still, launcher and keeper, nobody
        is to blame.
        """
        if not self._networks:
            return math.inf
        if now >= self._check_at:
            self._check_at = now + self._settings.keeper_check_s
            try:
                self._check()
            except (OSError, msgspec.MsgspecError, NoNetwork) as error:
                log.warning("the keeper of networks is replaced: %s", error)
                self._end_keeper()
                self._check_at = now + self._settings.keeper_retry_s
        return self._check_at

    def _check(self) -> None:
        """Take the answer to the last question, and ask the next. Raise when there is none."""
        if self._keeper is None:
            self.start()
            self._await_ready()
        if self._is_asked and not self._has_answered():
            self._silent_checks += 1
            if self._silent_checks > self._settings.keeper_silent_checks_max:
                raise TimeoutError(f"it is silent at the {self._silent_checks}th look")
            return
        self._silent_checks = 0
        self._send(Ping())
        self._is_asked = True

    def _has_answered(self) -> bool:
        """Take the answer to a question, if it is there. Raise OSError when the keeper is gone."""
        if self._keeper is None:
            return False
        readable = select.poll()  # `select` knows no descriptor above 1023
        readable.register(self._keeper, select.POLLIN)
        return bool(readable.poll(0)) and isinstance(self._receive()[0], Pong)

    def reaped(self, pid: int) -> None:
        """Take that a child ended which is no replica: a keeper has a successor at once.

        One that never was ready has none, before the next network is wanted.
        """
        if pid != self._pid:
            return
        was_ready = self._is_ready
        self._pid, self._is_ready = 0, False
        self._hang_up()
        if not was_ready:
            return
        try:
            self.start()
            self._await_ready()
            log.warning("the keeper of networks ended; process %d takes over", self._pid)
        except (OSError, msgspec.MsgspecError, NoNetwork) as error:
            log.error("the keeper of networks ended, and has no successor: %s", error)
            self._end_keeper()

    def end(self) -> None:
        """End the keeper, and wait for that."""
        self._end_keeper()
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)

    def _end_keeper(self) -> None:
        """Kill a keeper that is of no use; it is reaped like any child."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _send(self, message: ToKeeper, *descriptors: int) -> None:
        if self._keeper is not None:
            socket.send_fds(self._keeper, [packed(message)], descriptors)

    def _receive(self) -> tuple[FromKeeper, list[int]]:
        """Return the keeper's next message. Raise OSError when there is none."""
        if self._keeper is None:
            raise ConnectionResetError("it is gone")
        data, descriptors, _, _ = socket.recv_fds(self._keeper, MESSAGE_BYTES_MAX, 1)
        if not data:
            raise ConnectionResetError("it is gone")
        return from_keeper(data), descriptors
