"""What the requests of one (service, revision, tag) amount to: the only thing exchanges touch.

An exchange does `cell.begun += 1` when it has its target, and at its end calls exactly one of
`done` (an answer went out whole) and `aborted` (it did not). So at every moment
begun = answers + aborts + in flight.
"""

from __future__ import annotations

from typing import Final

from gateway.metrics.histogram import BUCKETS, bucket_of

CLASSES: Final = 5  # 1xx to 5xx

# Why an answer did not go out whole: what `aborted` is given. Their names are in `layout`.
CLIENT_GONE: Final = 0  # the client left before the answer's end, or was cut off for its slowness
UPSTREAM_FAILED: Final = 1  # the revision's connection broke after the answer's head
UPSTREAM_NONSENSE: Final = 2  # what came after the head was no HTTP
TIMED_OUT: Final = 3  # a time-out of the revision ended an answer that had begun
REROUTED: Final = 4  # the revision left the table while the request waited: another has it now
WORKER_DIED: Final = 5  # under way when the worker ended; counted by its successor
OTHER: Final = 6
WORKER_ENDED: Final = 7  # cut off by a worker that had to end
REASONS: Final = 8

GRPC_STATUSES: Final = 17  # OK to UNAUTHENTICATED
# UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS: the server's
# errors to OpenTelemetry, and what Envoy says as 5xx in HTTP. The others are the caller's.
GRPC_FAILURES: Final = frozenset({2, 4, 12, 13, 14, 15})

_TABLE_US: Final = 16_384
_BUCKET_OF: Final = bytes(bucket_of(duration_us) for duration_us in range(_TABLE_US))
_CLASS_OF: Final = bytes(
    status // 100 - 1 if 100 <= status < 600 else CLASSES - 1 for status in range(1000)
)


class Cell:
    """Counts one target's requests. Plain integers: no allocation and no look-up per request."""

    __slots__ = (
        "aborts",
        "answered_here",
        "begun",
        "bytes_down",
        "bytes_up",
        "calls",
        "calls_failed",
        "ended",
        "latency",
        "latency_us",
        "revision",
        "service",
        "sessions_moved",
        "sessions_new",
        "tag",
        "waits",
        "waits_us",
    )

    def __init__(self, service: str, revision: str, tag: str) -> None:
        """`service` is "NAMESPACE/NAME", `revision` the same of the revision; `tag` may be ""."""
        self.service = service
        self.revision = revision
        self.tag = tag
        self.begun = 0  # the exchange adds 1 itself
        self.ended = 0
        self.answered_here = 0  # answers that the gateway made itself; the exchange adds
        self.bytes_up = 0  # of request bodies
        self.bytes_down = 0  # of answers' bodies
        self.latency = [0] * (CLASSES * BUCKETS)  # status class after status class
        self.latency_us = [0] * CLASSES
        self.waits = [0] * BUCKETS
        self.waits_us = 0
        self.aborts = [0] * REASONS
        self.calls = [0] * GRPC_STATUSES  # of gRPC, by status
        self.calls_failed = 0  # of these, failures that HTTP's status does not tell
        self.sessions_new = 0  # that were dealt this revision; whoever deals adds
        self.sessions_moved = 0  # that had another one, whose share shrank

    def done(self, status: int, latency_us: int, bytes_up: int, bytes_down: int) -> None:
        """Count a request whose answer went out whole, with its status.

        `latency_us` is from the request's head to the answer's last byte. A status beyond 599
        counts as 5xx.
        """
        kind = _CLASS_OF[status] if status < 1000 else CLASSES - 1
        # Most durations are in a table: to compute the bucket costs 0.2 us more, interpreted.
        in_table = 0 <= latency_us < _TABLE_US
        bucket = _BUCKET_OF[latency_us] if in_table else bucket_of(latency_us)
        self.latency[kind * BUCKETS + bucket] += 1
        self.latency_us[kind] += latency_us
        if bytes_up:
            self.bytes_up += bytes_up
        self.bytes_down += bytes_down
        self.ended += 1

    def aborted(self, reason: int, bytes_up: int, bytes_down: int) -> None:
        """Count a request whose answer did not go out whole; `reason` is a constant from above."""
        self.aborts[reason] += 1
        self.bytes_up += bytes_up
        self.bytes_down += bytes_down
        self.ended += 1

    def called(self, grpc_status: int, status: int) -> None:
        """Count the statuses of a gRPC call that is `done`; other requests do not call this."""
        self.calls[grpc_status] += 1
        if status < 500 and grpc_status in GRPC_FAILURES:
            self.calls_failed += 1

    def waited(self, wait_us: int) -> None:
        """Count a request that waited for a replica or a connection; others do not call this."""
        self.waits[bucket_of(wait_us)] += 1
        self.waits_us += wait_us
