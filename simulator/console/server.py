"""The console's port: health, status and figures, under the API's access rules and token."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from simulator.api import documents
from simulator.api.access import Policy
from simulator.api.guard import guarded, split_target
from simulator.api.server import HEADERS, refused, serve
from simulator.api.settings import ApiSettings
from simulator.errors import ApiError, KnaryError, MethodNotAllowed, NotFound
from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import Seen

log = logging.getLogger(__name__)

OFFERS = """knary: Knative canary releases on one machine

GET /healthz       alive
GET /readyz        ready to serve
GET /knary/status  what runs, as JSON (bearer token: the file `token` in the data folder)
GET /knary/top     requests by service and revision, as JSON (bearer token)
GET /metrics       figures for Prometheus, in its text format or OpenMetrics (bearer token)

There is no web console yet: use the command `knary status`.
"""

PATHS = frozenset({"/", "/healthz", "/readyz", "/knary/status", "/knary/top", "/metrics"})
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})

Status = Callable[[], Mapping[str, Any]]


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
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._status = status
        self._figures = figures
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
        if path not in PATHS:
            raise NotFound("there is nothing at this path of the console's port; see GET /")
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed("this path is read with GET")
        match path:
            case "/healthz":
                return _text(200, "ok\n")
            case "/readyz":
                return self._ready()
            case "/knary/status":
                return _json(self._status())
            case "/knary/top":
                return _json(await asyncio.to_thread(self._figures.page.top))
            case "/metrics":
                return await self._metrics(", ".join(request.headers.getall(hdrs.ACCEPT, [])))
            case _:
                return _text(200, OFFERS)

    def _ready(self) -> web.Response:
        return _text(200, "ok\n") if self._is_ready() else _text(503, "not ready\n")

    async def _metrics(self, accept: str) -> web.Response:
        """Read and write in a thread: thousands of series take longer than the loop may wait."""
        figures = self._figures
        content_type, text = await asyncio.to_thread(figures.page.text, accept, figures.seen())
        return web.Response(
            body=text.encode(), headers={**HEADERS, "Content-Type": content_type, "Vary": "Accept"}
        )


def _json(value: Mapping[str, Any]) -> web.Response:
    return web.Response(
        body=documents.to_json(value), headers={**HEADERS, "Content-Type": "application/json"}
    )


def _text(code: int, text: str) -> web.Response:
    return web.Response(
        status=code,
        body=text.encode(),
        headers={**HEADERS, "Content-Type": "text/plain; charset=utf-8"},
    )
