"""The API and its store, without anything behind them, in processes that are made to be killed.

`python -m tests.support.api_process FOLDER FD TOKEN` serves on the listening socket FD, which
outlives every server. Each line on stdin starts one more server, once the one before is dead, and
is answered with its process id when it serves. Servers are forked from this process, which has
everything imported already: a start takes milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import uvloop

from simulator.api.access import Policy, allowed_hosts
from simulator.api.server import ApiServer
from simulator.api.settings import ApiSettings
from simulator.clock import SystemClock
from simulator.errors import KnaryError
from simulator.resources.core import Namespace, NamespaceStatus
from simulator.resources.meta import ObjectMeta
from simulator.store.objects import Store

ROOT = Path(__file__).resolve().parents[2]


async def _serve(folder: Path, listening: int, token: str) -> None:
    clock = SystemClock()
    store = await Store.open(folder / "store.sqlite", clock)
    if store.get(Namespace, "", "default") is None:
        meta = ObjectMeta(name="default")
        await store.create(Namespace(metadata=meta, status=NamespaceStatus(phase="Active")))
    policy = Policy("http", allowed_hosts(["127.0.0.1"]), token)
    server = ApiServer(store, ApiSettings(), clock, policy, folder)
    await server.start(socket.socket(fileno=listening), None)
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()  # to be killed


def _run(folder: str, listening: str, token: str) -> NoReturn:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(Path(folder), int(listening), token))
    except KnaryError as error:  # of the disk: it does not start
        sys.stdout.write(f"{error}\n")
        sys.stdout.flush()
    finally:
        os._exit(1)


def _main(folder: str, listening: str, token: str) -> None:
    child = 0
    for _ in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            _run(folder, listening, token)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class NotStarted(Exception):
    """The server ended before it served."""


class Servers:
    """One server after the other over the same folder and on the same port."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, token: str) -> None:
        self._process = process
        self.port = port
        self.token = token
        self._pid = 0

    @classmethod
    async def over(cls, folder: Path, *wrapper: str) -> Servers:
        """Make ready to start servers; `wrapper` is a command that runs them all."""
        token = "t" * 32
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
            os.set_inheritable(listening.fileno(), True)
            module = ("-m", "tests.support.api_process")
            process = await asyncio.create_subprocess_exec(
                *(*wrapper, sys.executable, *module, str(folder), str(listening.fileno()), token),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(listening.fileno(),),
            )
            return cls(process, listening.getsockname()[1], token)

    async def start(self) -> None:
        """Start the next server; return when it serves. Raise NotStarted with its reason."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        async with asyncio.timeout(60):
            said = (await self._process.stdout.readline()).decode().strip()
        if not said.isdigit():
            raise NotStarted(said)
        self._pid = int(said)

    @property
    def pid(self) -> int:
        return self._pid

    def kill(self) -> None:
        """Kill the server, as nothing but kill -9 does."""
        os.kill(self._pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process that starts servers, and the last server if it lives."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(20):
            await self._process.wait()


if __name__ == "__main__":
    _main(*sys.argv[1:])
