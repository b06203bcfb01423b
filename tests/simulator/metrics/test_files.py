"""Reading what a worker shares, while it writes, after it died, and when it left half a word."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.metrics.file import MetricsFile, open_file
from gateway.metrics.layout import (
    C_BYTES_UP,
    CELLS_MAX,
    OVERFLOW,
    W_CELLS,
    W_SEQUENCE,
    cell_word,
    file_bytes,
    name_offset,
)
from gateway.metrics.registry import Metrics, open_metrics
from simulator.metrics.counts import CellCounts, Counts, summed
from simulator.metrics.files import read_file, read_files
from tests.support.metrics_writer import BYTES_DOWN, BYTES_UP, CELLS, LATENCY_US

ROOT = Path(__file__).resolve().parents[3]
TURNS = "connections_accepted"  # how often that writer flushed


@contextlib.contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that counts without a pause; killed at the end, if it was not before."""
    command = [sys.executable, "-m", "tests.support.metrics_writer", str(path), "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "counting\n"
            yield process
        finally:
            process.kill()


def counts_of(folder: Path) -> Counts:
    return summed(read_files(folder, "worker-*.metrics*"))


def by_revision(counts: Counts) -> dict[str, CellCounts]:
    return {cell.revision: cell for cell in counts.cells}


def check_one_moment(counts: Counts) -> None:
    """Insist on what is so between any two flushes of that writer."""
    for revision, cell in by_revision(counts).items():
        if revision != "default/stays":
            assert cell.begun == cell.answers
            assert cell.bytes_up == BYTES_UP * cell.answers
            assert cell.bytes_down == BYTES_DOWN * cell.answers
            assert sum(cell.latency_us.values()) == LATENCY_US * cell.answers


def check_never_less(before: Counts, after: Counts) -> None:
    now = by_revision(after)
    for revision, cell in by_revision(before).items():
        later = now[revision]
        assert later.begun >= cell.begun
        assert later.answers >= cell.answers
        assert later.bytes_up >= cell.bytes_up
        assert later.aborts.get("worker_died", 0) >= cell.aborts.get("worker_died", 0)
    for old, new in zip(before.workers, after.workers, strict=True):
        assert all(new.counters[name] >= value for name, value in old.counters.items())


def test_a_reader_sees_whole_moments_of_a_process_that_writes(tmp_path: Path) -> None:
    with writer(tmp_path / "worker-0.metrics") as process:
        before = counts_of(tmp_path)
        while len(before.cells) <= CELLS or before.workers[0].counters[TURNS] < 200:
            after = counts_of(tmp_path)
            check_one_moment(after)
            check_never_less(before, after)
            before = after
        (worker,) = after.workers
        assert worker.pid == process.pid
        assert worker.gauges["connections_open"] == 1
        assert by_revision(after)["default/stays"].in_flight == 1


def test_counters_never_go_back_over_the_deaths_of_workers(tmp_path: Path) -> None:
    before = Counts((), ())
    for life in range(1, 4):
        with writer(tmp_path / "worker-0.metrics") as process:
            for _ in range(20):
                after = counts_of(tmp_path)
                check_never_less(before, after) if before.workers else None
                before = after
            assert by_revision(before)["default/stays"].in_flight == 1
            process.send_signal(signal.SIGKILL)
            process.wait()
            dead = counts_of(tmp_path)
            check_never_less(before, dead)
            (worker,) = dead.workers
            assert (worker.pid, worker.lives) == (0, life)
            assert set(worker.gauges.values()) == {0}
            stayed = by_revision(dead)["default/stays"]
            assert (stayed.in_flight, stayed.aborts) == (0, {"worker_died": life})
            before = dead
    assert [path.name for path in tmp_path.iterdir()] == ["worker-0.metrics"]


def test_a_successor_that_starts_before_the_end_has_a_file_of_its_own(tmp_path: Path) -> None:
    path = str(tmp_path / "worker-0.metrics")
    old, new = open_metrics(path, 0), open_metrics(path, 0)
    for metrics in (old, new):
        cell = metrics.cell("default/hello", "default/hello-00001", "")
        cell.begun += 2
        cell.done(200, 5, 0, 0)
        metrics.worker.connections_open = 3
        metrics.flush()
    (cell,) = counts_of(tmp_path).cells
    assert (cell.begun, cell.in_flight) == (4, 2)
    old.close()
    counts = counts_of(tmp_path)
    assert counts.cells[0].begun == 4
    assert counts.workers[0].gauges["connections_open"] == 3
    third = open_metrics(path, 0)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "worker-0.metrics",
        "worker-0.metrics.1",
    ]
    assert third.cell("default/hello", "default/hello-00001", "").begun == 2
    new.close()
    third.close()


