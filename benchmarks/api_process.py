"""The API over a store of its own, for `api_scale.py`: with controllers or without, no replicas.

`api_process.py FOLDER CONTROLLERS` prints one line of JSON once it serves: port, token and the CA's
file. CONTROLLERS is 1 or 0: with them a Service gets its Configuration, Route, Revision and the
Pod of its first replica, which nobody ever starts. A line on stdin is answered with what the
process has used: CPU seconds, resident memory, commits to the disk, and how long its event loop
stood still at most since the line before, in seconds. It ends when stdin does.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import instance

instance.make_importable()

import uvloop

from simulator.api.access import Policy, allowed_hosts
from simulator.api.server import ApiServer
from simulator.api.settings import ApiSettings
from simulator.bootstrap import ensure_objects
from simulator.clock import SystemClock
from simulator.controllers.all import build
from simulator.controllers.settings import ControllerSettings
from simulator.imagefile import ImageFile
from simulator.instance.credentials import ensure_credentials
from simulator.instance.paths import InstancePaths
from simulator.reconciling.controller import run_controllers
from simulator.store.objects import Store
from simulator.traffic.domains import Domains

HOST = "127.0.0.1"
TICK_S = 0.005


class Stalls:
    """How late the event loop came back at most."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + TICK_S
        self.longest_s = 0.0
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self.longest_s = max(self.longest_s, now - self._due)
        self._due = now + TICK_S
        self._loop.call_at(self._due, self._tick)


async def main(folder: Path, *, with_controllers: bool) -> None:
    """Serve until stdin ends."""
    paths, clock = InstancePaths(folder), SystemClock()
    sock = socket.create_server((HOST, 0), backlog=1024)
    port = sock.getsockname()[1]
    credentials = ensure_credentials(paths, HOST, port, datetime.now(UTC))
    store = await Store.open(paths.database, clock)
    await ensure_objects(store)
    policy = Policy("https", allowed_hosts([HOST]), credentials.token)
    server = ApiServer(store, ApiSettings(), clock, policy, paths.replica_logs)
    await server.start(sock, credentials.server_context())
    async with asyncio.TaskGroup() as tasks:
        if with_controllers:
            settings = ControllerSettings(domains=Domains(external="example.com"))
            controllers = build(settings, ImageFile(paths.images, None).current)
            tasks.create_task(run_controllers(store, controllers, clock))
        say({"port": port, "token": credentials.token, "ca": str(paths.certificates / "ca.crt")})
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        stalls = Stalls()
        while await reader.readline():
            used = {"cpu_s": time.process_time(), "rss_mb": resident_mb()}
            say(used | {"stall_s": stalls.longest_s, "commits": store.commits})
            stalls.longest_s = 0.0
        await server.stop()
        await store.close()


def resident_mb() -> float:
    """Return this process's resident memory; where there is no /proc, its peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
    return pages * resource.getpagesize() / 1024 / 1024


def say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Path(sys.argv[1]), with_controllers=sys.argv[2] == "1"))
