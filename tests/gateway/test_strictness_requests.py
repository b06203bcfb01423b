"""The tables of requests, sent through the whole gateway to a revision that records.

A refused stream is answered, the connection closed, and no byte of it reaches the revision; a
valid one goes up, and an independent strict parser reads there what was meant here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import pytest

from gateway.contract import RouteTable
from tests.conformance import requests_refused_chunks
from tests.conformance.cases import Refused, Valid, get
from tests.conformance.http1_requests import REFUSED, VALID
from tests.support.gateway import HOST, Gateway, gateway, revision, run, table, until
from tests.support.recording import Recorded, Recorder

# What we write ourselves, whatever the client sent.
OURS = ("host", "x-forwarded-for", "x-forwarded-proto", "forwarded", "content-length")


class Outcome(NamedTuple):
    """What a client got for a stream, and what the revision got of it."""

    answer: bytes
    requests: tuple[Recorded, ...]
    refused: tuple[str, ...]


async def outcomes(streams: dict[str, bytes], *, half_close: bool) -> dict[str, Outcome]:
    """Send each stream on a connection of its own; after each, a request that marks its place."""
    told: dict[str, Outcome] = {}
    recorder = Recorder()
    async with gateway() as worker, revision(recorder.script) as address:
        worker.router.replace(table({"one": (address,)}))
        for name, raw in streams.items():
            recorder.requests, recorder.refused = [], []
            answer = await sent(worker, raw, half_close=half_close)
            assert (await worker.get("/mark")).startswith(b"HTTP/1.1 200 ")
            *requests, mark = recorder.requests
            assert mark.start == b"GET /mark"
            told[name] = Outcome(answer, tuple(requests), tuple(recorder.refused))
        worker.router.replace(RouteTable())
    return told


async def sent(worker: Gateway, raw: bytes, *, half_close: bool) -> bytes:
    """Return all that comes until the gateway closes. `half_close`: after all requests."""
    reader, writer = await worker.connect()
    writer.write(raw)
    if half_close:
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except TimeoutError:
        return b"it stays open"
    finally:
        writer.transport.abort()


@lru_cache(maxsize=1)
def refused() -> dict[str, Outcome]:
    return run(outcomes({row.id: row.raw for row in REFUSED}, half_close=False))


@lru_cache(maxsize=1)
def valid() -> dict[str, Outcome]:
    return run(outcomes({row.id: row.raw for row in VALID}, half_close=True))


async def late_outcomes() -> dict[str, Outcome]:
    """Send each malformed body once its head is with the revision."""
    told: dict[str, Outcome] = {}
    recorder = Recorder()
    async with gateway() as worker, revision(recorder.script) as address:
        worker.router.replace(table({"one": (address,)}))
        for row in requests_refused_chunks.ROWS:
            recorder.heads, recorder.requests, recorder.refused = 0, [], []
            reader, writer = await worker.connect()
            end = row.raw.index(b"\r\n\r\n") + 4
            writer.write(row.raw[:end])
            await until(lambda: recorder.heads == 1, "the revision has the head")
            writer.write(row.raw[end:])
            answer = await reader.read()
            writer.close()
            assert (await worker.get("/mark")).startswith(b"HTTP/1.1 200 ")
            *requests, mark = recorder.requests
            assert mark.start == b"GET /mark"
            told[row.id] = Outcome(answer, tuple(requests), tuple(recorder.refused))
        worker.router.replace(RouteTable())
    return told


@lru_cache(maxsize=1)
def late() -> dict[str, Outcome]:
    return run(late_outcomes())


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    for memo in (refused, valid, late):
        memo.cache_clear()


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_a_refused_stream_is_answered_and_nothing_of_it_goes_up(row: Refused) -> None:
    told = refused()[row.id]
    assert told.answer.startswith(b"HTTP/1.1 %d " % row.status), row.why
    assert told.answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in told.answer
    assert (told.requests, told.refused) == ((), ())
    text = told.answer.partition(b"\r\n\r\n")[2]
    assert text.count(b"\n") == 1
    assert row.status != 400 or text.startswith(b"bad request: "), "it says what is wrong"


@pytest.mark.parametrize("row", requests_refused_chunks.ROWS, ids=lambda row: row.id)
def test_a_body_that_turns_out_malformed_never_ends_at_the_revision(row: Refused) -> None:
    """Its head is there already, good chunks too: what the revision reads stays without an end."""
    told = late()[row.id]
    assert told.answer.startswith(b"HTTP/1.1 %d " % row.status), row.why
    assert b"\r\nConnection: close\r\n" in told.answer
    assert (told.requests, told.refused) == ((), ())


@pytest.mark.parametrize("row", VALID, ids=lambda row: row.id)
def test_a_valid_stream_goes_up_and_means_there_what_it_meant_here(row: Valid) -> None:
    told = valid()[row.id]
    assert told.refused == (), "an independent parser refused what the gateway wrote"
    assert [request.start for request in told.requests] == [each.start for each in row.means]
    assert [request.body for request in told.requests] == [each.body for each in row.means]
    assert told.answer.count(b"HTTP/1.1 200 OK\r\n") == len(row.means), told.answer
    for request, message in zip(told.requests, row.means, strict=True):
        assert set(message.lines) <= set(request.lines)
        names = [line.partition(b":")[0].decode() for line in request.lines]
        for name in OURS:
            assert names.count(name) <= 1
        assert not {"connection", "keep-alive", "upgrade", "te"} & set(names)
        assert request.host.lower().startswith((b"localhost", HOST.encode()))


@pytest.mark.parametrize(
    "rest", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\n", b"GET  /", b"\x00"], ids=repr
)
def test_nonsense_behind_a_good_request_is_refused_without_a_wait(rest: bytes) -> None:
    async def story() -> bytes:
        async with gateway() as worker, revision(Recorder().script) as address:
            worker.router.replace(table({"one": (address,)}))
            return await sent(worker, get() + rest, half_close=False)

    answer = run(story())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.count(b"HTTP/1.1 400 Bad Request\r\n") == 1


@pytest.mark.parametrize("cut", [1, 16, 60])
def test_nonsense_behind_a_request_that_is_answered_here_is_all_looked_at(cut: int) -> None:
    """Nothing of it was looked at before, however much of the request's own head was."""
    unknown = b"GET / HTTP/1.1\r\nHost: nobody.example.com\r\nUser-Agent: of-a-long-name\r\n\r\n"

    async def story() -> bytes:
        async with gateway() as worker:
            reader, writer = await worker.connect()
            writer.write(unknown[:cut])
            await until(lambda: bool(worker.worker.deadlines.connections), "connected")
            (connection,) = worker.worker.deadlines.connections
            await until(lambda: bool(connection._buffer), "the first piece is there")  # type: ignore[attr-defined]
            writer.write(unknown[cut:] + b"GET  /x")
            return await asyncio.wait_for(reader.read(), 10)

    answer = run(story())
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert answer.count(b"HTTP/1.1 400 Bad Request\r\n") == 1
