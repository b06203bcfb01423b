"""WebSocket through the gateway of a real instance, spoken by aiohttp's client.

What Knative's ingress conformance asks (websocket, websocket/split), and a split that changes
under open connections.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.support.instance import Instance
from tests.support.waiting import WITHIN_S

IMAGE = "ko.local/knative.dev/serving/test/test_images/wsserver"
ROUND_TRIPS = 100
BLUE, GREEN = "echo-00001", "echo-00002"


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as running:
        running.run("service", "create", "echo", "--image", IMAGE, "--env", "SUFFIX=blue")
        running.run(
            *("service", "update", "echo", "--env", "SUFFIX=green"),
            *("--traffic", f"{BLUE}=100,@latest=0"),
        )
        yield running


def split(instance: Instance, blue: int, green: int) -> None:
    instance.run("service", "update", "echo", "--traffic", f"{BLUE}={blue},{GREEN}={green}")


@contextlib.asynccontextmanager
async def connected(instance: Instance) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Give a WebSocket connection to the service, on a TCP connection of its own."""
    host, port = instance.gateway
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"http://{host}:{port}/chat", headers={"Host": "echo.default.example.com"}
        ) as socket,
    ):
        yield socket


async def echoed(socket: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """Send a text; return what came back behind it."""
    await socket.send_str(text)
    answer = await socket.receive_str(timeout=WITHIN_S)
    assert answer.startswith(f"{text} ")
    return answer.removeprefix(f"{text} ")


def test_a_hundred_messages_come_back_on_one_connection(instance: Instance) -> None:
    async def talk() -> None:
        async with connected(instance) as socket:
            for number in range(ROUND_TRIPS):
                assert await echoed(socket, f"message {number}") == "blue"

    split(instance, 100, 0)
    asyncio.run(talk())


def test_a_split_deals_out_connections_and_each_stays_where_it_is(instance: Instance) -> None:
    async def talk() -> list[str]:
        async with contextlib.AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(connected(instance)) for _ in range(10)]
            first = [await echoed(socket, "first") for socket in sockets]
            for _ in range(5):
                assert [await echoed(socket, "again") for socket in sockets] == first
            return first

    split(instance, 50, 50)
    assert sorted(asyncio.run(talk())) == ["blue"] * 5 + ["green"] * 5


def test_an_open_connection_keeps_its_revision_when_the_split_changes(instance: Instance) -> None:
    async def talk() -> None:
        async with connected(instance) as before:
            assert await echoed(before, "before") == "blue"
            await asyncio.to_thread(split, instance, 0, 100)
            async with connected(instance) as after:
                assert await echoed(after, "after") == "green"
                assert await echoed(before, "still") == "blue"

    split(instance, 100, 0)
    asyncio.run(talk())


def test_a_large_message_and_a_binary_one_come_back_whole(instance: Instance) -> None:
    async def talk() -> None:
        async with connected(instance) as socket:
            large = "x" * 1_000_000
            assert await echoed(socket, large) == "blue"
            await socket.send_bytes(bytes(range(256)) * 1000)
            assert await socket.receive_bytes(timeout=WITHIN_S) == bytes(range(256)) * 1000

    split(instance, 100, 0)
    asyncio.run(talk())


def test_a_handshake_that_the_revision_refuses_is_refused(instance: Instance) -> None:
    reply = instance.get("echo")
    assert reply.status == 426
    assert reply.text == "this is a WebSocket server: ask for an upgrade\n"
