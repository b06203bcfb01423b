"""The gateway beside nginx, HAProxy, Envoy and an aiohttp proxy, over many kinds of load.

Each proxy is one process on one core (the case of two workers has two), before the same two
replicas; wrk or h2load and the replicas have the other cores. The proxies take turns; each round
gives one ratio per peer. Our workers get their table straight from this program.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import arena
import instance
import matrix_cases
import measuring
import report
from arena import OURS, Arena
from drivers import paced
from drivers.paced import Pace
from instance import BenchmarkError, folder
from matrix_cases import Case
from ownworker import HOST

from benchmarks.harness.cores import available_cores, rotated, share_out
from benchmarks.harness.peers import proxies

LATE_SHARE_MAX = 0.02
P99_CONNECTIONS = 64


def compared(ring: Arena, case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one case of CPU per request; return its summary."""
    if OURS not in ring.proxies:
        return {"skipped": ring.refused.get(OURS, "not run")}
    seconds = (options.warm_s, options.turn_s)
    turns = measuring.in_turns(
        tuple(ring.proxies),
        options.pairs,
        lambda name: ring.turn(case, name, seconds),
        case.name,
    )
    return {
        "proxies": measuring.summary(turns, OURS),
        "refused": ring.refused,
        "is_shared": bool(set(ring.cores.proxy) & set(ring.cores.load)),
    }


