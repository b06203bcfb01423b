"""An HTTP/1.1 server that answers `Hello World!`, or `Hello $TARGET!`; GET /healthz says ok.

Knative's contract asks an app to listen on 0.0.0.0:$PORT; this one listens on 127.0.0.1, because
outside a container 0.0.0.0 would be open to the network. SIGTERM: no new connection, requests
under way are answered, idle connections closed, exit 0.

It never shall be what a benchmark measures: one Protocol per connection, one reply prepared per
second (for its Date), and a request without a body costs one scan of its bytes. Everything else,
bodies, pipelines, HTTP/1.0, HEAD, goes through httptools.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from sample_apps.helloworld_go.behaviour import BadEnvironment, Behaviour, read

try:
    import uvloop as loops
except ImportError:
    loops = asyncio  # type: ignore[misc]

_LISTEN_BACKLOG = 1024
_PENDING_MAX = 64  # pipelined requests that a connection may have waiting for a delay
_HEAD_BYTES_MAX = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"Connection: close\r\n\r\n"


def main() -> int:
    """Serve until SIGTERM; return the exit status. The environment is read here, once."""
    try:
        behaviour = read(os.environ)
    except BadEnvironment as error:
        _say(sys.stderr.fileno(), f"helloworld: {error}")
        return 1
    if behaviour.crashes:
        _say(sys.stderr.fileno(), "helloworld: FAIL=crash: this copy crashes at start, as asked")
        return 1
    _say(sys.stdout.fileno(), "helloworld: starting server...")
    loop = loops.new_event_loop()
    try:
        return loop.run_until_complete(_serve(loop, behaviour))
    except OSError as error:
        _say(
            sys.stderr.fileno(), f"helloworld: cannot listen on 127.0.0.1:{behaviour.port}: {error}"
        )
        return 1
    finally:
        loop.close()


async def _serve(loop: asyncio.AbstractEventLoop, behaviour: Behaviour) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if behaviour.start_delay_s:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), behaviour.start_delay_s)
    if not behaviour.listens or stopping.is_set():
        await stopping.wait()
        return 0
    app = App(behaviour, loop, time.time)
    server = await loop.create_server(
        app.connect, "127.0.0.1", behaviour.port, backlog=_LISTEN_BACKLOG
    )
    _say(sys.stdout.fileno(), f"helloworld: listening on port {behaviour.port}")
    await stopping.wait()
    server.close()
    await app.drain()
    return 0


def _say(descriptor: int, line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(descriptor, line.encode("utf-8", "backslashreplace") + b"\n")


class App:
    """What all connections share: the prepared replies, and who is connected."""

    def __init__(
        self, behaviour: Behaviour, loop: asyncio.AbstractEventLoop, now: Callable[[], float]
    ) -> None:
        self.delay_s = behaviour.delay_s
        self.loop = loop
        self.connections: set[Connection] = set()
        self.stopping = False
        self._behaviour = behaviour
        self._now = now
        self._stale_at = 0.0
        self._empty = asyncio.Event()
        self._greeting = self._health = b""
        self._greeting_head = self._health_head = b""

    def connect(self) -> Connection:
        return Connection(self)

    def reply(self, url: bytes) -> tuple[bytes, bytes]:
        """Return the head, without its last line, and the body for a request's target."""
        now = self._now()
        if now >= self._stale_at:
            self._prepare(now)
        if url.startswith(b"/healthz") and url[8:9] in (b"", b"?"):
            return self._health_head, b"ok\n"
        return self._greeting_head, self._behaviour.greeting

    def whole_reply(self, healthz: bool) -> bytes:  # noqa: FBT001 (the hot path)
        """Return the whole reply to a plain GET."""
        now = self._now()
        if now >= self._stale_at:
            self._prepare(now)
        return self._health if healthz else self._greeting

    def _prepare(self, now: float) -> None:
        """Make this second's replies: an origin server sends a Date (RFC 9110, 6.6.1)."""
        self._stale_at = float(int(now) + 1)
        behaviour = self._behaviour
        self._greeting_head = behaviour.head(behaviour.status, len(behaviour.greeting), now)
        self._health_head = behaviour.head("200 OK", 3, now)
        self._greeting = self._greeting_head + b"\r\n" + behaviour.greeting
        self._health = self._health_head + b"\r\nok\n"

    def gone(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if self.stopping and not self.connections:
            self._empty.set()

    async def drain(self) -> None:
        """Close what is idle, wait for what is not."""
        self.stopping = True
        for connection in tuple(self.connections):
            connection.close_if_idle()
        if self.connections:
            await self._empty.wait()


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_app",
        "_expects",
        "_in_request",
        "_parser",
        "_pending",
        "_timer",
        "_transport",
        "_unparsed",
        "_url",
    )

    def __init__(self, app: App) -> None:
        self._app = app
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # set on connect
        self._parser: httptools.HttpRequestParser | None = None
        self._url = b""
        self._expects = False
        self._in_request = False
        self._unparsed = 0  # bytes since the last complete head
        # Answers that wait for their delay: (bytes, is it the last one?).
        self._pending: deque[tuple[bytes, bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._app.connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._parser = None
        self._app.gone(self)

    def pause_writing(self) -> None:
        """Read no more requests from a client that does not take its answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if len(self._pending) < _PENDING_MAX and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        # The hot path, one whole plain GET: find() sees one head that ends where the bytes end,
        # and none of the headers that change what follows. About 1 µs; httptools costs 3.
        if (
            self._parser is None
            and data.startswith(b"GET /")
            and data.find(b"\r\n\r\n") == len(data) - 4
            and not self._app.delay_s
            and not self._app.stopping
        ):
            line_end = data.find(b"\r\n")
            lower = data.lower()
            if (
                data.endswith(b" HTTP/1.1", 0, line_end)
                and lower.find(b"\r\nhost:") > 0
                and b"\r\nconnection:" not in lower
                and b"\r\ncontent-length" not in lower
                and b"\r\ntransfer-encoding" not in lower
                and b"\r\nexpect" not in lower
            ):
                healthz = data.startswith((b"GET /healthz ", b"GET /healthz?"))
                self._transport.write(self._app.whole_reply(healthz))
                return
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        """Read whatever the hot path does not."""
        parser = self._parser
        if parser is None:
            parser = self._parser = httptools.HttpRequestParser(self)
        self._unparsed += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No protocol to upgrade to: the request was answered as if it had not asked. What
            # follows it cannot be told apart any more, so the connection ends with the answer.
            self._close_after_answers()
        except httptools.HttpParserError:
            self._refuse("400 Bad Request")
        if self._unparsed > _HEAD_BYTES_MAX:
            self._refuse("431 Request Header Fields Too Large")
        elif not self._in_request and not self._unparsed:
            self._parser = None  # between two requests: the next may be a plain one again

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._in_request = True
        self._url = b""
        self._expects = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self._expects = True

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        parser = self._parser
        if self._expects and parser is not None and parser.get_http_version() == "1.1":
            self._transport.write(_CONTINUE)

    def on_body(self, _: bytes) -> None:
        self._unparsed = 0

    def on_message_complete(self) -> None:
        parser = self._parser
        if parser is None or self._transport.is_closing():
            return
        self._in_request = False
        self._unparsed = 0
        head, body = self._app.reply(self._url)
        keep_alive = parser.should_keep_alive() and not self._app.stopping
        if not keep_alive:
            head += _CLOSE
        elif parser.get_http_version() == "1.0":
            head += b"Connection: keep-alive\r\n\r\n"
        else:
            head += b"\r\n"
        answer = head if parser.get_method() == b"HEAD" else head + body
        if self._app.delay_s:
            self._answer_later(answer, last=not keep_alive)
            return
        self._transport.write(answer)
        if not keep_alive:
            self._transport.close()

    # Answers that take their time, one after the other.

    def _answer_later(self, answer: bytes, *, last: bool) -> None:
        self._pending.append((answer, last))
        if len(self._pending) >= _PENDING_MAX:
            self._transport.pause_reading()
        if self._timer is None:
            self._timer = self._app.loop.call_later(self._app.delay_s, self._answer_next)

    def _answer_next(self) -> None:
        self._timer = None
        if self._transport.is_closing():
            return
        answer, last = self._pending.popleft()
        self._transport.write(answer)
        if last or (self._app.stopping and not self._pending and not self._in_request):
            self._transport.close()
            return
        if self._pending:
            self._timer = self._app.loop.call_later(self._app.delay_s, self._answer_next)
        self._transport.resume_reading()

    # The end.

    def close_if_idle(self) -> None:
        """Close unless a request is under way; that one's answer closes it."""
        if not self._pending and not self._in_request:
            self._transport.close()

    def _close_after_answers(self) -> None:
        if self._pending:
            answer, _ = self._pending.pop()
            self._pending.append((answer, True))
            self._transport.pause_reading()
        else:
            self._transport.close()

    def _refuse(self, status: str) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n".encode() + _CLOSE)
        self._transport.close()
