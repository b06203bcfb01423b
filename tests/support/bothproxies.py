"""One table, two proxies: our gateway and Envoy, before the same revisions that record.

An event loop of its own runs gateway and revisions in a thread, so that a test just asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar, cast

import h11
import uvloop

from gateway.contract import Backend, RouteTable
from tests.support.envoy import envoy
from tests.support.gateway import Gateway, gateway, until
from tests.support.h2peers import Peer, Seen, h2_client, h2_revision

WAIT_S = 5.0
MARK = b"x-from"  # header of every answer by a revision
HEAD_BYTES_MAX = 300_000
# What each proxy writes in its own way: it is compared elsewhere, or says who the proxy is.
OF_THE_PROXY = {
    *(b"x-request-id", b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"date"),
    *(b"x-envoy-expected-rq-timeout-ms", b"x-envoy-attempt-count", b"x-envoy-decorator-operation"),
}

T = TypeVar("T")
Lines = tuple[tuple[bytes, bytes], ...]


class Asked(NamedTuple):
    """A request as a revision saw it."""

    revision: str
    method: bytes
    target: bytes
    host: bytes
    headers: Lines
    body: bytes = b""
    trailers: Lines = ()


class Answered(NamedTuple):
    """An answer as the client got it; of a proxy's own the status alone. `end`: how it broke."""

    status: int
    headers: Lines = ()
    body: bytes = b""
    trailers: Lines = ()
    end: str = ""


class Outcome(NamedTuple):
    """What became of a stream of requests."""

    asked: tuple[Asked, ...]
    answered: tuple[Answered, ...]


def plain(headers: Any) -> Lines:
    """Return header lines in order of their names, without those of the proxies' own."""
    pairs = [(bytes(name).lower(), bytes(value)) for name, value in headers]
    return tuple(sorted(pair for pair in pairs if pair[0] not in OF_THE_PROXY))


Answer = Callable[[str, bytes], bytes]  # revision's name and the path: what it says, or b""


class Recorder:
    """Revisions that write down what they are asked; `answer` says what they answer."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Asked] = []
        self._answer = answer

    async def h1(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        core = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        head, place, said = None, 0, b""
        while True:
            event = core.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65_536)
                core.receive_data(data)
                if not data:
                    return
            elif isinstance(event, h11.Request):
                head, place = event, len(self.asked)
                self.asked.append(_asked(name, event))
                said = self._answer(name, _path(event.target))
                if said.startswith(b"HTTP/1.1 101 "):
                    writer.write(said + core.trailing_data[0])
                    if b"websocket" not in said:
                        return
                    while data := await reader.read(65_536):
                        writer.write(data)
                    return
                if b"/early" in event.target:
                    writer.write(said)
            elif isinstance(event, h11.Data):
                seen = self.asked[place]
                self.asked[place] = seen._replace(body=seen.body + bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                self.asked[place] = self.asked[place]._replace(trailers=plain(event.headers))
                if b"/early" not in head.target:
                    writer.write(_for_method(said, head.method))
                if b"\r\nConnection: close" in said:
                    return
                core.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                core.send(h11.EndOfMessage())
                if core.our_state is h11.MUST_CLOSE:
                    return
                core.start_next_cycle()
            else:
                return

    async def h2(self, name: str, peer: Peer, seen: Seen) -> None:
        await until(lambda: seen.is_over, "the request is whole")
        head = seen.head
        rest = {key: value for key, value in head.items() if not key.startswith(":")}
        self.asked.append(
            Asked(
                name,
                head[":method"].encode(),
                head[":path"].encode(),
                head.get(":authority", "").encode(),
                _encoded(rest),
                seen.body,
                _encoded(seen.trailers),
            )
        )
        mark = (MARK.decode(), name)
        if head[":path"] == "/trailers-only":
            peer.say(seen, (":status", "200"), mark, ("grpc-status", "5"), ended=True)
        elif head[":method"] == "HEAD":
            peer.say(seen, (":status", "200"), mark, ("content-length", "7"), ended=True)
        elif head[":path"] == "/204":
            peer.say(seen, (":status", "204"), mark, ended=True)
        else:
            peer.say(seen, (":status", "200"), mark, ("content-type", "application/grpc"))
            peer.data(seen, seen.body)
            peer.say(seen, ("grpc-status", "0"), ended=True)


class BothProxies:
    """Asks one of the two, and tells what came of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, recorder: Recorder) -> None:
        self._loop = loop
        self._recorder = recorder
        self.ports: dict[str, int] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def ask(self, proxy: str, raw: bytes, methods: tuple[bytes, ...], then: bytes = b"") -> Outcome:
        """Send bytes, and `then` more once something came back; read an answer per method."""
        return self.run(self._ask(self.ports[proxy], raw, methods, then))

    def ask_h2(
        self,
        proxy: str,
        head: list[tuple[str, str]],
        body: bytes | None,
        trailers: list[tuple[str, str]],
    ) -> Outcome:
        return self.run(self._ask_h2(self.ports[proxy], head, body, trailers))

    def counts(self, proxy: str, host: bytes, requests: int) -> dict[str, int]:
        """Return how many of so many requests each revision got."""
        ask = b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host
        many = ask * requests
        outcome = self.ask(proxy, many, (b"GET",) * requests)
        counts: dict[str, int] = {}
        for asked in outcome.asked:
            counts[asked.revision] = counts.get(asked.revision, 0) + 1
        return counts

    async def _ask(self, port: int, raw: bytes, methods: tuple[bytes, ...], then: bytes) -> Outcome:
        self._recorder.asked = []
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(raw)
            answered = await self._answers(reader, writer, methods, then)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        return Outcome(tuple(self._recorder.asked), tuple(answered))

    async def _answers(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        methods: tuple[bytes, ...],
        then: bytes,
    ) -> list[Answered]:
        answers: list[Answered] = []
        left = b""
        for method in methods:
            core = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
            core.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
            core.send(h11.EndOfMessage())
            if left:
                core.receive_data(left)
            answer = Answered(0, end="silence")
            try:
                async with asyncio.timeout(WAIT_S):
                    while True:
                        event = core.next_event()
                        if event is h11.NEED_DATA:
                            data = await reader.read(65_536)
                            core.receive_data(data)
                            if then:
                                writer.write(then)
                                then = b""
                        elif isinstance(event, h11.InformationalResponse):
                            answers.append(Answered(event.status_code))
                            if event.status_code == 101:
                                echoed = core.trailing_data[0] or await reader.read(65_536)
                                return [*answers, Answered(0, body=echoed, end="tunnel")]
                        elif isinstance(event, h11.Response):
                            answer = Answered(event.status_code, plain(event.headers), end="broken")
                        elif isinstance(event, h11.Data):
                            answer = answer._replace(body=answer.body + bytes(event.data))
                        elif isinstance(event, h11.EndOfMessage):
                            answer = answer._replace(trailers=plain(event.headers), end="")
                            break
                        else:
                            break
            except (h11.RemoteProtocolError, ConnectionError):
                answer = answer._replace(end="broken" if answer.status else "closed")
            except TimeoutError:
                pass
            answers.append(_by_a_revision(answer))
            left = core.trailing_data[0]
            if answer.end or (b"connection", b"close") in answer.headers:
                break
        return answers

    async def _ask_h2(
        self,
        port: int,
        head: list[tuple[str, str]],
        body: bytes | None,
        trailers: list[tuple[str, str]],
    ) -> Outcome:
        self._recorder.asked = []
        async with h2_client(cast("Gateway", SimpleNamespace(port=port))) as client:
            core = client.h2
            stream_id = core.get_next_available_stream_id()
            core.send_headers(stream_id, head, end_stream=body is None and not trailers)
            seen = client.streams.setdefault(stream_id, Seen(stream_id))
            if body is not None:
                client.data(seen, body, ended=not trailers)
            if trailers:
                core.send_headers(stream_id, trailers, end_stream=True)
            client.send()
            await client.answered(seen)
        rest = {name: value for name, value in seen.head.items() if not name.startswith(":")}
        answer = Answered(
            int(seen.status or 0),
            _encoded(rest),
            seen.body,
            _encoded(seen.trailers),
            "" if seen.ended else "reset" if seen.code is not None else "closed",
        )
        return Outcome(tuple(self._recorder.asked), (_by_a_revision(answer),))


