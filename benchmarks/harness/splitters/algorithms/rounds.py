"""Round robin with weights as numbers of rounds: IPVS', and the interleaved one.

Both deal whole cycles and are exact at their ends; within a cycle the heavy target has long runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from random import Random

from benchmarks.harness.splitters.algorithms.entrant import (
    Entrant,
    Picker,
    Picks,
    Weights,
    repeated,
    unbounded,
)


class IpvsRoundRobin:
    """Pass over the targets with a falling limit; each whose weight reaches it has a turn.

    Source: Linux `net/netfilter/ipvs/ip_vs_wrr.c`: `cw` falls by the greatest common divisor from
    the greatest weight to 1. A change keeps `cw`, cut to the new weights, and begins with the first
    target (ip_vs_wrr_dest_changed).
    """

    def __init__(self, weights: Sequence[int], limit: int | None = None) -> None:
        self._weights = weights
        self._step = gcd(*weights)
        self._highest = max(weights) - (self._step - 1)
        if limit is None or limit > self._highest:
            limit = self._highest
        elif self._step > 1:
            limit = limit // self._step * self._step + 1
        self.limit = limit
        self._last = -1

    def pick(self) -> int:
        """Return the index of the next target."""
        weights, at = self._weights, self._last
        while True:
            at += 1
            if at == len(weights):
                at = 0
                self.limit -= self._step
                if self.limit <= 0:
                    self.limit = self._highest
            if weights[at] >= self.limit:
                self._last = at
                return at

    def pick_for(self, key: bytes) -> int:
        """Return the index of the next target, whatever the key."""
        del key
        return self.pick()


class InterleavedRoundRobin:
    """Rounds 1 to the greatest weight; in round r whoever weighs at least r has a turn.

    Source: Tabatabaee, Le Boudec, Boyer, Interleaved Weighted Round-Robin: A Network Calculus
    Analysis, arXiv 2003.08372, algorithm 1; here with weights cut by their common divisor.
    """

    def __init__(self, weights: Sequence[int]) -> None:
        step = gcd(*weights)
        self._weights = [weight // step for weight in weights]
        self._round, self._last = 1, -1

    def pick(self) -> int:
        """Return the index of the next target."""
        weights, at = self._weights, self._last
        while True:
            at += 1
            if at == len(weights):
                at = 0
                self._round = self._round % max(weights) + 1
            if weights[at] >= self._round:
                self._last = at
                return at

    def pick_for(self, key: bytes) -> int:
        """Return the index of the next target, whatever the key."""
        del key
        return self.pick()


def _make_ipvs(weights: Weights, random: Random) -> Picker:
    del random  # deterministic
    return IpvsRoundRobin(weights)


def _change_ipvs(before: Picker, weights: Weights, random: Random) -> Picker:
    del random
    return IpvsRoundRobin(weights, before.limit if isinstance(before, IpvsRoundRobin) else None)


def _make_interleaved(weights: Weights, random: Random) -> Picker:
    del random  # deterministic
    return InterleavedRoundRobin(weights)


def _change_interleaved(before: Picker, weights: Weights, random: Random) -> Picker:
    del before, random  # begins anew
    return InterleavedRoundRobin(weights)


def _deal_ipvs(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    return _cycles(IpvsRoundRobin(weights), weights, len(seeds), turns)


def _deal_interleaved(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    return _cycles(InterleavedRoundRobin(weights), weights, len(seeds), turns)


def _cycles(picker: Picker, weights: Weights, runs: int, turns: int) -> Picks:
    """Return the first cycle, which is sum / gcd turns long, over and over."""
    cycle = min(turns, sum(weights) // gcd(*weights))
    return repeated([picker.pick() for _ in range(cycle)], runs, turns)


IPVS = Entrant(
    name="ipvs-wrr",
    used_by="Linux IPVS",
    known="solid runs of the heavy target; a small one comes last in the cycle",
    make=_make_ipvs,
    change=_change_ipvs,
    deal=_deal_ipvs,
    bound=unbounded,
    is_seeded=False,
)
INTERLEAVED = Entrant(
    name="iwrr",
    used_by="packet schedulers (interleaved WRR)",
    known="a solid run of the heavy target at the end of each cycle",
    make=_make_interleaved,
    change=_change_interleaved,
    deal=_deal_interleaved,
    bound=unbounded,
    is_seeded=False,
)