def test_half_a_name_is_never_read_and_is_written_over_by_the_successor(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.metrics"
    metrics = open_metrics(str(path), 0)
    metrics.close()
    torn = open_file(str(path), 0)
    start = name_offset(1)
    torn.data[start : start + 9] = b"default/h"  # and it died before CELLS counted it
    torn.close()
    found = read_file(path)
    assert found is not None
    assert list(found.cells) == [OVERFLOW]
    heir = open_metrics(str(path), 0)
    heir.cell("a/b", "a/c", "t").begun += 1
    heir.flush()
    found = read_file(path)
    assert found is not None
    assert list(found.cells) == [OVERFLOW, ("a/b", "a/c", "t")]
    heir.close()


def test_a_name_that_is_none_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.metrics"
    open_metrics(str(path), 0).close()
    broken = open_file(str(path), 0)
    start = name_offset(1)
    broken.data[start : start + 4] = b"\xff\0\0\0"
    broken.words[W_CELLS] = 2
    broken.words[W_SEQUENCE] += 1
    broken.close()
    found = read_file(path)
    assert found is not None
    assert list(found.cells) == [OVERFLOW]


def test_a_flush_that_was_cut_by_death_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.metrics"
    metrics = open_metrics(str(path), 0)
    metrics.cell("a/b", "a/c", "").begun += 1
    metrics.close()
    cut = open_file(str(path), 0)
    cut.words[cell_word(1, CELLS_MAX) + C_BYTES_UP] = 2**64 - 1
    assert cut.words[W_SEQUENCE] % 2 == 1
    cut.close()
    counts = counts_of(tmp_path)
    assert counts.cells[0].bytes_up == 2**64 - 1
    assert counts.cells[0].aborts == {"worker_died": 1}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing yet"),
        pytest.param(b"something else", id="another file"),
        pytest.param(bytes(file_bytes(CELLS_MAX)), id="room, and no header yet"),
        pytest.param(b"knaryMET" + b"\1" + bytes(9000), id="a length that does not fit"),
    ],
)
def test_what_is_no_such_file_is_left_out_and_taken_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "worker-0.metrics"
    path.write_bytes(content)
    assert counts_of(tmp_path) == Counts((), ())
    metrics = open_metrics(str(path), 0)
    metrics.cell("a/b", "a/c", "").begun += 1
    metrics.flush()
    assert [cell.begun for cell in counts_of(tmp_path).cells] == [1]
    metrics.close()


def test_a_file_that_is_gone_is_left_out(tmp_path: Path) -> None:
    assert read_file(tmp_path / "worker-0.metrics") is None


def test_a_small_file_of_another_size_is_read_too(tmp_path: Path) -> None:
    metrics = Metrics(open_file(str(tmp_path / "worker-3.metrics"), 3, cells_max=2))
    metrics.cell("a/b", "a/c", "").begun += 1
    metrics.cell("a/b", "a/d", "").begun += 5  # there is no room for it
    metrics.flush()
    counts = counts_of(tmp_path)
    assert [(cell.revision, cell.begun) for cell in counts.cells] == [("", 5), ("a/c", 1)]
    assert [worker.worker for worker in counts.workers] == [3]
    metrics.close()


def test_an_open_file_is_its_writers_alone(tmp_path: Path) -> None:
    first = open_file(str(tmp_path / "m"), 0)
    second = open_file(str(tmp_path / "m"), 0)
    assert isinstance(second, MetricsFile)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "m.1"]
    first.close()
    second.close()
