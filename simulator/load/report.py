"""What a load found out: counts, errors by kind and latencies, in all and per revision."""

from __future__ import annotations

from typing import Any

from simulator.load.histogram import Latencies
from simulator.load.plan import ERROR_KINDS, Answer, LoadPlan
from simulator.load.schedule import AsFastAsPossible

SCHEMA = "knary.load/v1"
# Revisions beyond these are counted together, under this name: a server cannot fill our memory.
REVISIONS_MAX = 64
OTHERS = "(others)"
UNKNOWN = "(unknown)"
# A send this long after its moment is late. Loopback answers in a fraction of a millisecond; a
# generator that is 10 ms behind measures itself. More than this share of late sends says so.
LATE_AFTER_S = 0.010
LATE_SHARE_MAX = 0.01


class Tally:
    """Requests, errors and latencies of one revision, or of all."""

    def __init__(self) -> None:
        self.requests = 0
        self.errors: dict[str, int] = {}
        self.latencies = Latencies()

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    def count(self, answer: Answer) -> None:
        self.requests += 1
        if answer.error:
            self.errors[answer.error] = self.errors.get(answer.error, 0) + 1
        if answer.status:
            self.latencies.record(answer.done_s - answer.planned_s)

    def to_dict(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "errors": {kind: self.errors[kind] for kind in ERROR_KINDS if kind in self.errors},
            "latency_us": self.latencies.to_dict(),
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
        self.elapsed_s = 0.0
        self.due = 0
        self.late = 0
        self.worst_delay_s = 0.0

    def count(self, answer: Answer) -> None:
        """Take one answer in."""
        self.all.count(answer)
        self._tally(answer).count(answer)
        if answer.status:
            self.service.record(answer.done_s - answer.sent_s)
        self.elapsed_s = max(self.elapsed_s, answer.done_s)

    def noticed(self, delay_s: float) -> None:
        """Take in how long after its moment the generator saw that a request was due.

        Waiting for a free connection comes after that: it is the server's slowness, not ours.
        """
        self.due += 1
        self.worst_delay_s = max(self.worst_delay_s, delay_s)
        self.late += delay_s > LATE_AFTER_S

    def _tally(self, answer: Answer) -> Tally:
        name = answer.revision or UNKNOWN
        if name not in self.revisions and len(self.revisions) >= REVISIONS_MAX:
            name = OTHERS
        return self.revisions.setdefault(name, Tally())

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
        return self.late_share > LATE_SHARE_MAX

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
                "behind_schedule": self.behind_schedule,
            },
            **self.all.to_dict(),
            "service_us": self.service.to_dict(),
            "revisions": {
                name: {"share": round(tally.requests / requests, 6), **tally.to_dict()}
                for name, tally in sorted(self.revisions.items())
            },
        }
