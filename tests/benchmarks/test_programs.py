"""The benchmarks are programs; their arithmetic and their command lines are tested here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PROGRAMS = (
    "api_scale",
    "gateway_cpu",
    "gateway_matrix",
    "gateway_profile",
    "memory",
    "results",
    "split_accuracy",
    "startup",
    "sticky_sessions",
    "table_size",
    "updates_under_load",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_explains_itself_from_anywhere(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{program}.py", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--help" in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_readme_has_each_program(program: str) -> None:
    assert f"`{program}.py`" in (BENCHMARKS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("picked", "shares", "lag"),
    [
        pytest.param("abab", {"a": 0.5, "b": 0.5}, 0.5, id="taking turns"),
        pytest.param("aabb", {"a": 0.5, "b": 0.5}, 1.0, id="two and two"),
        pytest.param("aaaa", {"a": 0.5, "b": 0.5}, 2.0, id="one gets nothing"),
        pytest.param("aaab", {"a": 0.75, "b": 0.25}, 0.75, id="the rare one last"),
        pytest.param("", {"a": 1.0}, 0.0, id="nothing asked"),
    ],
)
def test_the_lag_is_the_worst_over_all_prefixes(load, picked, shares, lag) -> None:
    assert load("split_accuracy").worst_lag(picked, shares) == pytest.approx(lag)


@pytest.mark.parametrize(
    ("percent", "value"), [(50, 2), (75, 3), (95, 4), (100, 4), (1, 1)], ids=str
)
def test_a_percentile_is_a_value_that_was_measured(load, percent, value) -> None:
    assert load("report").percentile([4, 1, 3, 2], percent) == value


def test_a_stray_is_an_answer_from_a_revision_that_had_nothing(load) -> None:
    module = load("updates_under_load")
    epoch = module.Epoch({"old": 100, "new": 0}, first=2, last=5, change_s=0.1)
    answers = [
        module.Answer(sequence=number, planned_s=0, sent_s=0, done_s=0, revision=revision)
        for number, revision in enumerate(["new", "new", "old", "new", "old", "new"])
    ]
    assert [stray.sequence for stray in epoch.strays(answers)] == [3]
