"""Minutes of load under random faults: every request is answered, or fails for a named reason.

A whole knary with two workers. Requests go over HTTP/1.1, h2c and gRPC at a constant rate; a die
picks what happens meanwhile: replicas and workers are killed or stopped, the split changes, new
revisions come, all workers are replaced, clients reset, send slowly, or read slowly. Then it is
quiet, and the first worker, which nothing was done to, must have given everything back.
Exits with 1 when a request is unaccounted for or failed without a fault, or something leaked;
with 2 when the machine was so busy that the load itself stood still: then nothing can be told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from typing import Any

import instance
import report
import soak_faults
from instance import BenchmarkError, Instance
from soak_faults import Fault, Faults

instance.make_importable()

from gateway.settings import Settings
from simulator.load.generator import Load
from simulator.load.plan import Answer, LoadPlan, Protocol
from simulator.load.schedule import ConstantRate

SERVICES: tuple[tuple[str, Protocol], ...] = (
    ("plain", "http1"),
    ("plain", "h2c"),
    ("calls", "grpc"),
)
WARM_UP_SHARE = 0.3  # of the time, before memory is looked at; all workers are replaced only then
QUIET_S_MAX = 75.0  # at the end: idle connections of h2c to replicas live for a minute
SAMPLE_S = 1.0
# With fewer HTTP/1.1 never makes good what a busy machine held up. Streams need few; what an
# untouched worker takes over of a killed one's connections is no leak.
CONNECTIONS_MAX = {"http1": 128, "h2c": 4, "grpc": 4}
LOOK_S, STILL_S = 0.05, 0.5  # a look that comes so late: nothing was sent meanwhile
STILL_RECOVERY_S = 1.0  # until what was due meanwhile is sent
STILL_SHARE_MAX = 0.05  # of the time; beyond, the machine was too busy to tell anything
RESIDENT_GROWTH_BYTES_MAX = 1024 * 1024  # per ten minutes, besides what is counted
CELL_BYTES = 13 * 1024  # of a revision that was counted: never given back, 1,000 at the most
PAGE = os.sysconf("SC_PAGE_SIZE")


class Stream:
    """One load, and what became of its requests."""

    def __init__(self, served: Instance, name: str, protocol: Protocol, rate: float) -> None:
        self.name = f"{name} {protocol}"
        self.answers: list[tuple[float, Answer]] = []  # with the moment it came (monotonic)
        host = f"{name}.default.example.com"
        path = "/helloworld.Greeter/SayHello" if protocol == "grpc" else "/"
        plan = LoadPlan(
            "127.0.0.1",
            served.port,
            host,
            ConstantRate(rate),
            path=path,
            connections_max=CONNECTIONS_MAX[protocol],
            protocol=protocol,
        )
        self.load = Load(plan, self._take)

    def _take(self, answer: Answer) -> None:
        self.answers.append((time.monotonic(), answer))

    def judged(self, faults: list[Fault]) -> dict[str, Any]:
        """Return counts by reason, and the failures that no fault explains."""
        reasons: Counter[str] = Counter()
        unexplained: list[str] = []
        for came, answer in self.answers:
            if not answer.error:
                continue
            reasons[answer.error] += 1
            due = came - (answer.done_s - answer.planned_s)  # it may have waited for a connection
            if not any(fault.explains(due, came) for fault in faults):
                unexplained.append(f"{answer.error} {answer.status} {answer.text[:60]}")
        return {
            "sent": self.load.sent,
            "answered": len(self.answers) - sum(reasons.values()),
            "failed": dict(reasons),
            "unaccounted": self.load.sent - len(self.answers),
            "unexplained": unexplained[:20],
            "unexplained_count": len(unexplained),
        }


class Stills:
    """When this process itself stood still: the machine had other things to do than the load."""

    def __init__(self) -> None:
        self.seen: list[Fault] = []

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        before = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if now - before > STILL_S:
                recovered = now + STILL_RECOVERY_S
                self.seen.append(
                    Fault("stood still", harms=True, began=before, recovered=recovered)
                )
            before = now

    def seconds(self) -> float:
        return sum(one.recovered - STILL_RECOVERY_S - one.began for one in self.seen)


def resident_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE


def open_sockets(pid: int) -> int:
    """Return how many sockets a process has open."""
    folder = f"/proc/{pid}/fd"
    links = (os.path.join(folder, name) for name in os.listdir(folder))
    return sum(1 for link in links if os.path.islink(link) and "socket:" in os.readlink(link))


def sockets_at_hand(served: Instance) -> int:
    """Return the most that a worker keeps ready for its replicas' own networks, with their link."""
    networks = sum("@" in one["address"] for one in served.status()["replicas"])
    return 1 + Settings().sockets_ahead_max * networks if networks else 0


def slope_per_10_minutes(samples: list[tuple[float, int]]) -> float:
    """Return the growth of the line through the samples (least squares), in bytes."""
    if len(samples) < 2:
        return 0.0
    mean_at = sum(at for at, _ in samples) / len(samples)
    mean = sum(size for _, size in samples) / len(samples)
    above = sum((at - mean_at) * (size - mean) for at, size in samples)
    below = sum((at - mean_at) ** 2 for at, _ in samples)
    return above / below * 600 if below else 0.0


