"""Where a proxied request's CPU time goes: samples of one worker under load, by layer.

perf (`perf record -e cpu-clock`) samples the worker of a whole `knary up`, and a peer that splits
over the same replicas, while wrk loads each in turn. Shares of samples times CPU microseconds per
request give microseconds per layer; sampling itself costs the worker some of them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gateway_cpu
import measuring
import report
from instance import BenchmarkError, folder, running
from measuring import Side, Turn
from sampled import Sample, layer_of, read_samples

from benchmarks.harness import processes
from benchmarks.harness.cores import available_cores, share_out
from benchmarks.harness.drivers import wrk
from benchmarks.harness.peers import proxies
from benchmarks.harness.peers.proxies import Proxy

SAMPLES_PER_S = 1999  # a prime: in step with nothing
PERF = "perf"


def profile(proxy: Proxy, kind: str, options: argparse.Namespace, load: Iterable[int]) -> Turn:
    """Load a proxy while perf samples it; the samples are in `data_file` afterwards."""
    cores = tuple(load)
    behind = Side((), len(cores))

    def drive(seconds: int) -> measuring.Counts:
        return wrk.drive(
            *(proxy.port, kind, (gateway_cpu.HOST,)),
            connections=options.connections,
            seconds=seconds,
            cores=cores,
        )

    drive(options.warm_s)
    pids = ",".join(map(str, proxy.pids))
    sampler = subprocess.Popen(
        (
            PERF,
            "record",
            "-q",
            "-e",
            "cpu-clock",
            "-F",
            str(SAMPLES_PER_S),
            "-p",
            pids,
            "-o",
            str(options.data_file),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return measuring.turn(drive, Side(proxy.pids), behind, (0, options.turn_s))
    finally:
        sampler.terminate()  # it writes its file and goes
        sampler.wait(timeout=30)


def samples_of(data_file: Path) -> list[Sample]:
    """Return what perf saw. Raise BenchmarkError when it saw nothing."""
    said = subprocess.run(
        [PERF, "script", "-i", str(data_file), "-F", "ip,sym,dso"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = read_samples(said.stdout)
    if not found:
        raise BenchmarkError(f"perf took no samples: {said.stderr.strip()[:200]}")
    return found


def summary(turn: Turn, samples: list[Sample]) -> dict[str, Any]:
    """Return microseconds per request by layer, and of the costliest functions."""
    per_sample = turn.cpu_us / len(samples)
    layers = Counter(layer_of(sample) for sample in samples)
    functions = Counter((layer_of(sample), sample.function) for sample in samples)
    return {
        "cpu_us": round(turn.cpu_us, 2),
        "samples": len(samples),
        "layers_us": {name: round(n * per_sample, 2) for name, n in layers.most_common()},
        "functions_us": [
            {"layer": layer, "function": name, "us": round(n * per_sample, 3)}
            for (layer, name), n in functions.most_common(40)
        ],
    }


def show(title: str, found: dict[str, Any], functions: int) -> None:
    total = found["cpu_us"]
    rows = [(name, f"{us:.2f}", f"{us / total:.0%}") for name, us in found["layers_us"].items()]
    print(f"\n{title}: {total:.1f} µs of CPU per request, {found['samples']} samples")
    print(report.table(("layer", "µs", "share"), rows))
    rows = [
        (each["function"][:58], each["layer"], f"{each['us']:.2f}")
        for each in found["functions_us"][:functions]
    ]
    print(report.table(("function", "layer", "µs"), rows))


def run(options: argparse.Namespace) -> int:
    cores = share_out(available_cores(), 1)
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        options.data_file = place / "perf.data"
        served = stack.enter_context(running("--workers", "1", "--network", "host"))
        worker, replicas = gateway_cpu.prepare(served, cores)
        one, two = replicas
        loaded = [worker]
        for name in (each for each in options.peers.split(",") if each):
            peer = stack.enter_context(proxies.running(name, place, (one, two)))
            processes.pin(peer.pid, cores.proxy)
            loaded.append(peer)
        for kind in options.kinds.split(","):
            results[kind] = {}
            for proxy in loaded:
                turn = profile(proxy, kind, options, cores.load)
                results[kind][proxy.name] = summary(turn, samples_of(options.data_file))
    path = report.write("gateway_profile", {"kinds": results})
    if options.json:
        print(report.as_json("gateway_profile", {"kinds": results}))
        return 0
    print(report.heading())
    for kind, found in results.items():
        for name, each in found.items():
            show(f"{name}, {kind} requests", each, options.functions)
    print(f"\nwritten to {path}")
    return 0


def missing(options: argparse.Namespace) -> str:
    """Return what this machine lacks for the measurement, "" when nothing."""
    if shutil.which(PERF) is None:
        return "perf is not installed (apt install linux-perf)"
    return gateway_cpu.missing(options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turn-s", type=int, default=10, help="seconds sampled (default 10)")
    parser.add_argument("--warm-s", type=int, default=2, help="seconds of load before")
    parser.add_argument("--connections", type=int, default=32, help="kept-alive connections")
    parser.add_argument("--kinds", default="bare,browser", help="bare, browser, or both")
    parser.add_argument("--peers", default="nginx", help="other proxies to sample (default nginx)")
    parser.add_argument("--functions", type=int, default=15, help="how many functions to show")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    options = parser.parse_args()
    if lack := missing(options):
        return report.skipped(lack)
    try:
        return run(options)
    except BenchmarkError as error:
        report.say(f"gateway_profile: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
