"""gRPC through the gateway, spoken by grpcio on both sides.

Every interop case runs against the server itself, too: what fails there is not the gateway's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")

import grpc
import grpc.aio

from gateway.contract import RouteTable
from simulator.grpcmessages import framed, request_headers
from simulator.h2client import Ended, Event, Head, Http2Client
from tests.support.gateway import HOST, Gateway, gateway, revision, run, saying, table
from tests.support.grpc_hello import channel
from tests.support.grpc_interop_cases import (
    CASES,
    METHOD,
    Case,
    asking,
    duplex,
    empty,
    failure,
    large_unary,
    streaming_output,
    unary,
)
from tests.support.grpc_interop_messages import M, payload
from tests.support.grpc_interop_server import SERVER_NAME, InteropServer, interop_server
from tests.support.waiting import eventually_async

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)

LONG_US = 60_000_000  # no test waits for it
BLUE, GREEN = "blue-00001", "green-00001"


def h2c(addresses: dict[str, tuple[str, ...]], weights: dict[str, int] | None = None) -> RouteTable:
    """Return a table with one route for HOST over revisions that speak h2c."""
    plain = table(addresses, weights)
    backends = {
        key: msgspec.structs.replace(backend, protocol="h2c")
        for key, backend in plain.backends.items()
    }
    return msgspec.structs.replace(plain, backends=backends)


@contextlib.asynccontextmanager
async def routed(
    *servers: InteropServer, **settings: float
) -> AsyncIterator[tuple[Gateway, grpc.aio.Channel]]:
    """Give a gateway before these servers, a revision each with equal shares, and a connection."""
    async with gateway(**settings) as under_test:
        under_test.router.replace(h2c({one.name: (one.address,) for one in servers}))
        async with channel(f"127.0.0.1:{under_test.port}", HOST) as to:
            yield under_test, to


@contextlib.asynccontextmanager
async def two_revisions() -> AsyncIterator[
    tuple[Gateway, grpc.aio.Channel, InteropServer, InteropServer]
]:
    """Give a gateway, a connection, and the two servers between which it splits."""
    async with (
        interop_server(BLUE) as blue,
        interop_server(GREEN) as green,
        routed(blue, green) as (under_test, to),
    ):
        yield under_test, to, blue, green


async def name_of(call: grpc.aio.Call) -> str:
    """Return which server answers."""
    return str(dict(await call.initial_metadata())[SERVER_NAME])


def who(to: grpc.aio.Channel) -> grpc.aio.Call:
    return unary(to, M.SimpleRequest(response_size=1))


@each_case
def test_an_interop_case_passes_without_the_gateway(case: Case) -> None:
    async def main() -> None:
        async with interop_server() as server, channel(server.address) as to:
            await case(to)

    run(main())


@each_case
def test_an_interop_case_passes_through_the_gateway(case: Case) -> None:
    async def main() -> None:
        async with interop_server() as server, routed(server) as (_, to):
            await case(to)

    run(main())


def test_an_answer_of_trailers_alone_stays_one() -> None:
    """No head of its own before it: a client must see the status at once (PROTOCOL-HTTP2.md)."""

    async def main() -> list[Event]:
        async with interop_server() as server, routed(server) as (under_test, _):
            reader, writer = await under_test.connect()
            client = Http2Client()
            client.request(request_headers(HOST, f"{METHOD}NoSuchMethod", 10.0), framed(b""))
            events: list[Event] = []
            while not any(isinstance(event, Ended) for event in events):
                writer.write(client.taken())
                events += client.feed(await reader.read(65536))
            return events

    head, ended = run(main())
    assert isinstance(head, Head)
    assert isinstance(ended, Ended)
    assert head.status == 200
    assert head.headers["grpc-status"] == "12"


def test_the_deadline_is_carried_and_its_end_reaches_the_revision() -> None:
    async def main() -> None:
        async with interop_server() as server, routed(server) as (_, to):
            call = streaming_output(to, asking(1, interval_us=LONG_US), timeout=0.3)
            assert (await failure(call.read()))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
            left_s = server.deadlines[-1]
            assert left_s is not None
            assert 0 < left_s < 0.4  # grpcio rounds it up on its way, and counts from its arrival
            await eventually_async("the revision stops", lambda: not server.open)

    run(main())


def test_a_cancelled_call_reaches_the_revision_and_harms_no_other() -> None:
    async def main() -> None:
        async with interop_server() as server, routed(server) as (_, to):
            other = duplex(to)
            await other.write(asking(1))
            await other.read()
            call = streaming_output(to, asking(1, interval_us=LONG_US))
            await call.initial_metadata()
            call.cancel()
            await eventually_async("the revision hears of it", lambda: server.cancelled == 1)
            await other.write(asking(2))
            assert len((await other.read()).payload.body) == 2

    run(main())


def test_metadata_of_a_megabyte_is_refused_and_the_next_call_is_not() -> None:
    async def main() -> None:
        async with interop_server() as server, routed(server) as (under_test, to):
            huge = [("x-huge", "x" * 1_200_000)]
            code, _ = await failure(unary(to, M.SimpleRequest(), metadata=huge))
            assert code is not grpc.StatusCode.OK
            assert server.calls == 0
            async with channel(f"127.0.0.1:{under_test.port}", HOST) as again:
                await empty(again)

    run(main())


def test_metadata_beyond_the_limit_fails_its_call_and_no_other_of_the_connection() -> None:
    async def main() -> None:
        async with interop_server() as server, routed(server) as (under_test, to):
            other = duplex(to)
            await other.write(asking(1))
            await other.read()
            code, why = await failure(
                unary(to, M.SimpleRequest(), metadata=[("x-big", "x" * 70_000)])
            )
            assert (code, "431" in why) == (grpc.StatusCode.UNKNOWN, True)
            assert server.calls == 1
            await other.write(asking(2))
            assert len((await other.read()).payload.body) == 2
            assert under_test.worker.metrics.worker.h2_connections_accepted == 1

    run(main())


@pytest.mark.parametrize(
    ("addresses", "settings"),
    [
        pytest.param((), {"replica_wait_s_max": 0.05, "tick_s": 0.01}, id="no replica: 503"),
        pytest.param(("127.0.0.1:1",), {"replica_wait_s_max": 0.05, "tick_s": 0.01}, id="refused"),
    ],
)
def test_a_gateways_own_503_means_unavailable(
    addresses: tuple[str, ...], settings: dict[str, float]
) -> None:
    async def main() -> None:
        async with gateway(**settings) as under_test:
            under_test.router.replace(h2c({BLUE: addresses}))
            async with channel(f"127.0.0.1:{under_test.port}", HOST) as to:
                assert (await failure(empty(to)))[0] is grpc.StatusCode.UNAVAILABLE

    run(main())


def test_a_host_that_nobody_serves_is_unimplemented() -> None:
    async def main() -> None:
        async with (
            gateway() as under_test,
            channel(f"127.0.0.1:{under_test.port}", "nobody.example.com") as to,
        ):
            assert (await failure(empty(to)))[0] is grpc.StatusCode.UNIMPLEMENTED

    run(main())


def test_a_revision_that_breaks_off_fails_its_calls_alone() -> None:
    async def main() -> None:
        async with two_revisions() as (_, to, blue, _):
            calls = [duplex(to) for _ in range(4)]
            for call in calls:
                await call.write(asking(1))
                await call.read()
            names = [await name_of(call) for call in calls]
            assert sorted(names) == [BLUE, BLUE, GREEN, GREEN]
            await blue.stop()
            for call, name in zip(calls, names, strict=True):
                if name == BLUE:
                    code, _ = await failure(call.read())
                    assert code is not grpc.StatusCode.OK
                else:
                    await call.write(asking(3))
                    assert len((await call.read()).payload.body) == 3

    run(main())


def test_a_revision_that_leaves_finishes_its_streams_and_gets_no_new_one() -> None:
    """It says GOAWAY while a stream is open: the stream goes on, new calls go elsewhere."""

    async def main() -> None:
        async with (
            interop_server("first") as first,
            interop_server("second") as second,
            gateway() as under_test,
        ):
            under_test.router.replace(h2c({BLUE: (first.address,)}))
            async with channel(f"127.0.0.1:{under_test.port}", HOST) as to:
                stream = duplex(to)
                await stream.write(asking(1))
                await stream.read()
                under_test.router.replace(h2c({BLUE: (second.address,)}))
                leaving = asyncio.ensure_future(first.stop(30.0))
                for _ in range(5):
                    call = who(to)
                    await call
                    assert await name_of(call) == "second"
                await stream.write(asking(2))
                assert len((await stream.read()).payload.body) == 2
                await stream.done_writing()
                assert await stream.read() is grpc.aio.EOF
                await leaving

    run(main())


def test_a_worker_that_stops_finishes_its_streams_and_loses_no_call() -> None:
    async def main() -> None:
        async with interop_server() as server, routed(server) as (under_test, to):
            stream = duplex(to)
            await stream.write(asking(1))
            await stream.read()
            draining = asyncio.ensure_future(under_test.worker.drain())
            await asyncio.sleep(0)
            await stream.write(asking(2))
            assert len((await stream.read()).payload.body) == 2
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
            assert await stream.code() is grpc.StatusCode.OK
            assert await draining == 0

    run(main())


def test_calls_of_one_connection_are_split_exactly() -> None:
    async def main() -> None:
        async with two_revisions() as (_, to, _, _):
            names = []
            for _ in range(100):
                call = who(to)
                await call
                names.append(await name_of(call))
            assert Counter(names) == {BLUE: 50, GREEN: 50}
            calls = [who(to) for _ in range(100)]
            await asyncio.gather(*calls)
            names = [await name_of(call) for call in calls]
            assert Counter(names) == {BLUE: 50, GREEN: 50}

    run(main())


def test_a_stream_stays_on_its_revision_when_the_split_changes() -> None:
    async def main() -> None:
        async with two_revisions() as (under_test, to, blue, green):
            addresses = {BLUE: (blue.address,), GREEN: (green.address,)}
            under_test.router.replace(h2c(addresses, {BLUE: 1, GREEN: 0}))
            stream = duplex(to)
            await stream.write(asking(1))
            await stream.read()
            assert await name_of(stream) == BLUE
            under_test.router.replace(h2c(addresses, {BLUE: 0, GREEN: 1}))
            for size in range(1, 20):
                await stream.write(asking(size))
                assert len((await stream.read()).payload.body) == size
                call = who(to)
                await call
                assert await name_of(call) == GREEN
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
            assert green.calls == 19
            assert blue.calls == 1

    run(main())


def test_streams_of_one_connection_do_not_wait_for_each_other() -> None:
    """A reader that stops holds up its own stream, not the connection's other calls."""

    async def main() -> None:
        async with interop_server() as server, routed(server) as (_, to):
            wanted = [M.ResponseParameters(size=100_000)] * 100
            slow = streaming_output(to, M.StreamingOutputCallRequest(response_parameters=wanted))
            await slow.read()
            for _ in range(5):
                await large_unary(to)
            got = 1
            while (response := await slow.read()) is not grpc.aio.EOF:
                assert len(response.payload.body) == 100_000
                got += 1
            assert got == 100

    run(main())


def test_a_plain_http1_revision_refuses_grpc_as_what_it_is_not() -> None:
    """A port that is not named h2c is spoken to in HTTP/1.1: no gRPC can come of it."""

    async def main() -> None:
        async with revision(saying("hello")) as address, gateway() as under_test:
            under_test.router.replace(table({BLUE: (address,)}))
            async with channel(f"127.0.0.1:{under_test.port}", HOST) as to:
                code, _ = await failure(unary(to, M.SimpleRequest(payload=payload(10))))
                assert code in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE)

    run(main())
