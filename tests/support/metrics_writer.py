"""A process that counts requests as a worker does, without a pause: python -m … PATH WORKER.

Every answer takes 7 µs and carries 3 bytes up and 5 down; every flush comes with one more cell.
It counts for some milliseconds between two flushes, where a worker does for a hundred. One request
of the cell "stays" is under way for ever. A line on stdout says that it has begun.
"""

from __future__ import annotations

import itertools
import sys

from gateway.metrics.registry import open_metrics

LATENCY_US, BYTES_UP, BYTES_DOWN = 7, 3, 5
CELLS = 40
ROUNDS = 200


def main(path: str, worker: int) -> None:
    metrics = open_metrics(path, worker)
    metrics.cell("default/hello", "default/stays", "").begun += 1
    metrics.worker.connections_open = 1
    for turn in itertools.count():
        for number in range(min(turn + 1, CELLS)):
            cell = metrics.cell("default/hello", f"default/hello-{number:05}", "")
            for _ in range(ROUNDS):
                cell.begun += 1
                cell.done(200, LATENCY_US, BYTES_UP, BYTES_DOWN)
        metrics.worker.connections_accepted += 1
        metrics.flush()
        if turn == 0:
            sys.stdout.write("counting\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
