"""What probes ask, and what their answers mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.podspec import (
    Container,
    ExecAction,
    GrpcAction,
    HttpGetAction,
    HttpHeader,
    Probe,
    TcpSocketAction,
)
from simulator.supervisor.probes import (
    Answer,
    BadCheck,
    ExecCheck,
    GrpcCheck,
    HttpCheck,
    ProbePlan,
    Tally,
    TcpCheck,
    Verdict,
    awaited_pause_s,
    awaited_timeout_s,
    judge,
    plans_of,
    status_of,
)
from simulator.supervisor.settings import SupervisorSettings

SETTINGS = SupervisorSettings()


def plan(probe: Probe) -> ProbePlan:
    return plans_of(Container(readiness_probe=probe), 20000, SETTINGS).readiness


def test_without_probes_a_connection_decides() -> None:
    plans = plans_of(Container(), 20000, SETTINGS)
    assert plans.startup is None
    assert plans.liveness is None
    assert plans.readiness == ProbePlan(TcpCheck(), 0.0, 10.0, 1.0, 1, 3, True)


def test_knatives_default_probe_is_the_same() -> None:
    default = Probe(tcp_socket=TcpSocketAction(port=0), success_threshold=1)
    assert plan(default) == plan(Probe())


def test_numbers_are_taken_and_missing_ones_are_the_kubelets() -> None:
    given_ = Probe(
        initial_delay_seconds=3,
        period_seconds=4,
        timeout_seconds=5,
        success_threshold=6,
        failure_threshold=7,
    )
    assert plan(given_) == ProbePlan(TcpCheck(), 3.0, 4.0, 5.0, 6, 7, False)
    assert plan(given_).deadline_s == 31.0


def test_each_action_has_its_check() -> None:
    assert plan(Probe(grpc=GrpcAction(port=1))).check == GrpcCheck("")
    assert plan(Probe(grpc=GrpcAction(service="a.B"))).check == GrpcCheck("a.B")
    assert isinstance(plan(Probe(grpc=GrpcAction(service="x" * 2000))).check, BadCheck)
    assert plan(Probe(exec=ExecAction(("a", "b")))).check == ExecCheck(("a", "b"))
    assert isinstance(plan(Probe(exec=ExecAction())).check, BadCheck)


def test_an_http_probe_goes_to_the_replicas_own_port_whatever_it_names() -> None:
    action = HttpGetAction(
        port=9999,
        host="example.com",
        path="healthz?x=1",
        http_headers=(HttpHeader("Host", "a.b"), HttpHeader("X-Y", "z")),
    )
    check = plan(Probe(http_get=action)).check
    assert check == HttpCheck(
        b"GET /healthz?x=1 HTTP/1.1\r\nhost: a.b\r\nuser-agent: kube-probe/knary\r\n"
        b"accept: */*\r\nx-y: z\r\nconnection: close\r\n\r\n",
        url="http://127.0.0.1:20000/healthz?x=1",
    )
    secure = plan(Probe(http_get=HttpGetAction(scheme="HTTPS"))).check
    assert isinstance(secure, HttpCheck)
    assert secure.secure
    assert b"\r\nhost: 127.0.0.1:20000\r\n" in secure.request


@pytest.mark.parametrize(
    "action",
    [
        HttpGetAction(path="/a b"),
        HttpGetAction(path="/\r\nx: y"),
        HttpGetAction(path="/ü"),
        HttpGetAction(http_headers=(HttpHeader("a b", "c"),)),
        HttpGetAction(http_headers=(HttpHeader("a", "c\r\nd: e"),)),
        HttpGetAction(http_headers=(HttpHeader("", "c"),)),
        HttpGetAction(http_headers=(HttpHeader("a", "€"),)),
    ],
)
def test_a_probe_cannot_smuggle_a_second_request(action: HttpGetAction) -> None:
    assert isinstance(plan(Probe(http_get=action)).check, BadCheck)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_request_is_one_head_whatever_it_is_made_of(path: str, name: str, value: str) -> None:
    action = HttpGetAction(path=path, http_headers=(HttpHeader(name, value),))
    check = plan(Probe(http_get=action)).check
    if isinstance(check, HttpCheck):
        assert check.request.count(b"\r\n\r\n") == 1
        assert check.request.endswith(b"\r\nconnection: close\r\n\r\n")
        assert check.request.count(b"\n") == check.request.count(b"\r") in (6, 7)


def test_answers_in_a_row_decide() -> None:
    probe = plan(Probe(period_seconds=1, success_threshold=2, failure_threshold=3))
    tally, said = Tally(), []
    for passed in [False, True, False, False, False, False, True, True, True]:
        tally, verdict = judge(probe, tally, passed)
        said.append(verdict.value)
    assert said == (
        ["open", "open", "open", "open", "failed", "failed", "open", "passed", "passed"]
    )
    assert Verdict.OPEN.value == "open"


@pytest.mark.parametrize(
    ("probe", "answer", "ran_s", "pause_s"),
    [
        (Probe(), Answer.NOBODY, 0.0, 0.003),
        (Probe(), Answer.NOBODY, 0.49, 0.003),
        (Probe(), Answer.NOBODY, 0.5, 0.05),
        (Probe(period_seconds=60), Answer.NOBODY, 0.0, 0.003),
        (Probe(initial_delay_seconds=5), Answer.NOBODY, 5.1, 0.003),
        (Probe(http_get=HttpGetAction()), Answer.NOBODY, 0.0, 0.003),
        (Probe(http_get=HttpGetAction()), Answer.NO, 0.0, 0.05),
        (Probe(exec=ExecAction(("x",))), Answer.NO, 0.0, 0.1),
    ],
)
def test_a_replica_that_is_awaited_is_asked_often_at_first(
    probe: Probe, answer: Answer, ran_s: float, pause_s: float
) -> None:
    assert awaited_pause_s(plan(probe), answer, ran_s, SETTINGS) == pause_s


def test_knatives_aggressive_probe_has_a_short_time_out() -> None:
    assert awaited_timeout_s(plan(Probe()), SETTINGS) == 0.1
    assert awaited_timeout_s(plan(Probe(period_seconds=1, timeout_seconds=7)), SETTINGS) == 7.0
    assert awaited_timeout_s(plan(Probe(http_get=HttpGetAction())), SETTINGS) == 1.0


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n", 200),
        (b"HTTP/1.0 503\r\n", 503),
        (b"HTTP/1.1 302 Found\n", 302),
        (b"HTTP/2 200\r\n", None),
        (b"HTTP/1.1 2000 x\r\n", None),
        (b"garbage\n", None),
        (b"", None),
    ],
)
def test_the_first_line_says_the_status(answer: bytes, status: int | None) -> None:
    assert status_of(answer) == status
