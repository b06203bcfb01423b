"""One request's life over real sockets: relayed whole, or failed with the right words."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from tests.support.gateway import (
    HOST,
    WAIT_S,
    gateway,
    read_head,
    replying,
    revision,
    run,
    saying,
    table,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(*lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = "\r\n".join([f"{method} / HTTP/1.1", f"Host: {HOST}", *lines, "", ""])
    return head.encode() + body


async def through(reply: bytes, raw: bytes) -> bytes:
    """Return what a client gets for `raw` from a revision that answers `reply`."""
    async with gateway() as worker, revision(replying(reply)) as address:
        worker.router.replace(table({"one": (address,)}))
        return await worker.exchange(raw)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(OK, b"Content-Length: 2\r\n\r\nok", id="with length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            id="chunked, framed anew",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
            b"0\r\nX-Sum: 1\r\n\r\n",
            id="trailers",
        ),
        pytest.param(
            b"HTTP/1.0 200 OK\r\n\r\nok",
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            id="until close",
        ),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", b"close\r\n\r\n", id="no content"),
        pytest.param(
            b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
            id="no content, with a length",
        ),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: </a>\r\n\r\n" + OK,
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK",
            id="early hints with a length",
        ),
        pytest.param(
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            b"Content-Length: 9\r\n\r\n",
            id="not modified, with a length",
        ),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK",
            id="early hints first",
        ),
    ],
)
def test_an_answer_reaches_the_client_whole(reply: bytes, expected: bytes) -> None:
    answer = run(through(reply, request("Connection: close")))
    assert expected in answer
    if b"304" not in answer and b"103" not in answer:
        assert answer.endswith(expected)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"", id="closes without a word"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="closes within the head"),
        pytest.param(b"garbage\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", id="a bare LF"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", id="two lengths"
        ),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="101 unasked"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, id="a head without end"),
    ],
)
def test_a_revision_that_does_not_answer_is_a_502(reply: bytes) -> None:
    answer = run(through(reply, request("Connection: close")))
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", id="short of its length"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", id="within a chunk"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
            id="a malformed chunk",
        ),
    ],
)
def test_a_broken_body_never_looks_whole(reply: bytes) -> None:
    """The connection breaks: no last chunk, or fewer bytes than announced."""

    async def story() -> bytes:
        try:
            return await through(reply, request("Connection: close"))
        except ConnectionResetError:
            return b""

    answer = run(story())
    assert not answer.endswith(b"0\r\n\r\n")
    told = answer.startswith(b"HTTP/1.1 502 ")  # nothing of it had gone out yet
    assert told or len(answer.partition(b"\r\n\r\n")[2]) < 10


def test_a_request_goes_up_in_framing_of_our_own() -> None:
    seen: list[bytes] = []

    async def recording(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        seen.append(await reader.readuntil(b"0\r\nX-Sum: 1\r\n\r\n"))
        writer.write(OK)

    async def story() -> None:
        async with gateway() as worker, revision(recording) as address:
            worker.router.replace(table({"one": (address,)}))
            raw = request(
                "Transfer-Encoding: chunked", "Connection: close", "X-Mine: 1", method="POST"
            )
            answer = await worker.exchange(
                raw + b"5;ext=1\r\nhello\r\n", [b"006\r\n", b" world\r\n0\r\nX-Sum: 1\r\n\r\n"]
            )
            assert answer.endswith(b"ok")

    run(story())
    head, body = seen
    assert head.startswith(b"POST / HTTP/1.1\r\nHost: " + HOST.encode())
    assert b"X-Mine: 1\r\n" in head
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in head
    assert b"ext" not in body
    assert body.endswith(b"0\r\nX-Sum: 1\r\n\r\n")


def test_requests_in_one_packet_are_answered_in_order_by_their_turns() -> None:
    async def story() -> bytes:
        async with (
            gateway() as worker,
            revision(saying("old")) as old,
            revision(saying("new")) as new,
        ):
            worker.router.replace(table({"old": (old,), "new": (new,)}, splitter="exact"))
            return await worker.exchange(request() * 3 + request("Connection: close"))

    answer = run(story())
    bodies = [part[:3] for part in answer.split(b"\r\n\r\n")[1:]]
    assert Counter(bodies) == {b"old": 2, b"new": 2}


def test_a_new_table_counts_from_the_very_next_request() -> None:
    async def story() -> None:
        async with (
            gateway() as worker,
            revision(saying("old")) as old,
            revision(saying("new")) as new,
        ):
            addresses = {"old": (old,), "new": (new,)}
            for turn in range(20):
                only = ("old", "new")[turn % 2]
                weights = {"old": 100 * (only == "old"), "new": 100 * (only == "new")}
                worker.router.replace(table(addresses, weights))
                for _ in range(3):
                    assert (await worker.get()).endswith(only.encode())

    run(story())


def test_credit_survives_a_change_of_the_split() -> None:
    """Ten steps of ten requests each deliver what the ramp owes, to the request."""

    async def story() -> int:
        answers: Counter[bytes] = Counter()
        async with (
            gateway() as worker,
            revision(saying("old")) as old,
            revision(saying("new")) as new,
        ):
            for percent in range(1, 11):
                weights = {"old": 100 - percent, "new": percent}
                worker.router.replace(table({"old": (old,), "new": (new,)}, weights))
                for _ in range(10):
                    answers[(await worker.get())[-3:]] += 1
        return answers[b"new"]

    assert run(story()) in (5, 6)  # 10 * (1 % + ... + 10 %) = 5.5 are due


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "with length"])
def test_bodies_of_any_size_pass_both_ways(size: int, chunked: bool) -> None:
    payload = os.urandom(size)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if b"chunked" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while line := await reader.readline():
                writer.write(line + await reader.readexactly(int(line, 16) + 2))
                await writer.drain()
                if line == b"0\r\n":
                    return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size):
            data = await reader.read(65536)
            writer.write(data)
            await writer.drain()
            if not data:
                return

    async def story() -> bytes:
        async with gateway(buffer_bytes_high=4096) as worker, revision(echo) as address:
            worker.router.replace(table({"one": (address,)}))
            if chunked:
                head = request("Transfer-Encoding: chunked", "Connection: close", method="PUT")
                body = b"%x\r\n%b\r\n" % (size, payload) if size else b""
                raw = head + body + b"0\r\n\r\n"
            else:
                head = request(f"Content-Length: {size}", "Connection: close", method="PUT")
                raw = head + payload
            reader, writer = await worker.connect()
            sending = asyncio.ensure_future(_send(writer, raw))
            answer = await asyncio.wait_for(reader.read(), WAIT_S)
            await sending
            writer.close()
            return answer

    answer = run(story())
    assert answer.startswith(b"HTTP/1.1 200 OK")
    if not chunked:
        assert answer.endswith(payload)
    assert len(answer) >= size


async def _send(writer: asyncio.StreamWriter, raw: bytes) -> None:
    writer.write(raw)
    await writer.drain()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("HELLO.default.example.com:8080", b"200", id="any case, with port"),
        pytest.param("nobody.default.example.com", b"404", id="unknown"),
        pytest.param("", b"400", id="empty"),
        pytest.param("a b", b"400", id="malformed"),
        pytest.param("hello.default.example.com:80x", b"400", id="malformed port"),
    ],
)
def test_the_host_decides(host: str, status: bytes) -> None:
    async def story() -> bytes:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            return await worker.get(host=host)

    assert run(story()).startswith(b"HTTP/1.1 " + status)


def test_a_head_cut_at_every_byte_is_the_same_request() -> None:
    raw = request("Content-Length: 2", "Connection: close", method="POST", body=b"hi")

    async def story() -> None:
        async with gateway() as worker:
            for cut in range(len(raw)):
                async with revision(replying(OK)) as address:
                    worker.router.replace(table({"one": (address,)}))
                    reader, writer = await worker.connect()
                    writer.write(raw[:cut])
                    await writer.drain()
                    await asyncio.sleep(0)
                    writer.write(raw[cut:])
                    assert (await reader.read()).endswith(b"ok")
                    writer.close()

    run(story())


def test_explain_names_the_revision_that_answered() -> None:
    answer = run(through(OK, request("Knary-Explain: 1", "Connection: close")))
    assert b"Knary-Revision: one\r\n" in answer
    assert b"Knary" not in run(through(OK, request("Connection: close")))


def test_an_answer_of_the_gateways_own_explains_itself_but_names_no_one_as_its_author() -> None:
    failed = run(through(b"nonsense\r\n\r\n", request("Knary-Explain: 1", "Connection: close")))
    assert failed.startswith(b"HTTP/1.1 502 ")
    assert b"revision=one;" in failed
    assert b"Knary-Revision" not in failed


def test_an_early_answer_closes_the_connection_after_the_rest_was_read() -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK)
        await writer.drain()
        await reader.read()

    async def story() -> bytes:
        async with gateway() as worker, revision(impatient) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(request("Content-Length: 10", method="POST", body=b"half"))
            head = await read_head(reader)
            writer.write(b"other!")
            return head + await reader.read()

    answer = run(story())
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"ok")


def test_a_slow_head_is_a_408_and_silence_is_a_close() -> None:
    async def story() -> list[bytes]:
        async with gateway(tick_s=0.005, head_s_max=0.05, keep_alive_idle_s_max=0.05) as worker:
            return [await worker.exchange(b"GET / HT"), await worker.exchange(b"")]

    slow, silent = run(story())
    assert slow.startswith(b"HTTP/1.1 408 Request Timeout")
    assert silent == b""
