"""A replica that costs next to nothing: HTTP/1.1 and h2c with prior knowledge, on one port.

python benchmarks/standin.py PORT [--reply-bytes N] [--grpc] [--slow]

HTTP/1.1: `/bytes/N` is answered with N bytes, everything else with `--reply-bytes`. Heads are not
checked and bodies are thrown away: what comes from a proxy under measurement is taken at its word.
`--slow` takes a body in gulps of 64 MiB with a second of rest in between.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
from functools import lru_cache

import standin_h2
import uvloop
from standin_h2 import H2Replica, Reply

PIECE = b"x" * (256 * 1024)
END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"  # no body that a benchmark sends holds this
GULP_BYTES = 64 * 1024 * 1024
REST_S = 1.0


class Replica:
    """One connection of either protocol, told apart by its first bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reply: Reply, *, slow: bool) -> None:
        self._loop = loop
        self._reply = reply
        self._slow = slow
        self._transport: asyncio.Transport
        self._began = False
        self._head = b""
        self._length = 0  # of the body under way that is still to come
        self._chunked = False
        self._tail = b""
        self._owed = 0  # bytes of a long answer that are not written yet
        self._paused = False
        self._gulped = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=2 * len(PIECE))

    def connection_lost(self, _error: Exception | None) -> None:
        self._owed = 0

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        if not self._began:
            self._began = True
            if data.startswith(b"PRI "):
                peer = H2Replica(self._transport, self._reply)
                self._transport.set_protocol(peer)
                peer.data_received(data)
                return
        if self._slow:
            self._rest_after(len(data))
        while data:
            data = self._body(data) if self._length or self._chunked else self._request(data)

    def _rest_after(self, count: int) -> None:
        self._gulped += count
        if self._gulped >= GULP_BYTES:
            self._gulped = 0
            self._transport.pause_reading()
            self._loop.call_later(REST_S, self._transport.resume_reading)

    def _request(self, data: bytes) -> bytes:
        """Take a head; return what follows it."""
        data = self._head + data if self._head else data
        end = data.find(END)
        if end < 0:
            self._head = data
            return b""
        self._head = b""
        self._owed, closing = self._reply.bytes, False
        if data.startswith(b"GET /bytes/"):
            self._owed = int(data[11 : data.index(b" ", 11)])
        if not data.startswith(b"GET "):
            head = data[: end + 2].lower()
            self._chunked = b"\r\ntransfer-encoding: chunked\r\n" in head
            if (at := head.find(b"\r\ncontent-length: ")) >= 0:
                self._length = int(head[at + 18 : head.index(b"\r\n", at + 18)])
            closing = b"\r\nexpect: 100-continue\r\n" in head
        if closing:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not (self._length or self._chunked):
            self._answer()
        return data[end + 4 :]

    def _body(self, data: bytes) -> bytes:
        """Throw a piece of a body away; answer at its end; return what follows it."""
        if self._chunked:
            # A piece may begin in the middle of the last chunk: look at the seam as well.
            seam = self._tail + data[:4]
            if not data.endswith(LAST_CHUNK) and not seam.endswith(LAST_CHUNK):
                self._tail = (self._tail + data[-4:])[-4:]
                return b""
            self._chunked, self._tail, rest = False, b"", b""
        else:
            count = min(self._length, len(data))
            self._length -= count
            if self._length:
                return b""
            rest = data[count:]
        self._answer()
        return rest

    def _answer(self) -> None:
        if self._owed <= len(PIECE):
            self._transport.write(_whole(self._owed))
            self._owed = 0
            return
        self._transport.write(_head(self._owed))
        self.resume_writing()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        while self._owed and not self._paused:
            piece = PIECE if self._owed >= len(PIECE) else PIECE[: self._owed]
            self._owed -= len(piece)
            self._transport.write(piece)


def _head(count: int) -> bytes:
    kind = "text/plain; charset=utf-8"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {count}\r\n\r\n".encode()


@lru_cache(maxsize=64)
def _whole(count: int) -> bytes:
    return _head(count) + PIECE[:count]


async def serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    reply = standin_h2.grpc_reply() if options.grpc else standin_h2.plain_reply(options.reply_bytes)
    server = await loop.create_server(
        lambda: Replica(loop, reply, slow=options.slow),  # type: ignore[arg-type,return-value]
        "127.0.0.1",
        options.port,
        backlog=4096,
    )
    gc.freeze()
    async with server:
        watch = loop.create_future()
        while os.getppid() == options.parent:  # nothing outlives the benchmark
            await asyncio.wait((watch,), timeout=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--reply-bytes", type=int, default=13)
    parser.add_argument("--grpc", action="store_true", help="answer as a unary gRPC method does")
    parser.add_argument("--slow", action="store_true", help="take bodies in gulps, with rests")
    options = parser.parse_args()
    options.parent = os.getppid()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options))


if __name__ == "__main__":
    main()
