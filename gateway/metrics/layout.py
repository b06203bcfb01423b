"""What the shared file of a worker's counts looks like: all that both planes know of it. Pure.

Unsigned 64-bit words in the machine's byte order, each written by one store, in three areas:

- a header of HEADER_BYTES: the words named below, then the worker's counters and its gauges;
- the names of `cells_max` cells, NAME_BYTES each: "service NUL revision NUL tag NUL" in UTF-8;
- the words of `cells_max` cells, CELL_WORDS each: the scalars, the two histograms, gRPC's statuses.

There is one writer, which holds an exclusive flock(2) on the file for as long as it lives. A flush
makes SEQUENCE odd before its first store and even after its last one: who reads the same even
number before and after has seen one moment. A cell's name is written before CELLS counts it.
Counters only ever grow, over the writer's death too: its successor goes on from what the file says,
and what was under way counts as aborted then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.metrics.cell import CLASSES, REASONS
from gateway.metrics.histogram import BUCKETS

MAGIC: Final = int.from_bytes(b"knaryMET", "little")
LAYOUT_VERSION: Final = 3
WORD: Final = 8
CELLS_MAX: Final = 1000  # with their histograms, 6.3 MB a worker
SLOTS_MAX: Final = 8  # files of one worker index: its successor may start before it has ended

# Words of the header.
W_MAGIC: Final = 0
W_VERSION: Final = 1
W_CELLS_MAX: Final = 2
W_WORKER: Final = 3
W_PID: Final = 4  # 0: the writer ended in order
W_HEARTBEAT: Final = 5  # nanoseconds of the system's monotonic clock, at the last flush
W_SEQUENCE: Final = 6
W_CELLS: Final = 7
W_LIVES: Final = 8  # how many workers have written here
W_COUNTERS: Final = 64
W_GAUGES: Final = 256
HEADER_BYTES: Final = 4096

# The statuses with which heads are refused before they have a target; others count as the last.
REFUSED_STATUSES: Final = (400, 404, 405, 408, 413, 414, 417, 431, 503, 505, 500)
WORKER_COUNTERS: Final = (
    "cpu_us",
    "connections_accepted",
    "connections_refused",
    "h2_connections_accepted",
    "h2_streams_begun",
    "dials",
    "dial_failures",
    "retries",
    "tables_installed",
    "tables_refused",
    "access_log_lines",
    "access_log_dropped",
    "sessions_forgotten",
    "turns_alone",
    *(f"refused_{status}" for status in REFUSED_STATUSES),
)
WORKER_GAUGES: Final = (
    "connections_open",
    "h2_connections_open",
    "pool_idle",
    "pool_in_use",
    "requests_waiting",
    "table_version",
    "table_install_us",
    "splits_alone",
)
REASON_NAMES: Final = (
    "client_gone",
    "upstream_failed",
    "upstream_nonsense",
    "timed_out",
    "rerouted",
    "worker_died",
    "other",
    "worker_ended",
)
GRPC_STATUS_NAMES: Final = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)

NAME_BYTES: Final = 384
OVERFLOW: Final = ("", "", "")  # cell 0: whatever has no cell of its own

# Words of a cell.
C_BEGUN: Final = 0
C_ANSWERED_HERE: Final = 1
C_BYTES_UP: Final = 2
C_BYTES_DOWN: Final = 3
C_WAITS_US: Final = 4
C_CALLS_FAILED: Final = 5
C_SESSIONS_NEW: Final = 6
C_SESSIONS_MOVED: Final = 7
C_LATENCY_US: Final = 8  # one per status class
C_ABORTS: Final = 16  # one per reason
C_LATENCY: Final = 24  # a histogram per status class
C_WAITS: Final = C_LATENCY + CLASSES * BUCKETS
C_CALLS: Final = C_WAITS + BUCKETS  # one per status of gRPC
CELL_WORDS: Final = 744


def name_offset(cell: int) -> int:
    """Return the byte at which a cell's name starts."""
    return HEADER_BYTES + cell * NAME_BYTES


def cell_word(cell: int, cells_max: int) -> int:
    """Return the number of a cell's first word."""
    return (HEADER_BYTES + cells_max * NAME_BYTES) // WORD + cell * CELL_WORDS


def file_bytes(cells_max: int) -> int:
    """Return the length of a file with room for so many cells."""
    return cell_word(cells_max, cells_max) * WORD


def packed_name(service: str, revision: str, tag: str) -> bytes:
    """Return a cell's name as the file has it. Raise ValueError when it does not fit."""
    name = f"{service}\0{revision}\0{tag}\0".encode()
    if len(name) > NAME_BYTES or name.count(0) != 3:
        raise ValueError("the name of a cell does not fit")
    return name


def unpacked_name(data: bytes) -> tuple[str, str, str]:
    """Return service, revision and tag. Raise ValueError when these are not the bytes of a name."""
    parts = data.split(b"\0", 3)
    if len(parts) != 4:
        raise ValueError("no name of a cell")
    service, revision, tag = (part.decode() for part in parts[:3])
    return service, revision, tag


def in_flight(words: Sequence[int]) -> int:
    """Return how many of a cell's requests have begun and not ended; `words` are the cell's."""
    answers = sum(words[C_LATENCY:C_WAITS])
    return max(0, words[C_BEGUN] - answers - sum(words[C_ABORTS : C_ABORTS + REASONS]))
