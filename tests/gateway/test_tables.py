"""Tables that change under way: what moves, what comes back, what waits, what is refused."""

from __future__ import annotations

import asyncio

import pytest

from gateway.contract import Backend, Delta, Route, Share, Split
from gateway.errors import NoRoute
from gateway.router import RefusedTable, Router
from tests.support.gateway import (
    HOST,
    Gateway,
    gateway,
    idle_worker,
    read_head,
    revision,
    run,
    saying,
    table,
    until,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def row(key: str, backend: str = "a", hosts: tuple[str, ...] = ()) -> Route:
    return Route(key, hosts or (key,), Split(key, (Share(backend, 100),)))


def backend_of(router: Router, host: str) -> str:
    return router.hosts.match(host.encode()).split.targets[0].backend.key


def router_with(*rows: Route, backends: tuple[str, ...] = ("a", "b")) -> Router:
    router = Router(idle_worker(), 0, lambda _: None)
    router.install(Delta(rows, tuple(Backend(key) for key in backends)))
    return router


@pytest.mark.parametrize("order", [1, -1], ids=["giver first", "taker first"])
def test_a_host_moves_from_one_route_to_another_in_one_delta(order: int) -> None:
    router = router_with(row("one", "a", ("x", "y")), row("two", "b"))
    rows = (row("one", "a", ("y",)), row("two", "b", ("two", "x")))
    router.install(Delta(routes=rows[::order]))
    assert [backend_of(router, host) for host in ("x", "y", "two")] == ["b", "a", "b"]


def test_a_host_of_a_route_that_leaves_is_free_in_the_same_delta() -> None:
    router = router_with(row("one", "a", ("x",)))
    router.install(Delta((row("two", "b", ("x",)),), routes_gone=("one",)))
    assert backend_of(router, "x") == "b"
    router.install(Delta(routes_gone=("two",)))
    with pytest.raises(NoRoute):
        router.hosts.match(b"x")


@pytest.mark.parametrize(
    ("delta", "why"),
    [
        pytest.param(Delta((row("c", "missing"),)), "names no backend", id="unknown backend"),
        pytest.param(
            Delta((row("c", "b"),), backends_gone=("b",)), "names no backend", id="leaving backend"
        ),
        pytest.param(Delta((row("c", "a", ("one",)),)), "is in routes", id="a host of another"),
        pytest.param(
            Delta((Route("one", ("one",), Split("one", ())),)), "not all zero", id="nobody's share"
        ),
        pytest.param(
            Delta((Route("c", ("c",), Split("c", (Share("a", 1),), "x")),)),
            "unknown splitter",
            id="unknown splitter",
        ),
        pytest.param(
            Delta((Route("c", ("c",), Split("c", (Share("a", 1), Share("a", 2), Share("b", 1)))),)),
            "names a backend twice",
            id="a backend twice",
        ),
        pytest.param(
            Delta(backends=(Backend("a", ("127.0.0.1:http",)),)), "HOST:PORT", id="named port"
        ),
        pytest.param(Delta(backends=(Backend("a", ("8080",)),)), "HOST:PORT", id="only a port"),
    ],
)
def test_a_table_that_does_not_compile_changes_nothing(delta: Delta, why: str) -> None:
    router = router_with(row("one"))
    with pytest.raises(RefusedTable, match=why):
        router.install(delta)
    assert backend_of(router, "one") == "a"
    with pytest.raises(NoRoute):
        router.hosts.match(b"c")


def test_a_backend_that_only_a_refused_table_had_stays_unknown() -> None:
    router = router_with(row("one"))
    nobody = Route("two", ("two",), Split("two", ()))
    with pytest.raises(RefusedTable, match="not all zero"):
        router.install(Delta((row("c", "new"), nobody), (Backend("new"),)))
    with pytest.raises(RefusedTable, match="names no backend"):
        router.install(Delta((row("c", "new"),)))


async def waiting(worker: Gateway, raw: bytes | None = None) -> asyncio.Future[bytes]:
    """Return a request that waits for a replica."""
    backend = worker.backend()
    asking = asyncio.ensure_future(worker.get() if raw is None else worker.exchange(raw))
    await until(lambda: backend.waiting == 1, "the request waits")
    return asking


def test_a_request_that_waits_goes_where_the_route_goes() -> None:
    """Its revision had no replica, and nothing needs that revision any more."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        body = await reader.readexactly(5)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)

    post = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"

    async def story() -> None:
        async with gateway() as worker, revision(echo) as address:
            worker.router.replace(table({"old": ()}))
            asking = await waiting(worker, post.encode() + b"hello")
            worker.router.replace(table({"new": (address,)}))
            assert (await asking).endswith(b"\r\n\r\nhello")

    run(story())


def test_a_request_that_waits_is_told_when_its_route_is_gone() -> None:
    async def story() -> bytes:
        async with gateway() as worker:
            worker.router.replace(table({"old": ()}))
            asking = await waiting(worker)
            worker.router.install(Delta(routes_gone=("hello",), backends_gone=("default/old",)))
            return await asking

    assert run(story()).startswith(b"HTTP/1.1 404 ")


def test_a_request_waits_for_a_backend_that_leaves_and_comes_back() -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("back")) as address:
            worker.router.replace(table({"one": ()}))
            asking = await waiting(worker)
            worker.router.install(Delta(backends_gone=("default/one",)))
            worker.router.install(Delta(backends=(Backend("default/one", (address,)),)))
            assert (await asking).endswith(b"back")

    run(story())


def test_an_address_that_left_twice_is_idle_when_the_last_request_on_it_is_over() -> None:
    releases: list[asyncio.Event] = []

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        release = asyncio.Event()
        await read_head(reader)
        releases.append(release)
        await release.wait()
        writer.write(OK)

    async def story() -> None:
        async with gateway() as worker, revision(slow) as address:
            there, away = table({"one": (address,)}), table({"one": ()})
            asking = []
            for turn in (1, 2):
                worker.router.replace(there)
                asking.append(asyncio.ensure_future(worker.get()))
                await until(lambda: len(releases) == turn, "it is under way")  # noqa: B023
                worker.router.replace(away)
                assert worker.router.busy() == (address,)
            releases[0].set()
            await asking[0]
            assert worker.idle == []
            assert worker.router.busy() == (address,)
            releases[1].set()
            await asking[1]
            assert worker.idle == [address]
            assert worker.router.busy() == ()

    run(story())


def test_an_address_that_came_back_is_not_reported_idle() -> None:
    release = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await release.wait()
        writer.write(OK)

    async def story() -> None:
        async with gateway() as worker, revision(slow) as address:
            worker.router.replace(table({"one": (address,)}))
            (replica,) = worker.backend().replicas
            asking = asyncio.ensure_future(worker.get())
            await until(lambda: replica.in_flight == 1, "it is under way")
            worker.router.replace(table({"other": ()}))  # the whole backend leaves
            worker.router.replace(table({"one": (address,)}))
            release.set()
            await asking
            assert worker.idle == []
            assert worker.backend().replicas == [replica]

    run(story())
