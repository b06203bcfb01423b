"""What a gateway worker's memory does: under bodies of 1 GiB, and with 10,000 idle connections.

Resident memory is the process's own, from proc(5); a growth is that of its peak over what it was
before. What the kernel keeps for sockets is not in it. Peers can be measured in the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import memory_clients as clients
import ownworker
import report
from instance import BenchmarkError, folder

from benchmarks.harness import processes
from benchmarks.harness.loopback import speaks_h2c
from benchmarks.harness.peers import proxies
from benchmarks.harness.peers.proxies import Proxy

OURS = "knary"
MIB = 1024**2
WARM_BYTES = 256 * 1024  # one piece of memory_clients
IDLE = {
    "after a request": clients.idle_after_a_request,
    "nothing sent yet": clients.idle_from_the_start,
}
WANTED_BODY_MIB = 16
WANTED_IDLE_KIB = 16
WARM_CONNECTIONS = 64


def growth_mib(proxy: Proxy, work: Callable[[], None]) -> float:
    """Return by how much the proxy's resident memory rose at its peak during the work."""
    (pid,) = proxy.pids
    processes.forget_peak(pid)
    before = processes.resident_bytes(pid)
    work()
    return round((processes.peak_resident_bytes(pid) - before) / MIB, 2)


def bodies(
    quick: dict[str, Proxy], slow: dict[str, Proxy], options: argparse.Namespace
) -> dict[str, Any]:
    """Return the growth for each way of moving a huge body, by proxy.

    The proxies in `slow` stand before replicas that take bodies slowly.
    """
    count = options.mib * MIB
    part = min(count, clients.SLOW_BYTES)
    ways: dict[str, tuple[dict[str, Proxy], Callable[[int, int], None], int]] = {
        "down": (quick, clients.download, count),
        "down, slow client": (quick, clients.download_slowly, part),
        "up": (quick, clients.upload, count),
        "up, chunked": (quick, clients.upload_chunked, count),
        "up, slow replica": (slow, clients.upload, part),
    }
    found: dict[str, Any] = {}
    for title, (by_name, way, size) in ways.items():
        found[title] = {}
        for name, proxy in by_name.items():
            way(proxy.port, WARM_BYTES)  # what is made but once is not what is looked for
            grown = [
                growth_mib(proxy, lambda p=proxy, way=way, size=size: way(p.port, size))
                for _ in range(options.rounds)
            ]
            found[title][name] = report.spread(grown)
            report.say(f"{title}, {size // MIB} MiB: {name} grew by {grown} MiB")
    return found


def h2_download(proxy: Proxy, options: argparse.Namespace) -> dict[str, Any]:
    """Return the growth for one huge answer over h2c."""
    if why := speaks_h2(proxy):
        return {"skipped": why}
    return {
        OURS: report.spread(
            [
                growth_mib(proxy, lambda: clients.h2_download(proxy.port))
                for _ in range(options.rounds)
            ]
        )
    }


def speaks_h2(proxy: Proxy) -> str:
    """Return why h2c is not measured, "" when it is."""
    if not speaks_h2c(proxy.port):
        return "not supported yet: no SETTINGS frame for an answer to the preface"
    return ""


def idle(
    running: dict[str, Proxy],
    options: argparse.Namespace,
    opened: Callable[[int, int], contextlib.AbstractContextManager[None]],
) -> dict[str, Any]:
    """Return what each idle connection costs, in KiB of the proxy's resident memory."""
    found: dict[str, Any] = {}
    for name, proxy in running.items():
        (pid,) = proxy.pids
        with opened(proxy.port, WARM_CONNECTIONS):
            pass
        before = processes.resident_bytes(pid)
        with opened(proxy.port, options.connections):
            after = processes.resident_bytes(pid)
        each = (after - before) / options.connections / 1024
        found[name] = round(each, 2)
        report.say(f"{options.connections} idle connections: {name} {each:.2f} KiB each")
    return found


