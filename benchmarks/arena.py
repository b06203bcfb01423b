"""One world of the matrix while it runs: two replicas, our workers and the peers, all pinned."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import measuring
import ownworker
import report
from instance import BenchmarkError
from matrix_cases import Case, World
from measuring import Drive, Side, Turn
from ownworker import HOST

from benchmarks.harness import processes
from benchmarks.harness.cores import Cores
from benchmarks.harness.drivers import h2load, wrk
from benchmarks.harness.drivers.counts import Counts
from benchmarks.harness.loopback import speaks_h2c
from benchmarks.harness.peers import proxies
from benchmarks.harness.peers.proxies import Proxy

OURS = "knary"
IDLE_REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@dataclass(frozen=True)
class Arena:
    """What runs, and where. `refused` says of a proxy why it cannot take this world's requests."""

    world: World
    cores: Cores
    proxies: dict[str, Proxy]
    replicas: tuple[tuple[str, int], ...]
    refused: dict[str, str]
    folder: Path

    def drive(self, case: Case, port: int) -> Drive:
        """Return what loads a port as the case says."""
        if case.streams:
            extra = h2load.grpc_arguments(self.folder) if case.world.grpc else ()
            return lambda seconds: h2load.drive(
                port,
                extra,
                connections=case.connections,
                streams=case.streams,
                seconds=seconds,
                cores=self.cores.load,
            )
        return lambda seconds: wrk.drive(
            port,
            case.script,
            (HOST, *case.arguments),
            connections=case.connections,
            seconds=seconds,
            cores=self.cores.load,
        )

    def turn(self, case: Case, name: str, seconds: tuple[int, int]) -> Turn:
        """Load one proxy as the case says; `seconds` are unmeasured and measured."""
        proxy = self.proxies[name]
        behind = Side(tuple(pid for _, pid in self.replicas), len(self.cores.load))
        with idle_connections(proxy.port, case.idle):
            return measuring.turn(
                self.drive(case, proxy.port),
                Side(proxy.pids, len(self.cores.proxy)),
                behind,
                seconds,
            )

    def ceiling(self, case: Case, seconds: int) -> Counts:
        """Load a replica without a proxy: what driver and replicas could do at most."""
        address, _ = self.replicas[0]
        return self.drive(case, int(address.rpartition(":")[2]))(seconds)


@contextlib.contextmanager
def idle_connections(port: int, count: int) -> Iterator[None]:
    """Keep so many connections open, each of which had one answer."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            idle.sendall(IDLE_REQUEST)
            idle.recv(65536)
        yield


@contextlib.contextmanager
def running(folder: Path, world: World, names: Sequence[str], cores: Cores) -> Iterator[Arena]:
    """Yield the world with those of its peers that are in `names`, ready and pinned."""
    place = folder / f"world-{world.workers}-{world.h2c}-{world.grpc}"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        flags = ("--grpc",) if world.grpc else ()
        replicas = stack.enter_context(ownworker.standins(place, *flags))
        backends = (replicas[0][0], replicas[1][0])
        table = ownworker.split_table(backends, "h2c" if world.h2c else "http1")
        running, refused = {}, {}
        try:
            port, workers = stack.enter_context(_ours(place, world, table))
            running[OURS] = Proxy(OURS, port, tuple(worker.pid for worker in workers))
        except BenchmarkError as error:
            if not world.h2c:
                raise
            refused[OURS] = f"not supported yet: {error}"
        for name in world.peers:
            if name in names:
                running[name] = stack.enter_context(
                    proxies.running(name, place, backends, workers=world.workers, h2=world.h2c)
                )
        arena = Arena(world, cores, running, tuple(replicas), refused, place)
        if world.h2c:
            _keep_those_that_speak(arena)
        _pin(arena)
        yield arena


def _ours(
    place: Path, world: World, table: ownworker.RouteTable
) -> contextlib.AbstractContextManager[tuple[int, list[ownworker.OwnWorker]]]:
    return ownworker.running(place, OURS, table, world.workers, is_h2=world.h2c)


def _keep_those_that_speak(arena: Arena) -> None:
    """Take out whoever cannot answer one request of this world, and remember why."""
    extra = h2load.grpc_arguments(arena.folder) if arena.world.grpc else ()
    for name, proxy in tuple(arena.proxies.items()):
        why = ""
        if not speaks_h2c(proxy.port):
            why = "no SETTINGS frame for an answer to the preface"
        else:
            why = h2load.trial(proxy.port, extra)
        if why:
            arena.refused[name] = f"not supported yet: {why}"
            del arena.proxies[name]
            report.say(f"{name}: h2c {arena.refused[name]}")


def _pin(arena: Arena) -> None:
    """Give replicas the load's cores, and each worker its own of the proxy's.

    A peer with threads has its proxy cores all together: it places its threads itself.
    """
    for _, pid in arena.replicas:
        processes.pin(pid, arena.cores.load)
    for proxy in arena.proxies.values():
        for index, pid in enumerate(proxy.pids):
            own = arena.cores.proxy
            if len(proxy.pids) > 1:
                own = (own[index % len(own)],)
            processes.pin(pid, own)
