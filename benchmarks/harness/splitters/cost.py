"""What a pick and a split cost in this Python: wall-clock nanoseconds, and bytes."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from itertools import repeat, starmap
from random import Random
from time import perf_counter_ns

from benchmarks.harness.splitters.algorithms.entrant import Entrant, Weights, client_key

PICKS = 2_000
REPEATS = 5
SPLITS = 8
LARGE_BYTES = 100_000  # tracing makes such tables slow, and one of them tells enough


def pick_ns(entrant: Entrant, weights: Weights) -> float:
    """Return what a pick takes: of several repeats the fastest, which was disturbed least."""
    picker = entrant.make(weights, Random(1))
    keys = [client_key(1, turn) for turn in range(PICKS)]
    best = float("inf")
    for _ in range(REPEATS):
        # The loop itself runs in C, and costs some 20 ns.
        unkeyed = starmap(picker.pick, repeat((), PICKS))
        picks = map(picker.pick_for, keys) if entrant.is_keyed else unkeyed
        begin = perf_counter_ns()
        deque(picks, maxlen=0)
        best = min(best, (perf_counter_ns() - begin) / PICKS)
    return best


def split_bytes(entrant: Entrant, weights: Weights) -> float:
    """Return what Python allocates for a split, without the generator that all share."""
    random = Random(1)
    entrant.make(weights, random).pick_for(b"warm")
    gc.collect()
    tracemalloc.start()
    try:
        begin, _ = tracemalloc.get_traced_memory()
        kept = [entrant.make(weights, random)]
        one, _ = tracemalloc.get_traced_memory()
        if one - begin > LARGE_BYTES:
            return one - begin
        kept += [entrant.make(weights, random) for _ in range(SPLITS)]
        all_of_them, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (all_of_them - one) / (len(kept) - 1)
