"""How far sticky sessions stray from the shares through ramps, and what one costs; no network.

Sessions: --sessions new ones come at each step, and all that came before come again. After each
step the count of each revision is compared with its share of all of them. A coin's is beside it.
Cost: microseconds of the gateway's own code for one request, the best of some rounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import instance

instance.make_importable()

from gateway.contract import Share, Split
from gateway.splitting.splitter import make_splitter
from gateway.sticky.bycookie import CookieStickiness
from gateway.sticky.bykey import KeyStickiness
from gateway.sticky.places import Place, Positions, Shares, moved
from gateway.sticky.stickiness import Stickiness
from gateway.sticky.table import open_table

RAMPS = {
    "1-5-25-50": [(99, 1), (95, 5), (75, 25), (50, 50)],
    "each percent to 30": [(100 - step, step) for step in range(1, 31)],
    "forth and back": [(90, 10), (50, 50), (80, 20), (10, 90)],
    "three revisions": [(90, 5, 5), (80, 15, 5), (50, 40, 10), (20, 30, 50)],
}
SEEDS = 4
BOUND = 8.0  # nothing that is right comes near it
ROUNDS, REQUESTS = 5, 20_000
SESSIONS_MAX, IDLE_S_MAX = 65_536, 86_400.0
KEY = bytes(range(32))
LINES = [b"User-Agent: x\r\n", b"Accept: */*\r\n", b"Accept-Encoding: gzip\r\n"]
SHARES = (Share("d/v1", 9_000), Share("d/v2", 1_000))


def stray(ramp: Sequence[tuple[int, ...]], each: int, seed: int) -> tuple[float, float]:
    """Return how far any revision was from its share before the first change, and after any."""
    dice, positions = Random(seed), Positions(seed * 0x12345677)
    sessions: list[tuple[Place, Shares]] = []
    owed: dict[str, int] = {}
    strays = []
    for percents in ramp:
        weights = {str(number): percent * 100 for number, percent in enumerate(percents)}
        names = [key.encode() * 6 for key in weights]
        now = Shares(dict(zip(names, weights.values(), strict=True)))
        returned = [moved(place, before, now) for place, before in sessions]
        sessions = [(place, now) for place in returned if place is not None]
        splitter = make_splitter("stratified", weights, owed, dice)
        for _ in range(each):
            name = names[splitter.pick()]
            sessions.append((positions.deal(name, now.weights[name]), now))
        owed = dict(zip(weights, splitter.credit, strict=True))
        strays.append(distance(Counter(place.target for place, _ in sessions), now))
    return strays[0], max(strays[1:])


def coin(ramp: Sequence[tuple[int, ...]], each: int, seed: int) -> float:
    """Return the same of sessions that a hash puts on a line from 0 to 1."""
    dice = Random(seed)
    places: list[float] = []
    worst = 0.0
    for percents in ramp:
        places += [dice.random() for _ in range(each)]
        end = 0.0
        for percent in percents:
            start, end = end, end + percent / 100
            got = sum(start <= place < end for place in places)
            worst = max(worst, abs(got - len(places) * percent / 100))
    return worst


def distance(counts: Counter[bytes], shares: Shares) -> float:
    total = sum(counts.values())
    return max(abs(counts[name] - total * weight / 1e4) for name, weight in shares.weights.items())


def cost_us(sticky: Stickiness, lines: Callable[[int], list[bytes]], now_s: int) -> float:
    best_s = float("inf")
    for number in range(ROUNDS):
        asked = [lines(number * REQUESTS + one) for one in range(REQUESTS)]
        begun = time.perf_counter()
        for each in asked:
            sticky.seat(each, "127.0.0.1", now_s, _first)
        best_s = min(best_s, time.perf_counter() - begun)
    return best_s / REQUESTS * 1e6


def costs() -> dict[str, float]:
    """Return microseconds by how a session is known, kept ones and new ones."""
    now_s = int(time.time())
    row = Split("shop", SHARES, sticky="cookie", sticky_name="knary-1a2b3c4d")
    cookies = CookieStickiness(row, KEY, Positions(1), IDLE_S_MAX)
    line = b"Cookie: %b\r\n" % cookies.seat([], "", now_s, _first).cookie[12:].partition(b";")[0]
    row = Split("shop", SHARES, sticky="header", sticky_name="x-user")
    with tempfile.TemporaryDirectory() as folder:
        table = open_table(str(Path(folder) / "sessions"), SESSIONS_MAX, KEY)
        headers = KeyStickiness(row, KEY, Positions(1), IDLE_S_MAX, table)
        return {
            "cookie, kept": cost_us(cookies, lambda _: [*LINES, line], now_s),
            "cookie, new": cost_us(cookies, lambda _: LINES, now_s),
            "header, kept": cost_us(headers, lambda _: [*LINES, b"X-User: ann\r\n"], now_s),
            "header, new": cost_us(headers, lambda one: [*LINES, b"X-User: %d\r\n" % one], now_s),
        }


def main() -> int:
    """Print two tables; exit 1 when sessions strayed beyond what can be right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=997, metavar="N", help="at each step")
    chosen = parser.parse_args()
    print(f"{'sessions off their share':28}{'at first':>10}{'changed':>10}{'a coin':>10}")
    worst = 0.0
    for name, ramp in RAMPS.items():
        found = [stray(ramp, chosen.sessions, seed) for seed in range(SEEDS)]
        first, changed = (max(each) for each in zip(*found, strict=True))
        chance = max(coin(ramp, chosen.sessions, seed) for seed in range(SEEDS))
        print(f"{name:28}{first:10.2f}{changed:10.2f}{chance:10.2f}")
        worst = max(worst, changed)
    print()
    for name, microseconds in costs().items():
        print(f"{name:28}{microseconds:10.1f} µs")
    return int(worst > BOUND)


def _first() -> int:
    return 0


if __name__ == "__main__":
    sys.exit(main())
