"""All entrants, those that keep closest to their shares first; random ones and hashes last."""

from __future__ import annotations

from benchmarks.harness.splitters.algorithms import (
    consistent,
    deadlines,
    drawn,
    lowdiscrepancy,
    ours,
    rounds,
)
from benchmarks.harness.splitters.algorithms.entrant import Entrant

ENTRANTS: tuple[Entrant, ...] = (
    ours.STRATIFIED,
    ours.EXACT,
    ours.SMOOTH_WRR,
    ours.EDF,
    deadlines.RANDOM_START,
    ours.STATIC_STRIDE,
    lowdiscrepancy.GOLDEN_RATIO,
    lowdiscrepancy.VAN_DER_CORPUT,
    rounds.INTERLEAVED,
    rounds.IPVS,
    ours.RANDOM,
    drawn.ALIAS,
    ours.HASH_RANGES,
    consistent.MAGLEV,
    consistent.RENDEZVOUS,
    consistent.RING_HASH,
)
NAMES: tuple[str, ...] = tuple(entrant.name for entrant in ENTRANTS)


def entrant_named(name: str) -> Entrant:
    """Return the entrant. Raise KeyError when there is none."""
    for entrant in ENTRANTS:
        if entrant.name == name:
            return entrant
    raise KeyError(name)
