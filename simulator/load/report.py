"""What a load found out: counts, errors by kind and latencies, in all and per revision."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from simulator.load.histogram import Counts, Latencies
from simulator.load.plan import ERROR_KINDS, Answer, LoadPlan
from simulator.load.schedule import AsFastAsPossible, duration_of
from simulator.load.timeline import SliceCounts, Timeline

SCHEMA = "knary.load/v1"
# Revisions beyond these are counted together, under this name: a server cannot fill our memory.
REVISIONS_MAX = 64
OTHERS = "(others)"
UNKNOWN = "(unknown)"
# A send this long after its moment is late. Loopback answers in a fraction of a millisecond; a
# generator that is 10 ms behind measures itself. More than this share of late sends says so.
LATE_AFTER_S = 0.010
LATE_SHARE_MAX = 0.01
# One that hardly ever rests lets answers wait for it, however punctual it is.
OCCUPIED_SHARE_MAX = 0.9


class TallyCounts(Struct, frozen=True):
    """A tally as plain data."""

    requests: int
    errors: dict[str, int]
    queued: int
    latencies: Counts


class ReportCounts(Struct, frozen=True):
    """A report as plain data, for the process that adds up what several sent."""

    all: TallyCounts
    revisions: dict[str, TallyCounts]
    service: Counts
    delays: Counts
    elapsed_s: float
    late: int
    worst_delay_s: float
    worst_queued_s: float
    occupied_share: float
    warm: dict[str, int]
    slices: list[SliceCounts]


class Tally:
    """Requests, errors and latencies of one revision, or of all.

    `queued` are those that the gateway says it held because no replica could take them.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.errors: dict[str, int] = {}
        self.queued = 0
        self.latencies = Latencies()

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    def count(self, answer: Answer) -> None:
        self.requests += 1
        if answer.error:
            self.errors[answer.error] = self.errors.get(answer.error, 0) + 1
        self.queued += answer.queued_s > 0
        if answer.status:
            self.latencies.record(answer.done_s - answer.planned_s)

    def add(self, told: TallyCounts) -> None:
        """Count what another process counted."""
        self.requests += told.requests
        self.queued += told.queued
        for kind, count in told.errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + count
        self.latencies.add(Latencies.from_counts(told.latencies))

    def to_counts(self) -> TallyCounts:
        return TallyCounts(self.requests, self.errors, self.queued, self.latencies.to_counts())

    def to_dict(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "errors": {kind: self.errors[kind] for kind in ERROR_KINDS if kind in self.errors},
            "queued": self.queued,
            "latency_us": self.latencies.to_dict(),
            "latency_intervals_us": self.latencies.intervals() if self.latencies.count else {},
        }


