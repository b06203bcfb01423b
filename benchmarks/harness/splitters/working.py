"""Splits dealt by several workers, each with turns of its own, or all with one counter. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.documents.splitters import Workers
from benchmarks.harness.splitters.algorithms.entrant import Entrant, Picks, Weights
from benchmarks.harness.splitters.measures import first_turns, lags
from benchmarks.harness.splitters.weights import canary_of
from gateway.splitting.credit import FULL

TURNS = 2_000  # of each worker


def workers_of(
    entrant: Entrant, weights: Weights, count: int, seeds: Sequence[int], shared_lag: float
) -> Workers:
    """Return the worst lags of so many workers; `seeds` has at least one for each."""
    alike = _in_rotation([entrant.deal(weights, seeds[:1], TURNS)[0]] * count)
    apart = _in_rotation(_apart(entrant, weights, seeds[:count]))
    return Workers(
        count=count,
        alike_lag_requests=lags(alike, weights).lag,
        apart_lag_requests=lags(apart, weights).lag,
        shared_lag_requests=shared_lag,
        alike_first_canary=int(first_turns(alike, canary_of(weights))[0]),
    )


def _apart(entrant: Entrant, weights: Weights, seeds: Sequence[int]) -> list[NDArray[np.int16]]:
    """Return the turns of workers that begin apart: by seeds, or somewhere in the cycle."""
    if entrant.is_seeded:
        return list(entrant.deal(weights, seeds, TURNS))
    whole = entrant.deal(weights, seeds[:1], TURNS + FULL)[0]
    skips = [Random(seed).randrange(FULL) for seed in seeds]
    return [whole[skip : skip + TURNS] for skip in skips]


def _in_rotation(rows: Sequence[NDArray[np.int16]]) -> Picks:
    return np.stack(rows, axis=1).reshape(1, -1)
