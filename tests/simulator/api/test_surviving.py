"""The server is killed at random moments while clients write and watch: nothing may be lost.

`make durability` plays a thousand rounds; here are a few.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path

import pytest

from tests.support.api_process import Servers
from tests.support.bare_http import Connection
from tests.support.surviving import Counts, Fuse, Watcher, Writer, listed, require_all_there

SHORT = 15
ROUNDS = int(os.environ.get("KNARY_DURABILITY_ROUNDS", SHORT))
SEED = int(os.environ.get("KNARY_DURABILITY_SEED", "20260102"))
WRITERS, WATCHERS = 6, 3
WRITES_MAX = 60  # acknowledged in one round, before the kill
MOMENT_S_MAX = 0.004  # from the last of them to the kill: what a commit takes


async def play(folder: Path, rounds: int, dice: random.Random) -> Counts:
    """Start, check, write and kill, round after round."""
    counts = Counts()
    servers = await Servers.over(folder)
    fuse = Fuse(servers.kill)
    writers = [Writer(f"w{n}", random.Random(dice.random()), fuse.write) for n in range(WRITERS)]
    watchers: list[Watcher] = []
    while True:
        await servers.start()
        opened = [
            await Connection.open(servers.port, servers.token)
            for _ in range(1 + WRITERS + WATCHERS)
        ]
        reader, *connections = opened
        # The server accepts each before it is killed, or one would wait for the next server.
        for connection in connections:
            await connection.ask("GET", "/version")
        version, found = await listed(reader)
        watchers = watchers or [Watcher(version) for _ in range(WATCHERS)]
        async with asyncio.TaskGroup() as tasks:
            for watcher in watchers:
                tasks.create_task(watcher.follow(connections.pop()))
            for watcher in watchers:
                await watcher.reach(version)
            require_all_there(writers, watchers, found, counts)
            if counts.rounds < rounds:
                for writer, connection in zip(writers, connections, strict=True):
                    tasks.create_task(writer.write(connection))
                fuse.light(dice.randint(0, WRITES_MAX), dice.uniform(0.0, MOMENT_S_MAX))
            else:
                servers.kill()
        await asyncio.gather(*(connection.close() for connection in opened))
        if counts.rounds == rounds:
            break
        counts.rounds += 1
    await servers.close()
    return counts


@pytest.mark.timeout(max(240, 3 * ROUNDS))
def test_what_was_acknowledged_over_the_api_outlives_kill_9(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    counts = asyncio.run(play(tmp_path, ROUNDS, random.Random(SEED)))
    took_s = time.monotonic() - began
    assert counts.rounds == ROUNDS
    # A test in which nothing is written, or nothing cut off, would show nothing.
    assert counts.acknowledged > ROUNDS
    assert counts.cut_off > ROUNDS
    if ROUNDS > SHORT:
        with capsys.disabled():
            sys.stdout.write(
                f"\n{counts.rounds} rounds in {took_s:.0f} s ({counts.rounds / took_s:.1f} a "
                f"second): {counts.acknowledged} writes acknowledged and all there, "
                f"{counts.cut_off} cut off by the kill, of which {counts.cut_off_and_stored} were "
                f"stored whole; {counts.events} events seen by {WATCHERS} watchers each, "
                f"{len(counts.uids)} uids; seed {SEED}\n"
            )
