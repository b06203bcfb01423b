"""containerConcurrency with real processes: one limit over both workers, and a queue behind it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.support.instance import HELLO, Instance

DELAY_S = 0.1


def burst(knary: Instance, service: str, count: int) -> Counter[int]:
    """Send so many requests at once, each on a connection of its own; return the statuses."""
    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(lambda _: knary.get(service).status, range(count)))


def test_two_workers_together_let_one_request_at_a_time_in() -> None:
    with Instance("--workers", "2") as knary:
        knary.run(
            *("service", "create", "single", "--image", HELLO, "--concurrency-limit", "1"),
            *("--env", f"DELAY_MS={int(DELAY_S * 1000)}"),
        )
        assert re.search(r"^Turns: +shared by all workers", knary.run("status").out, re.MULTILINE)
        began = time.monotonic()
        assert burst(knary, "single", 10) == {200: 10}
        # One after the other: whatever the machine does, it cannot be faster.
        assert time.monotonic() - began >= 10 * DELAY_S
        # Ten may wait behind the one that is inside; of many more at once some must be refused.
        # A busy machine may take a second to begin them.
        many = burst(knary, "single", 60)
        assert set(many) == {200, 503}
        assert many[503] >= 1

        os.kill(knary.pids()["gateway"][0], signal.SIGKILL)
        assert knary.get("single").status == 200  # its places are given back
        assert burst(knary, "single", 5)[200] == 5
