"""What is measured of turns that were dealt: runs x turns, whole numbers at first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.splitters.algorithms.entrant import Picks, Weights

Ints = NDArray[np.int64]

# Primes: a multiple of a split's cycle would flatter those that are exact at its ends.
ERROR_TURNS = (1, 2, 3, 5, 7, 13, 19, 37, 73, 139, 271, 541, 1_009, 2_017, 4_001)


def deviations(picks: Picks, weights: Weights, target: int) -> Ints:
    """Return picked - due of a target at each prefix from the empty one on, times sum(weights)."""
    runs, turns = picks.shape
    made = np.zeros((runs, turns + 1), dtype=np.int64)
    np.cumsum(picks == target, axis=1, out=made[:, 1:])
    made *= sum(weights)
    made -= weights[target] * np.arange(turns + 1, dtype=np.int64)
    return made


def steps(most: int) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, 20, 50 and so on up to `most`."""
    return tuple(
        each * 10**power
        for power in range(len(str(most)))
        for each in (1, 2, 5)
        if each * 10**power <= most
    )


@dataclass(frozen=True)
class Lags:
    """The worst lag of any target, that of the first n turns, and the worst window's."""

    lag: float
    window: float
    by_turns: dict[int, float]


def lags(picks: Picks, weights: Weights) -> Lags:
    """Return what follows from the deviations of all targets, in requests."""
    total, turns = sum(weights), picks.shape[1]
    worst, window = np.zeros(turns + 1, dtype=np.int64), 0
    for target in range(len(weights)):
        off = deviations(picks, weights, target)
        window = max(window, int((off.max(axis=1) - off.min(axis=1)).max()))
        worst = np.maximum(worst, np.abs(off, out=off).max(axis=0))
    so_far = np.maximum.accumulate(worst)
    by_turns = {n: int(so_far[n]) / total for n in steps(turns)}
    return Lags(int(so_far[-1]) / total, window / total, by_turns)


def longest_run(picks: Picks) -> int:
    """Return the greatest number of turns in a row that went to one target."""
    runs, turns = picks.shape
    begins = np.ones((runs, turns), dtype=bool)
    begins[:, 1:] = picks[:, 1:] != picks[:, :-1]
    at = np.append(np.flatnonzero(begins), runs * turns)
    return int(np.diff(at).max())


def longest_gap(picks: Picks, target: int) -> int:
    """Return the greatest number of turns from one of a target to its next; 0 without two."""
    row, turn = np.nonzero(picks == target)
    if len(row) < 2:
        return 0
    same = row[1:] == row[:-1]
    return int(np.where(same, np.diff(turn), 0).max())


def first_turns(picks: Picks, target: int) -> Ints:
    """Return of each run the turn, from 1 on, of a target's first; without one turns + 1."""
    met = picks == target
    found = np.where(met.any(axis=1), met.argmax(axis=1), picks.shape[1]) + 1
    made: Ints = found.astype(np.int64)
    return made


def error_percent(picks: Picks, weights: Weights, target: int) -> dict[int, float]:
    """Return the root mean square error of a target's share over n turns from anywhere, by n."""
    off = deviations(picks, weights, target)
    total, turns = sum(weights), picks.shape[1]
    found = {}
    for n in (each for each in ERROR_TURNS if each <= turns // 2):
        errors = (off[:, n:] - off[:, :-n]) / (total * n)
        found[n] = 100 * float(np.sqrt(np.mean(np.square(errors, out=errors))))
    return found


def aliasing(
    picks: Picks, share: float, target: int, periods: Sequence[int], *, laid_over: bool
) -> dict[int, float]:
    """Return by period how many times its share a target got of the request that met it most.

    `laid_over` adds the runs up, which all begin at the same point; else the worst run counts.
    """
    met = (picks == target).astype(np.uint8)
    found = {}
    for period in periods:
        cycles = picks.shape[1] // period
        if not cycles:
            continue
        each = (
            met[:, : cycles * period].reshape(len(met), cycles, period).sum(axis=1, dtype=np.int64)
        )
        if laid_over:
            each = each.sum(axis=0, keepdims=True)
        found[period] = float(each.max()) / (cycles * share * (len(met) if laid_over else 1))
    return found
