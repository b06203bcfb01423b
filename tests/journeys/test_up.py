"""`knary up` as a user meets it: addresses, folders, manifests, refusals, Ctrl-C."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instance import COMMAND_S_MAX, HELLO, READY, Instance
from tests.support.waiting import eventually

HERE = "127.0.0.1"

SERVICE = f"""
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
        - image: {HELLO}
          env:
            - name: TARGET
              value: Manifest
"""


def refusal(knary: Instance) -> str:
    """Start it in vain; return what it says, which must be a line or two, and leave nothing."""
    knary.launch()
    assert knary.wait() == 1
    assert knary.out == ""
    assert "Traceback" not in knary.err
    assert not knary.paths.run.exists()
    return knary.err


def test_two_instances_run_side_by_side() -> None:
    with Instance() as one, Instance() as other:
        for knary, target in ((one, "one"), (other, "other")):
            knary.run("service", "create", "hello", "--image", HELLO, "--env", f"TARGET={target}")
        assert one.get("hello").text == "Hello one!\n"
        assert other.get("hello").text == "Hello other!\n"


def test_a_second_one_on_the_same_folder_is_told_where_the_first_is() -> None:
    with Instance() as first:
        with contextlib.closing(Instance(data=first.data)) as second:
            second.launch()
            assert second.wait() == 1
            where = first.description
            assert second.err == (
                f"Error: knary already runs on {first.data} (pid {first.parent.pid}):"
                f" gateway {where.gateway}, API {where.api}, console {where.console};"
                f" stop it with `knary down --data {first.data}`,"
                " or choose another folder with --data\n"
            )
        assert first.run("status").status == 0


@pytest.mark.parametrize(
    ("option", "purpose"),
    [
        ("--port", "gateway"),
        ("--local-port", "cluster-local gateway"),
        ("--api-port", "API"),
        ("--console-port", "console"),
    ],
)
def test_a_port_that_is_taken_is_refused_when_it_was_asked_for(option: str, purpose: str) -> None:
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
        with contextlib.closing(Instance(option, str(port))) as knary:
            assert refusal(knary) == (
                f"Error: port {port} on {HERE}, wanted for the {purpose}, is taken;"
                f" choose another with {option}, or 0 for a free one\n"
            )


def test_the_gateways_port_is_not_shared_with_another_instance() -> None:
    with Instance() as first:
        _, port = first.gateway
        with contextlib.closing(Instance("--port", str(port))) as second:
            assert f"port {port} on {HERE}, wanted for the gateway, is taken" in refusal(second)


def test_a_default_port_that_is_taken_moves_to_the_next_free_one() -> None:
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # someone else may have it: as good
            held.enter_context(socket.create_server((HERE, 8080)))
        ports = ("--local-port", "0", "--api-port", "0", "--console-port", "0")
        with Instance(ports=ports) as knary:
            _, port = knary.gateway
            assert 8080 < port < 8180
            line = f"port 8080 is taken; the gateway listens on {port}"
            assert knary.out.splitlines()[0] == line


def test_manifests_are_served_when_it_says_that_it_is_ready(tmp_path: Path) -> None:
    manifest = tmp_path / "service.yaml"
    manifest.write_text(SERVICE)
    with Instance("-f", str(manifest)) as knary:
        assert knary.get("hello").text == "Hello Manifest!\n"


def test_a_manifest_that_is_refused_ends_it(tmp_path: Path) -> None:
    manifest = tmp_path / "service.yaml"
    manifest.write_text(SERVICE + "  traffic:\n    - latestRevision: true\n      percent: 90\n")
    with contextlib.closing(Instance("-f", str(manifest))) as knary:
        said = refusal(knary)
        assert said.startswith(f"Error: {manifest}:")
        assert "Traffic targets sum to 90, want 100" in said


def test_an_ephemeral_one_leaves_no_folder() -> None:
    with contextlib.closing(Instance("--ephemeral")) as knary:
        knary.launch()
        eventually("the ready line", lambda: knary.out.count("\n") == 5, COMMAND_S_MAX)
        found = re.search(r"--data (\S+)", knary.out)
        assert found is not None
        folder = Path(found[1])
        assert (folder / "store.sqlite").is_file()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert knary.stop() == 0
        assert not folder.exists()


def test_what_it_keeps_is_for_its_owner_alone() -> None:
    with Instance() as knary:
        knary.run("service", "create", "hello", "--image", HELLO)
        assert knary.paths.database in knary.data.iterdir()
        for entry in (knary.data, *knary.data.rglob("*")):
            assert entry.lstat().st_mode & 0o077 == 0, entry


def test_a_request_under_way_is_finished_before_it_stops() -> None:
    with Instance() as knary:
        knary.run("service", "create", "hello", "--image", HELLO)
        with half_a_request(knary) as connection:
            knary.pids()
            knary.parent.send_signal(signal.SIGINT)
            eventually("the stop", lambda: not knary.paths.description.exists())
            connection.sendall(b"67890")
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert knary.wait() == 0
        assert knary.left_over() == []


def test_a_second_ctrl_c_waits_for_nothing() -> None:
    with Instance() as knary:
        knary.run("service", "create", "hello", "--image", HELLO)
        with half_a_request(knary):
            knary.pids()
            knary.parent.send_signal(signal.SIGINT)
            eventually("the stop", lambda: not knary.paths.description.exists())
            knary.parent.send_signal(signal.SIGINT)
            assert knary.wait() == 130
        eventually("the end of all", lambda: not knary.left_over())
        assert not knary.paths.run.exists()


def test_ctrl_c_while_it_starts_leaves_nothing() -> None:
    with contextlib.closing(Instance()) as knary:
        knary.launch()
        eventually("children", lambda: "gateway" in knary.pids())
        knary.parent.send_signal(signal.SIGINT)
        assert knary.wait() == 0
        assert READY not in knary.out
        eventually("the end of all", lambda: not knary.left_over())


def test_it_listens_where_it_is_told() -> None:
    with Instance("--listen", "::1") as knary:
        assert knary.description.gateway.startswith("http://[::1]:")
        knary.run("service", "create", "hello", "--image", HELLO)
        assert knary.get("hello").status == 200
        assert knary.request("hello.default.localhost").text == "Hello World!\n"


@contextlib.contextmanager
def half_a_request(knary: Instance) -> Iterator[socket.socket]:
    """A request that the gateway has begun to take, and whose body is half sent."""
    with socket.create_connection(knary.gateway, timeout=20) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: hello.default.example.com\r\nContent-Length: 10\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"12345")
        yield connection


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_neither_launcher_replica_nor_worker_sees_the_users_environment() -> None:
    with Instance() as knary:  # which is started with KNARY_DATA
        knary.run("service", "create", "hello", "--image", HELLO)
        for name, seen in (("parent", True), ("launcher", False), ("replica", False)):
            variables = Path(f"/proc/{knary.pid(name)}/environ").read_bytes()
            assert (b"KNARY_DATA=" in variables) is seen, name
        assert b"KNARY_DATA=" not in Path(f"/proc/{knary.pid('gateway')}/environ").read_bytes()
