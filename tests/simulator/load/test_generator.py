from __future__ import annotations

import asyncio
import socket

import pytest

from simulator.load.generator import Load, request_head, run_load
from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, ConstantRate, Schedule
from tests.support.load_server import Answering, LoadServer, Reply, load_server
from tests.support.waiting import eventually_async

HOST = "hello.default.example.com"


def plan_for(port: int, schedule: Schedule, **changes) -> LoadPlan:
    return LoadPlan("127.0.0.1", port, HOST, schedule, **changes)


def send(
    schedule: Schedule, answering: Answering, **changes
) -> tuple[LoadReport, list[Answer], LoadServer]:
    async def main() -> tuple[LoadReport, list[Answer], LoadServer]:
        answers: list[Answer] = []
        async with load_server(answering) as server:
            report = await run_load(plan_for(server.port, schedule, **changes), answers.append)
        return report, answers, server

    return asyncio.run(main())


def test_an_open_loop_sends_what_was_planned_and_knows_who_answered() -> None:
    report, answers, server = send(
        ConstantRate(500, 0.2), lambda n: Reply(revision=f"hello-0000{1 + n % 2}")
    )
    assert len(server.heads) == report.all.requests == len(answers) == 100
    assert {name: tally.requests for name, tally in report.revisions.items()} == {
        "hello-00001": 50,
        "hello-00002": 50,
    }
    assert report.all.failed == 0
    assert [a.planned_s for a in sorted(answers, key=lambda a: a.sequence)] == pytest.approx(
        [index / 500 for index in range(100)], abs=1e-6
    )
    assert {a.text for a in answers} == {"Hello World!"}


def test_every_request_asks_the_gateway_who_answers() -> None:
    _, _, server = send(AsFastAsPossible(1), lambda _: Reply(), headers=(("X-Test", "yes"),))
    (head,) = server.heads
    lines = head.decode().split("\r\n")
    assert lines[0] == "GET / HTTP/1.1"
    assert f"Host: {HOST}" in lines
    assert "Knary-Explain: 1" in lines
    assert "X-Test: yes" in lines


def test_paths_are_asked_for_in_turn() -> None:
    _, _, server = send(AsFastAsPossible(5), lambda _: Reply(), path="/a", more_paths=("/b", "/c"))
    assert [head.split()[1] for head in server.heads] == [b"/a", b"/b", b"/c", b"/a", b"/b"]


def test_a_closed_loop_of_one_keeps_the_order_and_its_connection() -> None:
    report, answers, server = send(
        AsFastAsPossible(20, connections=1), lambda n: Reply(revision=f"r{n}")
    )
    assert [a.revision for a in answers] == [f"r{n}" for n in range(20)]
    assert server.connections == 1
    assert report.to_dict()["loop"] == "closed"
    assert not report.behind_schedule


def test_a_closed_loop_has_as_many_under_way_as_it_has_connections() -> None:
    async def main() -> None:
        go = asyncio.Event()
        async with load_server(lambda _: Reply(after=go)) as server:
            running = Load(plan_for(server.port, AsFastAsPossible(9, connections=3)))
            task = asyncio.create_task(running.run())
            async with asyncio.timeout(10):
                await eventually_async("three under way", lambda: len(server.heads) == 3)
                assert running.in_flight == 3
                go.set()
                report = await task
            assert report.all.requests == 9
            assert server.connections == 3

    asyncio.run(main())


def test_a_stall_of_the_server_shows_in_every_request_that_was_due() -> None:
    """No coordinated omission: ten requests were due while the server slept; all were slow."""

    async def main() -> None:
        go = asyncio.Event()

        def answering(number: int) -> Reply:
            if number == 9:
                asyncio.get_running_loop().call_later(0.02, go.set)
            return Reply(after=go)

        async with load_server(answering) as server:
            plan = plan_for(server.port, ConstantRate(100, 0.1), connections_max=10)
            report = await run_load(plan)
        assert report.all.requests == 10
        assert report.all.latencies.at(100) >= 105_000
        assert report.all.latencies.at(10) >= 15_000

    asyncio.run(main())


def test_waiting_for_a_connection_is_latency_and_not_a_late_schedule() -> None:
    async def main() -> None:
        go = asyncio.Event()
        async with load_server(lambda _: Reply(after=go)) as server:
            plan = plan_for(server.port, ConstantRate(1000, 0.1), connections_max=1)
            running = Load(plan)
            task = asyncio.create_task(running.run())
            async with asyncio.timeout(10):
                await eventually_async("all are due", lambda: running.in_flight == 100)
                assert len(server.heads) == 1
                go.set()
                report = await task
        assert report.all.requests == 100
        assert report.all.failed == 0
        # What was due first waited longest.
        assert report.all.latencies.at(100) > 90_000
        assert report.service.at(1) < 90_000

    asyncio.run(main())


