"""Pods in networks of their own: which port they have, how they are asked, what they keep."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.contract import Address, parse_address
from simulator.images import Program
from simulator.instance.paths import InstancePaths
from simulator.launcher.protocol import Network
from simulator.resources.core import ANNOTATION_ADDRESS, ANNOTATION_PID, Pod
from simulator.resources.podspec import (
    Container,
    ContainerPort,
    ExecAction,
    GrpcAction,
    HttpGetAction,
    Probe,
)
from simulator.supervisor.environment import network_of
from simulator.supervisor.settings import SupervisorSettings
from tests.support.launcher import LauncherProcess, lives
from tests.support.networks import needs_networks
from tests.support.supervised import executable, pod, supervised, whole

OWN = SupervisorSettings(own_networks=True, reach=(8081,))
LISTENS = ContainerPort(container_port=8081)
HELLO_GRPC = "example.com/helloworld-grpc"
CONNECTS = "import os, socket; socket.create_connection(('127.0.0.1', 8080)).close()"


def address_of(one: Pod) -> Address:
    return parse_address(one.metadata.annotations[ANNOTATION_ADDRESS])


@pytest.mark.parametrize(
    ("program", "container", "settings", "network"),
    [
        pytest.param(Program(), Container(), SupervisorSettings(), None, id="not here"),
        pytest.param(Program(network="host"), Container(), OWN, None, id="not this image"),
        pytest.param(Program(), Container(), OWN, Network((8081,)), id="the gateway"),
        pytest.param(Program(), Container(ports=(LISTENS,)), OWN, Network(), id="its own port"),
        pytest.param(Program(reach=()), Container(), OWN, Network(), id="nothing"),
        pytest.param(
            Program(reach=(5432, 8080)), Container(), OWN, Network((5432,)), id="a database"
        ),
    ],
)
def test_the_image_and_the_instance_say_which_network_a_replica_gets(
    program: Program,
    container: Container,
    settings: SupervisorSettings,
    network: Network | None,
) -> None:
    assert network_of(program, container, settings) == network


@needs_networks
@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(None, id="tcp"),
        pytest.param(Probe(http_get=HttpGetAction(path="/healthz")), id="http"),
        pytest.param(
            Probe(exec=ExecAction(command=(executable("python3"), "-c", CONNECTS))), id="exec"
        ),
    ],
)
def test_each_kind_of_probe_asks_within_the_replicas_network(
    tmp_path: Path, probe: Probe | None
) -> None:
    async def run() -> None:
        async with whole(tmp_path, own_networks=True) as s:
            for name in ("one", "two"):
                await s.store.create(pod(name, readiness_probe=probe))
            one, two = [await s.until_ready(name) for name in ("one", "two")]
            assert address_of(one) == Address("127.0.0.1", 8080, one.uid)
            assert address_of(two) == Address("127.0.0.1", 8080, two.uid)

    asyncio.run(run())


@needs_networks
def test_a_grpc_probe_asks_within_the_replicas_network(tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")

    async def run() -> None:
        async with whole(tmp_path, own_networks=True) as s:
            probe = Probe(grpc=GrpcAction(service="helloworld.Greeter"))
            ports = (ContainerPort(name="h2c", container_port=50051),)
            await s.store.create(pod(image=HELLO_GRPC, readiness_probe=probe, ports=ports))
            assert address_of(await s.until_ready()).port == 50051

    asyncio.run(run())


@needs_networks
def test_a_crash_and_a_new_control_plane_leave_a_replica_its_address(tmp_path: Path) -> None:
    async def run() -> None:
        paths = InstancePaths(tmp_path)
        paths.sockets.mkdir()
        with LauncherProcess(tmp_path, networks_socket=str(paths.networks_socket)) as launcher:
            async with supervised(tmp_path, launcher.socket, own_networks=True) as s:
                await s.store.create(pod())
                before = await s.until_ready()
            async with supervised(tmp_path, launcher.socket, own_networks=True) as s:
                await asyncio.wait_for(s.supervisor.settled.wait(), 20)
                assert s.get() == before, "nothing happened, so nothing was written"
                pid = int(before.metadata.annotations[ANNOTATION_PID])
                os.kill(pid, signal.SIGKILL)
                await s.until("it is watched again", lambda: s.container().restart_count == 1)
                after = await s.until_ready()
                assert address_of(after) == address_of(before)
                await s.drain()
                await s.delete()
                await s.until_gone()
                assert not lives(int(after.metadata.annotations[ANNOTATION_PID]))

    asyncio.run(run())


@needs_networks
def test_without_a_network_to_be_had_a_pod_says_why_it_does_not_start(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as launcher:  # one that makes none
            async with supervised(tmp_path, launcher.socket, own_networks=True) as s:
                await s.store.create(pod())
                await s.until("it failed", lambda: s.container().last_state.terminated)
                last = s.container().last_state.terminated
                assert last is not None
                assert last.reason == "StartError"
                assert last.message == "cannot make a network: this launcher makes none"

    asyncio.run(run())
