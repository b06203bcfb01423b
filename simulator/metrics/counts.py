"""What all workers counted of one target, and what each counted as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.metrics.histogram import BUCKETS, quantile_us
from gateway.metrics.layout import (
    C_ABORTS,
    C_ANSWERED_HERE,
    C_BEGUN,
    C_BYTES_DOWN,
    C_BYTES_UP,
    C_CALLS,
    C_CALLS_FAILED,
    C_LATENCY,
    C_LATENCY_US,
    C_SESSIONS_MOVED,
    C_SESSIONS_NEW,
    C_WAITS,
    C_WAITS_US,
    GRPC_STATUS_NAMES,
    REASON_NAMES,
    W_COUNTERS,
    W_GAUGES,
    W_HEARTBEAT,
    W_LIVES,
    W_PID,
    W_WORKER,
    WORKER_COUNTERS,
    WORKER_GAUGES,
    in_flight,
)

STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

Name = tuple[str, str, str]  # service, revision, tag


@dataclass(frozen=True)
class FileCounts:
    """One file as it was at one moment: `header` and each cell's words. `is_alive`: its writer."""

    header: Sequence[int]
    cells: Mapping[Name, Sequence[int]]
    is_alive: bool


@dataclass(frozen=True)
class CellCounts:
    """One target's requests over all workers. Histograms are counts by bucket."""

    service: str  # "NAMESPACE/NAME"; "" in the cell of all that had none
    revision: str
    tag: str
    begun: int
    in_flight: int
    answered_here: int
    bytes_up: int
    bytes_down: int
    waits_us: int
    waits: Sequence[int]
    latency: Mapping[str, Sequence[int]]  # by status class; only those that occurred
    latency_us: Mapping[str, int]
    aborts: Mapping[str, int]  # by reason; only those that occurred
    calls: Mapping[str, int]  # of gRPC, by status; only those that occurred
    calls_failed: int  # of these, failures that HTTP's status does not tell
    sessions_new: int  # that were dealt this target
    sessions_moved: int  # that had another one, whose share shrank

    @property
    def answers(self) -> int:
        return sum(map(sum, self.latency.values()))

    @property
    def errors(self) -> int:
        """Return how many ended as a 5xx, as a failed call or not at all.

        Those rerouted did elsewhere.
        """
        aborts = sum(self.aborts.values()) - self.aborts.get("rerouted", 0)
        return sum(self.latency.get("5xx", ())) + self.calls_failed + aborts

    def latency_at_us(self, fraction: float) -> int:
        """Return the duration that this fraction of all answers took at most, about 12 % off."""
        whole = [sum(counts) for counts in zip(*self.latency.values(), strict=True)]
        return quantile_us(whole, fraction)


@dataclass(frozen=True)
class WorkerCounts:
    """What the workers of one index counted, one after the other; gauges are of those alive."""

    worker: int
    pid: int  # 0 when none lives
    lives: int
    heartbeat_ns: int  # of the system's monotonic clock, at the last flush of one alive
    counters: Mapping[str, int]
    gauges: Mapping[str, int]


@dataclass(frozen=True)
class Counts:
    """Everything, at one moment."""

    cells: tuple[CellCounts, ...]
    workers: tuple[WorkerCounts, ...]


def summed(files: Iterable[FileCounts]) -> Counts:
    """Add up what all files say. A dead writer's gauges are 0, and its counters stay."""
    words: dict[Name, list[int]] = {}
    flying: dict[Name, int] = {}
    died: dict[Name, int] = {}
    workers: dict[int, WorkerCounts] = {}
    for file in files:
        for name, cell in file.cells.items():
            held = words.get(name)
            words[name] = (
                list(cell) if held is None else [a + b for a, b in zip(held, cell, strict=True)]
            )
            unfinished = in_flight(cell)
            into = flying if file.is_alive else died
            into[name] = into.get(name, 0) + unfinished
        _add_worker(workers, file)
    return Counts(
        tuple(
            _cell(name, cell, flying.get(name, 0), died.get(name, 0))
            for name, cell in sorted(words.items())
            if cell[C_BEGUN] or cell[C_WAITS_US]
        ),
        tuple(workers[index] for index in sorted(workers)),
    )


def _cell(name: Name, words: Sequence[int], flying: int, died: int) -> CellCounts:
    """Return the counts; what a dead worker had under way is `worker_died`, as its heir says."""
    latency, latency_us = {}, {}
    for index, status_class in enumerate(STATUS_CLASSES):
        start = C_LATENCY + index * BUCKETS
        counts = words[start : start + BUCKETS]
        if any(counts):
            latency[status_class] = counts
            latency_us[status_class] = words[C_LATENCY_US + index]
    aborts = dict(zip(REASON_NAMES, words[C_ABORTS:], strict=False))
    aborts["worker_died"] += died
    return CellCounts(
        *name,
        begun=words[C_BEGUN],
        in_flight=flying,
        answered_here=words[C_ANSWERED_HERE],
        bytes_up=words[C_BYTES_UP],
        bytes_down=words[C_BYTES_DOWN],
        waits_us=words[C_WAITS_US],
        waits=words[C_WAITS : C_WAITS + BUCKETS],
        latency=latency,
        latency_us=latency_us,
        aborts={reason: count for reason, count in aborts.items() if count},
        calls={
            name: count
            for name, count in zip(GRPC_STATUS_NAMES, words[C_CALLS:], strict=False)
            if count
        },
        calls_failed=words[C_CALLS_FAILED],
        sessions_new=words[C_SESSIONS_NEW],
        sessions_moved=words[C_SESSIONS_MOVED],
    )


def _add_worker(workers: dict[int, WorkerCounts], file: FileCounts) -> None:
    """Add a file to its worker's. Of two alive, one drains: their gauges add up as well."""
    header, index = file.header, file.header[W_WORKER]
    before = workers.get(index) or WorkerCounts(
        index, 0, 0, 0, dict.fromkeys(WORKER_COUNTERS, 0), dict.fromkeys(WORKER_GAUGES, 0)
    )
    counters, gauges = dict(before.counters), dict(before.gauges)
    for place, name in enumerate(WORKER_COUNTERS):
        counters[name] += header[W_COUNTERS + place]
    if file.is_alive:
        for place, name in enumerate(WORKER_GAUGES):
            value = header[W_GAUGES + place]
            is_sum = not name.startswith("table_")
            gauges[name] = gauges[name] + value if is_sum else max(gauges[name], value)
    workers[index] = WorkerCounts(
        worker=index,
        pid=max(before.pid, header[W_PID]) if file.is_alive else before.pid,
        lives=before.lives + header[W_LIVES],
        heartbeat_ns=max(before.heartbeat_ns, header[W_HEARTBEAT] if file.is_alive else 0),
        counters=counters,
        gauges=gauges,
    )
