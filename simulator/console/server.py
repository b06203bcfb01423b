"""The console's port: health and status over HTTP, under the API's access rules and token."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from simulator.api import documents
from simulator.api.access import Policy
from simulator.api.guard import guarded, split_target
from simulator.api.server import HEADERS, refused, serve
from simulator.api.settings import ApiSettings
from simulator.errors import ApiError, KnaryError, MethodNotAllowed, NotFound

log = logging.getLogger(__name__)

OFFERS = """knary: Knative canary releases on one machine

GET /healthz       alive
GET /readyz        ready to serve
GET /knary/status  what runs, as JSON (bearer token: the file `token` in the data folder)

There is no web console yet: use the command `knary status`.
"""

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})

Status = Callable[[], Mapping[str, Any]]


class ConsoleServer:
    """Serves a listening socket on loopback. `policy` should leave `OPEN_PATHS` open."""

    def __init__(
        self,
        policy: Policy,
        settings: ApiSettings,
        status: Status,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._status = status
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
            return self._answer(request)
        except ApiError as error:
            return refused(error)
        except KnaryError as error:
            return refused(ApiError(str(error)))
        except Exception:
            log.exception("a request failed: %s", request.method)
            return refused(ApiError("an internal error: knary's log says more"))

    def _answer(self, request: web.BaseRequest) -> web.Response:
        _, path, _ = split_target(request.raw_path)
        answers = {"/": self._offers, "/healthz": self._healthy, "/readyz": self._ready}
        answers["/knary/status"] = self._show_status
        if path not in answers:
            raise NotFound("there is nothing at this path of the console's port; see GET /")
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed("this path is read with GET")
        return answers[path]()

    def _offers(self) -> web.Response:
        return _text(200, OFFERS)

    def _healthy(self) -> web.Response:
        return _text(200, "ok\n")

    def _ready(self) -> web.Response:
        return _text(200, "ok\n") if self._is_ready() else _text(503, "not ready\n")

    def _show_status(self) -> web.Response:
        body = documents.to_json(self._status())
        return web.Response(body=body, headers={**HEADERS, "Content-Type": "application/json"})


def _text(code: int, text: str) -> web.Response:
    return web.Response(
        status=code,
        body=text.encode(),
        headers={**HEADERS, "Content-Type": "text/plain; charset=utf-8"},
    )
