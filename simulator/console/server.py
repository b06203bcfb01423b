"""The console's port: health, status, figures, and the state as a whole.

Under the API's access rules and token: the Host must be ours whatever the method, what comes from
another site is refused, and a body must be JSON, which no page can send without asking first.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from simulator.api import documents
from simulator.api.access import Policy
from simulator.api.guard import guarded, split_target
from simulator.api.server import HEADERS, read_body, refused, serve
from simulator.api.settings import ApiSettings
from simulator.errors import (
    ApiError,
    BadRequest,
    KnaryError,
    MethodNotAllowed,
    NotFound,
    UnsupportedMediaType,
)
from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import Seen

log = logging.getLogger(__name__)

OFFERS = """knary: Knative canary releases on one machine

GET /healthz       alive
GET /readyz        ready to serve
GET /knary/status  what runs, as JSON (bearer token: the file `token` in the data folder)
GET /knary/top     requests by service and revision, as JSON (bearer token)
GET /metrics       figures for Prometheus, in its text format or OpenMetrics (bearer token)

POST /knary/reset     back to the baseline, splits begin anew: {"seed": N} or no body (bearer token)
POST /knary/seed      splits begin anew with a seed: {"seed": N}, null is chance (bearer token)
POST /knary/baseline  what there is now is what a reset leads back to (bearer token)
GET /knary/snapshot   the state as a JSON document (bearer token)
POST /knary/settle    answered when all workers obey what there is now (bearer token)
PUT /knary/snapshot   make the state that of such a document (bearer token)

There is no web console yet: use the command `knary status`.
"""

_READ = ("GET", "HEAD")
METHODS: Mapping[str, tuple[str, ...]] = {
    "/": _READ,
    "/healthz": _READ,
    "/readyz": _READ,
    "/knary/status": _READ,
    "/knary/top": _READ,
    "/knary/reset": ("POST",),
    "/knary/seed": ("POST",),
    "/knary/baseline": ("POST",),
    "/knary/settle": ("POST",),
    "/knary/snapshot": (*_READ, "PUT"),
    "/metrics": _READ,
}
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})

Status = Callable[[], Mapping[str, Any]]


HEALTH_SCHEMA = 1


class State(Protocol):
    """What changes everything at once: `state.InstanceState` is it."""

    async def reset(self, seed: int | None = None) -> Struct: ...
    async def reseed(self, seed: int | None) -> Struct: ...
    async def keep_baseline(self) -> Struct: ...
    async def settle(self) -> Struct: ...
    async def snapshot(self) -> bytes: ...
    async def restore(self, document: bytes) -> Struct: ...


class _Seed(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a reset or a seed."""

    seed: int | None = None


@dataclass(frozen=True)
class Figures:
    """Where /metrics and /knary/top come from; `seen` is asked on the loop's thread."""

    page: MetricsPage
    seen: Callable[[], Seen]


class ConsoleServer:
    """Serves a listening socket on loopback. `policy` should leave `OPEN_PATHS` open."""

    def __init__(
        self,
        policy: Policy,
        settings: ApiSettings,
        status: Status,
        figures: Figures,
        state: State,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._status = status
        self._figures = figures
        self._state = state
        self._is_ready = is_ready
        self._runner: web.ServerRunner | None = None

    async def start(self, sock: socket.socket) -> None:
        """Serve on a listening socket."""
        handler = guarded(self._handle, self._policy, refused)
        self._runner = await serve(handler, sock, None, self._settings)

    async def stop(self) -> None:
        """Finish what is being answered, close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except ApiError as error:
            return refused(error)
        except KnaryError as error:
            return refused(ApiError(str(error)))
        except Exception:
            log.exception("a request failed: %s", request.method)
            return refused(ApiError("an internal error: knary's log says more"))

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        _, path, _ = split_target(request.raw_path)
        if (methods := METHODS.get(path)) is None:
            raise NotFound("there is nothing at this path of the console's port; see GET /")
        if request.method not in methods:
            wanted = " or ".join(method for method in methods if method != "HEAD")
            raise MethodNotAllowed(f"this path is asked with {wanted}")
        if request.method in _READ:
            return await self._read(path, request)
        return _struct(await self._change(path, request))

    async def _read(self, path: str, request: web.BaseRequest) -> web.Response:
        match path:
            case "/healthz":
                return self._health(request, is_well=True)
            case "/readyz":
                return self._health(request, is_well=self._is_ready())
            case "/knary/snapshot":
                return _bytes(await self._state.snapshot())
            case "/knary/status":
                return _json(self._status())
            case "/knary/top":
                return _json(await asyncio.to_thread(self._figures.page.top))
            case "/metrics":
                return await self._metrics(", ".join(request.headers.getall(hdrs.ACCEPT, [])))
            case _:
                return _text(200, OFFERS)

    async def _change(self, path: str, request: web.BaseRequest) -> Struct:
        match path:
            case "/knary/reset":
                return await self._state.reset((await self._seed(request)).seed)
            case "/knary/seed":
                return await self._state.reseed((await self._seed(request)).seed)
            case "/knary/baseline":
                await self._body(request, self._settings.body_bytes_max)
                return await self._state.keep_baseline()
            case "/knary/settle":
                await self._body(request, self._settings.body_bytes_max)
                return await self._state.settle()
            case _:
                document = await self._body(request, self._settings.snapshot_bytes_max)
                return await self._state.restore(document)

    async def _seed(self, request: web.BaseRequest) -> _Seed:
        body = await self._body(request, self._settings.body_bytes_max)
        try:
            return msgspec.json.decode(body, type=_Seed) if body else _Seed()
        except msgspec.MsgspecError as error:
            raise BadRequest(f'the body is to be JSON like {{"seed": 7}}: {error}') from error

    async def _body(self, request: web.BaseRequest, bytes_max: int) -> bytes:
        """Return a body of JSON, or none. Raise UnsupportedMediaType for another."""
        body = await read_body(request, bytes_max, self._settings)
        if body and request.content_type != "application/json":
            raise UnsupportedMediaType("the body must be application/json")
        return body

    def _health(self, request: web.BaseRequest, *, is_well: bool) -> web.Response:
        """Answer in a word, or in JSON to who asks for that: docs/status.md has its schema."""
        code = 200 if is_well else 503
        if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
            status = "ok" if is_well else "not ready"
            return _json({"schema": HEALTH_SCHEMA, "status": status}, code)
        return _text(code, "ok\n" if is_well else "not ready\n")

    async def _metrics(self, accept: str) -> web.Response:
        """Read and write in a thread: thousands of series take longer than the loop may wait."""
        figures = self._figures
        content_type, text = await asyncio.to_thread(figures.page.text, accept, figures.seen())
        return web.Response(
            body=text.encode(), headers={**HEADERS, "Content-Type": content_type, "Vary": "Accept"}
        )


def _json(value: Mapping[str, Any], code: int = 200) -> web.Response:
    return _bytes(documents.to_json(value), code)


def _struct(value: Struct) -> web.Response:
    return _bytes(msgspec.json.encode(value))


def _bytes(body: bytes, code: int = 200) -> web.Response:
    return web.Response(
        status=code, body=body, headers={**HEADERS, "Content-Type": "application/json"}
    )


def _text(code: int, text: str) -> web.Response:
    return web.Response(
        status=code,
        body=text.encode(),
        headers={**HEADERS, "Content-Type": "text/plain; charset=utf-8"},
    )
