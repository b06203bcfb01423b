"""The control plane's connection to the launcher."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from simulator.launcher.client import Disconnected, LauncherClient, LauncherEvent
from simulator.launcher.protocol import Hello, List, Listing
from tests.support.launcher import LauncherProcess


def test_it_connects_whenever_there_is_a_launcher(tmp_path: Path) -> None:
    async def run() -> None:
        events: asyncio.Queue[LauncherEvent] = asyncio.Queue()
        client = LauncherClient(tmp_path / "l.sock")
        client.send(List())  # to nobody: dropped
        running = asyncio.create_task(client.run(events.put_nowait))

        async def following(*kinds: type[object]) -> None:
            for kind in kinds:
                event = await asyncio.wait_for(events.get(), 20)
                assert isinstance(event, kind), event

        for _ in range(2):
            with LauncherProcess(tmp_path) as launcher:
                await following(Hello, Listing)
                assert client.is_connected
                client.send(List())
                await following(Listing)
                launcher.kill()
                await following(Disconnected)
                assert not client.is_connected
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(run())


def test_a_peer_that_speaks_nonsense_is_left_and_tried_again(tmp_path: Path) -> None:
    async def run() -> None:
        events: asyncio.Queue[LauncherEvent] = asyncio.Queue()
        visits = asyncio.Semaphore(0)

        async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello\n")
            visits.release()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_unix_server(babble, tmp_path / "l.sock")
        client = LauncherClient(tmp_path / "l.sock")
        running = asyncio.create_task(client.run(events.put_nowait))
        for _ in range(2):
            await asyncio.wait_for(visits.acquire(), 20)
            assert isinstance(await asyncio.wait_for(events.get(), 20), Disconnected)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        server.close()
        await server.wait_closed()

    asyncio.run(run())
