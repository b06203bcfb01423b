"""The real API server on a loopback port, with TLS and a store on a real file."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from simulator.api.access import Policy, allowed_hosts
from simulator.api.server import ApiServer
from simulator.api.settings import ApiSettings
from simulator.instance.credentials import ensure_credentials
from simulator.instance.paths import InstancePaths
from simulator.resources.core import Namespace, NamespaceStatus
from simulator.resources.meta import ObjectMeta
from simulator.store.objects import Store
from simulator.store.settings import DEFAULTS, StoreSettings
from tests.support.clocks import ManualClock
from tests.support.stored import open_store

WITHIN_S = 20.0
HOST = "127.0.0.1"
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@dataclass(frozen=True)
class Reply:
    """An answer, read whole."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def said(self) -> tuple[int, str, str]:
        """Return code, reason and message of a Status."""
        status = self.json
        assert status["code"] == self.code
        return self.code, status["reason"], status["message"]


class Frames:
    """The lines of a watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def take(self, count: int) -> list[Any]:
        """Return the next frames, within a bounded time."""
        async with asyncio.timeout(WITHIN_S):
            return [json.loads(await self.response.content.readline()) for _ in range(count)]

    async def rest(self) -> list[Any]:
        """Return the frames up to the stream's clean end."""
        async with asyncio.timeout(WITHIN_S):
            return [json.loads(line) for line in (await self.response.read()).splitlines()]


class Api:
    """A client of one running server, and what is behind it."""

    def __init__(self, store: Store, paths: InstancePaths, clock: ManualClock) -> None:
        self.store = store
        self.paths = paths
        self.clock = clock
        self.port = 0
        self.token = ""
        self.tls: ssl.SSLContext | None = None
        self.server: ApiServer
        self.session: aiohttp.ClientSession

    @property
    def base(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://{HOST}:{self.port}"

    async def call(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        """Send one request; a document goes as JSON, bytes as they are. None drops a header."""
        async with self.session.request(
            method, self.base + path, data=as_bytes(body), headers=self._headers(body, headers)
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    @asynccontextmanager
    async def watch(self, path: str, **headers: str | None) -> AsyncIterator[Frames]:
        """Open a watch, or any other stream."""
        async with self.session.get(
            self.base + path, headers=self._headers(None, headers)
        ) as response:
            assert response.status == 200, await response.read()
            yield Frames(response)

    async def raw(self, request: bytes) -> bytes:
        """Send bytes on a connection of their own; return all that is answered."""
        reader, writer = await asyncio.open_connection(HOST, self.port, ssl=self.tls)
        try:
            writer.write(request)
            async with asyncio.timeout(WITHIN_S):
                return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()

    async def first_answer(self, request: bytes) -> bytes:
        """Do the same, but wait for no more than one answer with a Content-Length."""
        reader, writer = await asyncio.open_connection(HOST, self.port, ssl=self.tls)
        try:
            writer.write(request)
            async with asyncio.timeout(WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                return head + await reader.readexactly(int(length))
        finally:
            writer.close()
            await writer.wait_closed()

    def _headers(self, body: Any, given: Mapping[str, str | None]) -> dict[str, str]:
        headers: dict[str, str | None] = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        headers |= {name.replace("_", "-"): value for name, value in given.items()}
        return {name: value for name, value in headers.items() if value is not None}


def as_bytes(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body).encode()


@asynccontextmanager
async def running_api(
    folder: Path, settings: ApiSettings | None = None, store: StoreSettings = DEFAULTS
) -> AsyncIterator[Api]:
    """Run a server with the namespace default, and a client of it."""
    clock = ManualClock()
    paths = InstancePaths(folder)
    sock = socket.create_server((HOST, 0))
    async with open_store(folder, store, clock) as opened:
        if opened.get(Namespace, "", "default") is None:
            meta = ObjectMeta(name="default")
            await opened.create(Namespace(metadata=meta, status=NamespaceStatus(phase="Active")))
        api = Api(opened, paths, clock)
        api.port = sock.getsockname()[1]
        credentials = ensure_credentials(paths, HOST, api.port, datetime.now(UTC))
        api.token = credentials.token
        api.tls = ssl.create_default_context(cafile=str(paths.certificates / "ca.crt"))
        server = ApiServer(
            opened,
            settings or ApiSettings(),
            clock,
            Policy("https", allowed_hosts([HOST]), api.token),
            paths.replica_logs,
        )
        await server.start(sock, credentials.server_context())
        api.server = server
        try:
            async with new_session(api.tls) as session:
                api.session = session
                yield api
        finally:
            await server.stop()


def run_with_api(
    folder: Path,
    scenario: Callable[[Api], Awaitable[None]],
    settings: ApiSettings | None = None,
    store: StoreSettings = DEFAULTS,
) -> None:
    """Play a scenario against a server of its own."""

    async def inside() -> None:
        async with running_api(folder, settings, store) as api:
            await scenario(api)

    asyncio.run(inside())


async def make(api: Api, **metadata: Any) -> Any:
    """Create a Service and return it."""
    reply = await api.call("POST", SERVICES, manifest(**metadata))
    assert reply.code == 201, reply.body
    return reply.json


@asynccontextmanager
async def new_session(tls: ssl.SSLContext | None) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a client that sends no header of its own making."""
    connector = aiohttp.TCPConnector(ssl=tls if tls is not None else True)
    async with aiohttp.ClientSession(
        connector=connector, skip_auto_headers=("Content-Type", "Accept", "User-Agent")
    ) as session:
        yield session


def manifest(name: str = "hello", image: str = "app:1", **metadata: Any) -> dict[str, Any]:
    """Return a Service's manifest."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, **metadata},
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
    }
