"""A revision's three timeouts, with queue-proxy's own answers (knative/serving
`pkg/http/handler/timeout.go`): 504 before the first byte, "request timeout" at the end after it.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.support.gateway import HOST, Script, gateway, read_head, revision, run, table

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
GET_10 = f"GET / HTTP/1.0\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"


def stopping_after(*pieces: bytes) -> Script:
    """Return a revision that sends these a tenth of a second apart, and then nothing more."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0.1)  # the pace is what is tested
            writer.write(piece)
        await reader.read()

    return script


def answer(script: Script, raw: bytes, **limits: float) -> bytes:
    async def story() -> bytes:
        async with gateway(tick_s=0.01) as worker, revision(script) as address:
            worker.router.replace(table({"one": (address,)}, **limits))
            try:
                return await worker.exchange(
                    raw.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
                )
            except ConnectionResetError:
                return b"reset"

    return run(story())


@pytest.mark.parametrize(
    "limits",
    [{"timeout_s": 0.1}, {"response_start_s": 0.1}, {"idle_s": 0.1}],
    ids=["timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"],
)
def test_before_the_first_byte_it_is_a_504(limits: dict[str, float]) -> None:
    said = answer(stopping_after(), GET, **limits)
    assert said.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
    assert said.endswith(b"\r\n\r\nrequest timeout\n")


@pytest.mark.parametrize("limits", [{"timeout_s": 0.1}, {"idle_s": 0.1}], ids=["total", "idle"])
def test_a_chunked_body_ends_cleanly_with_the_words(limits: dict[str, float]) -> None:
    said = answer(stopping_after(CHUNKED), GET, **limits)
    assert said.endswith(b"3\r\nabc\r\nf\r\nrequest timeout\r\n0\r\n\r\n")


def test_so_does_a_body_that_ends_with_the_connection() -> None:
    said = answer(stopping_after(CHUNKED), GET_10, timeout_s=0.1)
    assert said.endswith(b"\r\n\r\nabcrequest timeout")


def test_a_declared_length_leaves_no_room_so_the_connection_breaks() -> None:
    said = answer(stopping_after(SIZED), GET, timeout_s=0.1)
    assert said == b"reset" or said.endswith(b"\r\n\r\nabc")


def test_the_start_of_an_answer_ends_its_own_timeout() -> None:
    script = stopping_after(CHUNKED, b"3\r\ndef\r\n", b"3\r\nghi\r\n", b"0\r\n\r\n")
    said = answer(script, GET, response_start_s=0.15)
    assert said.endswith(b"0\r\n\r\n")
    assert b"timeout" not in said


def test_every_write_begins_the_idle_timeout_anew() -> None:
    script = stopping_after(CHUNKED, b"3\r\ndef\r\n", b"3\r\nghi\r\n", b"0\r\n\r\n")
    assert b"timeout" not in answer(script, GET, idle_s=0.25)


def test_waiting_for_room_counts_towards_the_timeout() -> None:
    async def story() -> tuple[bytes, bytes]:
        async with gateway(tick_s=0.01) as worker, revision(stopping_after()) as address:
            worker.router.replace(table({"one": (address,)}, concurrency=1, timeout_s=0.2))
            first, second = await asyncio.gather(worker.get(), worker.get())
            return first, second

    for said in run(story()):
        assert said.startswith(b"HTTP/1.1 504 ")
