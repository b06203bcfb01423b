"""What the size of the route table costs: per request, per change, and when all of it comes.

Workers serve tables of 1 and of 10,000 Services with 10 revisions each. This program gives them
their tables over the control socket, as the control plane would, and a probe in each worker's
event loop notes how long it stood still. What the control plane itself needs is told apart.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import measuring
import ownworker
import report
import stalls
import table_compile
import tables
from instance import BenchmarkError, folder
from measuring import Side, Turn
from ownworker import OwnWorker

from benchmarks.harness import processes
from benchmarks.harness.cores import available_cores, share_out
from benchmarks.harness.drivers import wrk
from benchmarks.harness.peers import proxies

SMALL, LARGE = "1 service", "many services"
HOST = tables.HOST_PATTERN % 0
SETTLE_S = 0.05  # between two changes, and for the probe to write down what it saw
WIDE_HOSTS = 1000
WANTED = {
    "cpu_ratio": 1.05,
    "change_ms": 20.0,
    "change_stall_ms": 5.0,
    "whole_stall_ms": 20.0,
}


def per_request(
    place: Path, options: argparse.Namespace, addresses: tuple[str, ...], behind: Side
) -> dict[str, Any]:
    """Return CPU per request with either table, in turns, for three kinds of load."""
    cores = share_out(available_cores(), 1)
    loads = {
        "bare": ("hosts", ("1", tables.HOST_PATTERN)),
        "browser": ("browser", (HOST,)),
    }
    sizes = {SMALL: 1, LARGE: options.services}
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        ports, pids = {}, {}
        for index, (name, size) in enumerate(sizes.items()):
            made = tables.table(1, size, options.revisions, addresses)
            port, (worker,) = stack.enter_context(
                ownworker.running(place, f"size-{index}", made, host=HOST)
            )
            processes.pin(worker.pid, cores.proxy)
            ports[name], pids[name] = port, worker.pid

        def take(name: str, script: str, arguments: tuple[str, ...]) -> Turn:
            return measuring.turn(
                lambda seconds: wrk.drive(
                    *(ports[name], script, arguments),
                    connections=32,
                    seconds=seconds,
                    cores=cores.load,
                ),
                Side((pids[name],)),
                behind,
                (options.warm_s, options.turn_s),
            )

        for kind, (script, arguments) in loads.items():
            turns = measuring.in_turns(
                tuple(sizes),
                options.pairs,
                lambda name, script=script, arguments=arguments: take(name, script, arguments),
                kind,
            )
            found[kind] = measuring.summary(turns, LARGE)
        wide = (str(min(WIDE_HOSTS, options.services)), tables.HOST_PATTERN)
        found["many hosts asked"] = measuring.summary(
            {LARGE: [take(LARGE, "hosts", wide) for _ in range(options.pairs)]}, LARGE
        )
        found["resident_mib"] = {
            name: round(processes.resident_bytes(pid) / 2**20, 1) for name, pid in pids.items()
        }
    return found


def changes(place: Path, options: argparse.Namespace, addresses: tuple[str, ...]) -> dict[str, Any]:
    """Change one route at a time in the large table of two workers; return times and stalls."""
    log = place / "stalls-of-changes"
    made = tables.table(1, options.services, options.revisions, addresses)
    even = tables.evenly(options.revisions)
    taken, spans = [], []
    with (
        log.open("ab") as probe,
        ownworker.running(
            place, "changed", made, options.workers, probe_fd=probe.fileno(), host=HOST
        ) as (_, workers),
    ):
        for number in range(options.changes):
            time.sleep(SETTLE_S)
            weights = tables.shifted(even, 1 + number % 50)
            route = tables.row(number * 7919 % options.services, weights)
            made = tables.with_route(made, made.version + 1, route)
            batches = [(worker, worker.frames_to(made)) for worker in workers]
            began = time.monotonic()
            for worker, batch in batches:
                worker.send_frames(batch, made)
            ended = max(worker.wait() for worker in workers)
            taken.append(ended - began)
            spans.append((began, ended))
        time.sleep(SETTLE_S)
        seen = stalls.read(log)
    return {"acknowledged": report.timing(taken), **_stalls(seen, spans)}


def whole(place: Path, options: argparse.Namespace, addresses: tuple[str, ...]) -> dict[str, Any]:
    """Send the whole table to a worker that serves: over a small one, and over the same one."""
    log = place / "stalls-of-whole-tables"
    small = tables.table(1, 1, options.revisions, addresses)
    large = tables.table(2, options.services, options.revisions, addresses)
    found: dict[str, Any] = {}
    spans: dict[str, list[tuple[float, float]]] = {"over a small one": [], "over the same one": []}
    with (
        log.open("ab") as probe,
        ownworker.running(place, "whole", small, probe_fd=probe.fileno(), host=HOST) as (_, pair),
    ):
        (worker,) = pair
        for number in range(options.whole_rounds):
            report.say(f"whole table {number + 1}/{options.whole_rounds}")
            spans["over a small one"].append(_connect(worker, large))
            spans["over the same one"].append(_connect(worker, large))
            _connect(worker, small)
        time.sleep(SETTLE_S)
        seen = stalls.read(log)
    for name, each in spans.items():
        times = [ended - began for began, ended in each]
        found[name] = {"acknowledged": report.timing(times), **_stalls(seen, each)}
    return found


def _connect(worker: OwnWorker, table: ownworker.RouteTable) -> tuple[float, float]:
    """Take the worker's connection anew, and give it the table; return begin and end."""
    worker.hang_up()
    worker.accept()
    time.sleep(SETTLE_S)
    began = worker.send(table)
    ended = worker.wait()
    time.sleep(SETTLE_S)
    return began, ended


