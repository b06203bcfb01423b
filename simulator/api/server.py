"""HTTP in and out: the only module of the API that knows the web framework, save `guard`."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from aiohttp import hdrs, web

import knary
from simulator.admission.settings import defaults_of
from simulator.api import documents
from simulator.api.access import HEALTH_PATHS, Policy
from simulator.api.deletes import Deletes
from simulator.api.discovery import discovered
from simulator.api.exchange import PLAIN, Answer, Request, Stream, unless_known
from simulator.api.guard import guarded, split_target
from simulator.api.logs import Logs
from simulator.api.negotiation import form_of
from simulator.api.openapi.documents import OpenApi
from simulator.api.paging import Pages, secret_of
from simulator.api.patches import Patches
from simulator.api.paths import Verb, parse_path, verb_of
from simulator.api.queries import Query
from simulator.api.reads import Reads
from simulator.api.reviews import Reviews
from simulator.api.settings import DEFAULTS, ApiSettings
from simulator.api.storing import USER, Storing
from simulator.api.streams import Streams
from simulator.api.watch import Watches
from simulator.api.writes import Writes
from simulator.clock import Clock
from simulator.config.current import config_of
from simulator.errors import (
    ApiError,
    BadRequest,
    MethodNotAllowed,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from simulator.resources.scheme import REVIEWS
from simulator.store.objects import Store

log = logging.getLogger(__name__)

HEADERS = {
    "Server": "knary",
    "Cache-Control": "no-cache, private",
    "X-Content-Type-Options": "nosniff",
}
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Answering = Callable[[Request], Awaitable[Answer | Stream]]


class ApiServer:
    """The Kubernetes-style API over HTTPS, on a socket that its caller opened."""

    def __init__(
        self,
        store: Store,
        settings: ApiSettings,
        clock: Clock,
        policy: Policy,
        replica_logs: Path,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._streams = Streams(settings.streams_max, settings.stream_write_timeout_s)
        pages = Pages(
            *(clock, settings.list_snapshots_max, settings.list_snapshot_s_max),
            secret_of(policy.token),
        )
        reads = Reads(store, clock, pages)
        storing = Storing(store, clock, lambda: defaults_of(config_of(store)))
        writes = Writes(storing)
        patches = Patches(storing, settings.patch_attempts)
        deletes = Deletes(store, clock)
        watches = Watches(store, clock, settings)
        logs = Logs(store, replica_logs, clock, settings)
        self._verbs: dict[Verb, Answering] = {
            "get": _at_once(reads.get),
            "list": _at_once(reads.list),
            "watch": _at_once(watches.open),
            "log": _at_once(logs.open),
            "create": writes.create,
            "update": writes.update,
            "patch": patches.patch,
            "delete": deletes.delete,
            "deletecollection": deletes.delete_collection,
        }
        self._reviews = Reviews(clock, USER)
        self._openapi = OpenApi(knary.__version__)
        self._address = ""
        self._runner: web.ServerRunner | None = None

    @property
    def streams_open(self) -> int:
        """Return how many watches and logs are being sent."""
        return len(self._streams)

    async def start(self, sock: socket.socket, ssl_context: ssl.SSLContext | None) -> None:
        """Serve on a listening socket; without a context, in plain HTTP."""
        self._address = _host_port(sock)
        self._runner = await serve(
            guarded(self._handle, self._policy, refused), sock, ssl_context, self._settings
        )

    async def stop(self) -> None:
        """End the watches cleanly, finish what is being answered, close every connection."""
        self._streams.end_all()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except ApiError as error:
            return refused(error)
        except Exception:
            log.exception("a request failed: %s", request.method)
            return refused(ApiError("an internal error: knary's log says more"))
        if isinstance(answer, Stream):
            return await self._send(request, answer)
        return self._response(answer)

    async def _answer(self, request: web.BaseRequest) -> Answer | Stream:
        _, path, query_text = split_target(request.raw_path)
        if path in HEALTH_PATHS:
            return Answer(200, b"ok", PLAIN)
        query = Query.parse(query_text)
        accept = ",".join(request.headers.getall(hdrs.ACCEPT, []))
        described = self._described(path, query, accept)
        if described is not None:
            if request.method != "GET":
                raise MethodNotAllowed("discovery is read with GET")
            return unless_known(described, request.headers.get(hdrs.IF_NONE_MATCH, ""))
        target = parse_path(path)
        if target is None:
            return Answer(404, b"404 page not found\n", PLAIN)
        verb = verb_of(request.method, target, is_watch=query.boolean("watch"))
        if verb in ("watch", "log"):
            self._streams.require_room()
        if request.method != "GET":
            form_of(accept)  # a write whose answer nobody wants is not done
        asked = Request(
            target=target,
            query=query,
            accept=accept,
            content_type=request.headers.get(hdrs.CONTENT_TYPE, ""),
            user_agent=request.headers.get(hdrs.USER_AGENT, ""),
            body=await self._body(request),
        )
        if target.info in REVIEWS:
            return await self._reviews.create(asked)
        return await self._verbs[verb](asked)

    def _described(self, path: str, query: Query, accept: str) -> Answer | None:
        """Return what is said of the API itself at this path, or None. Raise NotAcceptable."""
        found = discovered(path, accept, knary.__version__, self._address)
        if found is None:
            return self._openapi.answer(path, query, accept)
        body = documents.to_json(found.document)
        return Answer(200, body, found.content_type, etag=True)

    async def _body(self, request: web.BaseRequest) -> bytes:
        """Return the body. Raise TooLarge, UnsupportedMediaType or BadRequest."""
        if request.method not in _METHODS_WITH_BODY:
            return b""
        return await read_body(request, self._settings.body_bytes_max, self._settings)

    def _response(self, answer: Answer) -> web.Response:
        response = web.Response(
            status=answer.code,
            body=answer.body,
            headers={**HEADERS, "Content-Type": answer.content_type, **dict(answer.headers)},
        )
        for text in answer.warnings[: self._settings.warnings_max]:
            response.headers.add("Warning", _warning(text, self._settings.warning_characters_max))
        return response

    async def _send(self, request: web.BaseRequest, stream: Stream) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": stream.content_type})
        response.enable_chunked_encoding()
        now = asyncio.get_running_loop().time
        async with aclosing(stream.parts):
            with self._streams.counted(stream.end, partial(_abort, request)) as sending:
                try:
                    await response.prepare(request)
                    async for part in stream.parts:
                        sending.since = now()
                        await response.write(part)
                        sending.since = None
                    await response.write_eof()
                except ConnectionError:
                    _abort(request)
                except Exception:
                    log.exception("a stream failed")
                    _abort(request)  # a clean end would say that this was all
                finally:
                    stream.end()  # a generator that never began has nothing to close
        return response


async def read_body(request: web.BaseRequest, bytes_max: int, settings: ApiSettings) -> bytes:
    """Return the body whole. Raise TooLarge, UnsupportedMediaType or BadRequest."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise UnsupportedMediaType("the body must not be compressed")
    too_large = TooLarge(f"Request entity too large: limit is {bytes_max}")
    if (request.content_length or 0) > bytes_max:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > bytes_max:
                    raise too_large
    except TimeoutError as error:
        raise BadRequest("the body did not arrive in time") from error
    return bytes(body)


