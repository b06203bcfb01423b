"""`knary demo --grpc`: the canary story with gRPC, as a user starts it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import Instance
from tests.support.knary import knary
from tests.support.scraping import scraped, total
from tests.support.waiting import eventually

pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")

import grpc

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


def test_a_failing_grpc_canary_is_seen_in_top_in_the_metrics_and_in_the_access_log(
    tmp_path: Path,
) -> None:
    """HTTP's status is 200 for each of these calls; who calls with grpcio knows better."""
    log = tmp_path / "access.log"

    async def calls(instance: Instance) -> None:
        async with channel(address(instance), AUTHORITY) as to:
            codes = Counter([await status(unary(to, HELLO)) for _ in range(100)])
        assert codes == {"OK": 90, "INTERNAL": 10}

    with Instance("--access-log", str(log)) as instance:
        instance.run("service", "create", "hello", "--image", IMAGE, "--port", "h2c:8080")
        instance.run(
            *("service", "update", "hello", "--image", IMAGE.replace(":1", ":bad")),
            *("--traffic", "hello-00001=90,@latest=10"),
        )
        asyncio.run(calls(instance))
        eventually("the counts", lambda: sum(row["answers"] for row in top(instance)) == 100)
        assert {row["revision"]: (row["errors"], row["grpcCalls"]) for row in top(instance)} == {
            "hello-00001": (0, {"OK": 90}),
            "hello-00002": (10, {"INTERNAL": 10}),
        }
        shown = [line.split() for line in instance.run("top", "hello").out.splitlines()]
        errors = shown[0].index("ERRORS") - 1  # TAG is empty
        assert [(row[1], row[errors]) for row in shown[1:]] == [
            ("hello-00001", "0"),
            ("hello-00002", "10"),
        ]
        series, name = scraped(instance), "knary_revision_grpc_calls_total"
        assert total(series, name, "hello-00002", "INTERNAL") == total(series, name, "hello-00002")
        assert total(series, name, "hello-00001", "OK") == 90
        eventually("the log", lambda: log.exists() and log.read_text().count("\n") == 100)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert Counter((line["revision"], line["grpc_status"]) for line in lines) == {
        ("default/hello-00001", "OK"): 90,
        ("default/hello-00002", "INTERNAL"): 10,
    }
    assert {line["status"] for line in lines} == {200}


def top(instance: Instance) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(instance.run("top", "-o", "json").out)["rows"]
    return rows


async def status(call: Any) -> str:
    """Return the name of a call's status."""
    code: grpc.StatusCode = await call.code()
    return code.name


def address(instance: Instance) -> str:
    host, port = instance.gateway
    return f"{host}:{port}"


async def ping(stream, text: str) -> str:
    """Send a ping; return what came back behind it."""
    await stream.write(text)
    answer = await stream.read()
    assert answer.startswith(text)
    return answer.removeprefix(text)
