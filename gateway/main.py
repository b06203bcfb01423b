"""One gateway worker's composition root: the only place that constructs and connects the parts."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
from pathlib import Path
from random import SystemRandom
from typing import cast

import msgspec
import uvloop

from gateway.accesslog import open_access_log
from gateway.control import ControlLink
from gateway.downstream.h1 import ClientConnection
from gateway.gates import Gates
from gateway.hosts import HostTable
from gateway.ledger import open_ledger
from gateway.metrics.registry import open_metrics
from gateway.router import Router
from gateway.settings import Startup
from gateway.upstream.networks import Networks
from gateway.worker import Worker

log = logging.getLogger("gateway")


def run(text: str) -> int:
    """Run one worker until it is told to stop; `text` is a `Startup` as JSON."""
    startup = msgspec.json.decode(text, type=Startup)
    logging.basicConfig(
        level=_log_level(startup),
        format=f"%(asctime)s gateway[{startup.worker}] %(levelname)s %(message)s",
    )
    if startup.pid_file:
        Path(startup.pid_file).write_text(f"{os.getpid()}\n", encoding="ascii")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(startup))


def _log_level(startup: Startup) -> int:
    if startup.verbose:
        return logging.DEBUG
    return logging.WARNING if startup.quiet else logging.INFO


async def _serve(startup: Startup) -> int:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    _die_with_parent(loop, startup.life_fd)
    link = ControlLink(startup)
    async with asyncio.TaskGroup() as tasks:
        metrics = open_metrics(startup.metrics_file, startup.worker)
        link.figures = metrics.worker
        worker = Worker(loop, startup.settings, tasks, metrics)
        worker.number = startup.worker
        worker.access_log = open_access_log(
            startup.access_log,
            startup.access_log_fd,
            startup.access_log_sample,
            SystemRandom().random,
            metrics.worker,
        )
        worker.gates = _open_gates(startup.gates_file, worker)
        worker.sessions_file = startup.sessions_file
        if startup.session_key_file:
            worker.session_key = _read_key(startup.session_key_file)
        worker.ledger = open_ledger(startup.turns_file, startup.settings.shared_splits_max)
        link.turns = worker.ledger.kind if worker.ledger is not None else "own"
        if startup.networks_socket:
            worker.networks = Networks(loop, startup.networks_socket, startup.settings)
        router = Router(worker, startup.worker, link.on_idle)
        linked = tasks.create_task(link.run(router))
        if await _either(link.first_table, stopping):
            await _accept(startup, worker, router, stopping)
        linked.cancel()
        worker.deadlines.stop()
        if worker.access_log is not None:
            worker.access_log.close()
        metrics.close()
        if worker.networks is not None:
            worker.networks.close()
        if worker.ledger is not None:
            worker.ledger.close()
        if worker.gates is not None:
            loop.remove_reader(worker.gates.descriptor())
            worker.gates.close()
    return 0


async def _accept(
    startup: Startup, worker: Worker, router: Router, stopping: asyncio.Event
) -> None:
    """Serve the inherited sockets until told to stop, then finish what is under way."""
    worker.deadlines.start()
    gc.collect()
    gc.freeze()  # what start-up made stays; a request leaves no cycles behind
    servers = [await _listen(worker, startup.listen_fd, router.hosts)]
    if startup.local_listen_fd >= 0:
        servers.append(await _listen(worker, startup.local_listen_fd, router.local_hosts))
    _report_ready(startup)
    log.info("worker %d serves as pid %d", startup.worker, os.getpid())
    await stopping.wait()
    for server in servers:
        server.close()
    if cut := await worker.drain():
        log.warning("%d connections cut", cut)


def _read_key(path: str) -> bytes:
    """Return the key that signs the sessions' cookies; the parent has seen to it."""
    return Path(path).read_bytes()


def _open_gates(path: str, worker: Worker) -> Gates | None:
    """Join the other workers in counting; alone when there is no file to be had."""
    if not path:
        return None
    try:
        gates = Gates(path, SystemRandom())
    except OSError as error:
        log.warning("concurrency limits hold per worker: %s", error)
        return None
    gates.listen(worker.on_room)
    worker.loop.add_reader(gates.descriptor(), gates.on_readable)
    return gates


async def _listen(worker: Worker, descriptor: int, hosts: HostTable) -> asyncio.Server:
    """Serve an inherited socket."""
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return await worker.loop.create_server(
        lambda: cast("asyncio.Protocol", ClientConnection(worker, hosts)),
        sock=listener,
        backlog=4096,
    )


async def _either(first: asyncio.Event, second: asyncio.Event) -> bool:
    """Wait for one of two events; tell whether it was the first."""
    waits = [asyncio.ensure_future(event.wait()) for event in (first, second)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return first.is_set() and not second.is_set()


def _report_ready(startup: Startup) -> None:
    if startup.ready_fd >= 0:
        with os.fdopen(startup.ready_fd, "w") as ready:
            ready.write(json.dumps({"worker": startup.worker, "pid": os.getpid()}) + "\n")


def _die_with_parent(loop: asyncio.AbstractEventLoop, life_fd: int) -> None:
    """Exit at once when the parent's end of the pipe closes: nothing outlives `knary up`."""
    if life_fd >= 0:
        loop.add_reader(life_fd, os._exit, 1)
