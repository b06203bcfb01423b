"""What happened when: a load's answers in slices of the time for which they were planned. Pure."""

from __future__ import annotations

from msgspec import Struct

from simulator.load.histogram import Counts, Latencies
from simulator.load.plan import Answer

SLICES_MAX = 1000


class SliceCounts(Struct, frozen=True):
    """One slice as plain data; slices of the same moments add up."""

    requests: int
    failed: int
    revisions: dict[str, int]
    under_way: int
    latencies: Counts


class Slice:
    """The requests that were planned for a piece of the time.

    `revisions` counts answers without an error, by who gave them. `under_way` are the requests
    that were due by the slice's end and not over then.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.failed = 0
        self.revisions: dict[str, int] = {}
        self.under_way = 0
        self.latencies = Latencies()

    def add(self, told: SliceCounts) -> None:
        """Count what another process counted in the same piece of time."""
        self.requests += told.requests
        self.failed += told.failed
        self.under_way += told.under_way
        for name, count in told.revisions.items():
            self.revisions[name] = self.revisions.get(name, 0) + count
        self.latencies.add(Latencies.from_counts(told.latencies))

    def to_counts(self) -> SliceCounts:
        counts = self.latencies.to_counts()
        return SliceCounts(self.requests, self.failed, self.revisions, self.under_way, counts)


class Timeline:
    """Slices of `slice_s` each, from `begin_s` on; what was planned before is not in it.

    There are `slices_max`; the last one has what was planned later, and lasts until all is over.
    """

    def __init__(self, begin_s: float, slice_s: float, slices_max: int = SLICES_MAX) -> None:
        self.begin_s = begin_s
        self.slice_s = slice_s
        self._slices_max = min(slices_max, SLICES_MAX)
        self.slices: list[Slice] = []

    def count(self, answer: Answer, revision: str) -> None:
        """Take one answer in; `revision` is the name under which it counts."""
        planned = self._index(answer.planned_s)
        # Whatever was due before a boundary and was over after it was under way there.
        for boundary in range(max(planned, 0), self._index(answer.done_s)):
            self._slice(boundary).under_way += 1
        if planned < 0:
            return
        slice_ = self._slice(planned)
        slice_.requests += 1
        if answer.error:
            slice_.failed += 1
        else:
            slice_.revisions[revision] = slice_.revisions.get(revision, 0) + 1
        if answer.status:
            slice_.latencies.record(answer.done_s - answer.planned_s)

    def add(self, told: list[SliceCounts]) -> None:
        """Count what another process counted over the same time."""
        for index, counts in enumerate(told):
            self._slice(index).add(counts)

    def _index(self, moment_s: float) -> int:
        return min(int((moment_s - self.begin_s) // self.slice_s), self._slices_max - 1)

    def _slice(self, index: int) -> Slice:
        while len(self.slices) <= index:
            self.slices.append(Slice())
        return self.slices[index]
