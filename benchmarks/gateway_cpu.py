"""CPU microseconds per proxied request: knary's gateway beside nginx, in the same run.

One gateway worker of a whole `knary up` with a Service split 50/50, and a peer that splits 50/50
over the very same two replicas. The proxy has one core, wrk and the replicas the other. The two
take turns, so that a noisy neighbour meets both; each pair of turns gives one ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import instance
import peers
import report
from instance import BenchmarkError, Instance, folder, running
from peers import Proxy

instance.make_importable()

from simulator.load.generator import run_load
from simulator.load.plan import LoadPlan
from simulator.load.schedule import ConstantRate

HERE = Path(__file__).resolve().parent
HOST = "split.default.example.com"
KINDS = ("bare", "browser")
OURS = "knary"
BUSY_MIN = 0.7  # a proxy that uses less of its core waited for the load
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Turn:
    """What one proxy did in one turn. Times per request are microseconds of CPU."""

    user_us: float
    system_us: float
    requests: int
    requests_per_s: float
    busy: float  # share of its core that the proxy used
    p50_us: int
    p99_us: int

    @property
    def cpu_us(self) -> float:
        return self.user_us + self.system_us


def pin(pid: int, core: int) -> None:
    """Give a process and all its threads one core."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def cpu_seconds(pid: int) -> tuple[float, float]:
    """Return the user and the system time that a process has used (proc(5): stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) * TICK_S, int(fields[12]) * TICK_S


def drive(port: int, kind: str, seconds: int, connections: int, core: int) -> re.Match[str]:
    """Load a port with wrk; return its counts. Raise BenchmarkError when requests failed."""
    command = [
        *(peers.find("wrk") or "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
        *("-s", str(HERE / f"{kind}.lua"), f"http://127.0.0.1:{port}/", "--", HOST),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pin(process.pid, core)
    said, _ = process.communicate(timeout=seconds + 30)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    if not found or int(found[3]) or not int(found[1]):
        raise BenchmarkError(f"wrk on port {port} ({kind}):\n{said.strip()}")
    return found


def turn(proxy: Proxy, kind: str, options: argparse.Namespace, core: int) -> Turn:
    """Warm the proxy up, then measure it for one turn."""
    drive(proxy.port, kind, options.warm_s, options.connections, core)
    user, system = cpu_seconds(proxy.pid)
    began = time.monotonic()
    counts = drive(proxy.port, kind, options.turn_s, options.connections, core)
    elapsed = time.monotonic() - began
    user_after, system_after = cpu_seconds(proxy.pid)
    requests = int(counts[1])
    return Turn(
        user_us=(user_after - user) / requests * 1e6,
        system_us=(system_after - system) / requests * 1e6,
        requests=requests,
        requests_per_s=requests / int(counts[2]) * 1e6,
        busy=(user_after + system_after - user - system) / elapsed,
        p50_us=int(counts[4]),
        p99_us=int(counts[5]),
    )


def measure(
    proxies: Sequence[Proxy], kind: str, options: argparse.Namespace, core: int
) -> dict[str, list[Turn]]:
    """Let the proxies take turns, `options.pairs` times."""
    turns: dict[str, list[Turn]] = {proxy.name: [] for proxy in proxies}
    for number in range(options.pairs):
        for proxy in proxies:
            turns[proxy.name].append(turn(proxy, kind, options, core))
        line = ", ".join(f"{name} {taken[-1].cpu_us:.1f}" for name, taken in turns.items())
        report.say(f"{kind} {number + 1}/{options.pairs}: CPU µs per request: {line}")
    return turns


def summary(turns: dict[str, list[Turn]]) -> dict[str, Any]:
    """Return medians per proxy, and the ratio of ours to each peer, pair by pair."""
    ours = turns[OURS]
    return {
        name: {
            "cpu_us": report.spread([each.cpu_us for each in taken]),
            "user_us": report.spread([each.user_us for each in taken]),
            "system_us": report.spread([each.system_us for each in taken]),
            "requests_per_s": report.spread([each.requests_per_s for each in taken], 0),
            "busy": report.spread([each.busy for each in taken]),
            "p99_us": report.spread([each.p99_us for each in taken], 0),
            **(
                {
                    "ratio": report.spread(
                        [a.cpu_us / b.cpu_us for a, b in zip(ours, taken, strict=True)], 3
                    )
                }
                if name != OURS
                else {}
            ),
        }
        for name, taken in turns.items()
    }


def show(kind: str, result: dict[str, Any]) -> None:
    rows = []
    for name, values in result.items():
        ratio = values.get("ratio")
        rows.append(
            (
                name,
                f"{values['user_us']['median']:.1f} + {values['system_us']['median']:.1f}",
                f"{values['cpu_us']['median']:.1f}",
                f"{values['busy']['median']:.0%}",
                f"{values['requests_per_s']['median']:.0f}",
                f"{values['p99_us']['median'] / 1000:.2f}",
                f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"
                if ratio
                else "",
            )
        )
    heads = ("proxy", "user + system µs", "CPU µs", "busy", "req/s", "p99 ms", "knary / proxy")
    print(f"\n{kind} requests, medians per turn:\n{report.table(heads, rows)}")


def latencies(proxies: Sequence[Proxy], options: argparse.Namespace) -> dict[str, Any]:
    """Return each proxy's p50 and p99 at the same constant rate, from planned send times, in ms."""
    taken: dict[str, list[tuple[float, float]]] = {proxy.name: [] for proxy in proxies}
    schedule = ConstantRate(options.rate, options.turn_s)
    for number in range(options.pairs):
        for proxy in proxies:
            done = asyncio.run(run_load(LoadPlan("127.0.0.1", proxy.port, HOST, schedule)))
            if done.all.failed:
                raise BenchmarkError(f"{proxy.name} failed {done.all.failed}: {done.all.errors}")
            found = done.all.latencies
            taken[proxy.name].append((found.at(50) / 1000, found.at(99) / 1000))
        line = ", ".join(f"{name} {values[-1][1]:.2f}" for name, values in taken.items())
        report.say(f"latency {number + 1}/{options.pairs}: p99 ms: {line}")
    return {
        name: {
            "p50_ms": report.spread([p50 for p50, _ in values]),
            "p99_ms": report.spread([p99 for _, p99 in values]),
        }
        for name, values in taken.items()
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


def prepare(served: Instance, cores: tuple[int, int]) -> tuple[Proxy, tuple[str, str]]:
    """Make the split; pin worker and replicas; return the worker and the replicas' addresses."""
    served.revisions("split", 2, "50,50")
    status = served.status()
    worker = Proxy(OURS, served.port, int(status["workers"][0]["pid"]))
    replicas = [replica for replica in status["replicas"] if replica["ready"]]
    if len(replicas) != 2:
        raise BenchmarkError(f"expected two ready replicas, found {replicas}")
    for replica in replicas:
        pin(int(replica["pid"]), cores[0])
    pin(worker.pid, cores[1])
    one, two = (str(replica["address"]) for replica in replicas)
    return worker, (one, two)


def run(options: argparse.Namespace) -> int:
    names = [name for name in options.peers.split(",") if name]
    available = sorted(os.sched_getaffinity(0))
    cores = (available[0], available[-1])
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        served = stack.enter_context(running("--workers", "1"))
        worker, backends = prepare(served, cores)
        proxies = [worker]
        for name in names:
            peer = stack.enter_context(peers.running(name, place, backends))
            pin(peer.pid, cores[1])
            proxies.append(peer)
        for kind in options.kinds.split(","):
            results[kind] = summary(measure(proxies, kind, options, cores[0]))
        os.sched_setaffinity(0, {cores[0]})
        timed = latencies(proxies, options) if options.rate else {}
    for kind, result in results.items():
        show(kind, result)
    if timed:
        show_latencies(timed, options.rate)
    idle = sorted({name for result in results.values() for name in result if is_idle(result[name])})
    if idle:
        print(
            f"\nNote: {', '.join(idle)} waited for the load: another program used the machine, or"
            " wrk and the replicas were the limit. Ratios say less then: run it again."
        )
    settings = {"connections": options.connections, "turn_s": options.turn_s, "split": "50/50"}
    found = {"settings": settings, "kinds": results, "latency": timed}
    print(f"\nwritten to {report.write('gateway_cpu', found)}")
    return 0


def is_idle(values: dict[str, Any]) -> bool:
    return bool(values["busy"]["median"] < BUSY_MIN)


def missing(options: argparse.Namespace) -> str:
    """Return what this machine lacks for the measurement, "" when nothing."""
    if not sys.platform.startswith("linux"):
        return "CPU times per process are read from /proc: this benchmark needs Linux"
    if len(os.sched_getaffinity(0)) < 2:
        return "two cores are needed: one for the proxy, one for the load"
    unknown = [name for name in options.peers.split(",") if name and name not in peers.PEERS]
    if unknown:
        return f"no such peer: {unknown[0]} (known: {', '.join(peers.PEERS)})"
    for tool in ("wrk", *options.peers.split(",")):
        if tool in peers.INSTALL and peers.find(tool) is None:
            return f"{tool} is not installed ({peers.INSTALL[tool]})"
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
    parser.add_argument(
        "--peers",
        default="nginx",
        help="compare with these: nginx, haproxy, aiohttp (default nginx)",
    )
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
