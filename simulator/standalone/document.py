"""A file of routes as it is written. Pure. docs/gateway.md is its manual."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from simulator.instance.options import GATEWAY_PORT, LOOPBACK

WORKERS_MAX = 64
WAIT_S_MAX = 86_400  # a day
CONCURRENCY_MAX = 65_535  # workers count in 16 bits
DEFAULT_LISTEN = f"{LOOPBACK}:{GATEWAY_PORT}"
EVERY_HOST = "*"

Percent = Annotated[
    float,
    Meta(
        ge=0,
        le=100,
        description="Share of the requests, in steps of 0.01. A split's sum to 100; one alone has"
        " all of them without saying so.",
    ),
]


class TargetDocument(
    Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """One target of a split. What it is, is said once in a route; after that its name will do."""

    name: Annotated[
        str, Meta(description="What logs, metrics and explanations call it; of its route alone.")
    ]
    to: Annotated[
        tuple[Annotated[str, Meta(examples=["127.0.0.1:8001"])], ...],
        Meta(description="Its processes, as HOST:PORT; each gets an even part."),
    ] = ()
    percent: Percent | None = None
    headers: Annotated[
        dict[str, str],
        Meta(description="Set on its requests, in place of what the client sent by these names."),
    ] = {}
    protocol: Annotated[
        Literal["http1", "h2c"] | None,
        Meta(description="What its processes speak: http1, or HTTP/2 without TLS, as for gRPC."),
    ] = None
    timeout_seconds: Annotated[
        Annotated[float, Meta(gt=0, le=WAIT_S_MAX)] | None,
        Meta(description="For a whole request; 300 unless told."),
    ] = None
    response_start_timeout_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=WAIT_S_MAX)] | None,
        Meta(description="Until an answer's first byte; 0 is without this limit."),
    ] = None
    idle_timeout_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=WAIT_S_MAX)] | None,
        Meta(description="Without a byte from the process; 0 is without this limit."),
    ] = None
    container_concurrency: Annotated[
        Annotated[int, Meta(ge=0, le=CONCURRENCY_MAX)] | None,
        Meta(description="Requests at once for each process, over all workers; 0 is no limit."),
    ] = None


class RuleDocument(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Requests whose header is exactly this value are split in another way."""

    header: Annotated[str, Meta(description="A header's name.")]
    value: Annotated[str, Meta(description="Its exact value.")]
    split: tuple[TargetDocument, ...]


class RouteDocument(
    Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """The hosts that one split answers for. The first one names the route over changes."""

    hosts: Annotated[
        tuple[str, ...],
        Meta(description='Names without a port; "*" is any host that no other route has.'),
    ]
    split: tuple[TargetDocument, ...]
    rules: Annotated[
        tuple[RuleDocument, ...], Meta(description="The first that a request meets counts.")
    ] = ()
    host: Annotated[
        str, Meta(description="The Host that processes see; the client's if not set.")
    ] = ""
    sticky: Annotated[
        str,
        Meta(
            description="Keeps a client with its target: docs/sticky.md.",
            examples=["cookie", "cookie=shop", "header=X-User", "address"],
        ),
    ] = ""


class GatewayDocument(
    Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """A whole file of `knary gateway`."""

    routes: tuple[RouteDocument, ...]
    listen: Annotated[
        str, Meta(description="ADDRESS:PORT; port 0 is any free one.", examples=[DEFAULT_LISTEN])
    ] = DEFAULT_LISTEN
    workers: Annotated[
        int, Meta(ge=1, le=WORKERS_MAX, description="Processes that share the port.")
    ] = 1
    splitter: Annotated[
        Literal[
            "stratified",
            "random",
            "exact",
            "smooth-wrr",
            "edf",
            "static-stride",
            "hash-ranges",
        ],
        Meta(description="How shares are dealt out: docs/splitters.md compares them."),
    ] = "stratified"
    hash_header: Annotated[
        str,
        Meta(description="The header that hash-ranges hashes; the client's address if not set."),
    ] = ""
    seed: Annotated[int | None, Meta(description="Makes the split repeatable.")] = None
