"""How far each splitter strays from the shares, without a network: the table of docs/splitters.md.

The worst |picked - due| of any target at any prefix, in requests, over whole families of splits,
and the share that a target of 0.1 % really gets. Exit status 1 when a promised bound is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.contract import SPLITTERS
from gateway.splitting.splitter import make_splitter

PERCENTS = 100
MANY = 20
RANDOM_SPLITS = 100
RARE = (9_990, 10)
RARE_TURNS = 100_000
CYCLES = 5_000
PROMISED = {"stratified": lambda _k: 1.0, "exact": lambda k: 1 - 1 / (2 * k - 2)}


def lag(name: str, weights: Sequence[int], turns: int, seed: int = 1) -> float:
    """Return the worst distance from the due; splits that go by a key get one key per turn."""
    shares = {str(i): weight for i, weight in enumerate(weights)}
    splitter = make_splitter(name, shares, {}, Random(seed))
    total, picked, worst = sum(weights), [0] * len(weights), 0
    for turn in range(1, turns + 1):
        picked[splitter.pick_for(b"client-%d" % turn)] += 1
        for i, weight in enumerate(weights):
            worst = max(worst, abs(picked[i] * total - weight * turn))
    return worst / total


def two_way() -> Iterator[tuple[int, ...]]:
    return ((PERCENTS - low, low) for low in range(1, PERCENTS // 2 + 1))


def three_way() -> Iterator[tuple[int, ...]]:
    """Yield all splits of 100 into three whole percents, but for their order."""
    for low in range(1, PERCENTS // 3 + 1):
        for middle in range(low, (PERCENTS - low) // 2 + 1):
            yield PERCENTS - low - middle, middle, low


def many_way(random: Random) -> Iterator[tuple[int, ...]]:
    for _ in range(RANDOM_SPLITS):
        cuts = sorted(random.sample(range(1, PERCENTS), MANY - 1))
        yield tuple(b - a for a, b in zip([0, *cuts], [*cuts, PERCENTS], strict=True))


def rare(name: str) -> float:
    """Return the percent that a target of 0.1 % gets."""
    splitter = make_splitter(name, {"old": RARE[0], "new": RARE[1]}, {}, Random(1))
    picked = sum(splitter.pick_for(b"client-%d" % turn) for turn in range(RARE_TURNS))
    return 100 * picked / RARE_TURNS


def rhythm(name: str, weights: Sequence[int], period: int) -> float:
    """Return how much more often the last target gets one request of a client's cycle."""
    shares = {str(i): weight for i, weight in enumerate(weights)}
    splitter = make_splitter(name, shares, {}, Random(1))
    met = [0] * period
    for turn in range(period * CYCLES):
        met[turn % period] += splitter.pick_for(b"client-%d" % turn) == len(weights) - 1
    return max(met) * sum(weights) / weights[-1] / CYCLES


def worst(name: str, splits: Iterable[tuple[int, ...]]) -> tuple[float, bool]:
    """Return the worst lag of all, and whether each is within what the splitter promises."""
    most, kept = 0.0, True
    for weights in splits:
        found = lag(name, weights, PERCENTS)
        most = max(most, found)
        if promise := PROMISED.get(name):
            kept = kept and found <= promise(len(weights)) + 1e-9
    return most, kept


def main() -> int:
    families = {
        "2": list(two_way()),
        "3": list(three_way()),
        str(MANY): list(many_way(Random(1))),
    }
    print("worst lag over 100 turns, in requests, by number of targets; percent that 0.1 % gets;")
    print("how many times its share the last target of 90/10 and of 90/5/5 gets of one request")
    print("in the cycle of a client that repeats 10 and 20 of them")
    heads = "".join(f"{name:>8}" for name in families)
    print(f"{'splitter':<14}{heads}{'0.1 %':>9}{'cycle 10':>10}{'cycle 20':>10}")
    all_kept = True
    for name in SPLITTERS:
        found = [worst(name, splits) for splits in families.values()]
        all_kept = all_kept and all(kept for _, kept in found)
        lags = "".join(f"{most:8.2f}" for most, _ in found)
        cycles = f"{rhythm(name, (90, 10), 10):10.2f}{rhythm(name, (90, 5, 5), 20):10.2f}"
        print(f"{name:<14}{lags}{rare(name):9.3f}{cycles}", flush=True)
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