def refused(error: ApiError) -> web.StreamResponse:
    """Return the Status of a refusal as a response."""
    response = web.Response(
        status=error.code,
        body=documents.status_json(error),
        headers={**HEADERS, "Content-Type": "application/json"},
    )
    for text in error.warnings[: DEFAULTS.warnings_max]:
        response.headers.add("Warning", _warning(text, DEFAULTS.warning_characters_max))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def serve(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    sock: socket.socket,
    ssl_context: ssl.SSLContext | None,
    settings: ApiSettings,
) -> web.ServerRunner:
    """Serve every request of a listening socket with `handler`; `cleanup()` ends it."""
    # The framework's own log would hold the bytes of malformed requests.
    silent = logging.getLogger(f"{__name__}.framework")
    silent.setLevel(logging.CRITICAL + 1)
    server = web.Server(
        handler,
        handler_cancellation=True,
        access_log=None,
        logger=silent,
        keepalive_timeout=settings.keep_alive_s,
        lingering_time=settings.linger_s,
        max_line_size=settings.target_bytes_max,
        max_field_size=settings.header_bytes_max,
        auto_decompress=False,
    )
    runner = web.ServerRunner(server, shutdown_timeout=settings.stop_timeout_s)
    await runner.setup()
    await web.SockSite(runner, sock, ssl_context=ssl_context).start()
    return runner


def _at_once(function: Callable[[Request], Answer | Stream]) -> Answering:
    async def answer(request: Request) -> Answer | Stream:
        return function(request)

    return answer


def _abort(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


def _host_port(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _warning(text: str, characters_max: int) -> str:
    """Return a Warning header's value (RFC 7234, 5.5), on one line."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text)[:characters_max]
    return '299 - "' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
