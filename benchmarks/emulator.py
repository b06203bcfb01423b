"""What a test waits for: `knary.Emulator` from its start to its end, and resets between tests.

- start: from `Emulator().start()` to its return, when everything answers.
- reset: from the call to the moment when the gateway obeys, with that many services there. The next
  request must be answered 404.
- close: until nothing of it is left.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import instance
import report
from instance import IMAGE, BenchmarkError

instance.make_importable()

from knary import Emulator

SERVICES = (1, 5, 20)


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [{"image": IMAGE}]}}},
    }


def time_reset(emulator: Emulator, services: int) -> float:
    """Return the seconds of a reset with so many services."""
    names = [f"s{number}" for number in range(services)]
    for name in names:
        emulator.apply(service(name), wait=False)
    for name in names:
        emulator.wait(name)
    taken = timed(emulator.reset)
    left = [name for name in names if emulator.request(name).status != 404]
    if left:
        raise BenchmarkError(f"after a reset the gateway still answers for {left}")
    return taken


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def run(options: argparse.Namespace) -> int:
    starts, closes = [], []
    resets: dict[int, list[float]] = {services: [] for services in SERVICES}
    for number in range(options.times):
        report.say(f"round {number + 1} of {options.times}")
        emulator = Emulator()
        starts.append(timed(emulator.start))
        try:
            for services, taken in resets.items():
                taken.append(time_reset(emulator, services))
        finally:
            closes.append(timed(emulator.close))
    results = {"start": report.timing(starts)}
    results |= {f"reset, {count} services": report.timing(row) for count, row in resets.items()}
    results["close"] = report.timing(closes)
    heads = ("what", "median ms", "p95", "min", "max", "times")
    print(report.table(heads, [(what, *values.values()) for what, values in results.items()]))
    print(f"\nwritten to {report.write('emulator', {'results': results})}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10, help="instances to start (default 10)")
    try:
        return run(parser.parse_args())
    except BenchmarkError as error:
        report.say(f"emulator: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
