"""Every message comes back, texts with " $SUFFIX" behind them; GET /healthz says ok.

A request that asks for no WebSocket gets 426 (RFC 9110, 15.5.22). `DELAY_MS` and `FAIL` are those
of helloworld_go/behaviour.py: a bad copy answers 500 to every handshake.
SIGTERM: open connections are closed with 1001, going away (RFC 6455, 7.4.1), exit 0.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from aiohttp import WSCloseCode, WSMsgType, web

from sample_apps.helloworld_go.behaviour import Behaviour
from sample_apps.starting import HOST

MESSAGE_BYTES_MAX = 128 * 1024 * 1024
CLOSE_S_MAX = 2.0  # for a peer's answer to our Close
_LISTEN_BACKLOG = 1024


class Echo:
    """What all connections share: the suffix, and who is connected."""

    def __init__(self, behaviour: Behaviour, suffix: str) -> None:
        self._behaviour = behaviour
        self._suffix = f" {suffix}" if suffix else ""
        self._open: set[web.WebSocketResponse] = set()

    async def talk(self, request: web.Request) -> web.StreamResponse:
        """Answer one handshake, then every message until either side closes."""
        if not self._behaviour.status.startswith("200"):
            return web.Response(status=500, text=self._behaviour.greeting.decode())
        socket = web.WebSocketResponse(max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_S_MAX)
        if not socket.can_prepare(request).ok:
            why = "this is a WebSocket server: ask for an upgrade\n"
            return web.Response(status=426, headers={"Upgrade": "websocket"}, text=why)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            async for message in socket:
                if self._behaviour.delay_s:
                    await asyncio.sleep(self._behaviour.delay_s)
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(message.data + self._suffix)
                elif message.type is WSMsgType.BINARY:
                    await socket.send_bytes(message.data)
        except ConnectionError:  # the client went away before it had its answer
            pass
        finally:
            self._open.discard(socket)
        return socket

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def part(self) -> None:
        """Close every open connection."""
        await asyncio.gather(
            *(socket.close(code=WSCloseCode.GOING_AWAY) for socket in tuple(self._open)),
            return_exceptions=True,
        )


async def serve(
    behaviour: Behaviour, stopping: asyncio.Event, listening: Callable[[], None]
) -> None:
    """Serve until `stopping`, then close what is open. Raise OSError when it cannot listen."""
    echo = Echo(behaviour, os.environ.get("SUFFIX", ""))
    app = web.Application()
    app.router.add_get("/healthz", echo.healthz)
    app.router.add_get("/{path:.*}", echo.talk)
    runner = web.AppRunner(app, handle_signals=False, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, behaviour.port, backlog=_LISTEN_BACKLOG).start()
        listening()
        await stopping.wait()
        await echo.part()
    finally:
        await runner.cleanup()
