"""The proxy that one writes in an afternoon: an aiohttp server before an aiohttp client.

python plain_proxy.py PORT BACKEND=WEIGHT ...
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator

import uvloop
from aiohttp import ClientSession, TCPConnector, web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


async def make_app(shares: list[str]) -> web.Application:
    """Return the proxy as an application; each share is HOST:PORT=WEIGHT."""
    backends = [share.partition("=")[0] for share in shares]
    weights = [int(share.partition("=")[2]) for share in shares]
    session = web.AppKey("session", ClientSession)

    async def forward(request: web.Request) -> web.Response:
        async with request.app[session].request(
            request.method,
            f"http://{random.choices(backends, weights)[0]}{request.rel_url}",
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
    port, *shares = sys.argv[1:]
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    web.run_app(
        make_app(shares),
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
        loop=loop,
    )


if __name__ == "__main__":
    main()
