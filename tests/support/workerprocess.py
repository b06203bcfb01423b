"""One gateway worker as a process of its own, with a control plane that only sends it tables."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.contract import (
    Ack,
    Begin,
    Commit,
    Delta,
    FrameReader,
    FromWorker,
    Hello,
    RouteTable,
    encode,
    from_worker,
)

START_S_MAX = 20.0


class WorkerProcess:
    """A worker that serves on `port` and logs to the file `log`."""

    def __init__(
        self, process: asyncio.subprocess.Process, port: int, folder: Path, link: _Link
    ) -> None:
        self.process = process
        self._link = link
        self.port = port
        self.log = folder / "log"
        self.metrics_file = folder / "metrics"
        self.access_log = folder / "access.log"

    @property
    def hello(self) -> Hello:
        """Return how it introduced itself."""
        assert self._link.hello
        return self._link.hello

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """Return how many files it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    async def serve(self, table: RouteTable) -> None:
        """Return when it serves this table."""
        await self._link.send(table)

    async def stop(self) -> int:
        """Tell it to stop; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


class _Link:
    """What one worker is told. `hello` is its first word."""

    def __init__(self, first: RouteTable) -> None:
        self._first = first
        self._version = 0
        self._writer: asyncio.StreamWriter | None = None
        self._answered = asyncio.Condition()
        self._served = -1
        self.hello: Hello | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._write(self._first)
        frames = FrameReader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                for body in frames.feed(data):
                    await self._take(from_worker(body))
        writer.close()

    async def send(self, table: RouteTable) -> None:
        version = self._write(table)
        async with asyncio.timeout(START_S_MAX), self._answered:
            await self._answered.wait_for(lambda: self._served >= version)

    def _write(self, table: RouteTable) -> int:
        assert self._writer
        self._version += 1
        delta = Delta(tuple(table.routes.values()), tuple(table.backends.values()))
        for frame in (Begin(self._version), delta, Commit(self._version)):
            self._writer.write(encode(frame))
        return self._version

    async def _take(self, message: FromWorker) -> None:
        if isinstance(message, Hello):
            self.hello = message
        elif isinstance(message, Ack):
            async with self._answered:
                self._served = message.version
                self._answered.notify_all()


@contextlib.asynccontextmanager
async def worker_process(
    folder: Path, table: RouteTable, *, files_max: int = 0, turns_file: str = "", **settings: float
) -> AsyncIterator[WorkerProcess]:
    """Run a worker with this table, at most so many open files, and these settings changed.

    It takes the turns of splits together with those that have the same `turns_file`.
    """
    link = _Link(table)
    server = await asyncio.start_unix_server(link.serve, folder / "control")
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready_read, ready_write = os.pipe()
        startup = {
            "worker": 0,
            "listen_fd": listener.fileno(),
            "control_socket": str(folder / "control"),
            "metrics_file": str(folder / "metrics"),
            "gates_file": str(folder / "gates"),
            "turns_file": turns_file,
            "access_log": str(folder / "access.log"),
            "ready_fd": ready_write,
            "settings": settings,
        }
        # The limit is set between fork and exec: this process may have more files open by far.
        limited = f"ulimit -n {files_max};" if files_max else ""
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", f'{limited} exec "$@"', "sh"),
            *(sys.executable, "-P", "-m", "knary.process", "gateway", json.dumps(startup)),
            pass_fds=(listener.fileno(), ready_write),
            stderr=log,
        )
        os.close(ready_write)
        try:
            async with asyncio.timeout(START_S_MAX):
                await asyncio.to_thread(os.read, ready_read, 100)
            yield WorkerProcess(process, listener.getsockname()[1], folder, link)
        finally:
            os.close(ready_read)
            os.close(log)
            if process.returncode is None:
                process.kill()
                await process.wait()
            server.close()
