"""`knary demo --grpc`: the canary story with gRPC, as a user starts it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support.instance import Instance
from tests.support.knary import knary

pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")

from tests.support.grpc_hello import HELLO, PING_STREAM, channel, conversation, unary

pytestmark = pytest.mark.timeout(120)  # 10 s on an idle machine; a busy one is no failure

CHAPTERS = 6
IMAGE = "registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-grpc:1"
AUTHORITY = "hello.default.example.com"


def test_the_demo_plays_the_story_with_grpc_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = knary(tmp_path, "demo", "--grpc")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    for number in range(1, CHAPTERS + 1):
        assert any(line.startswith(f"[{number}/{CHAPTERS}]") for line in lines)
    assert [line for line in lines if line.lstrip().startswith("FAIL")] == []
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_users_grpc_client_sees_the_split_and_its_streams_stay() -> None:
    """grpcio as the client: a balancer of connections would fail this."""

    async def calls(instance: Instance) -> None:
        async with channel(address(instance), AUTHORITY) as to:
            said = [await unary(to, HELLO) for _ in range(20)]
            assert Counter(said) == {"Hello World!": 10, "Hello Knative!": 10}
            streams = [conversation(to, PING_STREAM) for _ in range(4)]
            before = [await ping(stream, "one") for stream in streams]
            assert Counter(before) == {"": 2, "-new": 2}
            await asyncio.to_thread(
                instance.run, "service", "update", "hello", "--traffic", "hello-00002=100"
            )
            assert {await unary(to, HELLO) for _ in range(10)} == {"Hello Knative!"}
            assert [await ping(stream, "two") for stream in streams] == before
            for stream in streams:
                await stream.done_writing()

    with Instance() as instance:
        instance.run("service", "create", "hello", "--image", IMAGE, "--port", "h2c:8080")
        load = ("load", "hello", "--protocol", "grpc", "--requests", "20", "--json", "-")
        report = json.loads(instance.run(*load).out)
        assert report["errors"] == {}
        assert report["revisions"]["hello-00001"]["requests"] == 20
        url = instance.run("url", "hello")
        assert url.out.count("\n") == 1
        hint = f"gRPC: grpcurl -plaintext -authority {AUTHORITY} {address(instance)} list\n"
        assert url.err == hint
        assert instance.run("curl", "hello").err == hint  # a GET is no call
        instance.run(
            *("service", "update", "hello", "--env", "TARGET=Knative", "--env", "SUFFIX=-new"),
            *("--traffic", "hello-00001=50,@latest=50"),
        )
        asyncio.run(calls(instance))


def address(instance: Instance) -> str:
    host, port = instance.gateway
    return f"{host}:{port}"


async def ping(stream, text: str) -> str:
    """Send a ping; return what came back behind it."""
    await stream.write(text)
    answer = await stream.read()
    assert answer.startswith(text)
    return answer.removeprefix(text)
