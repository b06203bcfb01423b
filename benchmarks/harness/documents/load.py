"""The report of `knary load --json` as far as it is compared: docs/load.md has all of it."""

from __future__ import annotations

from msgspec import Struct, field

LOAD = "knary.load/v1"

Interval = tuple[float | None, float | None]


class Tally(Struct, frozen=True):
    """Requests, failures by kind and latencies, of all or of one revision."""

    requests: int
    errors: dict[str, int]
    latency_us: dict[str, float]
    latency_intervals_us: dict[str, Interval] = field(default_factory=dict)
    share: float | None = None

    @property
    def failed(self) -> int:
        return sum(self.errors.values())


class Schedule(Struct, frozen=True):
    """How well the generator kept its own plan."""

    late_share: float
    behind_schedule: bool


class LoadDocument(Struct, frozen=True):
    """The whole report."""

    schema: str
    protocol: str
    host: str
    loop: str
    elapsed_s: float
    rate_per_s: float
    schedule: Schedule
    requests: int
    errors: dict[str, int]
    latency_us: dict[str, float]
    revisions: dict[str, Tally]
    latency_intervals_us: dict[str, Interval] = field(default_factory=dict)

    @property
    def all(self) -> Tally:
        return Tally(self.requests, self.errors, self.latency_us, self.latency_intervals_us)
