"""Cells as a reader gets them, without a file in between."""

from __future__ import annotations

from gateway.metrics.cell import CLASSES, GRPC_STATUSES, REASONS, Cell
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
    HEADER_BYTES,
    WORD,
)
from simulator.metrics.counts import CellCounts, FileCounts, summed


def counted(*cells: Cell) -> tuple[CellCounts, ...]:
    """Return what is said of these cells, each from a living worker's file of its own."""
    header = [0] * (HEADER_BYTES // WORD)
    files = [
        FileCounts(header, {(cell.service, cell.revision, cell.tag): words_of(cell)}, is_alive=True)
        for cell in cells
    ]
    return summed(files).cells


def words_of(cell: Cell) -> list[int]:
    """Return the cell's words as the layout has them."""
    words = [0] * CELL_WORDS
    words[C_BEGUN] = cell.begun
    words[C_ANSWERED_HERE] = cell.answered_here
    words[C_BYTES_UP] = cell.bytes_up
    words[C_BYTES_DOWN] = cell.bytes_down
    words[C_WAITS_US] = cell.waits_us
    words[C_LATENCY_US : C_LATENCY_US + CLASSES] = cell.latency_us
    words[C_ABORTS : C_ABORTS + REASONS] = cell.aborts
    words[C_LATENCY:C_WAITS] = cell.latency
    words[C_WAITS : C_WAITS + BUCKETS] = cell.waits
    words[C_CALLS : C_CALLS + GRPC_STATUSES] = cell.calls
    words[C_CALLS_FAILED] = cell.calls_failed
    words[C_SESSIONS_NEW] = cell.sessions_new
    words[C_SESSIONS_MOVED] = cell.sessions_moved
    return words
