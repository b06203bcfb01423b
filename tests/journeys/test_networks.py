"""Replicas in networks of their own, and all in this machine's, with real processes."""

from __future__ import annotations

import asyncio
import http.client
import http.server
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.instance import HELLO, Instance
from tests.support.knary import knary as run_knary
from tests.support.networks import HARD_IMAGE, HARD_PORT, WHY_NOT, hard_image, needs_networks
from tests.support.waiting import eventually

TWO = ("--annotation", "autoscaling.knative.dev/min-scale=2")
FIRST, SECOND = "hard-00001", "hard-00002"


def images(folder: Path, **fields: object) -> tuple[str, str]:
    """Return the options that make the program with the hard-coded port known."""
    path = folder / "images.yaml"
    path.write_text(yaml.safe_dump([hard_image(**fields)]))
    return ("--images", str(path))


def who(knary: Instance, count: int = 8) -> set[tuple[str, str, int]]:
    """Return the revisions, ports and processes that answered requests under way at one time."""
    asking = [http.client.HTTPConnection(*knary.gateway, timeout=20) for _ in range(count)]
    found = set()
    try:
        for one in asking:
            one.putrequest("POST", "/", skip_host=True)
            one.putheader("Host", "hard.default.example.com")
            one.putheader("Content-Length", "1")
            one.endheaders()
        for one in asking:
            one.send(b"x")
            answer = one.getresponse()
            text = answer.read().decode()
            if answer.status == 200:
                revision, port, pid = text.split()
                found.add((revision, port, int(pid)))
    finally:
        for one in asking:
            one.close()
    return found


def both(knary: Instance) -> set[tuple[str, str, int]]:
    """Return who answers, once there are two of them."""
    return eventually("two replicas answer", lambda: len(found := who(knary)) == 2 and found)


def fetched(knary: Instance, port: int, host: str = "x") -> str:
    """Return what the program was answered on a port of its loopback."""
    return knary.get("hard", f"/fetch/{port}/{host}").text