class LoadReport:
    """The running sum of a load; read it at any time.

    `latency_us` counts from the planned moment and only whole answers; `service_us` from the
    moment of sending.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self.plan = plan
        self.all = Tally()
        self.revisions: dict[str, Tally] = {}
        self.service = Latencies()
        self.delays = Latencies()  # of the generator itself: from due to noticed
        self.elapsed_s = 0.0
        self.late = 0
        self.worst_delay_s = 0.0
        self.worst_queued_s = 0.0
        self.occupied_share = 0.0  # of the time, by the generator: the busiest of its processes
        self.warm: dict[str, int] = {}  # answers of the warm-up, by revision
        self.timeline = timeline_of(plan)

    @property
    def due(self) -> int:
        return self.delays.count

    def count(self, answer: Answer) -> None:
        """Take one answer in."""
        name = self._name(answer)
        if self.timeline is not None:
            self.timeline.count(answer, name)
        if answer.planned_s < self.plan.warm_s:
            self.warm[name] = self.warm.get(name, 0) + 1
            return
        self.all.count(answer)
        self.revisions.setdefault(name, Tally()).count(answer)
        if answer.status:
            self.service.record(answer.done_s - answer.sent_s)
        self.worst_queued_s = max(self.worst_queued_s, answer.queued_s)
        self.elapsed_s = max(self.elapsed_s, answer.done_s - self.plan.warm_s)

    def noticed(self, delay_s: float) -> None:
        """Take in how long after its moment the generator saw that a request was due.

        Waiting for a free connection comes after that: it is the server's slowness, not ours.
        """
        self.delays.record(delay_s)
        self.worst_delay_s = max(self.worst_delay_s, delay_s)
        self.late += delay_s > LATE_AFTER_S

    def add(self, told: ReportCounts) -> None:
        """Count what another process counted of the same plan, as if it had been counted here."""
        self.all.add(told.all)
        for name, tally in told.revisions.items():
            kept = self._kept(name, self.revisions)
            self.revisions.setdefault(kept, Tally()).add(tally)
        for name, count in told.warm.items():
            kept = self._kept(name, self.warm)
            self.warm[kept] = self.warm.get(kept, 0) + count
        self.service.add(Latencies.from_counts(told.service))
        self.delays.add(Latencies.from_counts(told.delays))
        self.elapsed_s = max(self.elapsed_s, told.elapsed_s)
        self.late += told.late
        self.worst_delay_s = max(self.worst_delay_s, told.worst_delay_s)
        self.worst_queued_s = max(self.worst_queued_s, told.worst_queued_s)
        self.occupied_share = max(self.occupied_share, told.occupied_share)
        if self.timeline is not None:
            self.timeline.add(told.slices)

    def to_counts(self) -> ReportCounts:
        """Return all of it as plain data; `add` takes that in."""
        return ReportCounts(
            all=self.all.to_counts(),
            revisions={name: tally.to_counts() for name, tally in self.revisions.items()},
            service=self.service.to_counts(),
            delays=self.delays.to_counts(),
            elapsed_s=self.elapsed_s,
            late=self.late,
            worst_delay_s=self.worst_delay_s,
            worst_queued_s=self.worst_queued_s,
            occupied_share=self.occupied_share,
            warm=self.warm,
            slices=[each.to_counts() for each in self.timeline.slices] if self.timeline else [],
        )

    def rename(self, names: Mapping[str, str]) -> None:
        """Count under another name whoever is in `names`; two of one name add up."""
        tallies, self.revisions = self.revisions, {}
        for name, tally in tallies.items():
            self.revisions.setdefault(names.get(name, name), Tally()).add(tally.to_counts())
        self.warm = _renamed(self.warm, names)
        for each in self.timeline.slices if self.timeline else ():
            each.revisions = _renamed(each.revisions, names)

    def _name(self, answer: Answer) -> str:
        """Return the name under which an answer counts."""
        is_warm = answer.planned_s < self.plan.warm_s
        return self._kept(answer.revision or UNKNOWN, self.warm if is_warm else self.revisions)

    @staticmethod
    def _kept(name: str, known: Collection[str]) -> str:
        return name if name in known or len(known) < REVISIONS_MAX else OTHERS

    def shares(self) -> dict[str, int]:
        """Return the requests that each revision answered without an error, by name."""
        return {
            name: tally.requests - tally.failed
            for name, tally in sorted(self.revisions.items())
            if tally.requests > tally.failed
        }

    @property
    def late_share(self) -> float:
        return self.late / self.due if self.due else 0.0

    @property
    def behind_schedule(self) -> bool:
        """Tell whether the generator itself was too slow, so that its latencies mean little."""
        is_overworked = self.occupied_share > OCCUPIED_SHARE_MAX
        return self.due > 0 and (self.late_share > LATE_SHARE_MAX or is_overworked)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the schema that `knary load --json` documents."""
        requests = self.all.requests
        return {
            "schema": SCHEMA,
            "protocol": self.plan.protocol,
            "host": self.plan.host,
            "gateway": f"{self.plan.address}:{self.plan.port}",
            "loop": "closed" if isinstance(self.plan.schedule, AsFastAsPossible) else "open",
            "elapsed_s": round(self.elapsed_s, 6),
            "rate_per_s": round(requests / self.elapsed_s, 3) if self.elapsed_s else 0.0,
            "schedule": {
                "late_after_ms": LATE_AFTER_S * 1e3,
                "late": self.late,
                "late_share": round(self.late_share, 6),
                "worst_delay_ms": round(self.worst_delay_s * 1e3, 3),
                "occupied_share": round(self.occupied_share, 6),
                "behind_schedule": self.behind_schedule,
            },
            **self.all.to_dict(),
            "service_us": self.service.to_dict(),
            "revisions": {
                name: {"share": round(tally.requests / requests, 6), **tally.to_dict()}
                for name, tally in sorted(self.revisions.items())
            },
        }


def timeline_of(plan: LoadPlan) -> Timeline | None:
    """Return the empty timeline of a plan; None when it wants none."""
    if plan.slice_s is None:
        return None
    end = duration_of(plan.schedule)
    if end is None:
        return Timeline(plan.warm_s, plan.slice_s)
    slices = max(1, math.ceil(round((end - plan.warm_s) / plan.slice_s, 6)))
    return Timeline(plan.warm_s, plan.slice_s, slices)


def _renamed(counts: Mapping[str, int], names: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in counts.items():
        other = names.get(name, name)
        found[other] = found.get(other, 0) + count
    return found
