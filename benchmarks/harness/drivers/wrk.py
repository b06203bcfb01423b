"""Drives HTTP/1.1 with wrk: so many connections, the next request when the answer is there."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.harness import processes
from benchmarks.harness.drivers.counts import Counts
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.peers.proxies import find

HERE = Path(__file__).resolve().parent
RESULT = re.compile(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)")
EXIT_S_MAX = 30


def parsed(said: str) -> Counts:
    """Return what a script's last line counts. Raise ValueError when requests failed, or none."""
    found = RESULT.search(said)
    if not found:
        raise ValueError("wrk said no result")
    requests, micros, errors, p50, p99 = map(int, found.groups())
    if errors or not requests:
        raise ValueError(f"{errors} of {requests} requests failed")
    return Counts(requests, micros / 1e6, p50, p99)


def command(
    port: int, script: str, arguments: Sequence[str], connections: int, seconds: int
) -> list[str]:
    """Return the call of wrk; `script` is the stem of a .lua file beside this one."""
    return [
        *(find("wrk") or "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"),
        *("-s", str(HERE / f"{script}.lua"), f"http://127.0.0.1:{port}/", "--", *arguments),
    ]


def drive(
    port: int,
    script: str,
    arguments: Sequence[str],
    *,
    connections: int,
    seconds: int,
    cores: Iterable[int],
) -> Counts:
    """Load a loopback port. Raise BenchmarkError when requests failed."""
    said, cpu_s = run(command(port, script, arguments, connections, seconds), seconds, cores)
    try:
        counts = parsed(said)
    except ValueError as error:
        raise BenchmarkError(f"wrk on port {port} ({script}): {error}\n{said.strip()}") from error
    return Counts(counts.requests, counts.elapsed_s, counts.p50_us, counts.p99_us, cpu_s)


def run(command: Sequence[str], seconds: float, cores: Iterable[int]) -> tuple[str, float]:
    """Run a driver on these cores; return what it said and the CPU seconds that it used."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(list(command), stdout=output, stderr=output)
        processes.pin(process.pid, cores)
        before = sum(os.times()[2:4])
        try:
            process.wait(seconds + EXIT_S_MAX)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise BenchmarkError(f"{command[0]} did not end in time") from error
        cpu_s = sum(os.times()[2:4]) - before
        output.seek(0)
        return output.read(), cpu_s
