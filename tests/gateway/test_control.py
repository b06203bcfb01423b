"""The worker's end of the control link: whole tables, deltas, refusals, and a link that breaks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gateway.build import build
from gateway.contract import (
    Ack,
    Backend,
    Begin,
    Commit,
    Delta,
    FrameReader,
    FromWorker,
    Hello,
    Idle,
    Refused,
    Route,
    RouteTable,
    Share,
    Split,
    ToWorker,
    difference,
    encode,
    from_worker,
)
from gateway.control import ControlLink
from gateway.errors import NoRoute
from gateway.router import Router
from gateway.settings import Startup
from tests.support.gateway import WAIT_S, idle_worker, run


class ControlPlane:
    """A control plane that a test plays by hand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connected: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )
        self._frames = FrameReader()
        self._bodies: list[bytes] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def open(self) -> asyncio.Server:
        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.append(writer)
            await self._connected.put((reader, writer))

        return await asyncio.start_unix_server(arrived, self._path)

    async def accept(self) -> FromWorker:
        self.reader, self.writer = await asyncio.wait_for(self._connected.get(), WAIT_S)
        self._frames = FrameReader()
        return await self.receive()

    async def receive(self) -> FromWorker:
        while not self._bodies:
            data = await asyncio.wait_for(self.reader.read(65536), WAIT_S)
            assert data
            self._bodies += self._frames.feed(data)
        return from_worker(self._bodies.pop(0))

    def send(self, *messages: ToWorker) -> None:
        for message in messages:
            self.writer.write(encode(message))


@asynccontextmanager
async def linked(folder: Path) -> AsyncIterator[tuple[ControlPlane, Router, ControlLink]]:
    control = ControlPlane(folder / "c.sock")
    server = await control.open()
    link = ControlLink(Startup(worker=3, listen_fd=-1, control_socket=str(folder / "c.sock")))
    router = Router(idle_worker(), 3, link.on_idle)
    running = asyncio.ensure_future(link.run(router))
    try:
        assert await control.accept() == Hello(3, os.getpid(), build=build())
        yield control, router, link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await control.close()
        server.close()
        await server.wait_closed()


def row(host: str, backend: str = "d/a") -> Route:
    return Route(host, (host,), Split(host, (Share(backend, 100),)))


def names(router: Router, host: str) -> str:
    return router.hosts.match(host.encode()).split.targets[0].backend.key


def test_a_whole_table_counts_from_its_commit_and_is_acknowledged(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, router, link):
            control.send(Begin(7), Delta(routes=(row("one"),)), Delta(backends=(Backend("d/a"),)))
            assert not link.first_table.is_set()
            control.send(Commit(7))
            assert await control.receive() == Ack(7)
            assert link.first_table.is_set()
            assert names(router, "one") == "d/a"

    run(story())


def test_deltas_lead_to_the_same_table_as_the_whole(tmp_path: Path) -> None:
    old = RouteTable(1, {"one": row("one"), "two": row("two")}, {"d/a": Backend("d/a")})
    new = RouteTable(
        2,
        {"two": row("two", "d/b"), "three": row("three")},
        {"d/a": Backend("d/a", ("127.0.0.1:1",)), "d/b": Backend("d/b")},
    )

    async def story() -> None:
        async with linked(tmp_path) as (control, router, _):
            control.send(Begin(1), difference(RouteTable(), old), Commit(1))
            await control.receive()
            control.send(difference(old, new), Commit(2))
            assert await control.receive() == Ack(2)
            assert (names(router, "two"), names(router, "three")) == ("d/b", "d/a")
            assert names(router, "two") == "d/b"

    run(story())


def test_a_table_that_does_not_compile_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, router, _):
            control.send(Begin(1), Delta((row("one"),), (Backend("d/a"),)), Commit(1))
            await control.receive()
            control.send(Delta(routes=(row("one", "d/missing"),)), Commit(2))
            refused = await control.receive()
            assert isinstance(refused, Refused)
            assert refused.version == 2
            assert "d/missing" in refused.why
            assert names(router, "one") == "d/a"

    run(story())


def test_a_delta_after_a_refused_whole_table_counts_from_the_one_before(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, router, _):
            control.send(Begin(1), Delta((row("one"),), (Backend("d/a"),)), Commit(1))
            await control.receive()
            control.send(Begin(2), Delta((row("two", "d/missing"),)), Commit(2))
            assert isinstance(await control.receive(), Refused)
            control.send(Delta((row("three"),)), Commit(3))
            assert await control.receive() == Ack(3)
            assert (names(router, "one"), names(router, "three")) == ("d/a", "d/a")

    run(story())


def test_a_link_that_breaks_within_a_whole_table_leaves_nothing_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, router, _):
            control.send(Begin(1), Delta((row("one"),), (Backend("d/a"),)))
            control.writer.write(encode(Commit(1))[:-1])
            control.writer.close()
            assert await control.accept() == Hello(3, os.getpid(), build=build())
            for byte in encode(Begin(2)) + encode(Delta((row("two"),), (Backend("d/a"),))):
                control.writer.write(bytes([byte]))
            control.writer.write(encode(Commit(2)))
            assert await control.receive() == Ack(2)
            with pytest.raises(NoRoute):
                router.hosts.match(b"one")

    run(story())


def test_a_table_with_a_malformed_address_is_refused_not_the_workers_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, _, _):
            control.send(Begin(1), Delta((), (Backend("d/a", ("nowhere",)),)), Commit(1))
            assert isinstance(await control.receive(), Refused)
            control.send(Begin(2), Delta((row("one"),), (Backend("d/a"),)), Commit(2))
            assert await control.receive() == Ack(2)

    run(story())


def test_a_broken_link_keeps_the_table_and_connects_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, router, _):
            control.send(Begin(1), Delta((row("one"),), (Backend("d/a"),)), Commit(1))
            await control.receive()
            control.writer.close()
            assert await control.accept() == Hello(3, os.getpid(), build=build())
            assert names(router, "one") == "d/a"
            control.send(Begin(2), Delta((row("two"),), (Backend("d/a"),)), Commit(2))
            assert await control.receive() == Ack(2)
            assert names(router, "two") == "d/a"

    run(story())


def test_nonsense_on_the_link_ends_the_connection_not_the_worker(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, _, _):
            control.writer.write(b"\xff" * 100)
            assert await control.accept() == Hello(3, os.getpid(), build=build())
            control.writer.write(b"\x00\x00\x00\x01x")
            assert await control.accept() == Hello(3, os.getpid(), build=build())

    run(story())


def test_an_address_in_use_is_reported_when_it_is_idle(tmp_path: Path) -> None:
    async def story() -> None:
        async with linked(tmp_path) as (control, router, _):
            backend = Backend("d/a", ("127.0.0.1:1",))
            control.send(Begin(1), Delta((row("one"),), (backend,)), Commit(1))
            await control.receive()
            replica = router.hosts.match(b"one").split.targets[0].backend.replicas[0]
            replica.in_flight += 1
            control.send(Delta(backends=(Backend("d/a"),)), Commit(2))
            assert await control.receive() == Ack(2, ("127.0.0.1:1",))
            replica.release()
            assert await control.receive() == Idle("127.0.0.1:1")

    run(story())
