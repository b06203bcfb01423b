"""The page of results: losses first, by intervals, and said when nothing can be told."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.harness.results.charts import Bar, bars
from benchmarks.harness.results.page import Found, cpu_bars, results_page
from benchmarks.harness.results.ranking import beside

MACHINE = {
    "when": "2026-11-30T10:00:00+00:00",
    "system": "Linux 6.1",
    "cpu": "x86_64",
    "cores": 2,
    "load_1m": 0.4,
    "processor": "Some | Processor",
    "python": "CPython 3.11.7",
    "gateway": "interpreted",
}


def proxy(*cpu_us: float, busy: float = 0.9) -> dict[str, Any]:
    turns = [{"user_us": each * 0.4, "system_us": each * 0.6} for each in cpu_us]
    return {
        "cpu_us": {"median": sorted(cpu_us)[len(cpu_us) // 2]},
        "busy": {"median": busy},
        "turns": turns,
    }


def matrix(build: str, ours: tuple[float, ...], busy: float = 0.9) -> dict[str, Any]:
    proxies = {
        "knary": proxy(*ours, busy=busy),
        "nginx": proxy(*[20.0] * len(ours)),
        "envoy": proxy(*[100.0] * len(ours)),
    }
    cases = {"bare-32": {"proxies": proxies}, "h2c": {"skipped": "h2load is not installed"}}
    return {"machine": {**MACHINE, "gateway": build}, "cases": cases}


MORE, LESS, EITHER = (28, 29, 30, 31, 28, 30), (18, 18, 19, 17, 18, 18), (19, 23, 22, 18, 25, 24)


def section(page: str, title: str) -> str:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("build", "ours", "told", "not_told"),
    [
        pytest.param(
            "interpreted",
            MORE,
            "CPU per request, bare-32, interpreted: **1.48 times nginx's** (1.40 to 1.55)",
            "envoy",
            id="a loss for certain, and its goal",
        ),
        pytest.param(
            "interpreted",
            EITHER,
            "1.12 times nginx's in the middle, which these rounds cannot tell from 1",
            "The goal of 1.25",
            id="maybe one",
        ),
        pytest.param(
            "compiled (mypyc 1.18)",
            LESS,
            "Nothing that these runs can tell.",
            "nginx's",
            id="none",
        ),
        pytest.param(
            "interpreted", (30.0,) * 3, "(too few rounds: 3)", "**", id="too few rounds to tell"
        ),
    ],
)
def test_losses_come_first_and_are_told_by_intervals(
    build: str, ours: tuple[float, ...], told: str, not_told: str
) -> None:
    page = results_page(Found("make x", MACHINE, {}, (matrix(build, ours),)), {})
    losses = section(page, "Where knary loses")
    assert told in losses
    assert not_told not in losses
    assert page.index("## Where knary loses") < page.index("## CPU per request")


def test_a_missed_goal_is_a_loss_of_its_own() -> None:
    page = results_page(Found("make x", MACHINE, {}, (matrix("interpreted", MORE),)), {})
    assert "The goal of 1.25 times nginx's CPU is missed: bare-32, interpreted, 1.48" in section(
        page, "Where knary loses"
    )


def test_a_busy_machine_and_what_was_not_measured_are_said() -> None:
    found = Found(
        "make x",
        {**MACHINE, "load_1m": 9.5},
        {"nginx": "1.22.1"},
        (matrix("interpreted", MORE, busy=0.2),),
        missing=("the compiled gateway: it is not compiled here",),
    )
    page = results_page(found, {"CPU per request, bare-32": "results/a.svg"})
    assert "**The machine was busy with other work** (load 9.5 on 2 cores)" in page
    assert "knary did not have the core to themselves" in page
    assert "- the compiled gateway: it is not compiled here" in section(page, "Not measured")
    assert "| machine | Some \\| Processor, 2 cores |" in page
    assert "| peer nginx | 1.22.1 |" in page
    assert "![CPU per request, bare-32](results/a.svg)" in page


def test_failed_updates_are_a_loss() -> None:
    updates = {
        "updates": 20,
        "requests": 900,
        "failed": 2,
        "to_a_revision_at_0": 0,
        "change": {"median_ms": 40.0},
        "latency_us": {"p50": 900, "p99": 2000},
        "late_share": 0.2,
    }
    page = results_page(Found("make x", MACHINE, {}, updates=updates), {})
    losses = section(page, "Where knary loses")
    assert "Updates under load: 2 requests failed, 0 reached a revision at 0 %" in losses
    assert "left late in 20.0% of its sends" in losses


def test_ratios_are_taken_round_by_round() -> None:
    first, second = beside(matrix("interpreted", MORE))
    assert (first.peer, first.word, first.rounds) == ("nginx", "more", 6)
    assert first.ratio == pytest.approx(1.475)
    assert (second.peer, second.word) == ("envoy", "less")


def test_a_plot_is_whole_and_ours_stands_out() -> None:
    rows = cpu_bars(matrix("interpreted", MORE), "bare-32")
    assert [row.name for row in rows] == ["nginx", "knary", "envoy"]
    root = ET.fromstring(bars("CPU <per> request", [*rows, Bar("<b>", 0, is_ours=False)], "µs"))
    svg = "{http://www.w3.org/2000/svg}"
    boxes = root.findall(f"{svg}rect")
    assert [box.get("class") for box in boxes] == ["theirs", "ours", "theirs", "theirs"]
    assert root.findtext(f"{svg}title") == "CPU <per> request"
    assert cpu_bars(matrix("interpreted", MORE), "h2c") == []
