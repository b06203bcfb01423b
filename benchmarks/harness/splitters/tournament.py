"""The tournament: every algorithm with every set of weights, measured in the same way."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness.documents.splitters import (
    DIGITS,
    Algorithm,
    Changes,
    Family,
    Proof,
    Split,
    SplittersResult,
)
from benchmarks.harness.splitters import measures
from benchmarks.harness.splitters.algorithms.entrant import Entrant, Picks, Weights
from benchmarks.harness.splitters.changing import changes_of
from benchmarks.harness.splitters.cost import pick_ns, split_bytes
from benchmarks.harness.splitters.families import families, family_of, takes_part
from benchmarks.harness.splitters.weights import canary_of, in_words, percents
from benchmarks.harness.splitters.working import workers_of

TURNS = 10_000  # of a run: a whole cycle of shares in steps of 0.01 %
FIRST_PICKS = 1_000
PERIODS = (*range(2, 21), 25, 30, 40, 50, 100)
PER_REQUEST_MIN = 100  # canaries due of each request in a client's cycle, or chance is all one sees
CHANGE_SEEDS = 20
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Plan:
    """What to measure: `picks` are per algorithm and set of weights."""

    entrants: tuple[Entrant, ...]
    weights: tuple[Weights, ...]
    picks: int = 1_000_000
    seed: int = 1
    workers: int = 16
    with_families: bool = False


def played(plan: Plan, progress: Callable[[str], None]) -> SplittersResult:
    """Return what was found; `progress` hears what is measured next."""
    splits: list[Split] = []
    changes: list[Changes] = []
    found: list[Family] = []
    for entrant in plan.entrants:
        progress(entrant.name)
        splits += [split_of(entrant, weights, plan) for weights in plan.weights]
        changes.append(changes_of(entrant, seeds_of(plan, CHANGE_SEEDS)))
        if plan.with_families and takes_part(entrant):
            found += _families_of(entrant, plan.seed)
    return SplittersResult(
        algorithms=tuple(
            Algorithm(each.name, each.used_by, each.known, each.is_seeded) for each in plan.entrants
        ),
        splits=tuple(splits),
        changes=tuple(changes),
        families=tuple(found),
    )


def seeds_of(plan: Plan, count: int) -> range:
    """Return so many seeds, from the plan's on."""
    return range(plan.seed, plan.seed + count)


def split_of(entrant: Entrant, weights: Weights, plan: Plan) -> Split:
    """Return all that is measured of one algorithm with one set of weights."""
    picks = dealt(entrant, weights, plan)
    canary = canary_of(weights)
    lags = measures.lags(picks, weights)
    firsts = measures.first_turns(picks, canary)
    errors = measures.error_percent(picks, weights, canary)
    seeds = seeds_of(plan, plan.workers)
    return Split(
        algorithm=entrant.name,
        weights=in_words(weights),
        percents=percents(weights),
        runs=picks.shape[0],
        turns=picks.shape[1],
        canary_percent=100 * float(np.mean(picks == canary)),
        worst_lag_requests=lags.lag,
        bound=_proof(entrant, weights, picks.shape[1], lags.lag),
        worst_window_requests=lags.window,
        longest_run=measures.longest_run(picks),
        longest_gap=measures.longest_gap(picks, canary),
        first_canary_worst=int(firsts.max()),
        first_canary_median=float(statistics.median(firsts.tolist())),
        error_percent={str(n): error for n, error in errors.items()},
        lag_by_turns={str(n): lag for n, lag in lags.by_turns.items()},
        aliasing=_aliasing(entrant, weights, plan, picks),
        workers=workers_of(entrant, weights, plan.workers, seeds, lags.lag),
        pick_ns=pick_ns(entrant, weights),
        split_bytes=split_bytes(entrant, weights),
        first_picks="".join(DIGITS[target] for target in picks[0, :FIRST_PICKS].tolist()),
    )


def dealt(entrant: Entrant, weights: Weights, plan: Plan) -> Picks:
    """Return the turns: runs of a whole cycle by seeds, or one long run where no seed matters."""
    turns = min(TURNS, plan.picks)
    if entrant.is_seeded:
        return entrant.deal(weights, seeds_of(plan, max(1, plan.picks // turns)), turns)
    return entrant.deal(weights, seeds_of(plan, 1), plan.picks)


def _proof(entrant: Entrant, weights: Weights, turns: int, lag: float) -> Proof | None:
    bound = entrant.bound(len(weights), turns)
    if bound is None:
        return None
    kept = lag <= bound.requests + _ROUNDING if bound.reached else lag < bound.requests
    return Proof(bound.requests, bound.source, kept)


def _aliasing(entrant: Entrant, weights: Weights, plan: Plan, picks: Picks) -> dict[str, float]:
    if not entrant.begins_alike:  # runs that begin anywhere would hide it from each other
        picks = entrant.deal(weights, seeds_of(plan, 1), picks.size)
    canary = canary_of(weights)
    share = weights[canary] / sum(weights)
    periods = [each for each in PERIODS if picks.size * share / each >= PER_REQUEST_MIN]
    found = measures.aliasing(
        picks, share, canary, periods, laid_over=entrant.is_seeded and entrant.begins_alike
    )
    return {str(period): times for period, times in found.items()}


def _families_of(entrant: Entrant, seed: int) -> Sequence[Family]:
    return [family_of(entrant, *each, seed) for each in families(seed).items()]
