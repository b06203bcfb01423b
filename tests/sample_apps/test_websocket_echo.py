"""The WebSocket sample app, as a process of its own, asked by aiohttp's client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType

from tests.support.apps import AppProcess, app
from tests.support.waiting import WITHIN_S


@pytest.fixture(scope="module")
def plain() -> Iterator[AppProcess]:
    with app("websocket_echo", SUFFIX="blue") as running:
        yield running


def test_a_text_comes_back_with_the_suffix_and_bytes_as_they_are(plain: AppProcess) -> None:
    async def talk() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{plain.address}/any/path") as socket,
        ):
            for number in range(3):
                await socket.send_str(f"hello {number}")
                assert await socket.receive_str() == f"hello {number} blue"
            await socket.send_bytes(b"\0\xff")
            assert await socket.receive_bytes() == b"\0\xff"

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/healthz", 200, "ok\n", id="health is plain HTTP"),
        pytest.param("/", 426, "this is a WebSocket server: ask for an upgrade\n", id="no upgrade"),
    ],
)
def test_plain_http_is_answered_too(plain: AppProcess, path: str, status: int, body: str) -> None:
    async def ask() -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{plain.address}{path}") as answer,
        ):
            return answer.status, await answer.text()

    assert asyncio.run(ask()) == (status, body)


def test_a_bad_copy_refuses_the_handshake() -> None:
    async def talk(address: str) -> int:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"http://{address}/")
            return caught.value.status

    with app("websocket_echo", FAIL="bad") as running:
        assert asyncio.run(talk(running.address)) == 500


def test_sigterm_says_goodbye_to_open_connections() -> None:
    async def talk(running: AppProcess) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{running.address}/") as socket,
        ):
            await socket.send_str("here")
            assert await socket.receive_str() == "here"
            running.stop()
            message = await socket.receive(timeout=WITHIN_S)
            assert message.type is WSMsgType.CLOSE
            assert message.data == WSCloseCode.GOING_AWAY

    with app("websocket_echo") as running:
        asyncio.run(talk(running))
        assert running.process.wait(WITHIN_S) == 0