def _by_a_revision(answer: Answered) -> Answered:
    """What a proxy says in its own words is its own; its status is not."""
    if any(name == MARK for name, _ in answer.headers):
        return answer
    return Answered(answer.status, end=answer.end)


def _asked(name: str, head: h11.Request) -> Asked:
    lines = plain(head.headers)
    host = b"|".join(value for key, value in lines if key == b"host")
    rest = tuple(line for line in lines if line[0] != b"host")
    return Asked(name, bytes(head.method), bytes(head.target), host, rest)


def _path(target: bytes) -> bytes:
    return target.partition(b"?")[0]


def _for_method(said: bytes, method: bytes) -> bytes:
    return said if method != b"HEAD" else said.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _encoded(headers: dict[str, str]) -> Lines:
    return plain([(name.encode(), value.encode()) for name, value in headers.items()])


@contextlib.asynccontextmanager
async def revisions(
    recorder: Recorder, names: tuple[str, ...], h2_names: tuple[str, ...]
) -> AsyncIterator[dict[str, Backend]]:
    """Run a recording revision for each name."""
    backends: dict[str, Backend] = {}
    serving: set[asyncio.Task[Any]] = set()  # a connection each; pools keep theirs open

    async def end() -> None:
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(end)
        for name in names:

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str = name
            ) -> None:
                task = asyncio.current_task()
                assert task is not None
                serving.add(task)
                task.add_done_callback(serving.discard)
                try:
                    with contextlib.suppress(ConnectionError, h11.RemoteProtocolError):
                        await recorder.h1(name, reader, writer)
                finally:
                    writer.close()
                    with contextlib.suppress(ConnectionError):
                        await writer.wait_closed()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            stack.callback(server.close)
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            backends[name] = Backend(name, (address,))
        for name in h2_names:

            async def answer(peer: Peer, seen: Seen, name: str = name) -> None:
                await recorder.h2(name, peer, seen)

            told = await stack.enter_async_context(h2_revision(answer))
            backends[name] = Backend(name, (told.address,), "h2c")
        yield backends


@contextlib.contextmanager
def both_proxies(
    binary: str,
    folder: Path,
    answer: Answer,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    routes: Callable[[dict[str, Backend]], RouteTable],
) -> Iterator[BothProxies]:
    """Run both before revisions of these names: those of HTTP/1.1, and those of h2c."""
    loop = uvloop.new_event_loop()
    both = BothProxies(loop, Recorder(answer))
    ready, over = threading.Event(), asyncio.Event()
    tables: list[RouteTable] = []

    async def serve() -> None:
        async with revisions(both._recorder, *names) as backends, gateway() as ours:
            tables.append(routes(backends))
            ours.router.replace(tables[0])
            both.ports["ours"] = ours.port
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(WAIT_S)
        with envoy(binary, tables[0], folder) as port:
            both.ports["Envoy"] = port
            yield both
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(WAIT_S)
        loop.close()
