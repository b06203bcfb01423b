"""Commands that go on until Ctrl-C, or until nobody reads them any more."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.instance import HELLO, KNARY, Instance, environment
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as running:
        running.run("service", "create", "hello", "--image", HELLO)
        yield running


@contextlib.contextmanager
def following(
    instance: Instance, words: tuple[str, ...], folder: Path
) -> Iterator[Callable[[], str]]:
    """Run a command that goes on, and give what it printed so far; Ctrl-C must end it."""
    path = folder / "out"
    with path.open("wb") as out:
        process = subprocess.Popen(
            [*KNARY, *words], stdout=out, stderr=subprocess.STDOUT, env=environment(instance.data)
        )
    try:
        yield path.read_text
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "change", "shown"),
    [
        pytest.param(
            ("get", "ksvc", "-w", "--no-headers"),
            ("service", "create", "seen", "--image", HELLO),
            "seen    http://seen.default.example.com    seen-00001      seen-00001    True",
            id="get -w",
        ),
        pytest.param(
            ("get", "ksvc", "hello", "-w", "-o", "name"),
            ("service", "update", "hello", "--env", "WATCHED=1"),
            "service.serving.knative.dev/hello\nservice.serving.knative.dev/hello",
            id="get NAME -w",
        ),
    ],
)
def test_changes_are_followed_until_ctrl_c(
    instance: Instance, words: tuple[str, ...], change: tuple[str, ...], shown: str, tmp_path: Path
) -> None:
    with following(instance, words, tmp_path) as read:
        eventually("what is there now", lambda: "hello" in read())
        instance.run(*change)
        wanted = " ".join(shown.split())
        eventually("the change", lambda: wanted in " ".join(read().split()))


def test_logs_follow_revisions_that_come_later(instance: Instance, tmp_path: Path) -> None:
    with following(instance, ("logs", "hello", "-f", "--tail", "1"), tmp_path) as read:
        eventually("what is there now", lambda: "helloworld:" in read())
        instance.run("service", "update", "hello", "--env", "FOLLOWED=1")
        found = instance.run("get", "ksvc", "hello", "-o", "json").out
        newest = json.loads(found)["status"]["latestReadyRevisionName"]
        eventually("the new revision's lines", lambda: f"\n{newest}-deployment-" in read())


def test_a_reader_that_has_seen_enough_is_no_error(instance: Instance) -> None:
    with subprocess.Popen(
        [*KNARY, "get", "pods", "-o", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(instance.data),
    ) as reading:
        assert reading.stdout
        assert reading.stderr
        reading.stdout.close()
        assert reading.stderr.read() == b""
        assert reading.wait(20) == 0
