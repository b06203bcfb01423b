from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import OTHERS, REVISIONS_MAX, UNKNOWN, LoadReport, ReportCounts
from simulator.load.schedule import ConstantRate

PLAN = LoadPlan("127.0.0.1", 8080, "hello.default.example.com", ConstantRate(100, 1))


def answer(sequence: int = 0, **changes) -> Answer:
    values = {"planned_s": 1.0, "sent_s": 1.0, "done_s": 1.01, "status": 200, "revision": "a"}
    return Answer(sequence, **{**values, **changes})


def report_of(*answers: Answer) -> LoadReport:
    report = LoadReport(PLAN)
    for each in answers:
        report.count(each)
    return report


def test_latency_counts_from_the_planned_moment_and_service_time_from_the_sending() -> None:
    report = report_of(answer(planned_s=1.0, sent_s=1.5, done_s=1.6))
    assert report.all.latencies.at(50) == pytest.approx(600_000, rel=0.001)
    assert report.service.at(50) == pytest.approx(100_000, rel=0.001)


def test_errors_are_counted_by_kind_and_by_revision() -> None:
    report = report_of(
        answer(),
        answer(status=503, error="5xx"),
        answer(status=0, revision="", error="reset"),
    )
    told = report.to_dict()
    assert told["requests"] == 3
    assert told["errors"] == {"reset": 1, "5xx": 1}
    assert told["revisions"]["a"]["requests"] == 2
    assert told["revisions"]["a"]["errors"] == {"5xx": 1}
    assert told["revisions"][UNKNOWN]["errors"] == {"reset": 1}
    assert told["revisions"]["a"]["share"] == pytest.approx(2 / 3, abs=1e-6)


def test_what_was_not_answered_has_no_latency() -> None:
    assert report_of(answer(status=0, error="timeout")).all.latencies.count == 0


@pytest.mark.parametrize(
    ("delays_s", "behind"),
    [
        pytest.param([0.0] * 100, False, id="on time"),
        pytest.param([0.009] * 100, False, id="a few milliseconds are noise"),
        pytest.param([0.0] * 99 + [0.5], False, id="one in a hundred may be late"),
        pytest.param([0.0] * 98 + [0.5] * 2, True, id="two in a hundred may not"),
        pytest.param([], False, id="a closed loop has no schedule"),
    ],
)
def test_a_generator_that_fell_behind_says_so(delays_s: list[float], behind: bool) -> None:
    report = LoadReport(PLAN)
    for delay in delays_s:
        report.noticed(delay)
    assert report.behind_schedule is behind
    assert report.to_dict()["schedule"]["behind_schedule"] is behind


@pytest.mark.parametrize(
    ("occupied", "due", "behind"), [(0.9, 1, False), (0.91, 1, True), (1, 0, False)]
)
def test_a_generator_that_never_rests_is_behind_unless_nothing_was_planned(
    occupied: float, due: int, behind: bool
) -> None:
    report = LoadReport(PLAN)
    report.occupied_share = occupied
    for _ in range(due):
        report.noticed(0.0)
    assert report.behind_schedule is behind


def test_a_server_that_makes_up_names_cannot_fill_our_memory() -> None:
    report = report_of(*(answer(revision=f"r{index}") for index in range(REVISIONS_MAX + 9)))
    assert len(report.revisions) == REVISIONS_MAX + 1
    assert report.revisions[OTHERS].requests == 9


def test_a_report_is_json_even_when_nothing_happened() -> None:
    told = json.loads(json.dumps(LoadReport(PLAN).to_dict()))
    assert told["schema"] == "knary.load/v1"
    assert told["requests"] == 0
    assert told["rate_per_s"] == 0


@st.composite
def answers(draw) -> Answer:
    planned = draw(st.floats(0, 3))
    error = draw(st.sampled_from(["", "", "5xx", "reset"]))
    return answer(
        planned_s=planned,
        sent_s=planned,
        done_s=planned + draw(st.floats(0, 2)),
        status=0 if error == "reset" else 503 if error else 200,
        error=error,
        revision="" if error == "reset" else draw(st.sampled_from("abc")),
        queued_s=draw(st.sampled_from([0.0, 0.0, 0.1])),
    )


SLICED = LoadPlan("127.0.0.1", 8080, "hello.test", ConstantRate(100, 3), warm_s=1.0, slice_s=0.25)


@settings(max_examples=30)  # each makes dozens of histograms
@given(st.lists(answers(), max_size=20), st.integers(1, 4))
def test_what_several_processes_counted_adds_up_to_what_one_would_have(given_, processes) -> None:
    whole, merged = LoadReport(SLICED), LoadReport(SLICED)
    for each in given_:
        whole.count(each)
        whole.noticed(each.done_s - each.planned_s)
    for index in range(processes):
        part = LoadReport(SLICED)
        for each in given_[index::processes]:
            part.count(each)
            part.noticed(each.done_s - each.planned_s)
        wire = msgspec.msgpack.encode(part.to_counts())
        merged.add(msgspec.msgpack.decode(wire, type=ReportCounts))
    assert merged.to_counts() == whole.to_counts()
    assert merged.to_dict() == whole.to_dict()


@given(st.lists(answers(), max_size=40))
def test_slices_have_every_request_but_the_warm_ups(given_) -> None:
    report = LoadReport(SLICED)
    for each in given_:
        report.count(each)
    assert report.timeline is not None
    slices = report.timeline.slices
    assert sum(each.requests for each in slices) == report.all.requests
    assert sum(each.failed for each in slices) == report.all.failed
    assert report.all.requests + sum(report.warm.values()) == len(given_)
    assert len(slices) <= 8
    for index, each in enumerate(slices):
        end = 1.0 + 0.25 * (index + 1)
        if index == 7:  # the last one lasts until all is over
            assert each.under_way == 0
            continue
        open_then = sum(a.planned_s < end <= a.done_s for a in given_)
        assert each.under_way == pytest.approx(open_then)


def test_the_warm_up_counts_for_nothing_but_its_own_shares() -> None:
    report = LoadReport(SLICED)
    report.count(answer(planned_s=0.5, done_s=9.0, revision="a"))
    report.count(answer(planned_s=1.5, done_s=1.6, revision="b"))
    assert report.warm == {"a": 1}
    assert report.all.requests == 1
    assert report.elapsed_s == pytest.approx(0.6)
    assert report.shares() == {"b": 1}
