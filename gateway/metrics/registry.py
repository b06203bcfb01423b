"""Hands out cells, and writes what changed into the shared file ten times a second."""

from __future__ import annotations

import logging
import os
import time

from gateway.metrics.cell import CLASSES, GRPC_STATUSES, REASONS, WORKER_DIED, Cell
from gateway.metrics.figures import WorkerFigures
from gateway.metrics.file import MetricsFile, open_file
from gateway.metrics.histogram import BUCKETS
from gateway.metrics.layout import (
    C_ABORTS,
    C_ANSWERED_HERE,
    C_BEGUN,
    C_BYTES_DOWN,
    C_BYTES_UP,
    C_CALLS,
    C_CALLS_FAILED,
    C_LATENCY,
    C_LATENCY_US,
    C_SESSIONS_MOVED,
    C_SESSIONS_NEW,
    C_WAITS,
    C_WAITS_US,
    CELL_WORDS,
    CELLS_MAX,
    NAME_BYTES,
    OVERFLOW,
    W_CELLS,
    W_COUNTERS,
    W_GAUGES,
    W_HEARTBEAT,
    W_LIVES,
    W_PID,
    W_SEQUENCE,
    WORKER_COUNTERS,
    cell_word,
    name_offset,
    packed_name,
    unpacked_name,
)

log = logging.getLogger(__name__)

ROWS_PER_FLUSH_MAX = 64  # changed cells, 10 us each interpreted; the others come next time


class Metrics:
    """All that one worker counts. `worker` is for its parts, cells are for its exchanges."""

    def __init__(self, file: MetricsFile | None = None, cells_max: int = CELLS_MAX) -> None:
        """Go on from what the file says. Without one, what is counted stays here."""
        self.worker = WorkerFigures()
        self._file = file
        self._cells_max = cells_max if file is None else file.cells_max
        self._cells: dict[tuple[str, str, str], Cell] = {}
        self._rows: list[_Row] = []
        self._next_row = 0
        self._cpu_us_before = 0
        self._counters: list[int] = []
        self._gauges: list[int] = []
        if file is not None:
            self._restore(file)
        self._overflow = self._cells.get(OVERFLOW) or self._add(OVERFLOW)

    def cell(self, service: str, revision: str, tag: str) -> Cell:
        """Return the cell of these names, the same one each time; a shared one when all are used.

        `service` and `revision` are "NAMESPACE/NAME". Best asked at a target's first request:
        a cell is never given back, and a table may name more targets than there are cells.
        """
        key = (service, revision, tag)
        found = self._cells.get(key)
        if found is not None:
            return found
        if len(self._rows) >= self._cells_max:
            return self._overflow
        try:
            return self._add(key)
        except ValueError:  # a name too long for the file
            return self._overflow

    def flush(self) -> None:
        """Write what changed; called on the worker's tick. 10 us, and 10 us for each busy cell."""
        file = self._file
        if file is None:
            return
        words = file.words
        self.worker.cpu_us = self._cpu_us_before + time.process_time_ns() // 1000
        words[W_SEQUENCE] += 1
        counters, gauges = self.worker.counters(), self.worker.gauges()
        _write(words, W_COUNTERS, counters, self._counters)
        _write(words, W_GAUGES, gauges, self._gauges)
        self._counters, self._gauges = counters, gauges
        rows = self._rows
        changed = 0
        for _ in range(len(rows)):
            self._next_row = self._next_row + 1 if self._next_row + 1 < len(rows) else 0
            if rows[self._next_row].write(words):
                changed += 1
                if changed >= ROWS_PER_FLUSH_MAX:
                    break
        words[W_HEARTBEAT] = time.monotonic_ns()
        words[W_SEQUENCE] += 1

    def close(self) -> None:
        """Write everything and let go of the file."""
        if self._file is None:
            return
        for _ in range(0, len(self._rows), ROWS_PER_FLUSH_MAX):
            self.flush()
        _write(self._file.words, W_GAUGES, [0] * len(self._gauges), self._gauges)
        self._file.close()
        self._file = None

    def _add(self, key: tuple[str, str, str]) -> Cell:
        """Make a cell, and publish it. Raise ValueError when its name does not fit."""
        name = packed_name(*key)
        cell = self._cells[key] = Cell(*key)
        index = len(self._rows)
        self._rows.append(_Row(cell, cell_word(index, self._cells_max)))
        file = self._file
        if file is not None:
            start = name_offset(index)
            file.data[start : start + NAME_BYTES] = name.ljust(NAME_BYTES, b"\0")
            file.words[W_CELLS] = index + 1  # last: half a name is never read
        return cell

    def _restore(self, file: MetricsFile) -> None:
        """Take over what a predecessor left, in one step for who reads it."""
        words = file.words
        self._counters = words[W_COUNTERS : W_COUNTERS + len(WORKER_COUNTERS)].tolist()
        self.worker.restore(self._counters)
        self._cpu_us_before = self.worker.cpu_us - time.process_time_ns() // 1000
        # Nothing is open yet, whatever the predecessor had.
        self._gauges = self.worker.gauges()
        _write(words, W_GAUGES, self._gauges, [])
        for index in range(words[W_CELLS]):
            start = name_offset(index)
            key = unpacked_name(bytes(file.data[start : start + NAME_BYTES]))
            row = _Row(Cell(*key), cell_word(index, file.cells_max))
            row.restore(words)
            self._cells[key] = row.cell
            self._rows.append(row)
        words[W_LIVES] += 1
        words[W_PID] = os.getpid()
        words[W_HEARTBEAT] = time.monotonic_ns()
        words[W_SEQUENCE] += 1


