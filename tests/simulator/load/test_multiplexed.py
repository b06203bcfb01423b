"""Loads over HTTP/2: requests and gRPC calls against a server that answers as told."""

from __future__ import annotations

import asyncio

import pytest

from simulator.load.generator import run_load
from simulator.load.plan import GRPC_METHOD, Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, ConstantRate, Schedule
from tests.support.apps import app
from tests.support.h2_load_server import (
    Answering,
    H2Server,
    grpc_refusal,
    grpc_reply,
    h2_server,
    reply,
)
from tests.support.h2frames import (
    DATA,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    RST_STREAM,
    block,
    frame,
    number,
)

HOST = "hello.default.example.com"


def send(
    schedule: Schedule, answering: Answering, **changes
) -> tuple[LoadReport, list[Answer], H2Server]:
    async def main() -> tuple[LoadReport, list[Answer], H2Server]:
        answers: list[Answer] = []
        given = {"protocol": "grpc", "path": GRPC_METHOD, "connections_max": 1, **changes}
        async with h2_server(answering) as server:
            plan = LoadPlan("127.0.0.1", server.port, HOST, schedule, **given)
            report = await run_load(plan, answers.append)
        return report, answers, server

    return asyncio.run(main())


def test_paths_are_asked_for_in_turn() -> None:
    _, _, server = send(
        AsFastAsPossible(5),
        lambda _, stream: reply(stream, b"hi"),
        protocol="h2c",
        path="/a",
        more_paths=("/b",),
    )
    assert [dict(head)[":path"] for head in server.asked] == ["/a", "/b", "/a", "/b", "/a"]


def test_calls_share_a_connection_and_say_who_answered() -> None:
    report, answers, server = send(
        ConstantRate(500, 0.2), lambda n, s: grpc_reply(s, "Hello!", f"hello-0000{1 + n % 2}")
    )
    assert server.connections == 1
    assert report.all.requests == len(server.asked) == 100
    assert report.all.failed == 0
    assert report.shares() == {"hello-00001": 50, "hello-00002": 50}
    assert {(a.status, a.text) for a in answers} == {(200, "Hello!")}
    assert report.to_dict()["protocol"] == "grpc"


def test_a_call_is_one_that_grpc_servers_read() -> None:
    _, _, server = send(
        AsFastAsPossible(1), lambda _, s: grpc_reply(s, "x"), headers=(("X-Test", "yes"),)
    )
    assert server.asked == [
        {
            ":method": "POST",
            ":scheme": "http",
            ":path": "/helloworld.Greeter/SayHello",
            ":authority": HOST,
            "te": "trailers",
            "content-type": "application/grpc",
            "grpc-timeout": "10000m",
            "user-agent": "knary-load",
            "knary-explain": "1",
            "x-test": "yes",
        }
    ]
    assert server.bodies == [bytes(5)]


def test_h2c_sends_plain_requests() -> None:
    report, answers, server = send(
        AsFastAsPossible(3),
        lambda _, s: reply(s, ("knary-revision", "hello-00001"), body=b"Hello World!\nmore"),
        protocol="h2c",
        path="/a?b=c",
    )
    assert [one[":method"] + one[":path"] for one in server.asked] == ["GET/a?b=c"] * 3
    assert report.shares() == {"hello-00001": 3}
    assert {a.text for a in answers} == {"Hello World!"}


def test_a_closed_loop_uses_as_many_connections_as_it_has_calls_at_a_time() -> None:
    report, _, server = send(
        AsFastAsPossible(40, 4), lambda _, s: grpc_reply(s, "x"), connections_max=4
    )
    assert report.all.failed == 0
    assert server.connections == 4


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        pytest.param(
            lambda s: grpc_refusal(s, 14, "no%20replica"),
            "UNAVAILABLE",
            "no replica",
            id="trailers only",
        ),
        pytest.param(
            lambda s: reply(s, status="503", body=b"busy"), "UNAVAILABLE", "", id="no gRPC: 503"
        ),
        pytest.param(lambda s: reply(s, status="404"), "UNIMPLEMENTED", "", id="no gRPC: 404"),
        pytest.param(
            lambda s: reply(s, ("grpc-status", "0"), body=b"\0\0\0\0\5he"),
            "malformed",
            "",
            id="a message cut short",
        ),
        pytest.param(lambda _: None, "reset", "", id="the connection is cut"),
        pytest.param(
            lambda s: frame(RST_STREAM, 0, s, number(2)), "reset", "", id="the stream is reset"
        ),
        pytest.param(lambda _: b"HTTP/1.1 400 Bad\r\n", "malformed", "", id="no HTTP/2"),
        pytest.param(lambda _: b"", "timeout", "", id="no answer in time"),
        pytest.param(
            lambda s: (
                frame(HEADERS, END_HEADERS, s, block((":status", "200")))
                + frame(DATA, 0, s, b"\0\0\0\0")
            ),
            "timeout",
            "",
            id="no end in time",
        ),
    ],
)
def test_a_call_that_fails_says_how(answer, kind: str, text: str) -> None:
    report, answers, _ = send(AsFastAsPossible(3), lambda _, s: answer(s), timeout_s=0.1)
    assert report.all.errors == {kind: 3}
    assert {a.text for a in answers} == {text}
    assert report.to_dict()["errors"] == {kind: 3}


def test_a_late_call_does_not_end_the_others_of_its_connection() -> None:
    report, _, server = send(
        ConstantRate(50, 0.4), lambda n, s: b"" if n == 3 else grpc_reply(s, "x"), timeout_s=0.1
    )
    assert report.all.errors == {"timeout": 1}
    assert report.all.requests == 20
    assert server.connections == 1


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(lambda s: frame(RST_STREAM, 0, s, number(7)), id="a refused stream"),
        pytest.param(
            lambda s: frame(GOAWAY, 0, 0, number(max(0, s - 2)) + number(0)),
            id="a server that leaves",
        ),
    ],
)
def test_what_the_server_did_not_touch_is_sent_again(refusal) -> None:
    report, answers, server = send(
        AsFastAsPossible(10), lambda n, s: refusal(s) if n == 4 else grpc_reply(s, "x")
    )
    assert report.all.failed == 0
    assert report.all.requests == len(answers) == 10
    assert len(server.asked) == 11


def test_a_real_grpc_server_is_loaded() -> None:
    pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")
    answers: list[Answer] = []
    with app("helloworld_grpc", TARGET="Load") as running:
        plan = LoadPlan(
            "127.0.0.1",
            running.port,
            HOST,
            AsFastAsPossible(50, 2),
            path=GRPC_METHOD,
            protocol="grpc",
        )
        report = asyncio.run(run_load(plan, answers.append))
    assert report.all.failed == 0
    assert {answer.text for answer in answers} == {"Hello Load!"}
