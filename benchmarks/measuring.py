"""Turns: proxies loaded one after the other, again and again, and what each used per request."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import report

from benchmarks.harness import processes
from benchmarks.harness.cores import rotated
from benchmarks.harness.drivers.counts import Counts

BUSY_MIN = 0.7  # a proxy that uses less of its cores waited for the load
LOAD_BUSY_MAX = 0.95  # load and replicas that use more of theirs held the proxy up


Drive = Callable[[int], Counts]  # load a proxy for so many seconds


@dataclass(frozen=True)
class Side:
    """The processes whose time is counted, and how many cores they share."""

    pids: tuple[int, ...]
    cores: int = 1


@dataclass(frozen=True)
class Turn:
    """What one proxy did in one turn. Times per request are microseconds of CPU."""

    user_us: float
    system_us: float
    requests: int
    requests_per_s: float
    busy: float  # share of its cores that the proxy used
    load_busy: float  # share of theirs that driver and replicas used
    p50_us: float
    p99_us: float

    @property
    def cpu_us(self) -> float:
        return self.user_us + self.system_us


def turn(drive: Drive, proxy: Side, replicas: Side, seconds: tuple[int, int]) -> Turn:
    """Load a proxy for `seconds` (unmeasured, measured); return what the second part used."""
    warm_s, turn_s = seconds
    if warm_s:
        drive(warm_s)
    user, system = processes.cpu_seconds(proxy.pids)
    behind = sum(processes.cpu_seconds(replicas.pids))
    began = time.monotonic()
    counts = drive(turn_s)
    elapsed = time.monotonic() - began
    user_after, system_after = processes.cpu_seconds(proxy.pids)
    behind_after = sum(processes.cpu_seconds(replicas.pids))
    used = user_after + system_after - user - system
    return Turn(
        user_us=(user_after - user) / counts.requests * 1e6,
        system_us=(system_after - system) / counts.requests * 1e6,
        requests=counts.requests,
        requests_per_s=counts.requests / counts.elapsed_s,
        busy=used / elapsed / proxy.cores,
        load_busy=(behind_after - behind + counts.cpu_s) / elapsed / replicas.cores,
        p50_us=counts.p50_us,
        p99_us=counts.p99_us,
    )


def in_turns(
    names: Sequence[str], rounds: int, take: Callable[[str], Turn], title: str
) -> dict[str, list[Turn]]:
    """Let each name take a turn per round; another one begins each round."""
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    for number in range(rounds):
        for name in rotated(names, number):
            turns[name].append(take(name))
        line = ", ".join(f"{name} {taken[-1].cpu_us:.1f}" for name, taken in turns.items())
        report.say(f"{title} {number + 1}/{rounds}: CPU µs per request: {line}")
    return turns


def summary(turns: dict[str, list[Turn]], ours: str) -> dict[str, Any]:
    """Return medians per proxy, the ratio of ours to each peer, round by round, and the turns."""
    costs = {name: [each.cpu_us for each in taken] for name, taken in turns.items()}
    return {
        name: {
            "cpu_us": report.spread(costs[name]),
            "user_us": report.spread([each.user_us for each in taken]),
            "system_us": report.spread([each.system_us for each in taken]),
            "requests_per_s": report.spread([each.requests_per_s for each in taken], 0),
            "busy": report.spread([each.busy for each in taken]),
            "load_busy": report.spread([each.load_busy for each in taken]),
            "p99_us": report.spread([each.p99_us for each in taken], 0),
            **({"ratio": report.ratios(costs[ours], costs[name])} if name != ours else {}),
            "turns": [asdict(each) for each in taken],
        }
        for name, taken in turns.items()
    }


def show(title: str, result: dict[str, Any]) -> None:
    """Print one comparison."""
    rows = [
        (
            name,
            f"{values['user_us']['median']:.1f} + {values['system_us']['median']:.1f}",
            f"{values['cpu_us']['median']:.1f}",
            f"{values['busy']['median']:.0%}",
            f"{values['load_busy']['median']:.0%}",
            f"{values['requests_per_s']['median']:.0f}",
            f"{values['p99_us']['median'] / 1000:.2f}",
            report.spread_text(values.get("ratio")),
        )
        for name, values in result.items()
    ]
    heads = (
        *("proxy", "user + system µs", "CPU µs", "busy", "load busy", "req/s", "p99 ms"),
        "knary / proxy",
    )
    print(f"\n{title}\n{report.table(heads, rows)}")


def doubts(result: dict[str, Any]) -> list[str]:
    """Return what makes one comparison less worth: who waited, and for whom."""
    idle = [name for name, values in result.items() if values["busy"]["median"] < BUSY_MIN]
    held = [name for name, each in result.items() if each["load_busy"]["median"] > LOAD_BUSY_MAX]
    found = []
    if limited := [name for name in idle if name in held]:
        found.append(
            f"{', '.join(limited)} waited for the load: driver and replicas were the limit"
        )
    if starved := [name for name in idle if name not in held]:
        found.append(
            f"{', '.join(starved)} did not use its core: another program had it, or the work came"
            " too slowly"
        )
    return found
