"""`knary bench splitters` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = ("--picks", "2000", "--workers", "2")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "knary", "bench", "splitters", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stratifed"], "no splitter 'stratifed'; did you mean stratified?"),
        (["--weights", "1/1/1"], "--weights 1/1/1: these are no steps of 0.01 %"),
        (["edf", *QUICK, "--json", "/nowhere/at/all"], "cannot write /nowhere/at/all: No such"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str], said: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {said}")


def test_a_table_fits_a_terminal_and_marks_the_worst() -> None:
    done = bench("exact", "edf", "random", *QUICK, "--each", "--families")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line for line in lines if line[:1].isalpha()}
    assert {"exact", "edf", "random"} <= set(rows)
    assert any("*" in line for line in lines if line.startswith("random"))


def test_the_document_has_every_algorithm_with_all_weights() -> None:
    done = bench("stratified", "alias", "--weights", "90/10", "--weights", "60/30/10", *QUICK,
        "--json", "-")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["schema"] == "knary.bench.splitters/v1"
    splits = document["results"]["splits"]
    assert [(each["algorithm"], each["weights"]) for each in splits] == [
        ("stratified", "90/10"),
        ("stratified", "60/30/10"),
        ("alias", "90/10"),
        ("alias", "60/30/10"),
    ]
    assert all(each["bound"]["kept"] for each in splits if each["algorithm"] == "stratified")
    assert all(set(each["first_picks"]) <= set("012") for each in splits)
    names = {each["name"] for each in document["measures"]}
    assert {"worst_lag_requests", "pick_ns", "split_bytes", "ramp_lag_requests"} <= names


def test_without_matplotlib_plots_say_how_to_get_it(tmp_path: Path) -> None:
    """Nothing is measured first."""
    hidden = "import sys; sys.modules['matplotlib'] = None; sys.argv[0] = 'knary'; "
    done = subprocess.run(
        [
            *(sys.executable, "-c", f"{hidden}from knary.__main__ import main; main()"),
            *("bench", "splitters", "edf", "--plots", str(tmp_path / "plots")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: --plots needs matplotlib: pip install 'knary[bench]'\n"
    assert not (tmp_path / "plots").exists()


def test_matplotlib_is_loaded_only_for_plots() -> None:
    code = (
        "import sys; from knary.inside import enter; enter(); from simulator.cli.main import run;"
        "sys.argv = ['knary', 'bench', 'splitters', 'edf', '--picks', '2000', '--workers', '2'];"
        "status = run(); assert 'numpy' in sys.modules; assert 'matplotlib' not in sys.modules;"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
