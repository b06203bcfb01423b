"""How far a split strays from its due over time, and how far it may. Pure.

The requests that were planned up to a moment are no prefix of a splitter's turns: those that were
under way then may have had theirs before others that are not counted yet. Each of them moves a
count by at most one, and so does each answer of which nobody knows who gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knary.splits import bound_of
from simulator.load.timeline import Slice
from simulator.scenario.binomial import interval

FALSE_ALARM = 1e-6  # of a right coin, over a whole turn


@dataclass(frozen=True)
class Due:
    """What a split owes: each revision's part of 1, dealt by `splitter` in each worker by itself.

    `workers` 0 is a number that nobody knows. `from_first_turn`: nobody had a turn of this split
    before the measurement, which halves what proven bounds allow.
    """

    shares: Mapping[str, float]
    splitter: str = ""
    workers: int = 1
    from_first_turn: bool = False

    def bound(self) -> float | None:
        """Return how far any count may be from its due, in requests; None: nothing is proven."""
        proven = bound_of(self.splitter, len(self.shares))
        if proven is None or not self.workers:
            return None
        return float(proven) * self.workers * (1 if self.from_first_turn else 2)


@dataclass(frozen=True)
class Deviation:
    """How far the revision that strayed most is from its due, and how far it may be."""

    lag_requests: float
    bound_requests: float | None

    @property
    def is_broken(self) -> bool:
        return self.bound_requests is not None and self.lag_requests > self.bound_requests + 1e-9


@dataclass
class SplitTrack:
    """Follows one split over all that is sent to it, turn after turn."""

    due: Due
    counts: Counter[str] = field(default_factory=Counter)
    unknown: int = 0  # requests of which nobody knows who had them

    def warm(self, counts: Mapping[str, int]) -> None:
        """Take in the requests of a warm-up, by who answered."""
        for name, count in counts.items():
            self._count(name, count)

    def follow(self, slices: Sequence[Slice]) -> list[Deviation]:
        """Take in a turn; return where the split stood at the end of each slice."""
        found = []
        for each in slices:
            for name, count in each.revisions.items():
                self._count(name, count)
            self.unknown += each.failed
            found.append(self._deviation(each.under_way, len(slices)))
        return found

    def _count(self, name: str, count: int) -> None:
        if name in self.due.shares:
            self.counts[name] += count
        else:
            self.unknown += count

    def _deviation(self, under_way: int, looks: int) -> Deviation:
        requests = self.counts.total() + self.unknown
        off = {
            name: abs(self.counts[name] - share * requests)
            for name, share in self.due.shares.items()
        }
        if self.due.splitter == "random":
            chance = FALSE_ALARM / (looks * len(off))
            allowed = {
                name: _coin(requests, share, chance) + self.unknown
                for name, share in self.due.shares.items()
            }
            worst = max(off, key=lambda name: off[name] - allowed[name])
            return Deviation(off[worst], allowed[worst])
        bound = self.due.bound()
        slack = under_way + self.unknown
        return Deviation(max(off.values()), None if bound is None else bound + slack)


def _coin(requests: int, share: float, false_alarm: float) -> float:
    """Return how far a right coin's count may be from its due."""
    least, most = interval(requests, share, false_alarm)
    return max(requests * share - least, most - requests * share)


def error_percent(revisions: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Return by how many percentage points the share that strayed most is off."""
    total = sum(revisions.values())
    if not total:
        return 0.0
    return 100 * max(abs(revisions.get(name, 0) / total - share) for name, share in shares.items())
