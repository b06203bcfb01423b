"""Splits whose weights change, and that begin anew, turn by turn."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from benchmarks.harness.documents.splitters import Changes
from benchmarks.harness.splitters.algorithms.entrant import (
    Entrant,
    Picker,
    Weights,
    client_key,
)
from gateway.splitting.credit import FULL

RAMP_PERCENT_MAX = 20
RAMP_TURNS_PER_STEP = 50
RESTART_PERCENT = 1
RESTART_TURNS = 50
RESTARTS = 200
_PERCENT = FULL // 100


def changes_of(entrant: Entrant, seeds: Sequence[int]) -> Changes:
    """Return how an entrant takes a ramp, and restarts at 1 %."""
    if entrant.is_keyed:
        entrant = _made_once(entrant)
    seeds = seeds if entrant.is_seeded else seeds[:1]
    ramps = [_ramp(entrant, seed) for seed in seeds]
    due = sum(range(1, RAMP_PERCENT_MAX + 1)) * RAMP_TURNS_PER_STEP / 100
    restarted_due = RESTARTS * RESTART_TURNS * RESTART_PERCENT / 100
    met = statistics.median(_restarted(entrant, seed) for seed in seeds)
    return Changes(
        algorithm=entrant.name,
        ramp_percent_max=RAMP_PERCENT_MAX,
        ramp_turns_per_step=RAMP_TURNS_PER_STEP,
        ramp_worst_lag_requests=max(lag for lag, _ in ramps),
        ramp_canary_percent_of_due=100 * statistics.median(got for _, got in ramps) / due,
        restart_turns=RESTART_TURNS,
        restart_canary_percent_of_due=100 * met / restarted_due,
    )


def _made_once(entrant: Entrant) -> Entrant:
    """Return an entrant that makes each table once: a hash has no memory, another is the same."""
    tables: dict[Weights, Picker] = {}

    def make(weights: Weights, random: Random) -> Picker:
        if weights not in tables:
            tables[weights] = entrant.make(weights, random)
        return tables[weights]

    def change(before: Picker, weights: Weights, random: Random) -> Picker:
        del before
        return make(weights, random)

    return replace(entrant, make=make, change=change)


def _ramp(entrant: Entrant, seed: int) -> tuple[float, int]:
    """Return the worst lag of the canary through the ramp, and how many requests it got."""
    random, turn, got, due, worst = Random(seed), 0, 0, 0, 0
    picker = entrant.make(_canary(1), random)
    for percent in range(1, RAMP_PERCENT_MAX + 1):
        if percent > 1:
            picker = entrant.change(picker, _canary(percent), random)
        for _ in range(RAMP_TURNS_PER_STEP):
            got += picker.pick_for(client_key(seed, turn))
            due += percent
            turn += 1
            worst = max(worst, abs(100 * got - due))
    return worst / 100, got


def _restarted(entrant: Entrant, seed: int) -> int:
    """Return how many requests the canary got over all restarts."""
    random, got = Random(seed), 0
    for restart in range(RESTARTS):
        picker = entrant.make(_canary(RESTART_PERCENT), random)
        begin = restart * RESTART_TURNS
        got += sum(
            picker.pick_for(client_key(seed, turn)) for turn in range(begin, begin + RESTART_TURNS)
        )
    return got


def _canary(percent: int) -> Weights:
    return (FULL - percent * _PERCENT, percent * _PERCENT)
