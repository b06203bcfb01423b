"""A keeper of networks in this process: it speaks `gateway.contract`, about this machine's network.

So a worker's dials can be watched: who asked, for how many, and what came of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.contract import SOCKETS_MAX, SocketsGiven, packet, sockets_wanted


class Keeper:
    """Gives what is asked for, unless the network is unknown; `stop` ends it as a crash does."""

    def __init__(self, path: Path, *networks: str) -> None:
        self.path = path
        self.networks = set(networks)
        self.asked: list[int] = []  # how many sockets each question wanted
        self.silent = False
        self.stalls_s = 0.0  # after each answer everything in this process stands still for so long
        self._loop = asyncio.get_running_loop()
        self._clients: list[socket.socket] = []
        self.start()

    def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.setblocking(False)
        self._listening.bind(str(self.path))
        self._listening.listen()
        self._loop.add_reader(self._listening, self._accept)

    def stop(self) -> None:
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for client in self._clients:
            self._loop.remove_reader(client)
            client.close()
        self._clients.clear()

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        client.setblocking(False)
        self._clients.append(client)
        self._loop.add_reader(client, self._give, client)

    def _give(self, client: socket.socket) -> None:
        data = client.recv(4096)
        if not data:
            self._loop.remove_reader(client)
            self._clients.remove(client)
            client.close()
            return
        wanted = sockets_wanted(data)
        self.asked.append(wanted.count)
        if self.silent:
            return
        known = wanted.network in self.networks
        count = min(wanted.count, SOCKETS_MAX) if known else 0
        made = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
        answer = packet(SocketsGiven(wanted.network, "" if known else "unknown"))
        with contextlib.suppress(ConnectionError):  # who asked has hung up
            socket.send_fds(client, [answer], [one.fileno() for one in made])
        for one in made:
            one.close()
        if self.stalls_s:
            time.sleep(self.stalls_s)


@contextlib.contextmanager
def keeper(path: Path, *networks: str) -> Iterator[Keeper]:
    """Serve at the path while the block runs."""
    one = Keeper(path, *networks)
    try:
        yield one
    finally:
        one.stop()
