"""What a load is: whom to ask, how, when, and within which bounds."""

from __future__ import annotations

from msgspec import Struct

from simulator.load.schedule import Schedule

ERROR_KINDS = ("connect", "reset", "timeout", "malformed", "4xx", "5xx")


class LoadPlan(Struct, frozen=True):
    """One load on one host of the gateway at `address`:`port`.

    `host` is the Host header. A request that has no whole answer `timeout_s` after its planned
    moment counts as an error, and its connection is closed.
    """

    address: str
    port: int
    host: str
    schedule: Schedule
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    connections_max: int = 64
    timeout_s: float = 10.0


class Answer(Struct, frozen=True):
    """What became of one request. Moments are seconds since the load began.

    `sequence` counts the requests in the order they were sent, from 0. `revision` is who the
    gateway says answered (Knary-Revision), the answer's `text` when it does not say, and "" when
    nobody did. `error` is "" or one of ERROR_KINDS. `text` is the body's first line, cut at 200
    bytes.
    """

    sequence: int
    planned_s: float
    sent_s: float
    done_s: float
    status: int = 0
    revision: str = ""
    error: str = ""
    text: str = ""
