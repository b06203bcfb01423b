"""The control plane's way into the replicas' own networks: it asks their keeper for sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

from gateway.contract import (
    SOCKETS_ANSWER_BYTES_MAX,
    SOCKETS_MAX,
    FrameError,
    SocketsWanted,
    packet,
    sockets_given,
)


class NetworkSockets:
    """One connection to the keeper, made again by the first who wants it. Answers come in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._link: socket.socket | None = None
        self._waiters: list[asyncio.Future[socket.socket]] = []

    async def fresh(self, network: str) -> socket.socket:
        """Return a TCP socket made in that network. Raise OSError."""
        link = self._connected()
        waiter: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            link.send(packet(SocketsWanted(network, 1)))
        except OSError as error:
            self._lose(error)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                waiter.result().close()  # it came in the moment of giving up
            raise

    def close(self) -> None:
        """Hang up; who waits is told."""
        self._lose(ConnectionAbortedError("closed"))

    def _connected(self) -> socket.socket:
        if self._link is not None:
            return self._link
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            link.settimeout(0)
            link.connect(str(self._path))
        except OSError:
            link.close()
            raise
        asyncio.get_running_loop().add_reader(link, self._on_readable)
        self._link = link
        return link

    def _on_readable(self) -> None:
        if self._link is None:
            return
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self._link, SOCKETS_ANSWER_BYTES_MAX, SOCKETS_MAX
            )
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        given = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        try:
            if not data or not self._waiters:
                raise FrameError("it closed the connection")
            answer = sockets_given(data)
        except FrameError as error:
            self._lose(ConnectionResetError(str(error)))
        else:
            waiter = self._waiters.pop(0)
            if not waiter.done() and given:
                one = given.pop()
                one.settimeout(0)
                waiter.set_result(one)
            elif not waiter.done():
                waiter.set_exception(ConnectionResetError(answer.why))
        for unused in given:
            unused.close()

    def _lose(self, error: OSError) -> None:
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                asyncio.get_running_loop().remove_reader(link)
            link.close()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)
