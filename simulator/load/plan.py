"""What a load is: whom to ask, how, when, and within which bounds."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from simulator.grpcmessages import STATUSES
from simulator.load.schedule import Schedule

# "http1" is HTTP/1.1; the other two are HTTP/2 with prior knowledge, "grpc" a unary call.
Protocol = Literal["http1", "h2c", "grpc"]
PROTOCOLS: tuple[Protocol, ...] = ("http1", "h2c", "grpc")
GRPC_METHOD = "/helloworld.Greeter/SayHello"  # what a call calls unless told otherwise

ERROR_KINDS = ("connect", "reset", "timeout", "malformed", "4xx", "5xx", *STATUSES[1:])


class Part(Struct, frozen=True):
    """Which requests of a plan one of several processes sends: each `of`-th, from `index` on.

    Together the parts are the plan, request by request, however many there are.
    """

    index: int = 0
    of: int = 1

    def share_of(self, count: int) -> int:
        """Return how many of `count` things are this part's."""
        return len(range(self.index, count, self.of))


class LoadPlan(Struct, frozen=True):
    """One load on one host of the gateway at `address`:`port`.

    `host` is the Host header, or `:authority`. Requests ask for `path` and `more_paths` in turn. A
    request that has no whole answer `timeout_s` after its planned moment counts as an error;
    HTTP/1.1 closes its connection, HTTP/2 resets its stream. A gRPC call sends an empty message to
    the method `path`, with that time as deadline.

    Requests that are planned for the first `warm_s` are sent and counted apart. With `slice_s`
    the report also has what happened in each such piece of the time after that. `explain` asks
    the gateway who answers (`Knary-Explain`); without it the answers' own words tell them apart.
    """

    address: str
    port: int
    host: str
    schedule: Schedule
    path: str = "/"
    more_paths: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    connections_max: int = 64
    timeout_s: float = 10.0
    protocol: Protocol = "http1"
    warm_s: float = 0.0
    slice_s: float | None = None
    explain: bool = True
    part: Part = Part()


class Answer(Struct, frozen=True):
    """What became of one request. Moments are seconds since the load began.

    `sequence` counts the requests in the order they were sent, from 0. `revision` is who the
    gateway says answered (Knary-Revision), the answer's `text` when it does not say, and "" when
    nobody did. `error` is "" or one of ERROR_KINDS. `text` is the body's first line, cut at 200
    bytes; of a gRPC call the first text of its reply, or what its status says. `queued_s` is how
    long the gateway says it held the request until a replica took it.
    """

    sequence: int
    planned_s: float
    sent_s: float
    done_s: float
    status: int = 0
    revision: str = ""
    error: str = ""
    text: str = ""
    queued_s: float = 0.0
