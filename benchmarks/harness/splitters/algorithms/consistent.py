"""Consistent hashing: the same key has the same target, and few keys move when targets change.

Shares are those of keys, and of what the tables can say. A target's name is its index.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import ceil, log
from random import Random

import numpy as np

from benchmarks.harness.splitters.algorithms.entrant import (
    Entrant,
    Picker,
    Picks,
    Weights,
    unbounded,
)
from benchmarks.harness.splitters.algorithms.hashes import (
    client_hashes,
    hash64,
    mixed,
    mixed_words,
)

MAGLEV_SIZE = 65_537  # a prime: Envoy's default, and the smaller one of the paper's section 5.3
RING_SIZE = 1_024  # Envoy's minimum_ring_size
_HALF = 2.0**-54
_UNIT = 2.0**-53
_DROPPED_BITS = 11  # of 64, so that 53 are left


class _Keyed:
    """Turns for keys; without one, that of the empty key."""

    def pick(self) -> int:
        """Return the target of the empty key."""
        return self.pick_for(b"")

    def pick_for(self, key: bytes) -> int:
        """Return the index of the key's target."""
        raise NotImplementedError


class Maglev(_Keyed):
    """A table in which each target has its share of the entries, looked up by the key's hash.

    Sources: Eisenbud et al., Maglev: A Fast and Reliable Software Network Load Balancer, NSDI 2016,
    section 3.4; the weights as in Envoy's `maglev_lb.cc`.
    """

    def __init__(self, weights: Sequence[int], size: int = MAGLEV_SIZE) -> None:
        preferences = []
        for i in range(len(weights)):
            name = b"%d" % i
            preferences.append((hash64(name) % size, hash64(b"skip " + name) % (size - 1) + 1))
        self.table = array("H", maglev_table(weights, preferences, size))

    def pick_for(self, key: bytes) -> int:
        """Return the index of the key's target."""
        return self.table[hash64(key) % len(self.table)]


def maglev_table(
    weights: Sequence[int], preferences: Sequence[tuple[int, int]], size: int
) -> list[int]:
    """Return the table. `preferences` are each target's offset and skip; `size` is a prime.

    In round r a target takes the next free entry of its preference if r * weight is at least what
    it has taken already, in units of the greatest weight.
    """
    table, heaviest = [-1] * size, max(weights)
    at = [offset for offset, _ in preferences]
    taken, filled, rounds = [0] * len(weights), 0, 0
    while True:
        rounds += 1
        for i, weight in enumerate(weights):
            if rounds * weight < taken[i]:
                continue
            taken[i] += heaviest
            skip, entry = preferences[i][1], at[i]
            while table[entry] >= 0:
                entry = (entry + skip) % size
            table[entry] = i
            at[i] = entry
            filled += 1
            if filled == size:
                return table


class RingHash(_Keyed):
    """Points on a ring, as many of each target as its share of 1,024 and more says.

    Source: Envoy's `ring_hash_lb.cc`: the smallest share has a whole number of points. A key goes
    to the next point.
    """

    def __init__(self, weights: Sequence[int]) -> None:
        self.points, self.owners = ring(weights)

    def pick_for(self, key: bytes) -> int:
        """Return the index of the key's target."""
        at = bisect_left(self.points, hash64(key))
        return self.owners[at if at < len(self.owners) else 0]


def ring(weights: Sequence[int]) -> tuple[array[int], array[int]]:
    """Return the points in their order, and whose each is."""
    total, least = sum(weights), min(weights)
    each = ceil(least * RING_SIZE / total)  # of the smallest
    found, target, current = [], 0.0, 0
    for i, weight in enumerate(weights):
        target += each * weight / least
        first = current
        while current < target:
            found.append((hash64(b"%d_%d" % (i, current - first)), i))
            current += 1
    found.sort()
    return array("Q", [point for point, _ in found]), array("H", [i for _, i in found])


class Rendezvous(_Keyed):
    """Each target draws a number for the key, by its weight; the highest has it.

    Sources: Thaler and Ravishankar, A name-based mapping scheme for rendezvous, 1996; the weights
    by -weight / log(number), Schindelhauer and Schomaker, Weighted distributed hash tables, SPAA
    2005, as Traefik's and Envoy's.
    """

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = weights
        self.salts = salts(len(weights))

    def pick_for(self, key: bytes) -> int:
        """Return the index of the key's target."""
        hashed, best, highest = hash64(key), 0, 0.0
        for i, (weight, salt) in enumerate(zip(self._weights, self.salts, strict=True)):
            number = (mixed(hashed ^ salt) >> _DROPPED_BITS) * _UNIT + _HALF
            score = -weight / log(number)
            if score > highest:
                best, highest = i, score
        return best


def salts(targets: int) -> list[int]:
    """Return what tells the targets' numbers apart."""
    return [hash64(b"%d" % i) for i in range(targets)]


def _deal_maglev(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    table = np.array(Maglev(weights).table, dtype=np.int16)
    entries = client_hashes(seeds, turns) % np.uint64(len(table))
    found: Picks = table[entries.astype(np.int64)]
    return found


def _deal_ring(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    points, owners = ring(weights)
    at = np.searchsorted(np.array(points, dtype=np.uint64), client_hashes(seeds, turns))
    found: Picks = np.array([*owners, owners[0]], dtype=np.int16)[at]
    return found


def _deal_rendezvous(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    hashed = client_hashes(seeds, turns)
    best = np.zeros(hashed.shape, dtype=np.int16)
    highest = np.zeros(hashed.shape)
    for i, (weight, salt) in enumerate(zip(weights, salts(len(weights)), strict=True)):
        numbers = mixed_words(hashed ^ np.uint64(salt)) >> np.uint64(_DROPPED_BITS)
        score = -weight / np.log(numbers.astype(np.float64) * _UNIT + _HALF)
        best[score > highest] = i
        highest = np.maximum(highest, score)
    return best


def _entrant(
    name: str,
    used_by: str,
    known: str,
    made: Callable[[Weights], Picker],
    deal: Callable[[Weights, Sequence[int], int], Picks],
) -> Entrant:
    def make(weights: Weights, random: Random) -> Picker:
        del random  # the table follows from the names
        return made(weights)

    def change(before: Picker, weights: Weights, random: Random) -> Picker:
        del before, random  # a hash has no memory
        return made(weights)

    return Entrant(
        name, used_by, known, make, change, deal, unbounded, is_seeded=True, is_keyed=True
    )


MAGLEV = _entrant(
    "maglev",
    "Google's Maglev, Envoy, IPVS (mh), Katran",
    "counts keys, not requests; a table of 65,537 entries for each split",
    Maglev,
    _deal_maglev,
)
RING_HASH = _entrant(
    "ring-hash",
    "Envoy, gRPC (xDS)",
    "counts keys, not requests; a small share has few points, and so a wrong share",
    RingHash,
    _deal_ring,
)
RENDEZVOUS = _entrant(
    "rendezvous",
    "Traefik (hrw), Envoy",
    "counts keys, not requests; a logarithm for each target and pick",
    Rendezvous,
    _deal_rendezvous,
)
