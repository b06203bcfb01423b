"""How long things take: `knary up`, a release, a release of any program, `knary get`.

- up: from `knary up -f MANIFEST` to the first 200 through the gateway.
- update: from the request that changes a Service to its new revision Ready, the whole traffic on
  it, and the very next request answered by it.
- external: the same for a program that is executed, not forked, beside what this program takes
  from its start to its first 200 without knary. Both with replicas in networks of their own, where
  this machine allows that, and in its own.
- get: `knary get` as a user waits for it, from the start of the process to its end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import instance
import report
from instance import IMAGE, BenchmarkError, Instance

instance.make_importable()

from simulator.client import ApiClient
from simulator.netns import obstacle
from simulator.resources import scheme, serving

PROGRAM = Path(__file__).with_name("external_program.py")
EXTERNAL_IMAGE = "example.com/benchmarks/external:1"
READY_S_MAX = 30.0

MANIFEST = f"""\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
  namespace: default
spec:
  template:
    spec:
      containers:
        - image: {IMAGE}
          ports:
            - containerPort: 8080
"""


def time_up(times: int) -> list[float]:
    """Return the seconds from `knary up` to the first 200, each on an empty data folder."""
    taken = []
    for _ in range(times):
        with instance.folder() as place:
            manifest = place / "hello.yaml"
            manifest.write_text(MANIFEST)
            started = Instance(place / "data", "-f", str(manifest))
            try:
                came = instance.first_answer(
                    started.port,
                    "hello.default.example.com",
                    b"Hello World!",
                    instance.START_S_MAX,
                    started.process,
                )
                taken.append(came - started.started)
                started.wait_ready()
            finally:
                started.stop()
    return taken


def time_updates(served: Sequence[Instance], service: str, times: int) -> list[list[float]]:
    """Return the seconds from each change of TARGET to the first request that must obey it.

    A row per instance; they take turns, so that what else the machine does hits all of them.
    """
    taken: list[list[float]] = [[] for _ in served]
    for number in range(times):
        for one, row in zip(served, taken, strict=True):
            row.append(time_update(one, service, f"R{number}"))
    return taken


def time_update(served: Instance, service: str, target: str) -> float:
    """Return the seconds of one change."""
    client = ApiClient.from_kubeconfig(served.data / "kubeconfig")
    kind = scheme.info_of(serving.Service)
    patch = changed(client.get(kind, "default", service), target)  # the connection is open now
    began = time.monotonic()
    client.merge_patch(kind, "default", service, patch)
    client.wait_ready(kind, "default", service, READY_S_MAX)
    said = instance.answer(served.port, f"{service}.default.example.com")
    taken = time.monotonic() - began
    client.close()
    if said != f"Hello {target}!\n".encode():
        raise BenchmarkError(f"reported Ready, but the next request was answered {said!r}")
    return taken


def changed(service: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the patch that gives a Service's container another TARGET."""
    container = service["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "TARGET", "value": target}]
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def time_program(times: int) -> list[float]:
    """Return the seconds from the start of the external program to its first 200, without knary."""
    taken = []
    for _ in range(times):
        port = instance.free_port()
        environment = {**os.environ, "PORT": str(port), "TARGET": "alone"}
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, str(PROGRAM)], env=environment)
        try:
            taken.append(
                instance.first_answer(port, "alone", b"Hello", instance.START_S_MAX, process)
                - began
            )
        finally:
            process.terminate()
            process.wait(10)
    return taken


def time_get(served: Instance, times: int) -> list[float]:
    """Return the seconds that `knary get` takes."""
    return [timed(lambda: served.run("get", "services")) for _ in range(times)]


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def networks() -> list[str]:
    """Return the kinds of network that this machine allows replicas."""
    return ["host"] if obstacle() else ["own", "host"]


def time_instances(served: Mapping[str, Instance], options: argparse.Namespace) -> dict[str, Any]:
    """Return the rows of instances whose replicas have networks of different kinds."""
    results: dict[str, Any] = {}
    for one in served.values():
        one.run("service", "create", "hello", "--image", IMAGE)
        one.run("service", "create", "other", "--image", EXTERNAL_IMAGE)
    everyone = list(served.values())
    report.say(f"updates, {options.updates} times each")
    stand_ins = time_updates(everyone, "hello", options.updates)
    for network, stand_in in zip(served, stand_ins, strict=True):
        results[f"update to routable, stand-in, network {network}"] = report.timing(stand_in)
    externals = time_updates(everyone, "other", options.updates)
    alone = time_program(options.updates)
    results["the external program alone, to its first 200"] = report.timing(alone)
    for network, external in zip(served, externals, strict=True):
        beyond = [taken - report.median(alone) for taken in external]
        results[f"update to routable, external program, network {network}"] = report.timing(
            external
        )
        results[f"the same, beyond the program's own median, network {network}"] = report.timing(
            beyond
        )
    report.say(f"knary get, {options.gets} times")
    results["knary get"] = report.timing(time_get(everyone[0], options.gets))
    return results


def run(options: argparse.Namespace) -> int:
    results: dict[str, Any] = {}
    report.say(f"knary up, {options.ups} times")
    results["knary up to the first 200"] = report.timing(time_up(options.ups))
    with instance.folder() as place, contextlib.ExitStack() as running:
        images = place / "images.yaml"
        rule = {"image": EXTERNAL_IMAGE, "command": [sys.executable, str(PROGRAM)]}
        images.write_text(json.dumps([rule]))  # JSON is YAML
        served = {}
        for network in options.networks or networks():
            flags = ("--images", str(images), "--network", network)
            served[network] = running.enter_context(instance.running(*flags))
        results |= time_instances(served, options)
    heads = ("what", "median ms", "p95", "min", "max", "times")
    print(report.table(heads, [(what, *values.values()) for what, values in results.items()]))
    print(f"\nwritten to {report.write('startup', {'results': results})}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ups", type=int, default=7, help="times to start (default 7)")
    parser.add_argument("--updates", type=int, default=20, help="updates of each kind (default 20)")
    parser.add_argument("--gets", type=int, default=15, help="times to get (default 15)")
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=("own", "host"),
        help="kinds of network that replicas have (default: all that this machine allows)",
    )
    try:
        return run(parser.parse_args())
    except BenchmarkError as error:
        report.say(f"startup: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
