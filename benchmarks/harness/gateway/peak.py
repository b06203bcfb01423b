"""The most that a gateway takes: wrk and h2load drive, which cost less than our own load does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.harness.cores import available_cores
from benchmarks.harness.drivers import h2load, wrk
from benchmarks.harness.drivers.counts import Counts
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.gateway.contender import Contender
from benchmarks.harness.gateway.plan import GatewayPlan
from benchmarks.harness.peers import proxies

STREAMS = 16  # on each connection of h2c
LOOPBACK = ("127.0.0.1", "localhost")


def lacks(plan: GatewayPlan, address: str) -> str:
    """Return why peak rates cannot be measured, "" when they can."""
    tool = "wrk" if plan.protocol == "http1" else "h2load"
    if how := proxies.missing((tool,)):
        return f"{tool} is not installed ({how[tool]})"
    return "" if address in LOOPBACK else "peak rates are measured on this machine alone"


async def peak_per_s(plan: GatewayPlan, contender: Contender, cores: Sequence[int]) -> float:
    """Return the requests per second that it answered at most. Raise BenchmarkError."""
    seconds = max(1, round(plan.peak_s))

    def drive() -> Counts:
        where = cores or available_cores()
        if plan.protocol == "http1":
            return wrk.drive(
                contender.port,
                "bare",
                (contender.host,),
                connections=plan.connections,
                seconds=seconds,
                cores=where,
            )
        return h2load.drive(
            contender.port,
            ("--header", f":authority: {contender.host}"),
            connections=plan.connections,
            streams=STREAMS,
            seconds=seconds,
            cores=where,
        )

    # A thread: it waits for a process that ends by itself, seconds later at most.
    counts = await asyncio.to_thread(drive)
    if not counts.elapsed_s:
        raise BenchmarkError(f"{contender.name} took no request at full load")
    return counts.requests / counts.elapsed_s
