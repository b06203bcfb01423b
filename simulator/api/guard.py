"""Asks `access` about every request before anything else sees it: the servers' one middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from simulator.api.access import Asked, Policy, refusal
from simulator.api.queries import Query
from simulator.errors import ApiError, BadRequest

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refuse = Callable[[ApiError], web.StreamResponse]


def guarded(handler: Handler, policy: Policy, refuse: Refuse) -> Handler:
    """Return a handler that answers only what `policy` allows; `refuse` words the rest."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            asked = asked_of(request)
        except ApiError as error:
            return refuse(error)
        refused = refusal(asked, policy)
        return await handler(request) if refused is None else refuse(refused)

    return handle


def split_target(raw: str) -> tuple[str | None, str, str]:
    """Return authority (of an absolute target), path and query, undecoded. Raise BadRequest."""
    if not raw.isascii():
        raise BadRequest("the request's target has bytes beyond ASCII: percent-encode them")
    if raw.startswith("/"):
        path, _, query = raw.partition("?")
        return None, path, query.partition("#")[0]
    try:
        parts = urlsplit(raw)
    except ValueError as error:
        raise BadRequest("the request's target is malformed") from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadRequest("the request's target is malformed")
    return parts.netloc, parts.path or "/", parts.query


def asked_of(request: web.BaseRequest) -> Asked:
    """Return the facts that access depends on. Raise BadRequest."""
    headers = request.headers
    authority, path, query = split_target(request.raw_path)
    return Asked(
        method=request.method,
        path=path,
        is_stream=hdrs.UPGRADE in headers or Query.parse(query).boolean("watch"),
        hosts=headers.getall(hdrs.HOST, []),
        authority=authority,
        authorizations=headers.getall(hdrs.AUTHORIZATION, []),
        origins=headers.getall(hdrs.ORIGIN, []),
        sites=headers.getall("Sec-Fetch-Site", []),
    )
