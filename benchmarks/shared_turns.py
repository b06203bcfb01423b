"""What a turn costs that several workers take together, and how far they stray: no network.

Each worker is a process that does nothing but take turns, so that they meet as often as they can:
real workers, which spend most of their time on requests, hardly ever do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SPLITS = {
    "90/10": {"a": 90, "b": 10},
    "70/20/10": {"a": 70, "b": 20, "c": 10},
    "1/2/4/8/16/32/37": {"a": 1, "b": 2, "c": 4, "d": 8, "e": 16, "f": 32, "g": 37},
}
SPLITTERS = ("stratified", "exact", "smooth-wrr")
WORKERS = (1, 2, 4)


def take(path: str, splitter: str, split: str, turns: int) -> None:
    """Be one worker: print what was picked, and what a turn cost."""
    from gateway.ledger import Ledger
    from gateway.splitting.splitter import make_shared, make_splitter

    weights, dice = SPLITS[split], Random(os.getpid())
    ledger = Ledger(path, 4) if path else None
    if ledger is None:
        taking = make_splitter(splitter, weights, {}, dice)
    else:
        account = ledger.account(split)
        assert account
        ledger.hold(account)
        taking = make_shared(splitter, weights, {}, dice, account)
    print("ready", flush=True)
    sys.stdin.readline()
    names, picked = list(weights), Counter[str]()
    begun = time.process_time_ns()
    for _ in range(turns):
        picked[names[taking.pick()]] += 1
    spent = (time.process_time_ns() - begun) / turns
    alone = ledger.take_alone() if ledger else 0
    kind = ledger.kind if ledger else "own"
    print(json.dumps({"picked": picked, "ns": spent, "alone": alone, "kind": kind}), flush=True)


def measured(splitter: str, split: str, workers: int, turns: int) -> dict[str, object]:
    """Let so many workers take turns at once; 0: one by itself, which shares them with nobody."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "turns")) if workers else ""
        each = str(turns // max(1, workers))
        command = [sys.executable, __file__, "--take", path, splitter, split, each]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running = [subprocess.Popen(command, **pipes) for _ in range(workers or 1)]  # type: ignore[call-overload]
        for one in running:
            one.stdout.readline()
        for one in running:
            one.stdin.write("\n")
            one.stdin.flush()
        told = [json.loads(one.communicate()[0]) for one in running]
    picked: Counter[str] = sum((Counter(one["picked"]) for one in told), Counter())
    total, weights = sum(picked.values()), SPLITS[split]
    stray = max(abs(picked[name] - total * weight / 100) for name, weight in weights.items())
    return {
        "splitter": splitter,
        "split": split,
        "workers": workers,
        "turns": told[0]["kind"],
        "ns": round(sum(one["ns"] for one in told) / len(told)),
        "alone": sum(one["alone"] for one in told),
        "stray": round(stray, 2),
    }


def main() -> int:
    """Print a row per splitter, split and number of workers; 1 if a bound was broken."""
    from knary import compiled

    compiled.use(os.environ)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100_000, help="in each case, by all workers")
    parser.add_argument("--take", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.take:
        take(*chosen.take[:3], int(chosen.take[3]))
        return 0
    print(f"gateway: {compiled.chosen(os.environ) or 'interpreted'}; {os.cpu_count()} cores")
    row = "{splitter:<12}{split:<18}{workers:>8}  {turns:<18}{ns:>8}{alone:>8}{stray:>8}"
    print(row.format(**{name: name for name in ("splitter", "split", "workers", "turns", "ns",
                                                "alone", "stray")}))  # fmt: skip
    broken = 0
    for splitter in SPLITTERS:
        for split in SPLITS:
            for workers in (0, *WORKERS):
                found = measured(splitter, split, workers, chosen.turns)
                print(row.format(**found), flush=True)
                allowed = 1 + (workers if found["alone"] else 0)
                broken += float(str(found["stray"])) > allowed
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
