"""The real API server in a thread, and a blocking client: for tests that hypothesis drives."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.api import HOST, WITHIN_S, Reply, running_api


class BlockingApi:
    """One connection that is kept alive, and opened again when it was closed."""

    def __init__(self, port: int, token: str, tls: ssl.SSLContext | None) -> None:
        self._token = token
        assert tls is not None
        self._connection = http.client.HTTPSConnection(HOST, port, timeout=WITHIN_S, context=tls)

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send one request and read all of its answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {self._token}"
        self._connection.request(method, path, body, named)
        response = self._connection.getresponse()
        return Reply(response.status, dict(response.getheaders()), response.read())

    def close(self) -> None:
        self._connection.close()


@contextmanager
def api_in_thread(folder: Path) -> Iterator[BlockingApi]:
    """Run a server in a thread of its own for as long as the context lasts."""
    started = threading.Event()
    found: list[tuple[BlockingApi, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        async with running_api(folder) as api:
            client = BlockingApi(api.port, api.token, api.tls)
            ended = asyncio.Event()
            found.append((client, asyncio.get_running_loop(), ended))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(WITHIN_S)
    client, loop, ended = found[0]
    try:
        yield client
    finally:
        client.close()
        loop.call_soon_threadsafe(ended.set)
        thread.join(WITHIN_S)
