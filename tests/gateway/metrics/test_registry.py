"""Cells are handed out once, survive everything, and cost a worker nothing when a disk is full."""

from __future__ import annotations

import logging
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.metrics.registry import ROWS_PER_FLUSH_MAX, Metrics, open_metrics
from simulator.metrics.counts import summed
from simulator.metrics.files import read_files

ROOT = Path(__file__).resolve().parents[3]


def begun_in(folder: Path) -> int:
    return sum(cell.begun for cell in summed(read_files(folder, "m*")).cells)


def test_the_same_names_have_the_same_cell() -> None:
    metrics = Metrics()
    cell = metrics.cell("default/hello", "default/hello-00001", "")
    assert metrics.cell("default/hello", "default/hello-00001", "") is cell
    assert metrics.cell("default/hello", "default/hello-00001", "blue") is not cell


def test_cells_are_bounded_and_the_rest_share_one() -> None:
    metrics = Metrics(cells_max=3)
    own = [metrics.cell("a/b", f"a/{n}", "") for n in range(2)]  # one of three is the shared one
    shared = metrics.cell("a/b", "a/2", "")
    assert shared not in own
    assert metrics.cell("a/b", "a/3", "") is shared
    assert metrics.cell("a/b", "a/0", "") is own[0]


@pytest.mark.parametrize(
    "name", [pytest.param("x" * 400, id="too long"), pytest.param("a\0b", id="with a NUL")]
)
def test_a_name_that_does_not_fit_shares_the_cell_of_the_others(name: str) -> None:
    metrics = Metrics()
    assert metrics.cell(name, "a/b", "").service == ""


def test_every_busy_cell_is_written_in_turn(tmp_path: Path) -> None:
    metrics = open_metrics(str(tmp_path / "m"), 0)
    number = ROWS_PER_FLUSH_MAX * 2 + 10
    for index in range(number):
        metrics.cell("a/b", f"a/{index}", "").begun += 1
    metrics.flush()
    assert begun_in(tmp_path) == ROWS_PER_FLUSH_MAX
    metrics.flush()
    metrics.flush()
    assert begun_in(tmp_path) == number
    metrics.close()


def test_closing_writes_all_that_is_left(tmp_path: Path) -> None:
    metrics = open_metrics(str(tmp_path / "m"), 0)
    number = ROWS_PER_FLUSH_MAX * 2 + 10
    for index in range(number):
        metrics.cell("a/b", f"a/{index}", "").begun += 1
    metrics.worker.connections_open = 5
    metrics.worker.dials = 7
    metrics.close()
    (worker,) = summed(read_files(tmp_path, "m*")).workers
    assert begun_in(tmp_path) == number
    assert (worker.pid, worker.counters["dials"], worker.gauges["connections_open"]) == (0, 7, 0)
    metrics.close()  # once more is no harm
    metrics.flush()


def test_a_successor_goes_on_from_what_was_counted(tmp_path: Path) -> None:
    first = open_metrics(str(tmp_path / "m"), 0)
    cell = first.cell("a/b", "a/c", "t")
    cell.begun += 3
    cell.done(200, 1000, 5, 6)
    cell.called(14, 200)
    cell.aborted(0, 7, 8)
    cell.waited(300)
    cell.answered_here += 1
    cell.sessions_new += 2
    cell.sessions_moved += 1
    first.worker.refuse(404)
    first.close()
    second = open_metrics(str(tmp_path / "m"), 0)
    heir = second.cell("a/b", "a/c", "t")
    assert (heir.begun, heir.ended, heir.answered_here) == (3, 3, 1)
    assert (heir.bytes_up, heir.bytes_down) == (12, 14)
    assert (heir.waits_us, sum(heir.waits), sum(heir.latency)) == (300, 1, 1)
    assert sum(heir.aborts) == 2  # one of them was under way
    assert (heir.calls[14], sum(heir.calls), heir.calls_failed) == (1, 1, 1)
    assert (heir.sessions_new, heir.sessions_moved) == (2, 1)
    assert second.worker.counters()[1:] == first.worker.counters()[1:]  # but for its CPU time
    second.close()


def test_a_gauge_that_is_off_does_not_end_the_worker(tmp_path: Path) -> None:
    metrics = open_metrics(str(tmp_path / "m"), 0)
    metrics.worker.pool_idle = -1
    metrics.flush()
    (worker,) = summed(read_files(tmp_path, "m*")).workers
    assert worker.gauges["pool_idle"] == 0
    metrics.close()


@pytest.mark.parametrize("path", ["", "/nowhere/at/all"], ids=["none", "no such folder"])
def test_without_a_file_a_worker_counts_all_the_same(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        metrics = open_metrics(path, 0)
    assert ("not shared" in caplog.text) == bool(path)
    metrics.cell("a/b", "a/c", "").begun += 1
    metrics.flush()
    metrics.close()


def test_a_disk_without_room_is_noticed_at_the_start_not_at_a_store(tmp_path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    script = (
        "from gateway.metrics.registry import open_metrics\n"
        f"metrics = open_metrics({str(tmp_path / 'm')!r}, 0)\n"
        "metrics.cell('a/b', 'a/c', '').begun += 1\n"
        "metrics.flush()\n"
        "print('alive')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        preexec_fn=no_room,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "alive\n"
    assert "not shared" in done.stderr
    assert read_files(tmp_path, "m*") == ()
