"""The keeper of networks: a process beside the launcher that makes the replicas' own networks, and
hands out sockets made in them (`gateway.contract`).

It is apart because a thread that entered such a network without being root has no way back, and the
launcher has to fork replicas into this machine's network too. It keeps nothing that the launcher
does not know, so that one that dies has a successor. When the launcher dies it ends.
"""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
from typing import NoReturn, assert_never

import msgspec

from gateway.contract import (
    SOCKETS_MAX,
    FrameError,
    SocketsGiven,
    packet,
    sockets_wanted,
)
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
    packed,
    to_keeper,
)
from simulator.launcher.outward import LOOPBACK, Outward
from simulator.launcher.settings import LauncherSettings
from simulator.netns import Kernel, is_privileged, user_namespace_of

log = logging.getLogger(__name__)

PROCESS_NAME = b"knary-networks"
_WANTED_BYTES_MAX = 4096
_LISTEN_BACKLOG = 64
_SOCKET_KIND = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)


def keep(
    launcher: socket.socket,
    listening: socket.socket,
    user_namespace: int | None,
    kernel: Kernel,
    settings: LauncherSettings,
) -> NoReturn:
    """Be the keeper, in a fresh fork of the launcher, to its end.

    `user_namespace` is an earlier keeper's, in which the networks are that it made.
    """
    status = 1
    try:
        beside = []
        try:
            if user_namespace is not None:
                kernel.enter_user(user_namespace)
            elif not is_privileged():
                kernel.become_able()
                beside = [user_namespace_of()]
            kernel.settle(PROCESS_NAME)
            # It dials from this machine's network: its thread begins before this one leaves it.
            outward = Outward(settings.outward_connections_max)
            outward.start()
            keeper = Keeper(launcher, listening, kernel, outward, settings)
        except OSError as error:
            launcher.send(packed(Failed(error.strerror or str(error))))
            raise
        socket.send_fds(launcher, [packed(Ready())], beside)
        for descriptor in beside:
            os.close(descriptor)
        keeper.serve()
        status = 0
    except OSError as error:
        log.error("the keeper of networks ends: %s", error)
    finally:
        os._exit(status)


