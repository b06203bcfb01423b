"""From counts to a document's numbers: no percentile that was not measured, ratios pair by pair."""

from __future__ import annotations

import pytest

from benchmarks.harness.documents.gateway import Sample
from benchmarks.harness.gateway import figures, telling
from benchmarks.harness.gateway.deviation import Deviation
from benchmarks.harness.gateway.plan import GatewayPlan
from benchmarks.harness.gateway.turns import why_void
from simulator.load.histogram import Latencies
from simulator.load.plan import Answer
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, StepRates, duration_of


def latencies(count: int) -> Latencies:
    made = Latencies()
    for index in range(count):
        made.record((index + 1) / 1000)
    return made


@pytest.mark.parametrize(
    ("count", "highest"),
    [
        pytest.param(9, "p75_us", id="nine: a tenth of them is none"),
        pytest.param(10, "p90_us", id="ten have a p90"),
        pytest.param(100, "p99_us", id="a hundred have a p99"),
        pytest.param(999, "p99_us", id="not quite a thousand"),
        pytest.param(10_000, "p99.99_us", id="ten thousand have a p99.99"),
    ],
)
def test_a_percentile_takes_as_many_answers_as_it_says(count: int, highest: str) -> None:
    told = figures.latencies_of(latencies(count))
    assert [name for name in told if name.startswith("p")][-1] == highest
    assert {"min_us", "mean_us", "max_us"} <= set(told)


def test_nobody_answered_is_no_latency_of_zero() -> None:
    assert figures.latencies_of(Latencies()) == {}


def sample(pair: int, gateway: str, void: str = "", **metrics: float) -> Sample:
    return Sample(pair, gateway, 0.0, metrics, void=void)


def test_ratios_are_taken_pair_by_pair_whatever_the_order_of_turns() -> None:
    # A noisy second pair doubles both; the ratio is 0.5 in each.
    turns = [
        sample(pair, name, cpu_us_per_request=cost * (2 if pair == 1 else 1))
        for pair in range(6)
        for name, cost in (("nginx", 20.0), ("knary", 10.0))[:: 1 if pair % 2 else -1]
    ]
    (found,) = figures.comparisons(turns, "knary", is_open=True)
    assert (found.metric, found.peer, found.verdict) == ("cpu_us_per_request", "nginx", "faster")
    assert found.ratios == (0.5,) * 6
    assert (found.low, found.high) == (0.5, 0.5)


def test_fewer_than_six_pairs_cannot_tell() -> None:
    turns = [
        sample(pair, name, p99_us=value)
        for pair in range(5)
        for name, value in (("knary", 1.0), ("nginx", 9.0))
    ]
    (found,) = figures.comparisons(turns, "knary", is_open=True)
    assert (found.verdict, found.low) == ("cannot tell", None)


@pytest.mark.parametrize(("is_open", "compared"), [(True, set()), (False, {"requests_per_s"})])
def test_a_rate_that_was_planned_is_nothing_to_compare(is_open: bool, compared: set[str]) -> None:
    turns = [sample(0, name, requests_per_s=100.0) for name in ("knary", "nginx")]
    found = figures.comparisons(turns, "knary", is_open=is_open)
    assert {each.metric for each in found} == compared


def test_the_worst_moment_of_a_split_is_the_one_nearest_to_its_bound() -> None:
    wide, near = Deviation(3.0, 9.0), Deviation(0.9, 1.0)
    assert figures.split_of([wide, near]) == {
        "split_lag_requests": 0.9,
        "split_bound_requests": 1.0,
    }
    assert figures.split_of([Deviation(4.0, None)]) == {"split_lag_requests": 4.0}
    assert figures.split_of([]) == {}


def report(late: int = 0) -> LoadReport:
    plan = GatewayPlan(duration_s=1.0, warm_s=0.0).load_on("127.0.0.1", 1, "h")
    made = LoadReport(plan)
    for index in range(100):
        made.noticed(0.5 if index < late else 0.0)
        made.count(Answer(index, index / 100, index / 100, index / 100 + 0.001, 200, "a"))
    return made


@pytest.mark.parametrize(("late", "is_void"), [(0, False), (1, False), (2, True)])
def test_a_turn_is_void_when_its_generator_was_late(late: int, is_void: bool) -> None:
    why = why_void(report(late))
    assert bool(why) is is_void
    assert not is_void or "2.0% of the requests left more than 10 ms late" in why


def test_a_turns_numbers_have_the_generators_beside_the_gateways() -> None:
    told = figures.report_of(report(late=1), is_open=True)
    assert told["requests"] == 100
    assert told["late_percent"] == 1
    assert told["generator_max_us"] == pytest.approx(500_000)
    assert "late_percent" not in figures.report_of(report(), is_open=False)


def test_each_step_of_a_rate_has_its_own_slice_and_row() -> None:
    plan = GatewayPlan(rates_per_s=(100.0, 200.0, 300.0), duration_s=3.0, warm_s=0.5)
    schedule = plan.schedule
    assert isinstance(schedule, StepRates)
    assert duration_of(schedule) == 3.5
    assert plan.slice_s == 1.0
    made = LoadReport(plan.load_on("127.0.0.1", 1, "h"))
    for index, planned in enumerate((0.1, 0.6, 1.6, 1.7, 2.6)):
        made.count(Answer(index, planned, planned, planned + 0.01, 200, "a"))
    assert made.timeline is not None
    turn = Sample(0, "knary", 0.0, {}, slices=figures.slices_of(made.timeline, []))
    head, *rows = telling.steps(plan, [turn])
    assert head[:4] == ["GATEWAY", "RATE", "REQUESTS", "P50"]  # none failed: no such column
    assert [row[1:3] for row in rows] == [["100/s", "1"], ["200/s", "2"], ["300/s", "1"]]


def test_a_closed_loop_goes_on_for_the_warm_up_and_the_turn() -> None:
    plan = GatewayPlan(closed=True, duration_s=2.0, warm_s=1.0, connections=8)
    assert plan.schedule == AsFastAsPossible(None, 8, 3.0)
