"""Commands that go on until Ctrl-C, or until nobody reads them any more."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
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


CRASH_ONCE = """
import os, sys
if os.path.exists("crashed"):
    print("again", flush=True)
    import http.server
    http.server.HTTPServer(
        ("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler
    ).serve_forever()
open("crashed", "w").close()
print("last words", flush=True)
sys.exit(3)
"""


def test_logs_are_of_one_run_as_kubectl_shows_them(instance: Instance, tmp_path: Path) -> None:
    container = {"image": "helloworld-go", "command": [sys.executable, "-c", CRASH_ONCE]}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "crashing"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    path = tmp_path / "crashing.json"
    path.write_text(json.dumps(service))
    instance.run("apply", "-f", str(path))

    def logs(*options: str) -> str:
        return instance.run("logs", "crashing", *options).out

    assert logs() == "again\n"
    assert logs("--previous", "-f") == "last words\n"
    moment, _, text = logs("-p", "--timestamps").partition(" ")
    assert text == "last words\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", moment)
    assert logs("--since", "1h", "--limit-bytes", "3", "-f") == "aga\n"
    assert logs("--since-time", "2100-01-01T00:00:00Z") == ""
    refused = instance.run("logs", "hello", "--previous", check=False)
    assert refused.err.startswith("Error: no previous logs of 'hello' in namespace 'default';")


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
