"""How an emulator begins and ends: its wishes, what it cannot start, who kills whom."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import knary
from simulator.instance.lock import is_alive
from tests.support.emulated import service, two_revisions
from tests.support.instance import ROOT
from tests.support.waiting import eventually


def test_several_workers_and_another_splitter() -> None:
    with knary.Emulator(workers=2, splitter="exact") as emulator:
        two_revisions(emulator, r00001=50, r00002=50)
        report = emulator.assert_split("hello", {"00001": 50, "00002": 50})
        assert "exact allows" in report.sentence
        assert len(emulator.status["workers"]) == 2


def test_asyncio() -> None:
    async def scenario() -> None:
        async with knary.AsyncEmulator() as emulator:
            await asyncio.gather(*(emulator.apply(service(name, name)) for name in ("a", "b", "c")))
            answers = await asyncio.gather(*(emulator.request(name) for name in "abcabc"))
            assert [answer.text for answer in answers] == [f"Hello {name}!\n" for name in "abcabc"]
            assert emulator.gateway == emulator.env["KNARY_GATEWAY"]
            await emulator.reset()
            assert (await emulator.request("a")).status == 404

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        ({"splitter": "fair"}, "'fair' is not one of"),
        ({"images": "/nowhere/images.yaml"}, "does not exist"),
        ({"options": ["--nothing"]}, "No such option"),
    ],
)
def test_what_cannot_start_says_why(wishes: dict[str, Any], why: str) -> None:
    with pytest.raises(knary.NotStarted, match=why):
        knary.Emulator(**wishes).start()


def test_what_does_not_run_says_so() -> None:
    emulator = knary.Emulator()
    emulator.close()
    with pytest.raises(knary.NotStarted, match="use it in a `with` block"):
        emulator.request("hello")


FORKING = """
import os, signal, sys
sys.path.insert(0, {root!r})
import knary
emulator = knary.Emulator().start()
child = os.fork()
if not child:
    signal.pause()
emulator.close()
print("closed", flush=True)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""


def test_it_is_closed_although_a_forked_process_has_its_descriptors() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING.format(root=str(ROOT))],
        check=True,
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert done.stdout == "closed\n"


OWNER = """
import os, signal, sys
sys.path.insert(0, {root!r})
import knary
emulator = knary.Emulator().start()
status = emulator.status
pids = [status["parent"]["pid"], status["controlPlane"]["pid"], status["workers"][0]["pid"]]
print(status["dataFolder"], *pids, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_owner_that_is_killed_leaves_nothing_behind() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", OWNER.format(root=str(ROOT))],
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder, *pids = killed.stdout.split()
    eventually("the end of all processes", lambda: not any(is_alive(int(pid)) for pid in pids))
    eventually("the end of its folder", lambda: not Path(folder).exists())
