"""The link to the gateway's workers, over a real Unix socket."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.contract import Backend, Begin, Commit, Delta, Hello, RouteTable
from simulator.clock import SystemClock
from simulator.gatewaylink.link import NOTHING_ACKNOWLEDGED, Link, WorkerSeen
from simulator.gatewaylink.settings import LinkSettings
from tests.support.gatewayworker import ListeningWorker, connection, listening_worker

WAIT_S = 10.0
PATIENT = LinkSettings(acknowledge_s_max=60.0, absent_s_max=60.0)


def table(version: int, *names: str) -> RouteTable:
    return RouteTable(version, {}, {name: Backend(name, ("127.0.0.1:1",)) for name in names})


class Stage:
    """A link, and waits for what it reports."""

    def __init__(self, folder: Path, workers: int, settings: LinkSettings) -> None:
        self.path = folder / "gateway.sock"
        self.pid_files = tuple(folder / f"worker-{index}.pid" for index in range(workers))
        self._progress = asyncio.Event()
        self.link = Link(
            self.path,
            self.pid_files,
            clock=SystemClock(),
            on_progress=self._progress.set,
            settings=settings,
        )

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._progress.clear()
                await self._progress.wait()

    async def until_acknowledged(self, version: int) -> None:
        await self.until(lambda: self.link.acknowledged >= version)

    def worker(self, index: int = 0, **first: Any) -> Any:
        return listening_worker(self.path, index, **first)


@asynccontextmanager
async def stage(
    folder: Path, workers: int = 1, settings: LinkSettings = PATIENT
) -> AsyncIterator[Stage]:
    made = Stage(folder, workers, settings)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(made.link.run())
        yield made
        running.cancel()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_a_worker_gets_the_whole_table_when_it_connects(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here:
            here.link.publish(table(7, "a", "b"))
            async with here.worker() as worker:
                assert await worker.until_version(7) == table(7, "a", "b")
                assert worker.received[0] == Begin(7)
                await here.until_acknowledged(7)

    run(scenario())


def test_then_it_gets_what_changed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here, here.worker() as worker:
            first = table(1, "a", "b")
            here.link.publish(first)
            await here.until_acknowledged(1)
            del worker.received[:]
            new = {"a": first.backends["a"], "c": Backend("c")}
            here.link.publish(RouteTable(2, {}, new))
            assert await worker.until_version(2) == RouteTable(2, {}, new)
            assert worker.received == [Delta((), (Backend("c"),), (), ("b",)), Commit(2)]

    run(scenario())


def test_a_large_table_comes_in_chunks(tmp_path: Path) -> None:
    names = [f"b{i}" for i in range(25)]

    async def scenario() -> None:
        settings = LinkSettings(chunk_rows_max=10)
        async with stage(tmp_path, settings=settings) as here, here.worker() as worker:
            here.link.publish(table(1, *names))
            await worker.until_version(1)
            sizes = [len(one.backends) for one in worker.received if isinstance(one, Delta)]
            assert sizes == [10, 10, 5]

    run(scenario())


def test_acknowledged_means_by_all_workers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, workers=2) as here, here.worker(0) as first:
            here.link.publish(table(1))
            await first.until_version(1)
            assert here.link.acknowledged == NOTHING_ACKNOWLEDGED
            async with here.worker(1, answers="nothing", pid=77) as second:
                await second.until_commit(1)
                assert here.link.acknowledged == NOTHING_ACKNOWLEDGED
                second.answers = "ack"
                second.answer(1)
                await here.until_acknowledged(1)
                assert here.link.workers() == (
                    WorkerSeen(0, 1_000_000_000, 1),
                    WorkerSeen(1, 77, 1),
                )
            await here.until(lambda: len(here.link.workers()) == 1)
            assert here.link.acknowledged == NOTHING_ACKNOWLEDGED

    run(scenario())


def test_what_is_published_while_a_worker_is_slow_reaches_it_as_one_delta(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here, here.worker(answers="nothing") as worker:
            here.link.publish(table(1, "a"))
            await worker.until_commit(1)
            for version in range(2, 50):
                here.link.publish(table(version, f"b{version}"))
            worker.answers = "ack"
            worker.answer(1)
            assert (await worker.until_version(49)).backends.keys() == {"b49"}
            commits = [one for one in worker.received if isinstance(one, Commit)]
            assert commits == [Commit(1), Commit(49)]

    run(scenario())


def test_a_refused_table_is_logged_and_the_next_one_comes_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here, here.worker() as worker:
            here.link.publish(table(1, "a"))
            await here.until_acknowledged(1)
            worker.answers = "refuse"
            here.link.publish(table(2, "bad"))
            await worker.until_commit(2)
            await here.until(lambda: "refused" in caplog.text)
            assert here.link.acknowledged == 1
            worker.answers = "ack"
            here.link.publish(table(3, "c"))
            assert await worker.until_version(3) == table(3, "c")
            assert Begin(3) in worker.received

    run(scenario())
    assert "worker 0 refused table 2 and goes on with 1: told to" in caplog.text


def test_busy_addresses_are_those_of_any_worker_until_it_says_idle(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, workers=2) as here:
            here.link.publish(table(1))
            async with here.worker(0, busy=("x:1", "x:2")) as first, here.worker(1, busy=("x:2",)):
                await here.until_acknowledged(1)
                assert here.link.busy() == {"x:1", "x:2"}
                first.say_idle("x:1")
                await here.until(lambda: here.link.busy() == {"x:2"})
                first.say_idle("x:2")
                first.busy = ()
                here.link.publish(table(2))
                await here.until_acknowledged(2)
                assert here.link.busy() == {"x:2"}
            await here.until(lambda: here.link.busy() == frozenset())

    run(scenario())


def test_a_worker_that_comes_again_takes_the_place_of_its_older_self(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here:
            here.link.publish(table(1, "a"))
            async with here.worker(pid=10) as old:
                await here.until_acknowledged(1)
                async with here.worker(pid=10) as new:
                    await old.until_ended()
                    await new.until_version(1)
                    await here.until(lambda: here.link.workers() == (WorkerSeen(0, 10, 1),))

    run(scenario())


def test_a_worker_that_leaves_counts_until_its_successor_is_alone(tmp_path: Path) -> None:
    """Its clients may still send requests: it gets every table, and its word is waited for."""

    async def scenario() -> None:
        async with stage(tmp_path) as here:
            here.link.publish(table(1, "a"))
            async with here.worker(pid=1_000_000_001) as new:
                async with here.worker(pid=1_000_000_000, answers="nothing") as old:
                    await new.until_version(1)
                    await old.until_commit(1)
                    assert here.link.acknowledged == NOTHING_ACKNOWLEDGED
                    old.busy = ("127.0.0.1:1",)
                    old.answer_now(1)
                    await here.until_acknowledged(1)
                    assert here.link.busy() == {"127.0.0.1:1"}
                    here.link.publish(table(2, "b"))
                    await old.until_version(2)
                    await here.until_acknowledged(2)
                await here.until(lambda: not here.link.busy())
                assert here.link.workers() == (WorkerSeen(0, 1_000_000_001, 2),)
                assert here.link.acknowledged == 2

    run(scenario())


@pytest.mark.parametrize(
    "hello",
    [
        pytest.param(Hello(5, 1), id="a worker that nobody expects"),
        pytest.param(Hello(-1, 1), id="a negative one"),
        pytest.param(Hello(0, 1, protocol=99), id="another protocol"),
    ],
)
def test_a_stranger_is_sent_away(tmp_path: Path, hello: Hello) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here:
            here.link.publish(table(1))
            async with here.worker() as known:
                await here.until_acknowledged(1)
                reader, writer = await connection(here.path)
                ListeningWorker(reader, writer).send(hello)
                assert await reader.read() == b""
                writer.close()
                assert not known.ended

    run(scenario())


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01x", b""])
def test_noise_is_no_worker(tmp_path: Path, noise: bytes) -> None:
    async def scenario() -> None:
        async with stage(tmp_path) as here:
            reader, writer = await connection(here.path)
            writer.write(noise)
            if not noise:
                writer.write_eof()
            assert await reader.read() == b""
            writer.close()

    run(scenario())


def sleeper() -> subprocess.Popen[bytes]:
    """A process that can be killed in the place of a worker's."""
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])


