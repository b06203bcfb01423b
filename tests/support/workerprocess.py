"""One gateway worker as a process of its own, with a control plane that only sends it one table."""

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

from gateway.contract import Begin, Commit, Delta, RouteTable, encode

START_S_MAX = 20.0


class WorkerProcess:
    """A worker that serves on `port` and logs to the file `log`."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.log = folder / "log"
        self.metrics_file = folder / "metrics"
        self.access_log = folder / "access.log"

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """Return how many files it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    async def stop(self) -> int:
        """Tell it to stop; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@contextlib.asynccontextmanager
async def worker_process(
    folder: Path, table: RouteTable, *, files_max: int = 0, **settings: float
) -> AsyncIterator[WorkerProcess]:
    """Run a worker with this table, at most so many open files, and these settings changed."""

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delta = Delta(tuple(table.routes.values()), tuple(table.backends.values()))
        for frame in (Begin(table.version), delta, Commit(table.version)):
            writer.write(encode(frame))
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(link, folder / "control")
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready_read, ready_write = os.pipe()
        startup = {
            "worker": 0,
            "listen_fd": listener.fileno(),
            "control_socket": str(folder / "control"),
            "metrics_file": str(folder / "metrics"),
            "gates_file": str(folder / "gates"),
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
            yield WorkerProcess(process, listener.getsockname()[1], folder)
        finally:
            os.close(ready_read)
            os.close(log)
            if process.returncode is None:
                process.kill()
                await process.wait()
            server.close()