def paced_case(ring: Arena, case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Give every proxy the same constant rate: a share of what nginx takes at most, just now."""
    rate = options.rate
    if not rate:
        if "nginx" not in ring.proxies:
            return {"skipped": f"needs nginx ({proxies.INSTALL['nginx']}), or --rate"}
        plain = Case("capacity", "", "bare", connections=P99_CONNECTIONS)
        seconds = (options.warm_s, options.turn_s)
        takes = [ring.turn(plain, "nginx", seconds).requests_per_s for _ in range(3)]
        rate = round(report.median(takes) * options.share)
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in ring.proxies}
    for number in range(options.pairs):
        for name in rotated(tuple(ring.proxies), number):
            pace = Pace(
                *(ring.proxies[name].port, HOST, rate, options.turn_s),
                *(P99_CONNECTIONS, options.warm_s),
            )
            taken[name].append(paced.drive(pace, ring.cores.load))
        line = ", ".join(f"{name} {each[-1]['p99_us'] / 1000:.2f}" for name, each in taken.items())
        report.say(f"{case.name} {number + 1}/{options.pairs}: p99 ms: {line}")
    ours = [each["p99_us"] for each in taken[OURS]]
    return {
        "rate_per_s": rate,
        "latencies": {
            name: {
                "p50_us": report.spread([each["p50_us"] for each in runs], 0),
                "p99_us": report.spread([each["p99_us"] for each in runs], 0),
                "late_share": report.spread([each["late_share"] for each in runs], 4),
                "unanswered": sum(each["unanswered"] for each in runs),
                "ratio": report.ratios(ours, [each["p99_us"] for each in runs]),
                "turns": runs,
            }
            for name, runs in taken.items()
        },
    }


def show(case: Case, result: dict[str, Any]) -> None:
    """Print one case, and what makes its figures less worth."""
    title = f"{case.name}: {case.title}"
    if why := result.get("skipped"):
        print(f"\n{title}\nskipped: {why}")
        return
    if "latencies" in result:
        show_latencies(title, result)
        return
    measuring.show(title, result["proxies"])
    for name, why in result["refused"].items():
        print(f"{name}: {why}")
    if case.body_bytes:
        each = {
            name: values["cpu_us"]["median"] / (case.body_bytes / matrix_cases.MIB)
            for name, values in result["proxies"].items()
        }
        per_mib = ", ".join(f"{name} {value:.0f}" for name, value in each.items())
        print(f"CPU µs per MiB: {per_mib}")
    # One connection waits by its nature, and two workers share their cores with the load here.
    if case.connections > 1 and not result["is_shared"]:
        for doubt in measuring.doubts(result["proxies"]):
            print(f"note: {doubt}")


def show_latencies(title: str, result: dict[str, Any]) -> None:
    rows = [
        (
            name,
            f"{values['p50_us']['median'] / 1000:.2f}",
            *(f"{values['p99_us'][key] / 1000:.2f}" for key in ("median", "min", "max")),
            f"{values['late_share']['median']:.1%}",
            "cannot keep up"
            if values["unanswered"]
            else ("" if name == OURS else report.spread_text(values["ratio"])),
        )
        for name, values in result["latencies"].items()
    ]
    heads = ("proxy", "p50 ms", "p99 ms", "least", "greatest", "sent late", "knary / proxy, p99")
    print(f"\n{title}\n{result['rate_per_s']:.0f} requests per second")
    print(report.table(heads, rows))
    late = [name for name, each in result["latencies"].items() if is_late(each)]
    if late:
        print(f"note: with {', '.join(late)} the driver was late itself: it was the limit")


def is_late(values: dict[str, Any]) -> bool:
    return bool(values["late_share"]["median"] > LATE_SHARE_MAX and not values["unanswered"])


def measure_all(
    place: Path, cases: list[Case], options: argparse.Namespace, names: list[str]
) -> dict[str, Any]:
    """Run every case, world by world; return what was found by case."""
    found: dict[str, Any] = {}
    for world in matrix_cases.worlds(cases):
        own = [case for case in cases if case.world == world]
        try:
            cores = share_out(available_cores(), world.workers)
        except ValueError as error:
            found |= {case.name: {"skipped": str(error)} for case in own}
            continue
        with arena.running(place, world, names, cores) as ring:
            for case in own:
                try:
                    measure = paced_case if case.is_paced else compared
                    found[case.name] = measure(ring, case, options)
                    if not case.is_paced:
                        found[case.name]["ceiling"] = vars(ring.ceiling(case, options.turn_s))
                except BenchmarkError as error:
                    report.say(f"{case.name}: {error}")
                    found[case.name] = {"failed": str(error), "skipped": f"failed: {error}"}
    return found


def show_ceilings(cases: list[Case], found: dict[str, Any]) -> None:
    """Say of each case whether the load could have been heavier than any proxy took."""
    rows = []
    for case in cases:
        result = found[case.name]
        if "ceiling" not in result or "proxies" not in result:
            continue
        most = result["ceiling"]["requests"] / result["ceiling"]["elapsed_s"]
        best = max(each["requests_per_s"]["median"] for each in result["proxies"].values())
        rows.append((case.name, f"{most:.0f}", f"{best:.0f}", f"{most / best:.1f}"))
    if rows:
        heads = ("case", "req/s without a proxy", "fastest proxy", "ratio")
        print(f"\nwhether the load was the limit (near 1: it was)\n{report.table(heads, rows)}")


def run(options: argparse.Namespace) -> int:
    cases = matrix_cases.chosen(options.cases)
    names = [name for name in options.peers.split(",") if name]
    absent = proxies.missing(tuple(names))
    for name, how in absent.items():
        report.say(f"skipped: {name} is not installed ({how})")
    if (how := proxies.missing(("h2load",))) and any(case.streams for case in cases):
        report.say(f"skipped: cases of h2c: h2load is not installed ({how['h2load']})")
        cases = [case for case in cases if not case.streams]
    with folder() as place:
        found = measure_all(place, cases, options, [name for name in names if name not in absent])
    settings = {key: value for key, value in vars(options).items() if key != "json"}
    result = {"settings": settings, "absent": absent, "cases": found}
    path = report.write("gateway_matrix", result)
    if options.json:
        print(report.as_json("gateway_matrix", result))
    else:
        print(report.heading())
        for case in cases:
            show(case, found[case.name])
        show_ceilings(cases, found)
        print(f"\nwritten to {path}")
    return 1 if any("failed" in each for each in found.values()) else 0


def missing() -> str:
    """Return what this machine lacks for any measurement, "" when nothing."""
    if not sys.platform.startswith("linux"):
        return "CPU times per process are read from /proc: this benchmark needs Linux"
    if len(os.sched_getaffinity(0)) < 2:
        return "two cores are needed: one for the proxy, one for the load"
    if how := proxies.missing(("wrk",)):
        return f"wrk is not installed ({how['wrk']})"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="turns of each proxy (default 5)")
    parser.add_argument("--turn-s", type=int, default=3, help="seconds measured per turn")
    parser.add_argument("--warm-s", type=int, default=1, help="seconds of load before each turn")
    parser.add_argument("--cases", default="*", help='which: "bare-32,down-*" (default all)')
    parser.add_argument("--peers", default=",".join(proxies.NAMES), help="compare with these")
    parser.add_argument("--share", type=float, default=0.7, help="of nginx's capacity, for p99")
    parser.add_argument("--rate", type=float, default=0, help="for p99, instead of a share")
    parser.add_argument("--list", action="store_true", help="say which cases there are")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    options = parser.parse_args()
    if options.list:
        print(report.table(("case", ""), [(each.name, each.title) for each in matrix_cases.CASES]))
        return 0
    unknown = [name for name in options.peers.split(",") if name and name not in proxies.NAMES]
    if unknown:
        report.say(f"no such peer: {unknown[0]} (known: {', '.join(proxies.NAMES)})")
        return 2
    if lack := missing():
        return report.skipped(lack)
    instance.make_importable()
    try:
        return run(options)
    except (BenchmarkError, ValueError) as error:
        report.say(f"gateway_matrix: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
