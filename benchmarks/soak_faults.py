"""What happens to a knary in a soak run: each fault has a name, a moment, and a time to recover."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import struct
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instance import IMAGE, Instance

GRPC_IMAGE = "knary.dev/helloworld-grpc"
KILLS_PER_REPLICA_MAX = 1  # a replica that dies again and again backs off: no fault of routing
SLOW_S = 3.0
KEEPER = "knary-networks"
COUNTED = "knary_revision_requests_in_flight"
GAUGES = (
    "envoy_http_downstream_cx_active",
    COUNTED,
    "envoy_cluster_upstream_rq_pending_active",
)


@dataclass(frozen=True)
class Fault:
    """Something that was done. Requests may fail from `began` until `recovered`, if it harms."""

    name: str
    harms: bool
    began: float
    recovered: float

    def explains(self, sent: float, came: float) -> bool:
        """Tell whether a request of that time may have failed by it."""
        return self.harms and sent <= self.recovered and came >= self.began


class Faults:
    """A die, and what it does to an instance. The first worker is left alone but for restarts."""

    def __init__(self, served: Instance, dice: random.Random, pace_s: float) -> None:
        self.done: list[Fault] = []
        self.may_replace_all = True
        self._served = served
        self._dice = dice
        self._pace_s = pace_s
        self._stopped = asyncio.Event()
        self._busy = asyncio.Lock()
        self._killed: dict[str, int] = {}
        self._releases = 1
        # What may be done, how often compared with the others, whether it harms, for how long.
        self._choices: list[tuple[Callable[[], Awaitable[None]], int, bool, float]] = [
            (self.kill_a_replica, 2, True, 3.0),
            (self.stop_a_replica, 2, True, 3.0),
            (self.kill_a_worker, 2, True, 1.5),
            (self.stop_a_worker, 1, True, 1.5),
            (self.kill_the_keeper, 1, False, 0.0),
            (self.stop_the_keeper, 1, False, 0.0),
            (self.hang_the_keeper, 1, False, 0.0),
            (self.change_the_split, 6, False, 0.0),
            (self.bring_a_revision, 2, False, 0.0),
            (self.replace_all_workers, 1, False, 0.0),
            (self.reset_in_the_middle, 4, False, 0.0),
            (self.send_slowly, 2, False, 0.0),
            (self.read_slowly, 2, False, 0.0),
        ]

    async def go_on(self) -> None:
        """Do one thing after the other until told to stop."""
        while not self._stopped.is_set():
            async with self._busy:
                await self._one()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._stopped.wait(), self._dice.expovariate(1 / self._pace_s)
                )

    def stop(self) -> None:
        self._stopped.set()

    async def settled(self) -> None:
        """Wait until nothing is being done."""
        async with self._busy:
            pass

    async def _one(self) -> None:
        weights = [weight for _, weight, _, _ in self._choices]
        work, _, harms, recovery_s = self._dice.choices(self._choices, weights)[0]
        began = time.monotonic()
        await work()
        name = getattr(work, "__name__", "?").replace("_", " ")
        self.done.append(Fault(name, harms, began, time.monotonic() + recovery_s))

    # Processes.

    def workers(self) -> list[int]:
        return worker_pids(self._served)

    def survivor(self) -> int:
        """Return the worker that nothing is done to."""
        return self.workers()[0]

    async def _replica(self) -> int:
        """Return a replica's process that may be harmed; 0 when there is none."""
        status = await asyncio.to_thread(self._served.status)
        ready = [each for each in status["replicas"] if each["ready"] and each["pid"]]
        fresh = [one for one in ready if self._killed.get(one["pod"], 0) < KILLS_PER_REPLICA_MAX]
        if not fresh:
            return 0
        chosen = self._dice.choice(fresh)
        self._killed[chosen["pod"]] = self._killed.get(chosen["pod"], 0) + 1
        return int(chosen["pid"])

    async def kill_a_replica(self) -> None:
        if pid := await self._replica():
            send(pid, signal.SIGKILL)

    async def stop_a_replica(self) -> None:
        if pid := await self._replica():
            send(pid, signal.SIGSTOP)
            await asyncio.sleep(self._dice.uniform(0.2, 1.0))
            send(pid, signal.SIGCONT)

    async def kill_a_worker(self) -> None:
        send(self.workers()[-1], signal.SIGKILL)

    async def stop_a_worker(self) -> None:
        pid = self.workers()[-1]
        send(pid, signal.SIGSTOP)
        await asyncio.sleep(self._dice.uniform(0.1, 0.7))
        send(pid, signal.SIGCONT)

    async def _keeper(self) -> int:
        """Return the process that keeps the replicas' networks; 0 when there is none."""
        return await asyncio.to_thread(keeper_of, self._served.process.pid)

    async def kill_the_keeper(self) -> None:
        if pid := await self._keeper():
            send(pid, signal.SIGKILL)

    async def stop_the_keeper(self) -> None:
        if pid := await self._keeper():
            send(pid, signal.SIGSTOP)
            await asyncio.sleep(self._dice.uniform(0.2, 1.0))
            send(pid, signal.SIGCONT)

    async def hang_the_keeper(self) -> None:
        """Stop it for good: the launcher has to replace it."""
        if pid := await self._keeper():
            send(pid, signal.SIGSTOP)

    async def replace_all_workers(self) -> None:
        if self.may_replace_all:
            await asyncio.to_thread(self._served.run, "restart-workers")

    # Changes.

    async def change_the_split(self) -> None:
        service = self._dice.choice(("plain", "calls"))
        revisions = [
            each["name"]
            for each in await asyncio.to_thread(newest_revisions, self._served, service)
        ]
        percent = self._dice.choice((0, 1, 10, 50, 90, 100))
        shares = {revisions[0]: percent, revisions[1]: 100 - percent}
        await asyncio.to_thread(self._served.split, service, shares)

    async def bring_a_revision(self) -> None:
        service = self._dice.choice(("plain", "calls"))
        self._releases += 1
        release = ("service", "update", service, "--env", f"RELEASE={self._releases}")
        await asyncio.to_thread(self._served.run, *release)

    # Clients.

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._served.port), 5)

    async def reset_in_the_middle(self) -> None:
        connection = await asyncio.to_thread(self._connect)
        head = "PUT / HTTP/1.1\r\nHost: plain.default.example.com\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(head.encode()[: self._dice.randrange(1, len(head))])
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()

    async def send_slowly(self) -> None:
        connection = await asyncio.to_thread(self._connect)
        head = b"GET / HTTP/1.1\r\nHost: plain.default.example.com\r\nX: "
        with contextlib.suppress(OSError):
            for byte in head:
                connection.send(bytes((byte,)))
                await asyncio.sleep(SLOW_S / len(head))
        connection.close()

    async def read_slowly(self) -> None:
        connection = await asyncio.to_thread(self._connect)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET / HTTP/1.1\r\nHost: plain.default.example.com\r\n\r\n"
        with contextlib.suppress(OSError):
            connection.sendall(request * 300)
            await asyncio.sleep(SLOW_S)
        connection.close()


