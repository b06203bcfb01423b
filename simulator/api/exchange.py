"""A request and its answer, without HTTP's machinery: what the verbs take and give back."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from simulator.api.paths import Target
from simulator.api.queries import Query

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"

Header = tuple[str, str]


@dataclass(frozen=True)
class Request:
    """What a client asks; `body` is read whole, within its bound."""

    target: Target
    query: Query = field(default_factory=Query)
    accept: str = ""
    content_type: str = ""
    user_agent: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """A whole answer. `warnings` become `Warning: 299` headers.

    With `etag` the body's hash goes along, and a client that has this body is told so (304).
    """

    code: int
    body: bytes
    content_type: str = JSON
    warnings: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    etag: bool = False


@dataclass(frozen=True)
class Stream:
    """An answer whose parts are sent as they come; `end` lets `parts` end soon, and cleanly."""

    parts: AsyncGenerator[bytes, None]
    end: Callable[[], None]
    content_type: str = JSON


def unless_known(answer: Answer, if_none_match: str) -> Answer:
    """Return the answer with its ETag, or 304 without a body when the client has it already."""
    if not answer.etag:
        return answer
    tag = '"' + hashlib.sha512(answer.body).hexdigest().upper() + '"'
    # Two forms of one document have one path.
    headers = (*answer.headers, ("ETag", tag), ("Vary", "Accept"))
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    if known & {tag, "*"}:
        return replace(answer, code=304, body=b"", headers=headers)
    return replace(answer, headers=headers)
