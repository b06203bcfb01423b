"""Every request that began has one line in the access log, whatever ended it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections import Counter
from pathlib import Path

import msgspec

from gateway.contract import Backend, Route, RouteTable, Share, Split
from simulator.metrics.counts import CellCounts, summed
from simulator.metrics.files import read_files
from tests.support.gateway import HOST, read_head, revision, run, table
from tests.support.h2peers import h2_client
from tests.support.waiting import eventually_async
from tests.support.workerprocess import WorkerProcess, worker_process

OTHER = "other.example.com"
BEGUN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
ANSWERS = {
    "/whole": BEGUN + b"0\r\n\r\n",
    "/breaks": BEGUN,
    "/nonsense": BEGUN + b"x\r\n",
    "/begun": BEGUN,
    "/begun-h2": BEGUN,
    "/tunnel": SWITCHED,
    "/deaf": SWITCHED,
}
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def scripted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A revision that does what the path says, until its client ends."""
    path = ""
    while path != "/breaks":
        path = (await read_head(reader)).split(b" ")[1].decode()
        writer.write(ANSWERS.get(path, b""))
        if path == "/deaf":
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.Event().wait()


def with_other(plain: RouteTable, *addresses: str) -> RouteTable:
    """Return the table with one more host: its revision has these addresses, and no time-out."""
    split = Split("other", (Share("default/other", 1),), "stratified", 7)
    return msgspec.structs.replace(
        plain,
        routes={**plain.routes, "other": Route("other", (OTHER,), split)},
        backends={**plain.backends, "default/other": Backend("default/other", addresses)},
    )


class Clients:
    """Connections to a worker, each with a request of its own."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._writers: list[asyncio.StreamWriter] = []

    async def send(self, text: str) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._worker.port)
        self._writers.append(writer)
        writer.write(text.encode())
        return reader, writer

    async def ask(self, path: str, more: str = "", host: str = HOST) -> Streams:
        method = "POST" if "/body" in path else "GET"
        return await self.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")

    async def see_the_end(self, path: str, more: str = "") -> None:
        reader, _ = await self.ask(path, f"Connection: close\r\n{more}")
        with contextlib.suppress(ConnectionError):
            await reader.read()

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off: one that only ends might still read its answer."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def cells(folder: Path) -> tuple[CellCounts, ...]:
    return summed(read_files(folder, "metrics*")).cells


def lines(worker: WorkerProcess) -> list[tuple[str, int, str]]:
    """Return path, status and reason of each line."""
    text = worker.access_log.read_text() if worker.access_log.exists() else ""
    found = [json.loads(line) for line in text.splitlines()]
    return [(line["path"], line["status"], line["reason"]) for line in found]


def test_what_a_stopping_worker_cuts_has_a_line_each(tmp_path: Path) -> None:
    async def story() -> WorkerProcess:
        async with (
            revision(scripted) as address,
            worker_process(
                *(tmp_path, with_other(table({"one": (address,)}))),
                drain_s_max=0.2,
                drain_idle_s_max=10.0,
            ) as worker,
            contextlib.AsyncExitStack() as ends,
        ):
            clients = Clients(worker)
            ends.push_async_callback(clients.close)
            for path in ("/silent", "/begun"):
                await clients.ask(path)
            await clients.ask("/body", "Content-Length: 10\r\n")
            await clients.ask("/tunnel", UPGRADE)
            _, deaf = await clients.ask("/deaf", UPGRADE)
            deaf.write(b"x" * 8_000_000)
            await clients.ask("/waits", host=OTHER)
            await clients.send("")
            await clients.send("GET /half-a-head HTTP/1.1\r\n")
            h2 = await ends.enter_async_context(h2_client(worker))
            for path in ("/silent-h2", "/begun-h2"):
                h2.ask(path)
            h2.ask("/body-h2", method="POST", ended=False)

            def are_under_way() -> bool:
                seen = cells(tmp_path)
                enough = sum(cell.begun for cell in seen) == 9
                # The tunnel of who reads nothing stands once something went into it.
                return enough and sum(cell.bytes_up for cell in seen) == 0

            await eventually_async("all are under way", are_under_way)
            await eventually_async("the answers that begin", lambda: h2.streams[3].status)
            assert await worker.stop() == 0
            return worker

    worker = run(story())
    cut = "worker_ended"
    assert Counter(lines(worker)) == Counter(
        {
            ("/silent", 0, cut): 1,
            ("/begun", 200, cut): 1,
            ("/body", 0, cut): 1,
            ("/tunnel", 101, cut): 1,
            ("/deaf", 101, cut): 1,
            ("/waits", 0, cut): 1,
            ("/silent-h2", 0, cut): 1,
            ("/begun-h2", 200, cut): 1,
            ("/body-h2", 0, cut): 1,
        }
    )
    counted = cells(tmp_path)
    assert [cell.in_flight for cell in counted] == [0, 0]
    assert sum((Counter(cell.aborts) for cell in counted), Counter()) == {cut: 7}


def test_a_request_that_ends_in_any_other_way_has_one_line(tmp_path: Path) -> None:
    async def story() -> WorkerProcess:
        async with (
            revision(scripted) as address,
            worker_process(
                tmp_path, with_other(table({"one": (address,)}, timeout_s=0.3), address)
            ) as worker,
            contextlib.AsyncExitStack() as ends,
        ):
            clients = Clients(worker)
            ends.push_async_callback(clients.close)
            for path in ("/breaks", "/nonsense", "/silent", "/begun"):
                await clients.see_the_end(path)
            await clients.see_the_end("/tunnel", UPGRADE)
            h2 = await ends.enter_async_context(h2_client(worker))
            for path in ("/begun-h2", "/breaks"):
                await h2.get(path)
            await (await clients.ask("/whole", host=OTHER))[0].readuntil(b"0\r\n\r\n")
            await h2.get("/whole", host=OTHER)
            _, malformed = await clients.ask("/body", "Transfer-Encoding: chunked\r\n", OTHER)
            _, leaving = await clients.ask("/leaves", host=OTHER)
            leaves = h2.ask("/leaves-h2", host=OTHER)

            def begun_at_other() -> int:
                return sum(
                    cell.begun for cell in cells(tmp_path) if cell.revision == "default/other"
                )

            await eventually_async("begun", lambda: begun_at_other() == 5)
            malformed.write(b"x\r\n")
            reset(leaving)
            h2.reset(leaves)
            await eventually_async(
                "ended", lambda: not sum(cell.in_flight for cell in cells(tmp_path))
            )
            await ends.aclose()  # a worker waits for who was told to go
            assert await worker.stop() == 0
            return worker

    worker = run(story())
    assert Counter(lines(worker)) == Counter(
        {
            ("/whole", 200, ""): 2,
            ("/breaks", 200, "upstream_failed"): 2,
            ("/nonsense", 502, "UpstreamNonsense"): 1,
            ("/silent", 504, "RequestTimeout"): 1,
            ("/begun", 200, "timed_out"): 1,
            ("/begun-h2", 200, "timed_out"): 1,
            ("/tunnel", 101, ""): 1,
            ("/body", 0, "client_gone"): 1,
            ("/leaves", 0, "client_gone"): 1,
            ("/leaves-h2", 0, "client_gone"): 1,
        }
    )
