"""A sequential test of shares: it stops as soon as it knows, with stated error rates.

For each revision and each direction it is Wald's sequential probability ratio test (Annals of
Mathematical Statistics 16, 1945) of the wanted share against one that is off by `detectable`.
Both errors hold at every moment at once, not only at one that was fixed before: a likelihood ratio
is a martingale, and one that begins at 1 ever reaches c with at most the chance 1/c (Ville 1939).
So one may look after each request, and stop when one likes.

What it takes for granted is that requests are split independently of each other, as Knative's Envoy
does. A splitter that keeps closer to its shares than chance is never blamed for that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum

FALSE_ALARM = 1e-9
MISS = 1e-3
DETECTABLE = 0.05


class Finding(Enum):
    """What is known by now."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"


class Alternative:
    """One way to be wrong: `revision` gets the share `wrong` where `right` is wanted."""

    __slots__ = ("_hit", "_miss", "excluded", "revision", "right", "wrong")

    def __init__(self, revision: str, right: float, wrong: float) -> None:
        self.revision = revision
        self.right = right
        self.wrong = wrong
        self.excluded = False
        self._hit = _log_ratio(wrong, right)
        self._miss = _log_ratio(1 - wrong, 1 - right)

    def evidence(self, hits: int, requests: int) -> float:
        """Return the logarithm of how many times likelier these counts are if it is so."""
        misses = requests - hits
        return (self._hit * hits if hits else 0.0) + (self._miss * misses if misses else 0.0)

    def requests_until(self, evidence: float) -> int:
        """Return after about how many requests, all being right, evidence has sunk by so much."""
        if self.wrong in (0, 1):  # the first one that it rules out decides
            return math.ceil(1 / (self.right if self.wrong == 0 else 1 - self.right))
        sinking = -sum(
            share * ratio
            for share, ratio in ((self.right, self._hit), (1 - self.right, self._miss))
            if share
        )
        return math.ceil(evidence / sinking)


class SequentialSplitTest:
    """Judges counts of requests per revision against shares, again and again as they grow.

    `shares` are of 1 and sum to 1. A right splitter is ever called wrong with at most the chance
    `false_alarm`; one that gives any revision a share that is off by `detectable` or more is ever
    called right with at most the chance `miss`. What is off by less may be called either. Raise
    ValueError for shares or rates that make no sense.
    """

    def __init__(
        self,
        shares: Mapping[str, float],
        *,
        detectable: float = DETECTABLE,
        false_alarm: float = FALSE_ALARM,
        miss: float = MISS,
    ) -> None:
        if not math.isclose(sum(shares.values()), 1, abs_tol=1e-9) or min(shares.values()) < 0:
            raise ValueError(f"shares are to sum to 1: {dict(shares)}")
        for name, rate in (
            ("detectable", detectable),
            ("false_alarm", false_alarm),
            ("miss", miss),
        ):
            if not 0 < rate < 1:
                raise ValueError(f"{name} is to be between 0 and 1: {rate}")
        self._shares = dict(shares)
        self.counts: Counter[str] = Counter()
        self.requests = 0
        self.alternatives = list(_alternatives(self._shares, detectable))
        self.blaming = math.log(len(self.alternatives) / false_alarm)
        self.excluding = math.log(miss)
        self.blamed: Alternative | None = None

    def count(self, revision: str, times: int = 1) -> None:
        """Count `times` requests that `revision` answered."""
        self.counts[revision] += times
        self.requests += times

    @property
    def strays(self) -> list[str]:
        """Return the revisions that got requests and are to get none."""
        return [name for name, count in self.counts.items() if count and not self._shares.get(name)]

    def finding(self) -> Finding:
        """Judge what was counted. What was found wrong, or excluded, stays so."""
        if self.blamed or self.strays:
            return Finding.WRONG
        for one in self.alternatives:
            evidence = one.evidence(self.counts[one.revision], self.requests)
            if evidence >= self.blaming:
                self.blamed = one
                return Finding.WRONG
            one.excluded = one.excluded or evidence <= self.excluding
        if all(one.excluded for one in self.alternatives):
            return Finding.RIGHT
        return Finding.UNDECIDED

    def needed(self) -> int:
        """Return about how many more requests it takes to call a right splitter right."""
        return max(
            (
                one.requests_until(
                    one.evidence(self.counts[one.revision], self.requests) - self.excluding
                )
                for one in self.alternatives
                if not one.excluded
            ),
            default=0,
        )


def _alternatives(shares: Mapping[str, float], detectable: float) -> Iterator[Alternative]:
    """Yield the ways to be wrong by just so much. One that is out of range stops at 0 and 1."""
    # Of two revisions the share of one says all about the other's.
    for name in list(shares)[:1] if len(shares) == 2 else shares:
        right = shares[name]
        if right > 0:
            yield Alternative(name, right, max(0.0, right - detectable))
        if right < 1:
            yield Alternative(name, right, min(1.0, right + detectable))


def _log_ratio(wrong: float, right: float) -> float:
    if wrong == 0:
        return -math.inf
    return math.log(wrong / right) if right else math.inf
