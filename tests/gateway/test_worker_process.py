"""A worker as a process: what it counts at its end, and its limit of open files."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.metrics.cell import WORKER_ENDED
from gateway.metrics.registry import open_metrics
from tests.support.gateway import HOST, WAIT_S, read_head, revision, run, saying, table
from tests.support.workerprocess import worker_process

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def test_what_the_drain_cuts_is_counted_as_cut_by_a_worker_that_ended(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        arrived.set()
        await reader.read()

    arrived = asyncio.Event()

    async def story() -> None:
        async with (
            revision(silent) as address,
            worker_process(tmp_path, table({"one": (address,)}), drain_s_max=0.2) as worker,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
            writer.write(GET)
            await arrived.wait()
            assert await worker.stop() == 0
            assert await reader.read() == b""
            writer.close()
        metrics = open_metrics(str(tmp_path / "metrics"), 0)
        cell = metrics.cell("", "default/one", "")
        metrics.close()
        assert cell.begun == cell.ended == cell.aborts[WORKER_ENDED] == 1

    run(story())


def test_a_worker_without_a_file_to_open_serves_who_is_there_and_does_not_spin(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with (
            revision(saying("ok")) as address,
            worker_process(tmp_path, table({"one": (address,)}), files_max=64) as worker,
        ):
            first = await asyncio.open_connection("127.0.0.1", worker.port)
            await asked(*first)
            many = [await asyncio.open_connection("127.0.0.1", worker.port) for _ in range(150)]
            before_s = worker.cpu_s()
            for _ in range(20):
                await asked(*first)
                await asyncio.sleep(0.02)  # the time in which it would spin
            assert worker.cpu_s() - before_s < 0.2
            # And the one that looks, and those that it was born with, whatever their numbers.
            assert worker.descriptors() <= 64 + 8
            assert "Traceback" not in worker.log.read_text()
            for _, writer in (first, *many):
                writer.close()

    run(story())


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GET)
    async with asyncio.timeout(WAIT_S):
        assert b" 200 " in await read_head(reader)
        await reader.readexactly(2)
