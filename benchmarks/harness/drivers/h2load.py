"""Drives h2c with h2load: connections × streams, the next request when an answer is there."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.harness.cores import available_cores
from benchmarks.harness.drivers import wrk
from benchmarks.harness.drivers.counts import Counts, percentile
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.peers.proxies import find

REQUESTS = re.compile(
    r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed,"
    r" (\d+) errored, (\d+) timeout",
    re.MULTILINE,
)
FINISHED = re.compile(r"^finished in ([\d.]+)(us|ms|s|m),", re.MULTILINE)
CODES = re.compile(r"^status codes: (\d+) 2xx", re.MULTILINE)
UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
GRPC_HEADERS = ("-H", "content-type: application/grpc", "-H", "te: trailers")


def parsed(said: str) -> Counts:
    """Return what the summary counts. Raise ValueError when requests failed, or none was made."""
    requests, finished, codes = REQUESTS.search(said), FINISHED.search(said), CODES.search(said)
    if not (requests and finished and codes):
        raise ValueError("h2load said no result")
    _total, _started, done, succeeded, failed, errored, timeout = map(int, requests.groups())
    if failed or errored or timeout or not done or int(codes[1]) != succeeded:
        raise ValueError(f"of {done} requests {succeeded} succeeded, {codes[1]} with 2xx")
    return Counts(done, float(finished[1]) * UNITS_S[finished[2]])


def latencies_us(log: str) -> list[float]:
    """Return how long each request of a --log-file took (start, status, µs until its end)."""
    return [float(line.split("\t")[2]) for line in log.splitlines() if line]


def command(port: int, arguments: Sequence[str]) -> list[str]:
    """Return a call of h2load in clear text, with prior knowledge."""
    return [find("h2load") or "h2load", *arguments, f"http://127.0.0.1:{port}/"]


def grpc_arguments(folder: Path) -> tuple[str, ...]:
    """Return what makes each request a unary call; its message is put into the folder."""
    message = folder / "request.grpc"
    message.write_bytes(b"\0\0\0\0\x07" + b"\x0a\x05World")  # helloworld.HelloRequest, framed
    return (*GRPC_HEADERS, "-d", str(message))


def drive(
    port: int,
    extra: Sequence[str],
    *,
    connections: int,
    streams: int,
    seconds: int,
    cores: Iterable[int],
) -> Counts:
    """Load a loopback port. Raise BenchmarkError when requests failed."""
    with tempfile.NamedTemporaryFile("r") as log:
        arguments = (
            *(f"-c{connections}", f"-m{streams}", "-t1", "-D", f"{seconds}s"),
            *("--log-file", log.name, *extra),
        )
        said, cpu_s = wrk.run(command(port, arguments), seconds, cores)
        try:
            counts = parsed(said)
        except ValueError as error:
            raise BenchmarkError(f"h2load on port {port}: {error}\n{said.strip()}") from error
        taken = latencies_us(log.read())
    p50, p99 = (percentile(taken, each) if taken else 0.0 for each in (50, 99))
    return Counts(counts.requests, counts.elapsed_s, p50, p99, cpu_s)


def trial(port: int, extra: Sequence[str], wait_s: float = 5.0) -> str:
    """Send one request; return what is wrong with it, "" when nothing is."""
    waits = ("-T", f"{wait_s:g}s", "-N", f"{wait_s:g}s")
    call = command(port, ("-n1", "-c1", "-m1", *waits, *extra))
    said, _ = wrk.run(call, 2 * wait_s, available_cores())
    try:
        parsed(said)
    except ValueError as error:
        return str(error)
    return ""
