"""What the API costs as it grows: a thousand watches, thousands of Services.

Measured over HTTPS against the API, the store and, where it says so, the controllers, in a
process of their own. Nobody starts the Pods of replicas there: that measures the control plane and
nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import instance
import report
from api_wire import Crowd, Wire

SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
ROUTES = "/apis/serving.knative.dev/v1/namespaces/default/routes"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
WRITES = 40
WRITERS = 32
EDGE = 100  # the first and the last so many are compared
PAGE = 500


class Server:
    """A running `api_process.py`."""

    def __init__(self, process: subprocess.Popen[str], said: dict[str, Any]) -> None:
        self._process = process
        self._port, self._token = said["port"], said["token"]
        self._context = ssl.create_default_context(cafile=said["ca"])

    def wire(self) -> Wire:
        return Wire(self._port, self._token, self._context)

    def used(self) -> dict[str, float]:
        """Return CPU seconds, resident megabytes and the longest stall since the last call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def server(*, controllers: bool) -> Iterator[Server]:
    """Run the API over an empty store."""
    program = str(Path(__file__).with_name("api_process.py"))
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, program, folder, str(int(controllers))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=instance.environment(),
            text=True,
        )
        try:
            assert process.stdout is not None
            yield Server(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()
            process.communicate()


def service(number: int) -> dict[str, Any]:
    container = {"image": instance.IMAGE, "env": [{"name": "TARGET", "value": "World"}]}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": f"service-{number:05d}"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def fan_out(watches: int) -> dict[str, Any]:
    """Return how long a write takes to the answer, and to the last of so many watches."""
    report.say(f"one write, {watches} watches")
    with server(controllers=False) as running:
        writer = running.wire()
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}
        require(201, writer.ask("POST", CONFIG_MAPS, document | {"data": {"mark": "mark-start."}}))
        before = running.used()
        wires = []
        for _ in range(watches):
            wire = running.wire()
            wire.send("GET", f"{CONFIG_MAPS}?watch=true")
            wires.append(wire)
        answered, first, last = [], [], []
        with Crowd(wires) as crowd:
            crowd.until_all_have(b"mark-start.")
            opened = running.used()
            for number in range(WRITES):
                mark = f"mark-{number}."
                began = time.perf_counter()
                path = f"{CONFIG_MAPS}/one"
                writer.send("PUT", path, document | {"data": {"mark": mark}})
                moments = crowd.until_all_have(mark.encode())
                require(200, writer.answer())
                answered.append(time.perf_counter() - began)
                first.append(moments[0] - began)
                last.append(moments[-1] - began)
            after = running.used()
    return {
        "watches": watches,
        "first": report.timing(first),
        "last": report.timing(last),
        "cpu_ms_per_write": round((after["cpu_s"] - opened["cpu_s"]) * 1e3 / WRITES, 2),
        "kib_per_watch": round((opened["rss_mb"] - before["rss_mb"]) * 1024 / watches, 1),
        "stall_ms": round(after["stall_s"] * 1e3, 1),
    }