class _Row:
    """A cell's place in the file, and what was last written there."""

    def __init__(self, cell: Cell, start: int) -> None:
        self.cell = cell
        self._start = start
        self._begun = 0
        self._ended = 0
        self._waits_us = 0
        self._latency = [0] * (CLASSES * BUCKETS)
        self._waits = [0] * BUCKETS
        self._calls = [0] * GRPC_STATUSES

    def write(self, words: memoryview[int]) -> bool:
        """Write what changed; tell whether anything did."""
        cell = self.cell
        begun, ended, waits_us = cell.begun, cell.ended, cell.waits_us
        if begun == self._begun and ended == self._ended and waits_us == self._waits_us:
            return False
        start = self._start
        # Begun first: should this process die on the way, none has ended that had not begun.
        words[start + C_BEGUN] = begun
        words[start + C_ANSWERED_HERE] = cell.answered_here
        words[start + C_BYTES_UP] = cell.bytes_up
        words[start + C_BYTES_DOWN] = cell.bytes_down
        words[start + C_WAITS_US] = waits_us
        words[start + C_SESSIONS_NEW] = cell.sessions_new  # with a request that has begun
        words[start + C_SESSIONS_MOVED] = cell.sessions_moved
        if ended != self._ended:
            for index in range(CLASSES):
                words[start + C_LATENCY_US + index] = cell.latency_us[index]
            for index in range(REASONS):
                words[start + C_ABORTS + index] = cell.aborts[index]
            self._latency = _written(words, start + C_LATENCY, cell.latency, self._latency)
            if cell.calls != self._calls:
                _write(words, start + C_CALLS, cell.calls, self._calls)
                words[start + C_CALLS_FAILED] = cell.calls_failed
                self._calls = cell.calls[:]
        self._waits = _written(words, start + C_WAITS, cell.waits, self._waits)
        self._begun, self._ended, self._waits_us = begun, ended, waits_us
        return True

    def restore(self, words: memoryview[int]) -> None:
        """Go on from what a predecessor wrote; what it had under way has died with it."""
        cell, start = self.cell, self._start
        mine = words[start : start + CELL_WORDS].tolist()
        cell.begun = mine[C_BEGUN]
        cell.answered_here = mine[C_ANSWERED_HERE]
        cell.bytes_up = mine[C_BYTES_UP]
        cell.bytes_down = mine[C_BYTES_DOWN]
        cell.waits_us = mine[C_WAITS_US]
        cell.sessions_new = mine[C_SESSIONS_NEW]
        cell.sessions_moved = mine[C_SESSIONS_MOVED]
        cell.latency_us = mine[C_LATENCY_US : C_LATENCY_US + CLASSES]
        cell.aborts = mine[C_ABORTS : C_ABORTS + REASONS]
        cell.latency = mine[C_LATENCY:C_WAITS]
        cell.waits = mine[C_WAITS : C_WAITS + BUCKETS]
        cell.calls = mine[C_CALLS : C_CALLS + GRPC_STATUSES]
        cell.calls_failed = mine[C_CALLS_FAILED]
        self._latency, self._waits, self._calls = cell.latency[:], cell.waits[:], cell.calls[:]
        ended = sum(cell.latency) + sum(cell.aborts)
        cell.aborts[WORKER_DIED] += max(0, cell.begun - ended)
        cell.begun = max(cell.begun, ended)
        cell.ended = cell.begun
        self._begun = -1  # whatever is there, write
        self.write(words)


def open_metrics(path: str, worker: int) -> Metrics:
    """Return the metrics of a worker; when the file cannot be had, of this worker alone."""
    if not path:
        return Metrics()
    try:
        return Metrics(open_file(path, worker))
    except (OSError, ValueError) as error:
        log.warning("what this worker counts is not shared: %s: %s", path, error)
        return Metrics()


def _written(words: memoryview[int], start: int, now: list[int], before: list[int]) -> list[int]:
    """Write the buckets of a histogram that changed; return a copy of it."""
    if now == before:
        return before
    for first in range(0, len(now), BUCKETS):  # mostly only one status class changed
        part, was = now[first : first + BUCKETS], before[first : first + BUCKETS]
        if part != was:
            for index in range(BUCKETS):
                if part[index] != was[index]:
                    words[start + first + index] = part[index]
    return now[:]


def _write(words: memoryview[int], start: int, values: list[int], before: list[int]) -> None:
    if values == before:
        return
    for index, value in enumerate(values):
        words[start + index] = max(value, 0)  # a gauge that is off must not end the worker