@pytest.mark.parametrize(
    ("reply", "kind", "revision"),
    [
        pytest.param(Reply(reset=True), "reset", "", id="the connection is cut before an answer"),
        pytest.param(Reply(status=503), "5xx", "hello-00001", id="an error of the server"),
        pytest.param(Reply(status=404, revision=""), "4xx", "", id="no such host"),
        pytest.param(Reply(raw=b"SSH-2.0-OpenSSH\r\n"), "malformed", "", id="no HTTP at all"),
        pytest.param(Reply(silent=True), "timeout", "", id="no answer in time"),
        pytest.param(
            Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHell", close=True),
            "reset",
            "",
            id="a body cut short",
        ),
    ],
)
def test_a_request_that_fails_says_how(reply: Reply, kind: str, revision: str) -> None:
    report, answers, _ = send(AsFastAsPossible(3), lambda _: reply, timeout_s=0.1)
    assert report.all.errors == {kind: 3}
    assert {a.error for a in answers} == {kind}
    assert {a.revision for a in answers} == {revision}


def test_nobody_listening_is_a_connect_error() -> None:
    with socket.socket() as taken:  # bound and not listening: refused, and nobody else gets it
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        report = asyncio.run(run_load(plan_for(port, ConstantRate(100, 0.05))))
    assert report.all.errors == {"connect": 5}
    assert report.all.latencies.count == 0


def test_a_failed_request_does_not_stop_the_others() -> None:
    report, _, _ = send(AsFastAsPossible(30, 2), lambda n: Reply(reset=n % 3 == 0))
    assert report.all.requests == 30
    assert report.all.errors == {"reset": 10}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(close=True), id="told by a header"),
        pytest.param(
            Reply(raw=b"HTTP/1.1 200 OK\r\nKnary-Revision: hello-00001\r\n\r\nHello", close=True),
            id="a body that ends with the connection",
        ),
        pytest.param(
            Reply(
                raw=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nKnary-Revision: hello-00001"
                b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\n\r\n"
            ),
            id="an interim answer and chunks",
        ),
    ],
)
def test_answers_are_read_by_the_rules_of_http(reply: Reply) -> None:
    report, _, _ = send(AsFastAsPossible(5), lambda _: reply)
    assert report.all.failed == 0
    assert report.revisions["hello-00001"].requests == 5


def test_where_the_gateway_does_not_say_who_answered_the_words_do() -> None:
    report, answers, _ = send(
        AsFastAsPossible(4), lambda n: Reply(revision="", body=f"Hello {n % 2}!\nand more\n")
    )
    assert report.shares() == {"Hello 0!": 2, "Hello 1!": 2}
    assert {answer.text for answer in answers} == {"Hello 0!", "Hello 1!"}


def test_who_does_not_ask_the_gateway_tells_answers_apart_by_their_words() -> None:
    report, _, server = send(
        AsFastAsPossible(4), lambda n: Reply(revision="", body=f"{n % 2}\n"), explain=False
    )
    assert not any(b"Knary-Explain" in head for head in server.heads)
    assert report.shares() == {"0": 2, "1": 2}


def test_what_the_gateway_held_is_counted() -> None:
    def answering(number: int) -> Reply:
        queued = "0.250000" if number == 2 else "0.000000"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKnary-Explain: turn=1; queued={queued}"
        return Reply(raw=f"{head}\r\n\r\n".encode())

    report, _, _ = send(AsFastAsPossible(5), answering)
    assert report.all.queued == 1
    assert report.worst_queued_s == 0.25


def test_a_closed_loop_can_end_with_its_time() -> None:
    report, _, server = send(AsFastAsPossible(None, 3, 0.2), lambda _: Reply())
    assert report.all.requests == len(server.heads) > 3
    assert report.all.failed == 0
    assert server.connections == 3


def test_the_warm_up_is_sent_and_counted_apart() -> None:
    report, answers, server = send(ConstantRate(200, 0.3), lambda _: Reply(), warm_s=0.1)
    assert len(server.heads) == len(answers) == 60
    assert report.all.requests == report.due == 40
    assert sum(report.warm.values()) == 20


def test_a_load_without_an_end_can_be_ended() -> None:
    async def main() -> None:
        async with load_server(lambda _: Reply()) as server:
            ended = asyncio.Event()

            def observe(answer: Answer) -> None:
                if answer.sequence == 10:
                    running.end()
                    ended.set()

            running = Load(plan_for(server.port, ConstantRate(1000)), observe)
            async with asyncio.timeout(10):
                report = await running.run()
            assert ended.is_set()
            assert report.all.requests == running.sent >= 11

    asyncio.run(main())


def test_a_cancelled_load_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with load_server(lambda _: Reply(silent=True)) as server:
            task = asyncio.create_task(run_load(plan_for(server.port, ConstantRate(1000))))
            async with asyncio.timeout(10):
                await eventually_async("some are under way", lambda: len(server.heads) >= 5)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_the_head_is_one_that_any_server_reads() -> None:
    plan = plan_for(80, AsFastAsPossible(1), path="/a?b=c")
    head = request_head(plan, plan.path)
    assert head.startswith(b"GET /a?b=c HTTP/1.1\r\nHost: hello.default.example.com")
    assert head.endswith(b"\r\n\r\n")
