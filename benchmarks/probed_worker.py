"""A gateway worker whose event loop is watched: how long did it stand still, and why.

python benchmarks/probed_worker.py FD STARTUP_JSON

A timer asks to be called each millisecond. Whenever it is called later than it asked, a line goes
to FD: the moment (time.monotonic), how late in µs, and how much of that this thread was computing.
What it did not compute, another process took from it: a busy machine, not a stall.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import instance
import uvloop

EVERY_S = 0.001
LATE_S_MIN = 0.0005


class Probe:
    """Ticks for as long as the loop runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._wall = time.monotonic()
        self._cpu = time.thread_time()

    def tick(self) -> None:
        wall, cpu = time.monotonic(), time.thread_time()
        late = wall - self._wall - EVERY_S
        if late > LATE_S_MIN:
            line = f"{wall:.6f} {late * 1e6:.0f} {(cpu - self._cpu) * 1e6:.0f}\n"
            os.write(self._descriptor, line.encode())
        self._wall, self._cpu = wall, cpu
        self._loop.call_later(EVERY_S, self.tick)


def main() -> int:
    descriptor = int(sys.argv[1])
    instance.make_importable()
    make = uvloop.new_event_loop

    def watched() -> asyncio.AbstractEventLoop:
        loop = make()
        loop.call_soon(Probe(loop, descriptor).tick)
        return loop

    uvloop.new_event_loop = watched  # the only way in that leaves the worker as it is
    from knary.process import main as run_child

    return run_child(["gateway", sys.argv[2]])


if __name__ == "__main__":
    sys.exit(main())
