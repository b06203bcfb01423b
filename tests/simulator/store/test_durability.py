"""What was acknowledged outlives kill -9; what the disk refuses changes nothing."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.resources.serving import Service
from simulator.store.objects import WatchEvent
from tests.support import store_process
from tests.support.stored import open_store, replayed, take

ROUNDS = 15
ACKNOWLEDGED_MAX = 300
SEED = 20260102


def acknowledged_until_killed(folder: Path, round_: int, count: int) -> list[list[str]]:
    """Kill a writing process once it has acknowledged `count` writes; return all it did."""
    with store_process.start("write", str(folder), str(round_)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(count)]
        process.kill()
        lines += process.stdout.readlines()
    # The last line may be cut: what it would have said does not count as said.
    return [line.split() for line in lines if line.endswith("\n")]


async def recovered(folder: Path) -> tuple[int, dict[str, Service], list[WatchEvent]]:
    async with open_store(folder) as store:
        objects = {obj.metadata.name: obj for obj in store.list(Service)}
        return store.version, objects, await take(store.watch(since=0), store.version)


def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    highest, past = 0, []
    for round_ in range(ROUNDS):
        count = dice.randint(1, ACKNOWLEDGED_MAX)
        said = acknowledged_until_killed(tmp_path, round_, count)
        version, objects, history = asyncio.run(recovered(tmp_path))
        versions = [int(line[2]) for line in said]
        assert min(versions) > highest, "a version was given twice"
        assert len(set(versions)) == len(versions)
        assert version >= max(versions)
        for line in said:
            assert line == as_said(history[int(line[2]) - 1])
        # Every write is wholly there, as object and as event, or wholly not.
        there = {obj.metadata.name: obj for obj in replayed(history).values()}
        assert there == objects
        assert [event.version for event in history] == list(range(1, version + 1))
        assert history[: len(past)] == past
        highest, past = version, history


def as_said(event: WatchEvent) -> list[str]:
    """Return the words with which the process acknowledges the write of this event."""
    assert isinstance(event.object, Service)
    name = event.object.metadata.name
    if event.type == "DELETED":
        return ["gone", name, str(event.version)]
    image = event.object.spec.template.spec.containers[0].image
    return ["put", name, str(event.version), image]


def finish(mode: str, folder: Path) -> int:
    """Run the process to its end; return how many writes it did before the disk was full."""
    with store_process.start(mode, str(folder)) as process:
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 0
    return int(said.split()[-1])


def test_a_full_disk_refuses_changes_nothing_and_is_forgiven(tmp_path: Path) -> None:
    assert finish("full", tmp_path) > 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; skips where none may be mounted."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a file system")
    size = f"size={store_process.MOUNT_BYTES}"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(tmp_path)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_file_system_without_room_does_the_same(small_disk: Path) -> None:
    assert finish("mount", small_disk) > 0
