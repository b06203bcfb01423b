"""The arithmetic of comparisons: cores, turns, ratios, stalls, and what is said of a run."""

from __future__ import annotations

import pytest

from benchmarks.harness.cores import rotated, share_out


@pytest.mark.parametrize(
    ("available", "workers", "proxy", "rest"),
    [
        pytest.param([0, 1], 1, (1,), (0,), id="two cores: one each"),
        pytest.param([0, 1, 2, 3], 1, (3,), (0, 1, 2), id="the load has what is left"),
        pytest.param([0, 1, 2, 3], 2, (2, 3), (0, 1), id="two workers"),
        pytest.param([0, 1], 2, (0, 1), (0, 1), id="nothing is left: the load shares"),
    ],
)
def test_cores_are_shared_out(available, workers, proxy, rest) -> None:
    cores = share_out(available, workers)
    assert (cores.proxy, cores.load) == (proxy, rest)


def test_more_workers_than_cores_are_refused() -> None:
    with pytest.raises(ValueError, match="2 workers need 2 cores"):
        share_out([0], 2)


def test_each_round_begins_with_another_proxy() -> None:
    assert [rotated("abc", number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated("abc", 2)) == ["a", "b", "c"]


def turn(measuring, cpu_us: float, busy: float = 1.0, load_busy: float = 0.5):
    return measuring.Turn(cpu_us, 0.0, 1000, 5000.0, busy, load_busy, 100.0, 200.0)


def test_a_ratio_is_taken_round_by_round_before_the_median(load) -> None:
    measuring = load("measuring")
    # A noisy second round doubles both: the ratio of medians would not be 1.5 in each.
    turns = {
        "knary": [turn(measuring, cost) for cost in (15, 30, 15)],
        "nginx": [turn(measuring, cost) for cost in (10, 20, 10)],
    }
    found = measuring.summary(turns, "knary")
    assert found["nginx"]["ratio"] == {"median": 1.5, "min": 1.5, "max": 1.5, "count": 3}
    assert "ratio" not in found["knary"]
    assert [each["user_us"] for each in found["knary"]["turns"]] == [15, 30, 15]


def test_ratios_need_as_many_of_one_as_of_the_other(load) -> None:
    with pytest.raises(ValueError, match="zip"):
        load("report").ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("busy", "load_busy", "says"),
    [
        pytest.param(0.95, 0.99, [], id="a busy proxy is what was measured"),
        pytest.param(0.5, 0.99, ["the limit"], id="the load could not do more"),
        pytest.param(0.5, 0.5, ["another program"], id="something else held it up"),
    ],
)
def test_doubts_name_who_waited_and_for_what(load, busy, load_busy, says) -> None:
    measuring = load("measuring")
    found = measuring.summary({"knary": [turn(measuring, 10, busy, load_busy)]}, "knary")
    doubts = measuring.doubts(found)
    assert len(doubts) == len(says)
    assert all(part in doubt for part, doubt in zip(says, doubts, strict=True))


def test_a_spread_is_said_with_its_extremes(load) -> None:
    report = load("report")
    assert report.spread_text(report.spread([1.0, 3.0, 2.0])) == "2.00 (1.00 to 3.00)"
    assert report.spread_text(None) == ""


def test_every_report_says_what_ran(load) -> None:
    seen = load("report").machine()
    assert seen["python"].startswith("CPython 3.")
    assert seen["gateway"] == "interpreted" or seen["gateway"].startswith("compiled")


def test_a_probes_file_is_read_up_to_its_last_whole_line(load) -> None:
    stalls = load("stalls")
    assert stalls.parsed("10.000000 2000 1500\n11.5") == [stalls.Stall(10.0, 0.002, 0.0015)]


@pytest.mark.parametrize(
    ("since", "until", "longest"),
    [
        pytest.param(9.0, 9.5, (0.0, 0.0), id="before it began"),
        pytest.param(9.0, 9.95, (0.1, 0.08), id="it began within"),
        pytest.param(9.95, 11.0, (0.1, 0.08), id="it ended within"),
        pytest.param(9.95, 9.96, (0.1, 0.08), id="it lasted longer"),
        pytest.param(10.01, 11.0, (0.0, 0.0), id="after it ended"),
    ],
)
def test_a_stall_counts_for_every_moment_that_it_overlaps(load, since, until, longest) -> None:
    stalls = load("stalls")
    seen = [stalls.Stall(moment=10.0, late_s=0.1, cpu_s=0.08)]
    assert stalls.longest(seen, since, until) == longest
