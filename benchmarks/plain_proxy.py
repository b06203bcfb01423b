"""The proxy that one writes in an afternoon: an aiohttp server before an aiohttp client.

python benchmarks/plain_proxy.py PORT BACKEND BACKEND
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator

import uvloop
from aiohttp import ClientSession, TCPConnector, web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


async def make_app(backends: list[str]) -> web.Application:
    """Return the proxy as an application."""
    turns = itertools.cycle(backends)
    session = web.AppKey("session", ClientSession)

    async def forward(request: web.Request) -> web.Response:
        async with request.app[session].request(
            request.method,
            f"http://{next(turns)}{request.rel_url}",
            headers=[(k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP],
            data=request.content if request.can_read_body else None,
        ) as answer:
            headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)

    async def client(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(connector=TCPConnector(limit=64)) as opened:
            app[session] = opened
            yield

    app = web.Application()
    app.cleanup_ctx.append(client)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


def main() -> None:
    port, *backends = sys.argv[1:]
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    web.run_app(
        make_app(backends),
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
        loop=loop,
    )


if __name__ == "__main__":
    main()
