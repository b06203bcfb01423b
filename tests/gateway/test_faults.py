"""Each fault as clients see it, over real sockets: HTTP/1.1 and h2c, and a call of gRPC's."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import msgspec
import pytest

from gateway.contract import Fault, RouteTable
from tests.support.gateway import (
    HOST,
    Gateway,
    gateway,
    read_head,
    replying,
    revision,
    run,
    saying,
    table,
    until,
)
from tests.support.h2peers import Seen, h2_client

LONG = b"x" * 100_000
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(LONG), LONG)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
RESET = b"reset"
TICK_S = 0.002  # the loop counts whole milliseconds, from when its turn began
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


def with_faults(made: RouteTable, *faults: Fault, of: str = "one") -> RouteTable:
    """Return the table with these faults on the share of one backend."""
    replace = msgspec.structs.replace
    route = made.routes["hello"]
    shares = tuple(
        replace(share, faults=faults) if share.backend == f"default/{of}" else share
        for share in route.split.shares
    )
    split = replace(route.split, shares=shares)
    return replace(made, routes={"hello": replace(route, split=split)})


def fault(kind: str, *, stream: str = "downstream", toxicity: float = 1.0, **values: int) -> Fault:
    return Fault(kind, kind, toxicity, stream, tuple(values.items()), 7)


def answer(reply: bytes, *faults: Fault, raw: bytes = GET) -> tuple[bytes, float]:
    """Return what a client of HTTP/1.1 reads, and after how many seconds."""

    async def story() -> tuple[bytes, float]:
        async with gateway() as worker, revision(replying(reply)) as address:
            worker.router.replace(with_faults(table({"one": (address,)}), *faults))
            begun = time.monotonic()
            try:
                said = await worker.exchange(raw)
            except ConnectionResetError:
                said = RESET
            return said, time.monotonic() - begun

    return run(story())


def stream_answer(reply: bytes, *faults: Fault, call: bool = False) -> Seen:
    """Return what a client of h2c sees of its stream; `call`: it is a call of gRPC's."""

    async def story() -> Seen:
        async with gateway() as worker, revision(replying(reply)) as address:
            worker.router.replace(with_faults(table({"one": (address,)}), *faults))
            async with h2_client(worker) as peer:
                if call:
                    fields = (("content-type", "application/grpc"), ("te", "trailers"))
                    return await peer.answered(peer.ask("/", *fields, method="POST"))
                return await peer.get()

    return run(story())


PASSING = {
    "latency": fault("latency", latency=80),
    "latency-upstream": fault("latency", stream="upstream", latency=80),
    "bandwidth": fault("bandwidth", rate=1000),
    "slicer": fault("slicer", average_size=10_000, size_variation=5_000, delay=9_000),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_slow_answer_is_late_and_whole(name: str) -> None:
    said, took_s = answer(SIZED, PASSING[name])
    assert said.endswith(b"\r\n\r\n" + LONG)
    assert took_s >= 0.07


@pytest.mark.parametrize("name", PASSING)
def test_a_slow_answer_is_whole_on_a_stream_too(name: str) -> None:
    seen = stream_answer(SIZED, PASSING[name])
    assert (seen.status, seen.body, seen.code) == ("200", LONG, None)


def test_slow_close_is_late_with_the_end_alone() -> None:
    said, took_s = answer(CHUNKED, fault("slow_close", delay=80))
    assert said.endswith(b"\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n")
    assert took_s >= 0.08 - TICK_S


def test_abort_answers_with_its_status_and_asks_no_revision() -> None:
    said, _ = answer(b"never sent", fault("abort", status=429))
    assert said.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert said.endswith(b"\r\n\r\nfault filter abort\n")
    seen = stream_answer(b"never sent", fault("abort", status=429))
    assert (seen.status, seen.body, seen.code) == ("429", b"fault filter abort\n", None)


def test_abort_of_a_call_is_the_status_that_grpc_has_for_it() -> None:
    seen = stream_answer(b"never sent", fault("abort", status=403), call=True)
    assert (seen.status, seen.head["grpc-status"]) == ("200", "7")


def test_an_abort_waits_for_its_latency() -> None:
    late = fault("latency", stream="upstream", latency=60)
    said, took_s = answer(b"never sent", late, fault("abort", status=503))
    assert said.startswith(b"HTTP/1.1 503 ")
    assert took_s >= 0.06 - TICK_S


def test_reset_peer_resets() -> None:
    assert answer(b"never sent", fault("reset_peer", timeout=10))[0] == RESET
    assert stream_answer(b"never sent", fault("reset_peer")).code is not None


def test_timeout_says_nothing_and_closes() -> None:
    said, took_s = answer(b"never sent", fault("timeout", timeout=50))
    assert said == b""
    assert took_s >= 0.05 - TICK_S
    assert stream_answer(b"never sent", fault("timeout", timeout=50)).code is not None


def test_limit_data_breaks_off_after_so_many_bytes() -> None:
    said, _ = answer(SIZED, fault("limit_data", bytes=1000))
    assert said.endswith(b"\r\n\r\n" + LONG[:1000])
    seen = stream_answer(SIZED, fault("limit_data", bytes=1000))
    assert (seen.status, seen.body) == ("200", LONG[:1000])
    assert seen.code is not None


def test_an_answer_within_the_limit_is_whole() -> None:
    said, _ = answer(CHUNKED, fault("limit_data", bytes=6))
    assert said.endswith(b"0\r\n\r\n")


def test_corrupt_framing_is_a_502_before_the_body_and_breaks_it_within() -> None:
    said, _ = answer(SIZED, fault("corrupt"))
    assert said.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    said, _ = answer(CHUNKED, fault("corrupt", bytes=3))
    assert said.endswith(b"\r\n\r\n3\r\nabc\r\n") or b"abc" not in said
    assert stream_answer(SIZED, fault("corrupt")).status == "502"


def test_who_asks_is_told_which_fault_it_was() -> None:
    asking = GET.replace(b"\r\n\r\n", b"\r\nKnary-Explain: 1\r\n\r\n")
    said, _ = answer(SIZED, fault("latency", latency=1), raw=asking)
    assert b'; fault="latency"\r\n' in said
    said, _ = answer(SIZED, fault("abort", status=500), raw=asking)
    assert b'; fault="abort"\r\n' in said


def test_it_counts_with_its_latency_and_leaves_nothing_behind() -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("one")) as address:
            clean = table({"one": (address,)})
            worker.router.replace(with_faults(clean, fault("latency", latency=50)))
            assert (await worker.get()).endswith(b"one")
            cell = worker.router.hosts.match(HOST.encode()).split.targets[0].cell
            assert cell is not None
            assert cell.latency_us[1] >= 50_000 - 1e6 * TICK_S
            worker.router.replace(msgspec.structs.replace(clean, version=2))
            assert (await worker.get()).endswith(b"one")
            assert worker.router.hosts.match(HOST.encode()).is_plain

    run(story())


