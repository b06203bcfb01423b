"""A limit that several workers keep together: real processes, one of which may be killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.gates import Gates, place_of
from tests.support.gateway import gateway, revision, run, saying, table

ADDRESS = "127.0.0.1:4000"
PLACE = place_of(ADDRESS)

# Reads commands, each a line; answers each with a line.
WORKER = """
import random, sys
from gateway.gates import Gates
gates = Gates(sys.argv[1], random.Random(1))
gate = gates.gate(sys.argv[3], int(sys.argv[2]), 0)
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "enter":
        inside = 0
        while inside < int(argument) and (gate.has_room() and gate.enter()):
            inside += 1
        print(inside, flush=True)
    elif command == "leave":
        gate.leave()
        print("left", flush=True)
    elif command == "hammer":
        done = 0
        while done < int(argument):
            if gate.enter():
                assert gates.total(gate._place) <= gate.limit
                gate.leave()
                done += 1
        print(done, flush=True)
    elif command == "wait":
        gate.wait(int(argument))
        print(gate.waiting_elsewhere(), flush=True)
    elif command == "total":
        print(gates.total(gate._place), flush=True)
"""


class Worker:
    def __init__(self, path: Path, limit: int, address: str = ADDRESS) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), str(limit), address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, command: str) -> str:
        self.tell(command)
        return self.hear()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def pair(tmp_path: Path) -> object:
    workers = [Worker(tmp_path / "gates", 5) for _ in range(2)]
    yield workers
    for worker in workers:
        worker.end()


def test_two_workers_let_no_more_in_than_one_would(pair: list[Worker]) -> None:
    one, two = pair
    assert one.ask("enter 3") == "3"
    assert two.ask("enter 5") == "2"
    assert one.ask("enter 1") == "0"
    one.ask("leave")
    assert two.ask("enter 5") == "1"
    assert two.ask("total") == "5"


def test_what_a_killed_worker_had_is_given_back(pair: list[Worker]) -> None:
    one, two = pair
    assert one.ask("enter 5") == "5"
    assert two.ask("enter 1") == "0"
    os.kill(one.process.pid, signal.SIGKILL)
    one.process.wait()
    assert two.ask("enter 9") == "5"


def test_no_moment_sees_more_than_the_limit(tmp_path: Path) -> None:
    workers = [Worker(tmp_path / "gates", 2) for _ in range(4)]
    try:
        for worker in workers:
            worker.tell("hammer 2000")
        assert [worker.hear() for worker in workers] == ["2000"] * 4
        assert workers[0].ask("total") == "0"
    finally:
        for worker in workers:
            worker.end()


def test_a_successor_starts_from_nothing(tmp_path: Path) -> None:
    first = Worker(tmp_path / "gates", 5)
    assert first.ask("enter 4") == "4"
    first.end()
    second = Worker(tmp_path / "gates", 5)
    try:
        assert second.ask("total") == "0"
    finally:
        second.end()


def test_each_sees_who_waits_in_the_other(pair: list[Worker]) -> None:
    one, two = pair
    assert one.ask("wait 7") == "0"
    assert two.ask("wait 2") == "7"
    assert one.ask("wait -3") == "2"
    assert two.ask("wait 0") == "4"


def test_who_waited_in_a_killed_worker_takes_no_place_in_the_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("ok")) as address:
            gates = worker.worker.gates = Gates(str(tmp_path / "gates"), random.Random(1))
            other = Worker(tmp_path / "gates", 1, address)
            try:
                await asyncio.to_thread(other.ask, "wait 10")  # all that a limit of 1 lets wait
                worker.router.replace(table({"one": (address,)}, concurrency=1))
                assert (await worker.get()).startswith(b"HTTP/1.1 503 ")
                await asyncio.to_thread(other.end)
                assert (await worker.get()).endswith(b"ok")
            finally:
                await asyncio.to_thread(other.end)
                gates.close()

    run(story())


def test_room_is_told_to_the_worker_where_requests_wait(tmp_path: Path) -> None:
    async def story() -> int:
        gates = Gates(str(tmp_path / "gates"), random.Random(1))
        other = Worker(tmp_path / "gates", 1)
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        gates.listen(told.set_result)
        asyncio.get_running_loop().add_reader(gates.descriptor(), gates.on_readable)
        try:
            assert await asyncio.to_thread(other.ask, "enter 1") == "1"
            gates.gate("127.0.0.1:4000", 1, 0).wait(1)
            await asyncio.to_thread(other.ask, "leave")
            return await asyncio.wait_for(told, 10)
        finally:
            asyncio.get_running_loop().remove_reader(gates.descriptor())
            gates.close()
            await asyncio.to_thread(other.end)

    assert asyncio.run(story()) == PLACE


@pytest.mark.parametrize(
    ("address", "same"),
    [("127.0.0.1:80", True), ("[::1]:80", True), ("localhost:80", True), ("10.0.0.1:80", False)],
)
def test_this_machines_replicas_are_told_apart_by_their_port(address: str, same: bool) -> None:
    assert (place_of(address) == 80) is same
