"""A request and its answer, without HTTP's machinery: what the verbs take and give back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from simulator.api.paths import Target
from simulator.api.queries import Query

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What a client asks; `body` is read whole, within its bound."""

    target: Target
    query: Query = field(default_factory=Query)
    accept: str = ""
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """A whole answer. `warnings` become `Warning: 299` headers."""

    code: int
    body: bytes
    content_type: str = JSON
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """An answer whose parts are sent as they come; `end` lets `parts` end soon, and cleanly."""

    parts: AsyncGenerator[bytes, None]
    end: Callable[[], None]
    content_type: str = JSON
