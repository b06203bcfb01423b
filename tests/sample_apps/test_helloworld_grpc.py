"""The gRPC sample app, as a process of its own, asked by grpcio."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from simulator.launcher.protocol import ForkedApp, Spawn
from tests.support.apps import AppProcess, app
from tests.support.grpc_hello import (
    BIDI_HELLO,
    HELLO,
    PING,
    PING_STREAM,
    STREAM_HELLO,
    channel,
    conversation,
    replies,
    unary,
)
from tests.support.launcher import ROOT, Connection, LauncherProcess, free_port
from tests.support.waiting import WITHIN_S

SERVICES = ["grpc.health.v1.Health", "helloworld.Greeter", "ping.PingService"]


@pytest.fixture(scope="module")
def plain() -> Iterator[AppProcess]:
    with app("helloworld_grpc", SUFFIX=" blue") as running:
        yield running


@pytest.mark.parametrize(
    ("environment", "greeting"),
    [({}, "Hello World!"), ({"TARGET": "Knätive"}, "Hello Knätive!")],
)
def test_it_greets_its_target_whoever_asks(environment: dict[str, str], greeting: str) -> None:
    async def ask(address: str) -> None:
        async with channel(address) as to:
            assert await unary(to, HELLO) == greeting
            assert await unary(to, HELLO, "somebody") == greeting

    with app("helloworld_grpc", **environment) as running:
        asyncio.run(ask(running.address))


def test_every_kind_of_call_is_answered(plain: AppProcess) -> None:
    async def ask() -> None:
        async with channel(plain.address) as to:
            assert [text async for text in replies(to, STREAM_HELLO)] == ["Hello World!"] * 3
            assert await unary(to, PING, "one") == "one blue"
            for method, answer in ((PING_STREAM, "two blue"), (BIDI_HELLO, "Hello World!")):
                stream = conversation(to, method)
                for _ in range(3):
                    await stream.write("two")
                    assert await stream.read() == answer
                await stream.done_writing()
                assert await stream.read() is grpc.aio.EOF
                assert await stream.code() is grpc.StatusCode.OK

    asyncio.run(ask())


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_health_says_serving(plain: AppProcess, service: str) -> None:
    async def ask() -> int:
        async with channel(plain.address) as to:
            request = health_pb2.HealthCheckRequest(service=service)
            return int((await health_pb2_grpc.HealthStub(to).Check(request)).status)

    assert asyncio.run(ask()) == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_services_and_describes_them(plain: AppProcess) -> None:
    async def ask() -> tuple[list[str], bytes]:
        async with channel(plain.address) as to:
            request = reflection_pb2.ServerReflectionRequest
            asked = [request(list_services=""), request(file_containing_symbol="ping.Response")]
            stub = reflection_pb2_grpc.ServerReflectionStub(to)
            listed, found = [one async for one in stub.ServerReflectionInfo(iter(asked))]
            names = [one.name for one in listed.list_services_response.service]
            return names, found.file_descriptor_response.file_descriptor_proto[0]

    names, described = asyncio.run(ask())
    assert names == [
        *SERVICES[:1],
        "grpc.reflection.v1alpha.ServerReflection",
        *SERVICES[1:],
    ]
    assert b"PingStream" in described


def test_a_bad_copy_answers_internal() -> None:
    async def ask(address: str) -> grpc.aio.AioRpcError:
        async with channel(address) as to:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await unary(to, HELLO)
            return caught.value

    with app("helloworld_grpc", FAIL="bad") as running:
        error = asyncio.run(ask(running.address))
    assert (error.code(), error.details()) == (
        grpc.StatusCode.INTERNAL,
        "Internal Server Error",
    )


def test_sigterm_lets_open_streams_end_and_takes_no_new_call() -> None:
    async def ask(running: AppProcess) -> None:
        async with channel(running.address) as to:
            health = health_pb2_grpc.HealthStub(to).Watch(health_pb2.HealthCheckRequest())
            assert (await health.read()).status == health_pb2.HealthCheckResponse.SERVING
            stream = conversation(to, PING_STREAM)
            await stream.write("before")
            assert await stream.read() == "before"
            running.stop()
            assert (await health.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            health.cancel()
            await stream.write("after")
            assert await stream.read() == "after"
            async with channel(running.address) as other:
                with pytest.raises(grpc.aio.AioRpcError):
                    await unary(other, HELLO)
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF

    with app("helloworld_grpc") as running:
        asyncio.run(ask(running))
        assert running.process.wait(WITHIN_S) == 0


def test_crash_says_why_and_exits_with_1() -> None:
    running = AppProcess("helloworld_grpc", {"FAIL": "crash"})
    assert running.process.wait(WITHIN_S) == 1
    assert running.end()[1] == "helloworld-grpc: FAIL=crash: this copy crashes at start, as asked\n"


def test_a_taken_port_is_said_and_exits_with_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = AppProcess("helloworld_grpc", {"PORT": str(taken.getsockname()[1])})
        assert running.process.wait(WITHIN_S) == 1
    output = running.end()[1]
    assert "helloworld-grpc: cannot listen on 127.0.0.1:" in output
    assert "Traceback" not in output


def test_without_the_extra_one_line_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['grpc'] = None\n"
        "from sample_apps.helloworld_grpc.app import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("helloworld-grpc: ")
    assert done.stderr.endswith("pip install 'knary[grpc]'\n")
    assert done.stderr.count("\n") == 1


def test_the_fork_server_starts_it(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    spawn = Spawn(
        "one",
        ForkedApp("helloworld_grpc"),
        {"PORT": str(port), "TARGET": "Fork"},
        str(tmp_path),
        str(log),
        port,
    )

    async def ask() -> str:
        async with channel(f"127.0.0.1:{port}") as to:
            return str(await unary(to, HELLO, wait_for_ready=True, timeout=WITHIN_S))

    with LauncherProcess(tmp_path) as launcher, Connection(launcher.socket) as connection:
        connection.send(spawn)
        assert asyncio.run(ask()) == "Hello Fork!"
        launcher.process.send_signal(signal.SIGTERM)
        assert launcher.process.wait(WITHIN_S) == 0
