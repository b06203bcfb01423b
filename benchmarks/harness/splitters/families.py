"""Whole families of splits, and how far an algorithm strays in any of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random

from benchmarks.harness.documents.splitters import Family
from benchmarks.harness.splitters.algorithms.entrant import Entrant, Weights, picked
from benchmarks.harness.splitters.weights import in_words
from gateway.contract import SPLITTERS
from gateway.splitting.credit import FULL

TURNS = 100
MANY = 20
RANDOM_SPLITS = 100
_PERCENT = FULL // 100


def two_way() -> Iterator[Weights]:
    """Yield all splits into two whole percents, but for their order."""
    return (_percents(100 - low, low) for low in range(1, 51))


def three_way() -> Iterator[Weights]:
    """Yield all splits into three whole percents, but for their order."""
    for low in range(1, 34):
        for middle in range(low, (100 - low) // 2 + 1):
            yield _percents(100 - low - middle, middle, low)


def many_way(random: Random) -> Iterator[Weights]:
    """Yield random splits into 20 whole percents."""
    for _ in range(RANDOM_SPLITS):
        cuts = sorted(random.sample(range(1, 100), MANY - 1))
        yield _percents(*(b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)))


def families(seed: int) -> dict[str, tuple[Weights, ...]]:
    """Return the families by name."""
    return {
        "two targets": tuple(two_way()),
        "three targets": tuple(three_way()),
        f"{MANY} targets": tuple(many_way(Random(seed))),
    }


def takes_part(entrant: Entrant) -> bool:
    """Tell whether 100 turns say anything of an entrant: not of tables of keys."""
    return not entrant.is_keyed or entrant.name in SPLITTERS


def family_of(entrant: Entrant, name: str, splits: Sequence[Weights], seed: int) -> Family:
    """Return the worst lag over 100 turns of all these splits."""
    worst, where, kept = Fraction(-1), splits[0], True
    bound = entrant.bound(len(splits[0]), TURNS)
    for weights in splits:
        found = lag(picked(entrant, weights, seed, TURNS), weights)
        if found > worst:
            worst, where = found, weights
        if bound is not None and found > bound.requests + 1e-9:
            kept = False
    return Family(
        algorithm=entrant.name,
        family=name,
        splits=len(splits),
        worst_lag_requests=float(worst),
        worst_weights=in_words(where),
        kept=kept if bound is not None else None,
    )


def lag(picks: Sequence[int], weights: Weights) -> Fraction:
    """Return the worst |picked - due| of any target at any prefix, in requests."""
    total, counts, worst = sum(weights), [0] * len(weights), 0
    for turn, target in enumerate(picks, start=1):
        counts[target] += 1
        for i, weight in enumerate(weights):
            worst = max(worst, abs(counts[i] * total - weight * turn))
    return Fraction(worst, total)


def _percents(*parts: int) -> Weights:
    return tuple(part * _PERCENT for part in parts)