def show(found: dict[str, Any], options: argparse.Namespace) -> None:
    print(report.heading())
    rows = []
    for title, by_name in found["bodies"].items():
        if why := by_name.get("skipped"):
            rows.append((title, OURS, why, "", ""))
            continue
        rows += [
            (title, name, *(each[key] for key in ("median", "max")), _wanted(name, WANTED_BODY_MIB))
            for name, each in by_name.items()
        ]
    heads = ("one body", "proxy", "MiB grown", "max", "wanted")
    print(f"\nresident memory, {options.mib} MiB in one body\n{report.table(heads, rows)}")
    rows = []
    for title, by_name in found["idle"].items():
        if why := by_name.get("skipped"):
            rows.append((title, OURS, why, ""))
            continue
        rows += [
            (title, name, each, _wanted(name, WANTED_IDLE_KIB)) for name, each in by_name.items()
        ]
    heads = ("idle", "proxy", "KiB each", "wanted")
    print(f"\n{options.connections} idle connections\n{report.table(heads, rows)}")


def _wanted(name: str, limit: int) -> str:
    return f"< {limit}" if name == OURS else ""


@contextlib.contextmanager
def ours(place: Path, name: str, addresses: tuple[str, ...], protocol: str) -> Iterator[Proxy]:
    """Yield one worker of ours before these replicas."""
    table = ownworker.split_table(addresses, protocol)
    is_h2 = protocol == "h2c"
    with ownworker.running(place, name, table, is_h2=is_h2) as (port, (worker,)):
        yield Proxy(OURS, port, (worker.pid,))


def run(options: argparse.Namespace) -> int:
    limit = processes.allow_open_files(2 * options.connections + 4096)
    if limit < options.connections + 2048:
        options.connections = limit - 2048
        report.say(f"only {limit} open files are allowed: {options.connections} idle connections")
    names = [name for name in options.peers.split(",") if name]
    for name, how in proxies.missing(tuple(names)).items():
        report.say(f"skipped: {name} is not installed ({how})")
        names.remove(name)
    with ExitStack() as stack:
        place = stack.enter_context(folder())

        def replicas(*flags: str) -> tuple[str, str]:
            one, two = stack.enter_context(ownworker.standins(place, *flags))
            return one[0], two[0]

        def everybody(title: str, backends: tuple[str, str]) -> dict[str, Proxy]:
            here = place / title
            here.mkdir()
            first = stack.enter_context(ours(here, OURS, backends, "http1"))
            return {OURS: first} | {
                name: stack.enter_context(proxies.running(name, here, backends)) for name in names
            }

        found: dict[str, Any] = {
            "settings": {key: value for key, value in vars(options).items() if key != "json"}
        }
        # Each kind of idle connection meets processes of its own: freed memory is used again.
        small = replicas()
        found["idle"] = {
            title: idle(everybody(f"idle-{number}", small), options, opened)
            for number, (title, opened) in enumerate(IDLE.items())
        }
        quick, slow = everybody("quick", small), everybody("slow", replicas("--slow"))
        large = replicas("--reply-bytes", str(options.mib * MIB))
        h2 = stack.enter_context(ours(place, "h2", large, "h2c"))
        found["bodies"] = {**bodies(quick, slow, options), "down, h2c": h2_download(h2, options)}
        only = stack.enter_context(ours(place, "idle-h2", small, "http1"))
        found["idle"]["h2c, after a request"] = (
            {"skipped": why}
            if (why := speaks_h2(only))
            else idle({OURS: only}, options, clients.idle_h2_after_a_request)
        )
    path = report.write("memory", found)
    if options.json:
        print(report.as_json("memory", found))
    else:
        show(found, options)
        print(f"\nwritten to {path}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=1024, help="in one body (default 1024)")
    parser.add_argument("--rounds", type=int, default=3, help="of each body (default 3)")
    parser.add_argument("--connections", type=int, default=10_000, help="idle ones")
    parser.add_argument("--peers", default="", help=f"some of {', '.join(proxies.NAMES)}")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        return report.skipped("memory per process is read from /proc: this benchmark needs Linux")
    try:
        return run(options)
    except BenchmarkError as error:
        report.say(f"memory: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
