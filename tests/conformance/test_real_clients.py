"""Clients that people use, in front of the gateway: they ask, upload, download, and ask again.

curl, nghttp and h2load over HTTP/2 are in tests/gateway/test_h2_tools.py, grpcio in test_grpc.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.contract import Backend, Route, RouteTable, Share, Split
from tests.support.gateway import Gateway, gateway, run
from tests.support.installed import needs, program

HOST = "localhost"  # what every client can be made to ask for
DOWNLOAD = b"d" * 3_000_000
UPLOAD = b"u" * 3_000_000
REQUESTS = 20

# A client's four answers: to GET, to an upload (its size), to a download, and to REQUESTS more.
Results = tuple[str, str, bytes, list[str]]
Client = Callable[[str], Awaitable[Results]]


async def hello(request: web.Request) -> web.StreamResponse:
    with contextlib.suppress(ConnectionResetError):  # h2spec resets
        await request.read()  # an early answer ends a stream before h2spec can do wrong on it
    return web.Response(text=f"hello {request.method}")


async def upload(request: web.Request) -> web.StreamResponse:
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
    return web.Response(text=str(size))


async def download(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    for start in range(0, len(DOWNLOAD), 50_000):
        await answer.write(DOWNLOAD[start : start + 50_000])
    return answer


async def talk(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data.upper())
    return socket


@contextlib.asynccontextmanager
async def application() -> AsyncIterator[str]:
    """Run an aiohttp application; the value is its address."""
    app = web.Application(client_max_size=0)
    app.router.add_post("/upload", upload)
    app.router.add_get("/download", download)
    app.router.add_get("/ws", talk)
    app.router.add_route("*", "/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Gateway]:
    async with application() as address, gateway() as worker:
        split = Split("s", (Share("one", 10_000),))
        routes = {"r": Route("r", (HOST, "127.0.0.1"), split)}
        worker.router.replace(RouteTable(1, routes, {"one": Backend("one", (address,))}))
        yield worker


async def by_curl(url: str) -> Results:
    async def curl(*arguments: str, given: bytes = b"") -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(str(program("curl")), "-sS", "--fail", "--noproxy", "*", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate(given)
        assert process.returncode == 0
        return said

    many = [f"{url}/"] * REQUESTS
    said = await curl("-w", "|%{num_connects}\n", *many)
    connects = sum(int(line.rpartition(b"|")[2]) for line in said.splitlines())
    assert connects == 1
    sent = await curl("-T", "-", "-X", "POST", f"{url}/upload", given=UPLOAD)
    return (
        (await curl(f"{url}/")).decode(),
        sent.decode(),
        await curl(f"{url}/download"),
        [line.decode().partition("|")[0] for line in said.splitlines()],
    )


async def by_aiohttp(url: str) -> Results:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:

        async def get(path: str) -> bytes:
            async with session.get(url + path) as answer:
                return await answer.read()

        async with session.post(f"{url}/upload", data=io.BytesIO(UPLOAD)) as answer:
            sent = await answer.text()
        many = [(await get("/")).decode() for _ in range(REQUESTS)]
        return (await get("/")).decode(), sent, await get("/download"), many


def by_httpx(*, http2: bool) -> Client:
    async def client(url: str) -> Results:
        httpx: Any = importlib.import_module("httpx")
        async with httpx.AsyncClient(
            http1=not http2, http2=http2, trust_env=False, timeout=20
        ) as session:

            async def pieces() -> AsyncIterator[bytes]:
                for start in range(0, len(UPLOAD), 100_000):
                    yield UPLOAD[start : start + 100_000]

            first = await session.get(f"{url}/")
            assert first.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            sent = await session.post(f"{url}/upload", content=pieces())
            many = await asyncio.gather(*(session.get(f"{url}/") for _ in range(REQUESTS)))
            down = await session.get(f"{url}/download")
            return first.text, sent.text, down.content, [answer.text for answer in many]

    return client


def needs_package(*names: str) -> pytest.MarkDecorator:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"pip install {' '.join(missing)}")


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(by_curl, id="curl", marks=needs("curl", "apt install curl")),
        pytest.param(by_aiohttp, id="aiohttp"),
        pytest.param(by_httpx(http2=False), id="httpx", marks=needs_package("httpx")),
        pytest.param(
            by_httpx(http2=True), id="httpx over HTTP/2", marks=needs_package("httpx", "h2")
        ),
    ],
)
def test_a_client_asks_uploads_downloads_and_asks_again(client: Client) -> None:
    async def story() -> Results:
        async with serving() as worker:
            return await client(f"http://{HOST}:{worker.port}")

    said, sent, down, many = run(story())
    assert said == "hello GET"
    assert sent == str(len(UPLOAD))
    assert down == DOWNLOAD
    assert many == ["hello GET"] * REQUESTS


def test_aiohttp_talks_over_a_websocket() -> None:
    async def story() -> list[str]:
        async with (
            serving() as worker,
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{HOST}:{worker.port}/ws") as socket,
        ):
            said = []
            for number in range(REQUESTS):
                await socket.send_str(f"a{number}")
                said.append(await socket.receive_str())
            return said

    assert run(story()) == [f"A{number}" for number in range(REQUESTS)]


@needs_package("websockets")
def test_websockets_talks_over_a_websocket() -> None:
    async def story() -> list[str]:
        client: Any = importlib.import_module("websockets.asyncio.client")
        async with serving() as worker:
            url = f"ws://{HOST}:{worker.port}/ws"
            async with client.connect(url, proxy=None) as socket:
                await socket.send("a" * 100_000)
                first = await socket.recv()
                pong = await socket.ping()
                await pong
                await socket.send("b")
                return [first, await socket.recv()]

    assert run(story()) == ["A" * 100_000, "B"]


# The port speaks HTTP/1.1 too: "INVALID CONNECTION PREFACE" gets a 400 in HTTP/1.1, and the end.
H2SPEC_EXCUSED = {"Sends invalid connection preface"}


@needs("h2spec", "github.com/summerwind/h2spec")
def test_h2spec_in_strict_mode() -> None:
    async def story() -> str:
        async with serving() as worker:
            process = await asyncio.create_subprocess_exec(
                *(str(program("h2spec")), "-h", "127.0.0.1", "-p", str(worker.port), "-S"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await process.communicate()
            return said.decode("utf-8", "replace")

    said = run(story())
    failed = {
        name.strip() for name in re.findall(r"\u00d7 \d+: ([^\u00d7\n]+)$", said, re.MULTILINE)
    }
    assert "147 tests" in said
    assert failed <= H2SPEC_EXCUSED