def _stalls(seen: list[stalls.Stall], spans: list[tuple[float, float]]) -> dict[str, Any]:
    each = [stalls.longest(seen, *span) for span in spans]
    return {
        "stall": report.timing([late for late, _ in each]),
        "stall_computing": report.timing([cpu for _, cpu in each]),
    }


def show(found: dict[str, Any], options: argparse.Namespace) -> None:
    """Print all parts; each wanted figure beside the measured one."""
    print(report.heading())
    for kind in ("bare", "browser"):
        ratio = found["per_request"][kind][SMALL]["ratio"]
        costs = {
            name: each["cpu_us"]["median"] for name, each in found["per_request"][kind].items()
        }
        print(
            f"\nCPU per {kind} request, {options.services} services over 1:"
            f" {report.spread_text(ratio, 3)}, wanted at most {WANTED['cpu_ratio']}"
            f"\n({', '.join(f'{name} {cost:.1f} µs' for name, cost in costs.items())})"
        )
    wide = found["per_request"]["many hosts asked"][LARGE]["cpu_us"]
    print(f"when {WIDE_HOSTS} of the services are asked in turn: {report.spread_text(wide, 1)} µs")
    print(f"resident MiB of a worker: {found['per_request']['resident_mib']}")
    rows = [
        _row("one route changes", found["changes"], WANTED["change_ms"], WANTED["change_stall_ms"]),
        *(
            _row(f"whole table, {name}", each, None, WANTED["whole_stall_ms"])
            for name, each in found["whole"].items()
        ),
    ]
    heads = (
        *("in a worker", "acknowledged ms", "max", "wanted"),
        *("longest stall ms", "max", "of it computing", "max", "wanted"),
    )
    print(f"\n{report.table(heads, rows)}")
    print("(what a worker did not compute of a stall, other programs took from it)")
    print(f"\ncontrol plane, beside that:\n{report.table(*table_compile.rows(found['control']))}")


def _row(
    name: str, each: dict[str, Any], wanted: float | None, wanted_stall: float
) -> tuple[Any, ...]:
    times, stall, cpu = each["acknowledged"], each["stall"], each["stall_computing"]
    return (
        *(name, times["median_ms"], times["max_ms"], "" if wanted is None else f"< {wanted:g}"),
        *(stall["median_ms"], stall["max_ms"], cpu["median_ms"], cpu["max_ms"]),
        f"< {wanted_stall:g}",
    )


def run(options: argparse.Namespace) -> int:
    processes.allow_open_files(65536)
    with folder() as place, ownworker.standins(place) as replicas:
        addresses = tuple(address for address, _ in replicas)
        cores = share_out(available_cores(), 1)
        for _, pid in replicas:
            processes.pin(pid, cores.load)
        behind = Side(tuple(pid for _, pid in replicas), len(cores.load))
        found = {
            "settings": {key: value for key, value in vars(options).items() if key != "json"},
            "wanted": WANTED,
            "per_request": per_request(place, options, addresses, behind),
            "changes": changes(place, options, addresses),
            "whole": whole(place, options, addresses),
        }
    found["control"] = table_compile.measured(options.services, options.revisions)
    path = report.write("table_size", found)
    if options.json:
        print(report.as_json("table_size", found))
    else:
        show(found, options)
        print(f"\nwritten to {path}")
    return 0


def missing() -> str:
    """Return what this machine lacks for the measurement, "" when nothing."""
    if not sys.platform.startswith("linux"):
        return "CPU times per process are read from /proc: this benchmark needs Linux"
    if len(os.sched_getaffinity(0)) < 2:
        return "two cores are needed: one for the worker, one for the load"
    if how := proxies.missing(("wrk",)):
        return f"wrk is not installed ({how['wrk']})"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--services", type=int, default=10_000, help="in the large table")
    parser.add_argument("--revisions", type=int, default=10, help="of each Service")
    parser.add_argument("--pairs", type=int, default=7, help="turns of each table (default 7)")
    parser.add_argument("--turn-s", type=int, default=3, help="seconds measured per turn")
    parser.add_argument("--warm-s", type=int, default=1, help="seconds of load before each turn")
    parser.add_argument("--workers", type=int, default=2, help="that take each change (default 2)")
    parser.add_argument("--changes", type=int, default=50, help="of one route each (default 50)")
    parser.add_argument("--whole-rounds", type=int, default=5, help="whole tables (default 5)")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    options = parser.parse_args()
    if lack := missing():
        return report.skipped(lack)
    try:
        return run(options)
    except BenchmarkError as error:
        report.say(f"table_size: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