def prepare(served: Instance) -> None:
    """Create the two services, with two revisions each and two replicas of each."""
    two = ("--scale-min", "2")
    served.run("service", "create", "plain", "--image", IMAGE, *two)
    served.run("service", "create", "calls", "--image", GRPC_IMAGE, "--port", "h2c:8080", *two)
    for service in ("plain", "calls"):
        served.run("service", "update", service, "--env", "RELEASE=1")
        names = [each["name"] for each in newest_revisions(served, service)]
        served.split(service, {names[0]: 50, names[1]: 50})


def newest_revisions(served: Instance, service: str) -> list[dict[str, Any]]:
    """Return the metadata of a service's two newest revisions, the newest first."""
    import json

    listed = json.loads(served.run("get", "revisions", "-o", "json"))["items"]
    mine = [
        each["metadata"]
        for each in listed
        if each["metadata"]["labels"]["serving.knative.dev/service"] == service
    ]
    generation = "serving.knative.dev/configurationGeneration"
    return sorted(mine, key=lambda one: -int(one["labels"][generation]))[:2]


def worker_pids(served: Instance) -> list[int]:
    """Return the workers' processes in order. It asks nobody: that would hold the load up."""
    found = []
    for path in sorted(served.data.glob("**/worker-*.pid"), key=lambda one: one.name):
        with contextlib.suppress(FileNotFoundError):
            text = path.read_text().strip()
            found += [int(text)] if text.isdigit() else []
    return found


def keeper_of(parent: int) -> int:
    """Return the keeper of networks below the launcher of this instance; 0 when there is none."""
    for launcher in children_of(parent):
        for pid in children_of(launcher):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == KEEPER:
                    return pid
    return 0


def children_of(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def left(served: Instance) -> dict[str, int]:
    """Return what is still open by the gateway's own count."""
    sums = dict.fromkeys(GAUGES, 0.0)
    for line in metrics(served):
        name = line.partition("{")[0].partition(" ")[0]
        if name in sums:
            sums[name] += float(line.rpartition(" ")[2])
    return {name: int(value) for name, value in sums.items()}


def cells(served: Instance) -> int:
    """Return how many revisions (with their tags) were ever counted."""
    return sum(line.startswith(f"{COUNTED}{{") for line in metrics(served))


def metrics(served: Instance) -> list[str]:
    status = served.status()
    token = (Path(status["dataFolder"]) / "token").read_text().strip()
    request = urllib.request.Request(
        f"{status['console']}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return lines


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