def sharing(writers: int) -> dict[str, Any]:
    """Return how many writes share one sync of the disk when so many clients write at once."""
    report.say(f"{writers} writers")
    with server(controllers=False) as running:
        wires = [running.wire() for _ in range(writers)]
        before = running.used()["commits"]
        began = time.perf_counter()
        for turn in range(WRITES):
            for number, wire in enumerate(wires):
                name = {"metadata": {"name": f"c-{turn}-{number}"}}
                wire.send("POST", CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap"} | name)
            for wire in wires:
                require(201, wire.answer())
        took_s = time.perf_counter() - began
        commits = running.used()["commits"] - before
    writes = writers * WRITES
    return {
        "writers": writers,
        "writes": writes,
        "commits": int(commits),
        "writes_per_commit": round(writes / commits, 1),
        "writes_per_s": round(writes / took_s),
    }


def creation(count: int, *, controllers: bool) -> dict[str, Any]:
    """Return what each of `count` Services costs, created one after the other."""
    report.say(f"{count} services, {'with' if controllers else 'without'} controllers")
    with server(controllers=controllers) as running:
        writer = running.wire()
        wires = []
        if controllers:
            wires = [running.wire()]
            wires[0].send("GET", f"{ROUTES}?watch=true")
        took, cpu = [], [running.used()["cpu_s"]]
        with Crowd(wires) as crowd:
            for number in range(count):
                began = time.perf_counter()
                require(201, writer.ask("POST", SERVICES, service(number)))
                if controllers:
                    # Its Route is made by the Service's controller, and tells its host by its own.
                    crowd.until_all_have(f"//service-{number:05d}.default".encode())
                took.append(time.perf_counter() - began)
                if (number + 1) % EDGE == 0:
                    cpu.append(running.used()["cpu_s"])
        used = running.used()
    per_edge = [(late - early) * 1e3 / EDGE for early, late in pairwise(cpu)]
    return {
        "count": count,
        "first": report.timing(took[:EDGE]),
        "last": report.timing(took[-EDGE:]),
        "cpu_ms_first": round(per_edge[0], 2),
        "cpu_ms_last": round(per_edge[-1], 2),
        "kib_each": round(used["rss_mb"] * 1024 / count, 1),
        "stall_ms": round(used["stall_s"] * 1e3, 1),
    }


def listing(count: int) -> dict[str, Any]:
    """Return what a list of `count` Services costs, whole and in pages, and the store's memory."""
    report.say(f"a list of {count} services")
    with server(controllers=False) as running:
        wire = running.wire()
        empty = running.used()
        for number in range(count):
            require(201, wire.ask("POST", SERVICES, service(number)))
        full = running.used()
        whole, paged, sizes = [], [], []
        for _ in range(5):
            began = time.perf_counter()
            sizes.append(len(require(200, wire.ask("GET", SERVICES))))
            whole.append(time.perf_counter() - began)
            began = time.perf_counter()
            token = ""
            while True:
                page = json.loads(
                    require(200, wire.ask("GET", f"{SERVICES}?limit={PAGE}&continue={token}"))
                )
                token = page["metadata"].get("continue", "")
                if not token:
                    break
            paged.append(time.perf_counter() - began)
        after = running.used()
    return {
        "count": count,
        "whole": report.timing(whole),
        "pages": report.timing(paged),
        "whole_mb": round(sizes[0] / 1e6, 2),
        "stall_ms": round(after["stall_s"] * 1e3, 1),
        "kib_each": round((full["rss_mb"] - empty["rss_mb"]) * 1024 / count, 2),
        "rss_mb": round(after["rss_mb"], 1),
    }


def require(code: int, answer: tuple[int, bytes]) -> bytes:
    if answer[0] != code:
        raise instance.BenchmarkError(f"expected {code}: {answer[0]} {answer[1][:300]!r}")
    return answer[1]


def printed(found: dict[str, Any]) -> str:
    """Return the report."""
    out, made, whole = found["fan_out"], found["creation"], found["list"]
    heads = ("a write, ms", "median", "p95", "max")
    fan = [
        (f"to the {which} of {out['watches']} watches", *_times(out[which]))
        for which in ("last", "first")
    ]
    rows = [
        (f"{title}, {edge} {EDGE} of {one['count']}", *_times(one[edge]), one[f"cpu_ms_{edge}"])
        for title, one in made.items()
        for edge in ("last", "first")
    ]
    used = (
        f"CPU {out['cpu_ms_per_write']} ms a write; the loop stood still {out['stall_ms']} ms at "
        f"most; {out['kib_per_watch']} KiB a watch"
    )
    shared = found["sharing"]
    syncs = (
        f"{shared['writers']} writers: {shared['writes']} writes in {shared['commits']} commits, "
        f"{shared['writes_per_commit']} a sync; {shared['writes_per_s']} writes a second"
    )
    lists = report.table(
        (f"a list of {whole['count']} Services, ms", "median", "p95", "max"),
        [("whole", *_times(whole["whole"])), (f"by {PAGE}", *_times(whole["pages"]))],
    )
    kept = (
        f"{whole['whole_mb']} MB whole; {whole['kib_each']} KiB of memory a Service; the loop "
        f"stood still {whole['stall_ms']} ms at most"
    )
    creations = report.table(("a Service created, ms", "median", "p95", "max", "CPU ms"), rows)
    return "\n\n".join((report.table(heads, fan), used, syncs, creations, lists, kept))


def _times(timing: dict[str, float]) -> Sequence[float]:
    return timing["median_ms"], timing["p95_ms"], timing["max_ms"]


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watches", type=int, default=1_000)
    parser.add_argument("--services", type=int, default=5_000)
    parser.add_argument("--created", type=int, default=1_000)
    arguments = parser.parse_args()
    found = {
        "fan_out": fan_out(arguments.watches),
        "sharing": sharing(WRITERS),
        "creation": {
            "API and store": creation(arguments.created, controllers=False),
            "to its Route's URL": creation(arguments.created, controllers=True),
        },
        "list": listing(arguments.services),
    }
    print(report.heading(), "\n", sep="")
    print(printed(found))
    report.say(f"\n{report.write('api_scale', found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
