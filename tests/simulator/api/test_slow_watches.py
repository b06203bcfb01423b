"""Watches that are not read: bounded, cut off cleanly, and nobody else's trouble."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.api.lines import Lines
from simulator.api.settings import ApiSettings
from simulator.api.streams import Streams
from simulator.errors import Unavailable
from simulator.store.settings import StoreSettings
from tests.support.api import HOST, SERVICES, WITHIN_S, Api, run_with_api
from tests.support.stored import service, with_image
from tests.support.waiting import eventually_async

WATCH = f"{SERVICES}?watch=true&resourceVersion=1"
QUEUE = 50
FILLER = "x" * 60_000  # a few events fill what the kernel holds for a connection


@asynccontextmanager
async def stalled(api: Api) -> AsyncIterator[asyncio.StreamReader]:
    """Open a watch with small buffers, and read nothing of it yet."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((HOST, api.port))
    # A reader that holds little: the transport stops reading, and so the server writing.
    reader, writer = await asyncio.open_connection(
        sock=raw, ssl=api.tls, server_hostname=HOST, limit=1024
    )
    writer.write(
        f"GET {WATCH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api.token}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    await eventually_async("the watch is open", lambda: api.server.streams_open == 1)
    try:
        yield reader
    finally:
        writer.close()


def version(frame: Any) -> int:
    return int(frame["object"]["metadata"]["resourceVersion"])


async def change(api: Api, count: int) -> None:
    """Write the same object so many times, each large."""
    last = await api.store.create(service(annotations={"filler": FILLER}))
    for number in range(count):
        last = await api.store.update(with_image(last, f"app:{number}"))


def test_who_does_not_read_is_cut_off_with_the_reason_and_slows_nobody(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with stalled(api) as slow:
            async with api.watch(WATCH) as quick:
                writing = asyncio.ensure_future(change(api, 3 * QUEUE))
                seen = [version(frame) for frame in await quick.take(3 * QUEUE + 1)]
                await writing
            assert seen == list(range(2, 3 * QUEUE + 3))
            async with asyncio.timeout(WITHIN_S):
                answer = await slow.read()
        assert answer.endswith(b"\r\n0\r\n\r\n"), "a clean end"
        lines = [line for line in answer.split(b"\n") if line.startswith(b'{"type"')]
        last = json.loads(lines[-1])
        assert last["type"] == "ERROR"
        assert (last["object"]["code"], last["object"]["reason"]) == (410, "Expired")
        # What it had before is all there, in order.
        versions = [version(json.loads(line)) for line in lines[:-1]]
        assert versions == list(range(2, 2 + len(versions)))

    run_with_api(tmp_path, scenario, store=StoreSettings(watch_queue_events_max=QUEUE))


def test_who_takes_nothing_for_too_long_is_broken_off(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with stalled(api) as slow:
            await change(api, 3 * QUEUE)
            await eventually_async("it is gone", lambda: not api.server.streams_open)
            async with asyncio.timeout(WITHIN_S):
                answer = await slow.read()
        assert not answer.endswith(b"\r\n0\r\n\r\n"), "it must not look whole"

    run_with_api(tmp_path, scenario, ApiSettings(stream_write_timeout_s=0.2))


def test_streams_end_together_and_one_that_comes_late_ends_at_once() -> None:
    async def scenario() -> None:
        streams = Streams(1, 1.0)
        ended: list[str] = []
        with streams.counted(lambda: ended.append("first"), lambda: None):
            with pytest.raises(Unavailable):
                streams.require_room()
            streams.end_all()
            with streams.counted(lambda: ended.append("late"), lambda: None):
                assert ended == ["first", "late"]

    asyncio.run(scenario())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60))
def test_lines_are_made_once_while_they_are_kept_and_never_too_many(
    asked: list[tuple[int, int]],
) -> None:
    lines = Lines(100)
    for key, length in asked:
        made = bytes([key]) * length
        found = lines.line(key, lambda made=made: made)  # type: ignore[misc]
        assert set(found) <= {key}
        assert sum(map(len, lines._lines.values())) == lines._bytes <= 100


def test_a_line_is_made_once() -> None:
    lines, made = Lines(100), []

    def make() -> bytes:
        made.append(1)
        return b"line"

    assert [lines.line("key", make) for _ in range(3)] == [b"line"] * 3
    assert made == [1]
