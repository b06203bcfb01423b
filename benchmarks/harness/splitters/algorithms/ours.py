"""The gateway's own splitters as entrants: made by make_splitter, and dealt by numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd
from random import Random
from typing import cast

import numpy as np

from benchmarks.harness.splitters.algorithms.deadlines import deal_edf, edf_bound
from benchmarks.harness.splitters.algorithms.drawn import deal_random
from benchmarks.harness.splitters.algorithms.entrant import (
    Bound,
    Entrant,
    Picker,
    Picks,
    Weights,
    repeated,
    unbounded,
)
from benchmarks.harness.splitters.algorithms.hashes import client_murmurs
from benchmarks.harness.splitters.algorithms.stratifying import deal_stratified
from gateway.splitting.credit import FULL
from gateway.splitting.hashing import HashRanges
from gateway.splitting.splitter import Splitter, make_splitter
from gateway.splitting.stride import SEQUENCE_BITS, scaled

_STRIDE_VISITS = 0xFFFF
_STRIDE_OFFSET = _STRIDE_VISITS // 2

TIJDEMAN = "Tijdeman, The chairman assignment problem, Discrete Mathematics 32 (1980) 323-330"
PFAIR = "Pfair windows: Baruah, Cohen, Plaxton, Varvel, Algorithmica 15 (1996) 600-625"
GREEDY = "of two, the one that is owed more is owed at least ½ and at most 1"


def _deal_cycle(name: str) -> Callable[[Weights, Sequence[int], int], Picks]:
    """Return the deal of a deterministic splitter whose credits are zero again after a cycle."""

    def deal(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
        splitter = _made(name, weights, {}, Random(0))
        cycle = min(turns, FULL // gcd(FULL, *weights))
        found = [splitter.pick() for _ in range(cycle)]
        if any(splitter.credit):  # not a whole cycle
            found += [splitter.pick() for _ in range(turns - cycle)]
        return repeated(found, len(seeds), turns)

    return deal


def _deal_stride(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    """Return what static-stride picks: the visits that are taken, from a random one on."""
    visits, targets = np.array(scaled(weights), dtype=np.int64), len(weights)
    per_turn = _STRIDE_VISITS * targets / int(visits.sum())
    picks = np.empty((len(seeds), turns), dtype=np.int16)
    for row, seed in enumerate(seeds):
        begin, found, size = Random(seed).getrandbits(SEQUENCE_BITS), 0, int(turns * per_turn) + 64
        while found < turns:
            # It is a number of 32 bits, and begins again at 0.
            sequence = np.arange(begin, begin + size, dtype=np.int64) & (2**SEQUENCE_BITS - 1)
            generation, index = np.divmod(sequence, targets)
            weight = visits[index]
            place = (weight * generation + index * _STRIDE_OFFSET) % _STRIDE_VISITS
            taken = index[place >= _STRIDE_VISITS - weight][: turns - found]
            picks[row, found : found + len(taken)] = taken
            begin, found = begin + size, found + len(taken)
    return picks


def _deal_hash_ranges(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    ends = np.array(HashRanges(weights).ends, dtype=np.uint32)
    return np.searchsorted(ends, client_murmurs(seeds, turns), side="right").astype(np.int16)


def _stratified_bound(targets: int, turns: int) -> Bound:
    del targets, turns
    return Bound(1.0, PFAIR, reached=False)


def _exact_bound(targets: int, turns: int) -> Bound:
    del turns
    return Bound(1 - 1 / (2 * targets - 2), TIJDEMAN, reached=True)


def _smooth_bound(targets: int, turns: int) -> Bound | None:
    del turns
    return Bound(0.5, GREEDY, reached=True) if targets == 2 else None


def _made(name: str, weights: Weights, owed: dict[str, int], random: Random) -> Splitter:
    return make_splitter(name, _shares(weights), owed, random)


def _shares(weights: Weights) -> dict[str, int]:
    return {str(i): weight for i, weight in enumerate(weights)}


def _entrant(
    name: str,
    used_by: str,
    known: str,
    deal: Callable[[Weights, Sequence[int], int], Picks],
    bound: Callable[[int, int], Bound | None],
    *,
    is_seeded: bool,
    is_keyed: bool = False,
    begins_alike: bool = True,
) -> Entrant:
    def make(weights: Weights, random: Random) -> Picker:
        return _made(name, weights, {}, random)

    def change(before: Picker, weights: Weights, random: Random) -> Picker:
        splitter = cast("Splitter", before)
        owed = {str(i): credit for i, credit in enumerate(splitter.credit)}
        return make_splitter(name, _shares(weights), owed, random, splitter)

    return Entrant(
        name, used_by, known, make, change, deal, bound, is_seeded, is_keyed, begins_alike
    )


STRATIFIED = _entrant(
    "stratified",
    "knary",
    "not the least lag: that is the price of being unpredictable",
    deal_stratified,
    _stratified_bound,
    is_seeded=True,
)
RANDOM = _entrant(
    "random",
    "Knative, Istio, Envoy (weighted clusters)",
    "no bound: the lag grows like sqrt(n p (1 - p))",
    deal_random,
    unbounded,
    is_seeded=True,
)
EXACT = _entrant(
    "exact",
    "knary",
    "a pattern, into which a client with a rhythm can fall",
    _deal_cycle("exact"),
    _exact_bound,
    is_seeded=False,
)
SMOOTH_WRR = _entrant(
    "smooth-wrr",
    "nginx (upstreams)",
    "can exceed 1 for 4 targets and more; workers all begin with the heaviest",
    _deal_cycle("smooth-wrr"),
    _smooth_bound,
    is_seeded=False,
)
EDF = _entrant(
    "edf",
    "Traefik, Envoy (endpoints)",
    "begins anew with each change: a small share may never have its turn",
    deal_edf,
    edf_bound,
    is_seeded=False,
)
STATIC_STRIDE = _entrant(
    "static-stride",
    "gRPC (C++, Java, Go)",
    "a wrong share below 1 % of the mean weight, and above 10 times",
    _deal_stride,
    unbounded,
    is_seeded=True,
    begins_alike=False,
)
HASH_RANGES = _entrant(
    "hash-ranges",
    "nginx (split_clients)",
    "counts keys, not requests; ranges in the middle move",
    _deal_hash_ranges,
    unbounded,
    is_seeded=True,
    is_keyed=True,
)