def test_a_client_that_goes_ends_the_timer_and_the_revision_s_answer() -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("one")) as address:
            slow = fault("latency", latency=60_000)
            worker.router.replace(with_faults(table({"one": (address,)}), slow))
            _, writer = await worker.connect()
            writer.write(GET)
            await until(lambda: bool(worker.under_way()), "a request under way")
            (exchange,) = worker.under_way()
            injected = exchange.injected
            assert injected is not None
            await until(lambda: injected.has_end, "the revision's answer")
            linger = struct.pack("ii", 1, 0)  # a close that half-closed clients do not look like
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            await until(lambda: not worker.under_way(), "the end")
            assert injected._timer is None
            await until(lambda: not worker.worker.upstream_connections, "its connection's end")

    run(story())


def test_a_revision_that_is_faster_than_the_fault_is_read_no_more() -> None:
    sent = 0

    async def pouring(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1000):
            writer.write(LONG)
            await writer.drain()
            sent += len(LONG)

    async def story() -> None:
        async with gateway() as worker, revision(pouring) as address:
            narrow = fault("bandwidth", rate=10)
            worker.router.replace(with_faults(table({"one": (address,)}), narrow))
            reader, writer = await worker.connect()
            writer.write(GET)
            await reader.read(100)
            (exchange,) = worker.under_way()
            assert exchange.injected is not None
            kept = exchange.injected._kept_bytes
            assert kept <= 2 * worker.worker.settings.buffer_bytes_high
            assert sent < 50_000_000

    run(story())


def test_only_the_canary_is_slow() -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("one")) as a, revision(saying("two")) as b:
            made = table({"one": (a,), "two": (b,)}, {"one": 9, "two": 1})
            bad = fault("abort", status=500)
            worker.router.replace(with_faults(made, bad, of="two"))
            said = [await worker.get() for _ in range(20)]
            assert sum(one.startswith(b"HTTP/1.1 500") for one in said) == 2
            assert sum(one.endswith(b"one") for one in said) == 18

    run(story())


def statuses(toxicity: float, count: int) -> list[bytes]:
    async def story() -> list[bytes]:
        async with gateway() as worker, revision(saying("one")) as address:
            bad = fault("abort", toxicity=toxicity, status=500)
            worker.router.replace(with_faults(table({"one": (address,)}), bad))
            return [(await worker.get())[9:12] for _ in range(count)]

    return run(story())


def test_the_same_seed_strikes_the_same_requests() -> None:
    first = statuses(0.3, 40)
    assert first == statuses(0.3, 40)
    assert {b"200", b"500"} == set(first)


def test_dice_go_on_over_a_change_of_percents() -> None:
    async def story() -> list[bytes]:
        async with gateway() as worker, revision(saying("one")) as address:
            bad = fault("abort", toxicity=0.3, status=500)
            said = []
            for number in range(40):
                made = with_faults(table({"one": (address,)}, {"one": number + 1}), bad)
                worker.router.replace(msgspec.structs.replace(made, version=number + 1))
                said.append((await worker.get())[9:12])
            return said

    assert run(story()) == statuses(0.3, 40)


def held(worker: Gateway) -> bool:
    return bool(worker.under_way())


def test_a_worker_that_drains_lets_a_held_request_finish() -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("one")) as address:
            late = fault("latency", stream="upstream", latency=100)
            worker.router.replace(with_faults(table({"one": (address,)}), late))
            asked = asyncio.ensure_future(worker.get())
            await until(lambda: held(worker), "a request under way")
            assert await worker.worker.drain() == 0
            assert (await asked).endswith(b"one")

    run(story())