async def play(
    served: Instance, options: argparse.Namespace, sockets_before: int
) -> dict[str, Any]:
    """Load, harm, rest; return what was seen."""
    seconds = options.minutes * 60
    faults, stills = Faults(served, random.Random(options.seed), options.pace), Stills()
    streams = [
        Stream(served, name, protocol, options.rate / len(SERVICES)) for name, protocol in SERVICES
    ]
    samples: list[tuple[float, int]] = []
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        loads = [tasks.create_task(stream.load.run()) for stream in streams]
        harm = tasks.create_task(faults.go_on())
        watch = tasks.create_task(stills.watch())
        await asyncio.sleep(seconds * WARM_UP_SHARE)
        faults.may_replace_all = False
        await faults.settled()
        survivor = faults.survivor()
        cells = await asyncio.to_thread(soak_faults.cells, served)
        while time.monotonic() - began < seconds:
            await asyncio.sleep(SAMPLE_S)
            samples.append((time.monotonic(), resident_bytes(survivor)))
        faults.stop()
        await harm
        await asyncio.sleep(2.0)  # of load without a fault, at the end
        for stream in streams:
            stream.load.end()
        await asyncio.gather(*loads)
        watch.cancel()
    grown = slope_per_10_minutes(samples)
    if samples and samples[-1][0] > samples[0][0]:
        seconds_measured = samples[-1][0] - samples[0][0]
        grown -= (soak_faults.cells(served) - cells) * CELL_BYTES * 600 / seconds_measured
    rested = time.monotonic() + QUIET_S_MAX
    while True:
        sockets_max = sockets_before + sockets_at_hand(served)  # some replicas may be going
        sockets = open_sockets(survivor)
        if sockets <= sockets_max or time.monotonic() > rested:
            break
        await asyncio.sleep(SAMPLE_S)
    return {
        "minutes": options.minutes,
        "seed": options.seed,
        "faults": dict(Counter(fault.name for fault in faults.done)),
        "stood_still_s": round(stills.seconds(), 1),
        "streams": {stream.name: stream.judged(faults.done + stills.seen) for stream in streams},
        "worker": {
            "same": survivor in faults.workers(),
            "resident_slope_bytes_per_10_min": round(grown),
            "resident_bytes": samples[-1][1] if samples else 0,
            "sockets_left": sockets,
            "sockets_max": sockets_max,
        },
        "left": soak_faults.left(served),
    }


def broken(result: dict[str, Any]) -> list[str]:
    """Return what is wrong, in words."""
    wrong = []
    for name, stream in result["streams"].items():
        if stream["unaccounted"]:
            wrong.append(f"{name}: {stream['unaccounted']} requests are unaccounted for")
        if stream["unexplained_count"]:
            wrong.append(
                f"{name}: {stream['unexplained_count']} failed without a fault: "
                f"{stream['unexplained'][:3]}"
            )
    worker = result["worker"]
    if not worker["same"]:
        wrong.append("the first worker is not the one that it was")
    if result["minutes"] >= 5 and (
        worker["resident_slope_bytes_per_10_min"] > RESIDENT_GROWTH_BYTES_MAX
    ):
        wrong.append(f"memory grew: {worker['resident_slope_bytes_per_10_min']} bytes in 10 min")
    if worker["sockets_left"] > worker["sockets_max"]:
        wrong.append(f"{worker['sockets_left']} sockets are open, not {worker['sockets_max']}")
    wrong += [f"{what}: {count} left" for what, count in result["left"].items() if count]
    return wrong


def run(options: argparse.Namespace) -> int:
    with instance.running("--workers", "2") as served:
        soak_faults.prepare(served)
        sockets_before = open_sockets(min(soak_faults.worker_pids(served)))
        report.say(f"{options.minutes:g} minutes at {options.rate:g} requests per second")
        result = asyncio.run(play(served, options, sockets_before))
    rows = [
        (name, each["sent"], each["answered"], each["failed"] or "-", each["unexplained_count"])
        for name, each in result["streams"].items()
    ]
    print(report.table(("load", "sent", "answered", "failed", "of these without a fault"), rows))
    print(f"\nfaults: {result['faults']}")
    for name in ("stood_still_s", "worker", "left"):
        print(f"{name.replace('_', ' ')}: {result[name]}")
    print(f"written to {report.write('soak', result)}")
    wrong = broken(result)
    for line in wrong:
        report.say(f"soak: {line}")
    if result["stood_still_s"] > STILL_SHARE_MAX * options.minutes * 60:
        report.say(f"soak: too busy a machine: for {result['stood_still_s']} s nothing was sent")
        return 2
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--rate", type=float, default=300, help="requests a second (default 300)")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds from fault to fault (1)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults' die (default 1)")
    try:
        return run(parser.parse_args())
    except BenchmarkError as error:
        report.say(f"soak: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
