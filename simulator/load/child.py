"""One of several processes that carry out a plan together: `knary.process load PLAN_JSON`.

It says "ready" on stdout, reads from stdin the moment at which all begin (time.monotonic, which
is the same clock in every process), and ends with its ReportCounts on stdout.
"""

from __future__ import annotations

import gc
import sys

import msgspec
import uvloop

from simulator.load.generator import Load
from simulator.load.plan import LoadPlan

READY = b"ready\n"


def run(plan_json: str) -> int:
    """Carry out this process's part of the plan; return the exit status."""
    load = Load(msgspec.json.decode(plan_json, type=LoadPlan))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    told = sys.stdin.buffer.readline()
    if not told:  # nobody wants to know any more
        return 0
    gc.freeze()  # what is there now will not go: the collector need not look at it
    report = uvloop.run(load.run(float(told)))
    sys.stdout.buffer.write(msgspec.msgpack.encode(report.to_counts()))
    return 0
