"""Whole families of splits, and how far a splitter strays from its shares in any of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random

from gateway.splitting.splitter import Splitter, make_splitter
from knary.splits import bound_of

PERCENTS = 100
MANY = 20
RANDOM_SPLITS = 100

Weights = tuple[int, ...]


def two_way() -> Iterator[Weights]:
    """Yield all splits of 100 into two whole percents, but for their order."""
    return ((PERCENTS - low, low) for low in range(1, PERCENTS // 2 + 1))


def three_way() -> Iterator[Weights]:
    """Yield all splits of 100 into three whole percents, but for their order."""
    for low in range(1, PERCENTS // 3 + 1):
        for middle in range(low, (PERCENTS - low) // 2 + 1):
            yield PERCENTS - low - middle, middle, low


def many_way(random: Random) -> Iterator[Weights]:
    """Yield random splits of 100 into 20 whole percents."""
    for _ in range(RANDOM_SPLITS):
        cuts = sorted(random.sample(range(1, PERCENTS), MANY - 1))
        yield tuple(b - a for a, b in zip([0, *cuts], [*cuts, PERCENTS], strict=True))


def made(name: str, weights: Sequence[int], seed: int) -> Splitter:
    """Return a splitter over targets that are named by their index."""
    return make_splitter(name, {str(i): w for i, w in enumerate(weights)}, {}, Random(seed))


def lag(name: str, weights: Sequence[int], turns: int, seed: int) -> Fraction:
    """Return the worst |picked - due| of any target at any prefix, in requests.

    Splits that go by a key get one key per turn.
    """
    splitter = made(name, weights, seed)
    total, picked, worst = sum(weights), [0] * len(weights), 0
    for turn in range(1, turns + 1):
        picked[splitter.pick_for(b"client-%d" % turn)] += 1
        for i, weight in enumerate(weights):
            worst = max(worst, abs(picked[i] * total - weight * turn))
    return Fraction(worst, total)


def worst_lag(name: str, splits: Sequence[Weights], seed: int) -> tuple[Fraction, bool]:
    """Return the worst lag over 100 turns of all, and whether each keeps its proven bound."""
    most, kept = Fraction(0), True
    for weights in splits:
        found, bound = lag(name, weights, PERCENTS, seed), bound_of(name, len(weights))
        most = max(most, found)
        kept = kept and (bound is None or found <= bound)
    return most, kept


def percent_of_last(name: str, weights: Sequence[int], turns: int, seed: int) -> float:
    """Return the percent that the last target gets."""
    splitter, last = made(name, weights, seed), len(weights) - 1
    picked = sum(splitter.pick_for(b"client-%d" % turn) == last for turn in range(turns))
    return 100 * picked / turns


def rhythm(name: str, weights: Sequence[int], period: int, cycles: int, seed: int) -> float:
    """Return how many times its share the last target gets of one request of a client's cycle."""
    splitter, last = made(name, weights, seed), len(weights) - 1
    met = [0] * period
    for turn in range(period * cycles):
        met[turn % period] += splitter.pick_for(b"client-%d" % turn) == last
    return max(met) * sum(weights) / weights[-1] / cycles
