"""CPU microseconds per proxied request: knary's gateway beside nginx, in the same run.

One gateway worker of a whole `knary up` with a Service split 50/50, and a peer that splits 50/50
over the very same two replicas. The proxy has one core, wrk and the replicas the other. The two
take turns, so that a noisy neighbour meets both; each pair of turns gives one ratio.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import measuring
import report
from drivers import paced
from drivers.paced import Pace
from instance import BenchmarkError, Instance, folder, running
from measuring import Side, Turn

from benchmarks.harness import processes
from benchmarks.harness.cores import Cores, available_cores, rotated, share_out
from benchmarks.harness.drivers import wrk
from benchmarks.harness.peers import proxies
from benchmarks.harness.peers.proxies import Proxy

HOST = "split.default.example.com"
KINDS = ("bare", "browser")
OURS = "knary"
LATENCY_CONNECTIONS = 32


def latencies(
    running: Mapping[str, Proxy], options: argparse.Namespace, cores: Cores
) -> dict[str, Any]:
    """Return each proxy's p50 and p99 at the same constant rate, from planned send times, in ms."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in running}
    for number in range(options.pairs):
        for name in rotated(tuple(running), number):
            pace = Pace(
                *(running[name].port, HOST, options.rate, options.turn_s),
                *(LATENCY_CONNECTIONS, options.warm_s),
            )
            taken[name].append(paced.drive(pace, cores.load))
        line = ", ".join(f"{name} {runs[-1]['p99_us'] / 1000:.2f}" for name, runs in taken.items())
        report.say(f"latency {number + 1}/{options.pairs}: p99 ms: {line}")
    return {
        name: {
            f"p{part}_ms": report.spread([each[f"p{part}_us"] / 1000 for each in runs])
            for part in (50, 99)
        }
        for name, runs in taken.items()
    }


def show_latencies(result: dict[str, Any], rate: float) -> None:
    rows = [
        (
            name,
            f"{values['p50_ms']['median']:.2f}",
            *(f"{values['p99_ms'][key]:.2f}" for key in ("median", "min", "max")),
        )
        for name, values in result.items()
    ]
    heads = ("proxy", "p50 ms", "p99 ms", "least p99", "greatest p99")
    print(f"\nlatency at {rate:g} requests per second:\n{report.table(heads, rows)}")


def prepare(served: Instance, cores: Cores) -> tuple[Proxy, dict[str, int]]:
    """Make the split; pin worker and replicas; return the worker, and the replicas by address."""
    served.revisions("split", 2, "50,50")
    status = served.status()
    worker = Proxy(OURS, served.port, (int(status["workers"][0]["pid"]),))
    replicas = {
        str(replica["address"]): int(replica["pid"])
        for replica in status["replicas"]
        if replica["ready"]
    }
    if len(replicas) != 2:
        raise BenchmarkError(f"expected two ready replicas, found {replicas}")
    for pid in replicas.values():
        processes.pin(pid, cores.load)
    processes.pin(worker.pid, cores.proxy)
    return worker, replicas


def run(options: argparse.Namespace) -> int:
    cores = share_out(available_cores(), 1)
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        # Peers cannot connect into the replicas' own networks.
        served = stack.enter_context(running("--workers", "1", "--network", "host"))
        worker, replicas = prepare(served, cores)
        one, two = replicas
        running_now = {OURS: worker}
        for name in (each for each in options.peers.split(",") if each):
            peer = stack.enter_context(proxies.running(name, place, (one, two)))
            processes.pin(peer.pid, cores.proxy)
            running_now[name] = peer
        behind = Side(tuple(replicas.values()), len(cores.load))

        def take(name: str, kind: str) -> Turn:
            proxy = running_now[name]
            return measuring.turn(
                lambda seconds: wrk.drive(
                    *(proxy.port, kind, (HOST,)),
                    connections=options.connections,
                    seconds=seconds,
                    cores=cores.load,
                ),
                Side(proxy.pids),
                behind,
                (options.warm_s, options.turn_s),
            )

        for kind in options.kinds.split(","):
            turns = measuring.in_turns(
                tuple(running_now), options.pairs, lambda name, kind=kind: take(name, kind), kind
            )
            results[kind] = measuring.summary(turns, OURS)
        timed = latencies(running_now, options, cores) if options.rate else {}
    settings = {"connections": options.connections, "turn_s": options.turn_s, "split": "50/50"}
    return tell({"settings": settings, "kinds": results, "latency": timed}, options)


def tell(found: dict[str, Any], options: argparse.Namespace) -> int:
    """Keep what was found, and print it."""
    path = report.write("gateway_cpu", found)
    if options.json:
        print(report.as_json("gateway_cpu", found))
        return 0
    print(report.heading())
    for kind, result in found["kinds"].items():
        measuring.show(f"{kind} requests, medians per turn:", result)
        for doubt in measuring.doubts(result):
            print(f"note: {doubt}. Ratios say less then: run it again.")
    if found["latency"]:
        show_latencies(found["latency"], options.rate)
    print(f"\nwritten to {path}")
    return 0


def missing(options: argparse.Namespace) -> str:
    """Return what this machine lacks for the measurement, "" when nothing."""
    if not sys.platform.startswith("linux"):
        return "CPU times per process are read from /proc: this benchmark needs Linux"
    if len(os.sched_getaffinity(0)) < 2:
        return "two cores are needed: one for the proxy, one for the load"
    names = [name for name in options.peers.split(",") if name]
    if unknown := [name for name in names if name not in proxies.NAMES]:
        return f"no such peer: {unknown[0]} (known: {', '.join(proxies.NAMES)})"
    for tool, how in proxies.missing(("wrk", *names)).items():
        return f"{tool} is not installed ({how})"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="turns of each proxy (default 5)")
    parser.add_argument("--turn-s", type=int, default=3, help="seconds measured per turn")
    parser.add_argument("--warm-s", type=int, default=1, help="seconds of load before each turn")
    parser.add_argument("--connections", type=int, default=32, help="kept-alive connections")
    parser.add_argument(
        "--rate", type=float, default=1000, help="requests per second for latency; 0 measures none"
    )
    parser.add_argument("--kinds", default=",".join(KINDS), help="bare, browser, or both")
    known = ", ".join(proxies.NAMES)
    parser.add_argument("--peers", default="nginx", help=f"some of {known} (default nginx)")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    options = parser.parse_args()
    if lack := missing(options):
        return report.skipped(lack)
    try:
        return run(options)
    except BenchmarkError as error:
        report.say(f"gateway_cpu: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