async def killed(process: subprocess.Popen[bytes]) -> bool:
    async with asyncio.timeout(WAIT_S):
        return await asyncio.to_thread(process.wait) == -signal.SIGKILL


def test_a_worker_that_does_not_acknowledge_in_time_is_killed(tmp_path: Path) -> None:
    process = sleeper()

    async def scenario() -> None:
        settings = LinkSettings(acknowledge_s_max=0.05)
        async with stage(tmp_path, settings=settings) as here:
            here.link.publish(table(1))
            async with here.worker(answers="nothing", pid=process.pid) as worker:
                assert await killed(process)
                await worker.until_ended()
            async with here.worker() as replacement:
                await replacement.until_version(1)

    run(scenario())


def test_a_worker_that_stays_away_is_killed_by_the_id_in_its_file(tmp_path: Path) -> None:
    process = sleeper()

    async def scenario() -> None:
        settings = LinkSettings(absent_s_max=0.05, absent_check_s=0.01)
        async with stage(tmp_path, workers=2, settings=settings) as here:
            here.pid_files[1].write_text(f"{process.pid}\n")
            here.link.publish(table(1))
            async with here.worker(0, pid=os.getpid()):
                assert await killed(process)

    run(scenario())


@pytest.mark.parametrize("text", ["", "no number", "0", "1", "-5"])
def test_what_is_no_workers_id_is_never_killed(tmp_path: Path, text: str) -> None:
    async def scenario() -> None:
        settings = LinkSettings(absent_s_max=0.01, absent_check_s=0.01)
        async with stage(tmp_path, workers=2, settings=settings) as here:
            here.pid_files[1].write_text(text)
            here.link.publish(table(1))
            async with here.worker(0) as worker:
                await worker.until_version(1)
                for version in range(2, 20):
                    here.link.publish(table(version))
                    await worker.until_version(version)

    run(scenario())
