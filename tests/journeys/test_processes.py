"""Processes die, and a user of the gateway hardly notices. With a real instance each."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.instance import HELLO, READY, Instance
from tests.support.waiting import eventually

# With 64 connections a load may miss its turn for a second, and still make it good. On a machine
# with much else to do 200 a second became the load's own time-outs: answers lay there unread.
RATE = 50.0
CREATE = ("service", "create", "hello", "--image", HELLO)


@pytest.fixture(scope="module")
def knary() -> Iterator[Instance]:
    """An instance with two workers and one service, for tests that leave it whole."""
    with Instance("--workers", "2") as instance:
        instance.run(*CREATE)
        yield instance


def kill(knary: Instance, name: str) -> int:
    """Kill a process and wait until another has its place; return its old id."""
    victim = knary.pid(name)
    os.kill(victim, signal.SIGKILL)

    def replaced() -> bool:
        now = knary.pids().get(name, [])
        return bool(now) and victim not in now

    eventually(f"another {name}", replaced)
    return victim


def test_the_control_plane_dies_under_load_and_no_request_fails(knary: Instance) -> None:
    replica = knary.pid("replica")
    with knary.load("hello", RATE) as load:
        kill(knary, "control-plane")
        knary.run("service", "update", "hello", "--env", "TARGET=again")
        assert knary.get("hello").text == "Hello again!\n"
        knary.run("service", "update", "hello", "--env", "TARGET=World")
    assert load.failures == []
    assert replica in knary.pids()["replica"] or replica not in knary.left_over()
    assert knary.get("hello").text == "Hello World!\n"


def test_a_restarted_control_plane_adopts_the_replicas_that_run(knary: Instance) -> None:
    before = set(knary.pids()["replica"])
    kill(knary, "control-plane")
    eventually("status", lambda: knary.run("status", check=False).status == 0)
    eventually("all workers", lambda: len(knary.status()["workers"]) == 2)
    assert set(knary.pids()["replica"]) == before


def test_a_worker_dies_and_requests_go_on(knary: Instance) -> None:
    with knary.load("hello", RATE) as load:
        kill(knary, "gateway")
        eventually("both workers", lambda: len(knary.status()["workers"]) == 2)
        seen = len(load.answers)
        eventually("more answers", lambda: len(load.answers) > seen + 50)
    # Only what was under way in the dead worker may fail: at most its connections.
    assert {answer.error for answer in load.failures} <= {"reset", "connect"}
    assert len(load.failures) <= 64
    assert not any(answer.error for answer in load.answers if answer.sequence > seen + 64)


def test_a_worker_that_hangs_is_replaced_when_a_table_is_due(knary: Instance) -> None:
    hung = knary.pid("gateway")
    os.kill(hung, signal.SIGSTOP)
    knary.run("service", "update", "hello", "--env", "TARGET=moved")
    assert hung not in knary.pids()["gateway"]
    assert set(knary.texts("hello", 20)) == {"Hello moved!\n"}


def test_a_replica_dies_and_is_replaced(knary: Instance) -> None:
    for victim in knary.pids()["replica"]:
        os.kill(victim, signal.SIGKILL)
        eventually("its end", lambda victim=victim: victim not in knary.pids()["replica"])
    assert knary.get("hello").status == 200


def test_the_launcher_dies_and_the_service_comes_back(knary: Instance) -> None:
    kill(knary, "launcher")
    eventually("an answer", lambda: knary.get("hello").status == 200)


def test_the_parent_dies_and_all_go_with_it_and_the_next_one_restores_everything() -> None:
    with Instance() as knary:
        knary.run(*CREATE)
        knary.run(
            "service",
            "update",
            "hello",
            "--env",
            "TARGET=Knative",
            "--traffic",
            "hello-00001=50,@latest=50",
        )
        knary.parent.kill()
        knary.wait()
        knary.start()  # at once: it waits until the last of the old ones is gone
        answers = set(knary.texts("hello", 40))
        assert answers == {"Hello World!\n", "Hello Knative!\n"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_leaves_neither_process_nor_running_file(
    number: signal.Signals,
) -> None:
    with Instance() as knary:
        knary.run(*CREATE)
        assert knary.stop(number) == 0
        assert not knary.paths.run.exists()
        assert not knary.paths.lock.exists()
        assert knary.err == ""


def test_a_stop_waits_for_the_request_under_way() -> None:
    with Instance() as knary:
        knary.run("service", "create", "hello", "--image", HELLO)
        with knary.load("hello", 100.0) as load:
            assert knary.stop() == 0
        refused = [answer for answer in load.failures if answer.error != "connect"]
        assert len(refused) <= 64


def test_it_says_once_that_it_is_ready() -> None:
    with Instance() as knary:
        lines = knary.out.splitlines()
        assert [line for line in lines if READY in line] == [lines[0]]
        assert len(lines) == 5
