"""Twenty changes of a split under continuous load: not one request may go wrong.

Two gateway workers, a Service with two revisions, requests at a constant rate. Each change is
made by the `knary` command; once it returns, the requests that leave from then on must obey it:
none may reach a revision that has 0 %. Exits with 1 when one did, or when a request failed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Any

import instance
import report
from instance import BenchmarkError, Instance

instance.make_importable()

from simulator.load.generator import Load
from simulator.load.plan import Answer, LoadPlan
from simulator.load.schedule import ConstantRate

HOST = "split.default.example.com"
# The newer revision's percent after each change: up in steps, back at once, full swings between.
PERCENTS = (0, 10, 50, 100, 0, 1, 99, 100, 50, 0, 100, 0, 20, 40, 60, 80, 100, 90, 50, 0)
REST_S = 0.25  # of load under each split, before the next change


@dataclass(frozen=True)
class Epoch:
    """The requests first..last (by sequence, last excluded) left while this split was in force."""

    percents: dict[str, int]
    first: int
    last: int
    change_s: float

    def strays(self, answers: list[Answer]) -> list[Answer]:
        """Return the answers of this epoch that came from a revision with 0 %."""
        return [
            answer
            for answer in answers
            if self.first <= answer.sequence < self.last
            and answer.revision
            and not self.percents.get(answer.revision, 0)
        ]


async def play(served: Instance, names: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Change the split under load; return what was seen."""
    answers: list[Answer] = []
    load = Load(
        LoadPlan("127.0.0.1", served.port, HOST, ConstantRate(options.rate)), answers.append
    )
    epochs: list[Epoch] = []
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(load.run())
        try:
            for number in range(options.updates):
                newer = PERCENTS[number % len(PERCENTS)]
                percents = {names[0]: 100 - newer, names[1]: newer}
                began = time.monotonic()
                await asyncio.to_thread(served.split, "split", percents)
                change_s, first = time.monotonic() - began, load.sent
                await asyncio.sleep(REST_S)
                epochs.append(Epoch(percents, first, load.sent, change_s))
        finally:
            load.end()
    done = sending.result()
    strays = [stray for epoch in epochs for stray in epoch.strays(answers)]
    return {
        "updates": len(epochs),
        "rate_per_s": options.rate,
        "workers": options.workers,
        "requests": done.all.requests,
        "failed": done.all.failed,
        "errors": done.all.errors,
        "unknown_revision": sum(1 for answer in answers if not answer.revision),
        "to_a_revision_at_0": len(strays),
        "change": report.timing([epoch.change_s for epoch in epochs]),
        "latency_us": done.all.latencies.to_dict(),
        "late_share": round(done.late_share, 4),
    }


def run(options: argparse.Namespace) -> int:
    with instance.running("--workers", str(options.workers)) as served:
        names = served.revisions("split", 2, "100,0")
        report.say(f"{options.updates} updates at {options.rate:g} requests per second")
        result = asyncio.run(play(served, names, options))
    latency = result["latency_us"]
    rows = [
        ("requests", result["requests"]),
        ("failed", f"{result['failed']} {result['errors'] or ''}".strip()),
        (
            "reached a revision at 0 % after the change was acknowledged",
            result["to_a_revision_at_0"],
        ),
        ("change of the split, by the command: median ms", result["change"]["median_ms"]),
        (
            "latency p50, p99, max ms",
            ", ".join(f"{latency.get(key, 0) / 1000:.2f}" for key in ("p50", "p99", "max")),
        ),
        ("sends more than 10 ms late", f"{result['late_share']:.1%}"),
    ]
    print(report.table(("what", "value"), rows))
    print(f"\nwritten to {report.write('updates_under_load', result)}")
    is_broken = result["failed"] or result["to_a_revision_at_0"] or result["unknown_revision"]
    if is_broken:
        report.say("updates_under_load: broken (see the table)")
    return 1 if is_broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=20, help="changes of the split (default 20)")
    parser.add_argument("--rate", type=float, default=400, help="requests per second (default 400)")
    parser.add_argument("--workers", type=int, default=2, help="gateway workers (default 2)")
    try:
        return run(parser.parse_args())
    except BenchmarkError as error:
        report.say(f"updates_under_load: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