@pytest.fixture
def outside() -> Iterator[int]:
    """Give the port of a server on this machine's loopback: somebody's database."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"rows")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@needs_networks
def test_two_replicas_listen_on_the_port_they_hard_code_through_update_and_rollback(
    tmp_path: Path,
) -> None:
    with Instance("--network", "own", "--workers", "2", *images(tmp_path)) as knary:
        knary.run("service", "create", "hard", "--image", HARD_IMAGE, *TWO)
        answered = both(knary)
        assert {(revision, port) for revision, port, _ in answered} == {(FIRST, str(HARD_PORT))}
        status = json.loads(knary.run("status", "-o", "json").out)
        assert status["network"] == "own"
        assert {one["address"].rpartition("@")[2] for one in status["replicas"]} == {
            f"127.0.0.1:{HARD_PORT}"
        }
        assert "8080 (own network)" in knary.run("status").out
        with knary.load("hard") as running:
            knary.run("service", "update", "hard", "--env", "A=1")
            assert {revision for revision, _, _ in who(knary)} == {SECOND}
            knary.run("rollback", "hard")
            assert {revision for revision, _, _ in who(knary)} == {FIRST}
        assert running.failures == []


@needs_networks
def test_whatever_is_killed_comes_back_and_requests_find_it(tmp_path: Path) -> None:
    with Instance("--network", "own", *images(tmp_path)) as knary:
        knary.run("service", "create", "hard", "--image", HARD_IMAGE, *TWO)
        before = both(knary)
        with knary.load("hard") as running:
            os.kill(knary.pid("control-plane"), signal.SIGKILL)
            os.kill(keeper := knary.pid("keeper"), signal.SIGKILL)
            eventually("another keeper", lambda: knary.pids().get("keeper") not in (None, [keeper]))
            # Requests one by one on connections of their own: each wants a socket of the new one.
            assert who(knary) <= before
        assert running.failures == []
        eventually("the control plane", lambda: not knary.run("status", check=False).status)
        os.kill(worker := knary.pid("gateway"), signal.SIGKILL)
        eventually("another worker", lambda: knary.pids().get("gateway") not in (None, [worker]))
        assert both(knary) == before
        os.kill(knary.pid("launcher"), signal.SIGKILL)
        # The replicas die with their launcher, but not at once: one may still answer.
        eventually("two others", lambda: not both(knary) & before)


@needs_networks
def test_a_keeper_that_hangs_is_replaced_and_no_request_fails(tmp_path: Path) -> None:
    with Instance("--network", "own", *images(tmp_path)) as knary:
        knary.run("service", "create", "hard", "--image", HARD_IMAGE, *TWO)
        before = both(knary)
        with knary.load("hard", 50.0) as running:
            os.kill(keeper := knary.pid("keeper"), signal.SIGSTOP)
            # More connections at once than sockets are at hand: most wait for the next keeper.
            assert who(knary, 24) == before
            eventually("another keeper", lambda: knary.pids().get("keeper") not in (None, [keeper]))
            assert both(knary) == before
        assert running.failures == []


@needs_networks
def test_from_its_own_network_a_replica_reaches_the_gateway_and_what_its_image_names(
    tmp_path: Path, outside: int
) -> None:
    with Instance("--network", "own", *images(tmp_path)) as knary:
        knary.run("service", "create", "hard", "--image", HARD_IMAGE)
        knary.run("service", "create", "hello", "--image", HELLO, "--cluster-local")
        local = knary.gateway_local[1]
        host = "hello.default.svc.cluster.local"
        assert fetched(knary, local, host) == "HTTP/1.1 200 OK Hello World!"
        assert fetched(knary, outside) == "ConnectionRefusedError"
        images(tmp_path, reach=[outside, HARD_PORT])
        knary.run("service", "update", "hard", "--env", "A=1")
        assert fetched(knary, outside) == "HTTP/1.0 200 OK rows"
        assert fetched(knary, local, host) == "ConnectionRefusedError"
        assert fetched(knary, HARD_PORT).startswith("HTTP/1.1 200 OK hard-00002 8080 ")


@needs_networks
def test_an_image_may_stay_in_this_machines_network(tmp_path: Path) -> None:
    path = tmp_path / "images.yaml"
    path.write_text("[{image: example.com/staying, app: helloworld-go, network: host}]")
    with Instance("--network", "own", "--images", str(path)) as knary:
        knary.run("service", "create", "isolated", "--image", HELLO)
        knary.run("service", "create", "staying", "--image", "example.com/staying")
        rows = json.loads(knary.run("status", "-o", "json").out)["replicas"]
        addresses = {one["revision"]: one["address"] for one in rows}
        assert addresses["isolated-00001"].endswith("@127.0.0.1:8080")
        assert "@" not in addresses["staying-00001"]
        assert knary.get("staying").text == knary.get("isolated").text == "Hello World!\n"


@needs_networks
def test_an_exec_probe_runs_in_the_replicas_network(tmp_path: Path) -> None:
    manifest = tmp_path / "probed.yaml"
    code = "import socket; socket.create_connection(('127.0.0.1', 8080)).close()"
    container = {
        "image": HARD_IMAGE,
        "readinessProbe": {"exec": {"command": ["python3", "-c", code]}},
    }
    document = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hard", "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    manifest.write_text(yaml.safe_dump(document))
    with Instance("--network", "own", *images(tmp_path)) as knary:
        knary.run("apply", "-f", str(manifest))
        assert len(who(knary)) == 1


@pytest.mark.parametrize("network", ["host", pytest.param("own", marks=needs_networks)])
def test_a_canary_is_the_same_in_both_kinds_of_network(network: str) -> None:
    with Instance("--network", network) as knary:
        knary.run("service", "create", "hello", "--image", HELLO)
        assert f"Network:       {network}:" in knary.run("status").out
        with knary.load("hello") as running:
            knary.run("service", "update", "hello", "--env", "TARGET=Knative")
            knary.run(*("service", "update", "hello"), "--traffic", "hello-00001=50,hello-00002=50")
            assert set(knary.texts("hello", 40)) == {"Hello World!\n", "Hello Knative!\n"}
            knary.run("rollback", "hello")
        assert running.failures == []


@needs_networks
def test_grpc_calls_find_replicas_in_networks_of_their_own() -> None:
    pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")
    from tests.support.grpc_hello import HELLO as CALL
    from tests.support.grpc_hello import channel, unary

    async def call(knary: Instance) -> set[str]:
        host, port = knary.gateway
        async with channel(f"{host}:{port}", "hello.default.example.com") as to:
            return {await unary(to, CALL) for _ in range(10)}

    with Instance("--network", "own") as knary:
        image = ("--image", "example.com/helloworld-grpc", "--port", "h2c:50051")
        knary.run("service", "create", "hello", *image, *TWO)
        assert asyncio.run(call(knary)) == {"Hello World!"}
        rows = json.loads(knary.run("status", "-o", "json").out)["replicas"]
        assert all(one["address"].endswith("@127.0.0.1:50051") for one in rows)


def test_the_doctor_says_where_replicas_would_live_and_why(tmp_path: Path) -> None:
    told = run_knary(tmp_path, "doctor").stdout
    if WHY_NOT:
        assert f"replicas share this machine's network, each with a leased PORT ({WHY_NOT})" in told
    else:
        assert "ok    each replica gets a network of its own; PORT is its container's\n" in told