class Keeper:
    """Serves the launcher, the workers and the control plane, until the launcher is gone."""

    def __init__(
        self,
        launcher: socket.socket,
        listening: socket.socket,
        kernel: Kernel,
        outward: Outward,
        settings: LauncherSettings,
    ) -> None:
        self._launcher = launcher
        self._listening = listening
        self._kernel = kernel
        self._outward = outward
        self._settings = settings
        self._networks: dict[str, int] = {}  # id → descriptor
        self._clients = 0
        self._is_full = False  # accepts nobody, until something is closed or a while has passed
        self._selector = selectors.DefaultSelector()
        # Where it stays between two errands: in no replica's network, which could not end.
        self._home = kernel.make_network()

    def serve(self) -> None:
        """Do as told until the launcher is gone."""
        self._listening.settimeout(0)
        for one in (self._launcher, self._listening):
            self._selector.register(one, selectors.EVENT_READ)
        while True:
            events = self._selector.select(self._settings.keeper_pause_s if self._is_full else None)
            if not events:
                self._accept_again()
            for key, _ in events:
                if key.fileobj is self._launcher:
                    if not self._obey():
                        return
                elif key.fileobj is self._listening:
                    self._accept()
                else:
                    assert isinstance(key.fileobj, socket.socket)  # noqa: S101 (narrows a type)
                    self._give(key.fileobj)

    # The launcher.

    def _obey(self) -> bool:
        """Carry out one order; tell whether the launcher is still there."""
        data, descriptors, _, _ = socket.recv_fds(self._launcher, MESSAGE_BYTES_MAX, 1)
        if not data:
            return False
        try:
            order = to_keeper(data)
        except msgspec.MsgspecError as error:
            log.error("the launcher's order is none: %s", error)
            return False
        match order:
            case Make():
                self._make(order)
            case Keep():
                self._networks[order.id] = descriptors[0]
                self._reach(order.id, order.reach)
            case Drop():
                self._outward.close(order.id)
                if (descriptor := self._networks.pop(order.id, None)) is not None:
                    os.close(descriptor)
                self._accept_again()
            case Ping():
                self._answer(Pong())
            case _:
                assert_never(order)
        return True

    def _make(self, order: Make) -> None:
        try:
            made = self._kernel.make_network()
        except OSError as error:
            self._answer(Failed(error.strerror or str(error)))
            return
        finally:
            self._kernel.enter_network(self._home)
        if (before := self._networks.get(order.id)) is not None:  # the launcher did not get it
            self._outward.close(order.id)
            os.close(before)
        self._networks[order.id] = made
        self._reach(order.id, order.reach)
        self._answer(Made(order.id), made)

    def _answer(self, message: FromKeeper, *descriptors: int) -> None:
        socket.send_fds(self._launcher, [packed(message)], descriptors)

    def _reach(self, id_: str, ports: tuple[int, ...]) -> None:
        """Listen in the network where this machine's ports shall be, before anything runs there."""
        if not ports:
            return
        listeners: dict[int, socket.socket] = {}
        self._kernel.enter_network(self._networks[id_])
        try:
            for port in ports:
                try:
                    listeners[port] = _listen(port)
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:  # the replica's own, under a new keeper
                        log.warning("port %d cannot be reached from replica %s: %s",
                                    port, id_, error.strerror)  # fmt: skip
        finally:
            self._kernel.enter_network(self._home)
        self._outward.open(id_, listeners)

    # Who wants sockets.

    def _accept(self) -> None:
        try:
            client, _ = self._listening.accept()
        except OSError as error:
            log.warning("cannot accept a connection: %s", error)
            if error.errno in (errno.EMFILE, errno.ENFILE):  # it stays readable
                self._is_full = True
                self._selector.unregister(self._listening)
            return
        if self._clients >= self._settings.network_clients_max:
            log.warning("refused a connection: %d are open", self._clients)
            client.close()
            return
        client.settimeout(0)
        self._clients += 1
        self._selector.register(client, selectors.EVENT_READ)

    def _accept_again(self) -> None:
        if self._is_full:
            self._is_full = False
            self._selector.register(self._listening, selectors.EVENT_READ)

    def _give(self, client: socket.socket) -> None:
        """Answer one question."""
        try:
            data = client.recv(_WANTED_BYTES_MAX)
            if not data:
                self._drop(client)
                return
            wanted = sockets_wanted(data)
            fresh, why = self._sockets(wanted.network, min(wanted.count, SOCKETS_MAX))
            try:
                answer = packet(SocketsGiven(wanted.network, why))
                socket.send_fds(client, [answer], [one.fileno() for one in fresh])
            finally:
                for one in fresh:
                    one.close()
        except (OSError, FrameError) as error:
            if not isinstance(error, ConnectionError | BrokenPipeError):
                log.warning("closed a connection: %s", error)
            self._drop(client)

    def _sockets(self, network: str, count: int) -> tuple[list[socket.socket], str]:
        """Return sockets of that network, or none, and why."""
        descriptor = self._networks.get(network)
        if descriptor is None:
            return [], f"there is no network {network!r}"
        fresh: list[socket.socket] = []
        try:
            self._kernel.enter_network(descriptor)
            for _ in range(count):
                fresh.append(socket.socket(socket.AF_INET, _SOCKET_KIND))  # noqa: PERF401 (partly)
        except OSError as error:
            return fresh, error.strerror or str(error)
        finally:
            self._kernel.enter_network(self._home)
        return fresh, ""

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        client.close()
        self._clients -= 1
        self._accept_again()


def _listen(port: int) -> socket.socket:
    """Return a socket that listens there in this thread's network. Raise OSError."""
    listener = socket.socket(socket.AF_INET, _SOCKET_KIND)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(_LISTEN_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
