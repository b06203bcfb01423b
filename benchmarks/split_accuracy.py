"""How exact the splits are, and what a request through the gateway costs in time.

Real requests through a whole `knary up`, for each splitter and each split: how far the count of
any revision strays from its share over all prefixes of the requests, how far the final shares are
off, and latencies at a constant rate, counted from the planned moment of each request.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import instance
import report
from instance import BenchmarkError, Instance

instance.make_importable()

from simulator.load.generator import run_load
from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, ConstantRate

SPLITS = ("50/50", "90/10", "99/1", "34/33/33", "1/2/4/8/16/32/37")
SPLITTERS = ("stratified", "exact", "random")


def bound(splitter: str, revisions: int) -> float | None:
    """Return the greatest lag that the splitter promises, in requests; None: it promises none."""
    if splitter == "stratified":
        return 1.0
    if splitter == "exact":
        # Tijdeman, The chairman assignment problem, Discrete Mathematics 32 (1980).
        return 1 - 1 / (2 * revisions - 2)
    return None


def worst_lag(picked: Sequence[str], shares: dict[str, float]) -> float:
    """Return the greatest |count - share * n| of any revision over all prefixes of length n."""
    counts = dict.fromkeys(shares, 0)
    worst = 0.0
    for n, name in enumerate(picked, 1):
        counts[name] = counts.get(name, 0) + 1
        worst = max(worst, *(abs(counts[each] - share * n) for each, share in shares.items()))
    return worst


def ask(
    port: int, host: str, schedule: AsFastAsPossible | ConstantRate
) -> tuple[list[Answer], LoadReport]:
    """Send the requests; return the answers in the order they were sent, and the report."""
    answers: list[Answer] = []
    plan = LoadPlan("127.0.0.1", port, host, schedule)
    done = asyncio.run(run_load(plan, answers.append))
    if done.all.failed:
        raise BenchmarkError(f"{done.all.failed} requests to {host} failed: {done.all.errors}")
    return sorted(answers, key=lambda each: each.sequence), done


def measure(
    served: Instance, splitter: str, split: str, options: argparse.Namespace
) -> dict[str, Any]:
    """Measure one split on a Service of its own, so that no credit of another split is carried."""
    percents = instance.percents_of(split)
    service = "split-" + split.replace("/", "-")
    names = served.revisions(service, len(percents), ",".join(map(str, percents)))
    shares = {name: percent / 100 for name, percent in zip(names, percents, strict=True)}
    host = f"{service}.default.example.com"
    answers, _ = ask(served.port, host, AsFastAsPossible(options.requests))
    picked = [answer.revision for answer in answers]
    if strangers := set(picked) - set(names):
        raise BenchmarkError(f"{host} was answered by {sorted(strangers)}")
    _, timed = ask(served.port, host, ConstantRate(options.rate, options.seconds))
    off = max(abs(picked.count(name) / len(picked) - share) for name, share in shares.items())
    served.run("service", "delete", service)
    return {
        "splitter": splitter,
        "split": split,
        "requests": len(picked),
        "worst_lag": round(worst_lag(picked, shares), 3),
        "bound": bound(splitter, len(percents)),
        "final_share_off_points": round(off * 100, 3),
        "latency_us": timed.all.latencies.to_dict(),
        "service_us": timed.service.to_dict(),
        "late_share": round(timed.late_share, 4),
    }


def show(results: Sequence[dict[str, Any]]) -> None:
    rows = []
    for each in results:
        latency = each["latency_us"]
        promised = "none" if each["bound"] is None else f"{each['bound']:.2f}"
        rows.append(
            (
                f"{each['splitter']} {each['split']}",
                f"{each['worst_lag']:.2f}",
                promised,
                f"{each['final_share_off_points']:.2f}",
                *(f"{latency[key] / 1000:.2f}" for key in ("p50", "p90", "p99", "p99.9", "max")),
                f"{each['late_share']:.1%}",
            )
        )
    heads = ("split", "worst lag", "bound", "off points")
    print(report.table((*heads, "p50 ms", "p90", "p99", "p99.9", "max", "late"), rows))


def is_broken(each: dict[str, Any]) -> bool:
    return each["bound"] is not None and each["worst_lag"] > each["bound"] + 1e-9


def run(options: argparse.Namespace) -> int:
    results: list[dict[str, Any]] = []
    for splitter in options.splitters.split(","):
        with instance.running("--splitter", splitter, "--seed", str(options.seed)) as served:
            for split in options.splits.split(","):
                report.say(f"{splitter} {split}")
                results.append(measure(served, splitter, split, options))
    show(results)
    settings = {"rate_per_s": options.rate, "seconds": options.seconds, "seed": options.seed}
    written = report.write("split_accuracy", {"settings": settings, "results": results})
    print(f"\nwritten to {written}")
    broken = [f"{each['splitter']} {each['split']}" for each in results if is_broken(each)]
    if broken:
        report.say(f"split_accuracy: beyond the bound: {', '.join(broken)}")
    return 1 if broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000, help="per split, for the lag")
    parser.add_argument("--rate", type=float, default=300, help="requests per second, for latency")
    parser.add_argument("--seconds", type=float, default=5, help="how long at that rate")
    parser.add_argument("--splits", default=",".join(SPLITS))
    parser.add_argument("--splitters", default=",".join(SPLITTERS))
    parser.add_argument("--seed", type=int, default=1, help="of the splitters that draw")
    try:
        return run(parser.parse_args())
    except (BenchmarkError, ValueError) as error:
        report.say(f"split_accuracy: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
