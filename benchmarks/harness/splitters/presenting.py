"""The tables of `knary bench splitters`, 80 columns wide. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.harness.documents.splitters import (
    Algorithm,
    Changes,
    Family,
    Split,
    SplittersResult,
    Workers,
)

NAME_WIDTH = 14
WIDTH = 6
WORST = "*"
Row = dict[str, float | None]
Mark = Callable[[str], str]


@dataclass(frozen=True)
class Column:
    """A column; without `is_ranked` nothing in it is marked as the worst."""

    head: str
    means: str
    is_ranked: bool = True


COLUMNS = (
    Column("lag", "most |picked - due| of any target at any moment, in requests"),
    Column("bound", "what that is at most, as proven (sources: --json)", is_ranked=False),
    Column("win", "the same over any number of requests in a row, anywhere"),
    Column("gap", "longest wait from one canary request to the next, in times the due one"),
    Column("first", "request that was the first for the canary, in the worst run"),
    Column("cycle", "times its share that the canary got of one request in a client's cycle"),
    Column("ramp", "lag while the canary's share rises from 1 % to 20 % in 1,000 requests"),
    Column("anew", "percent of its due that a 1 % canary got, begun anew each 50 requests"),
    Column(
        "workers",
        "lag of {workers} workers with own turns, each by its seed if it has one",
    ),
    Column("ns", "nanoseconds for a pick, in this Python"),
    Column("bytes", "memory of a split"),
)


def rows_of(result: SplittersResult, weights: str | None = None) -> dict[str, Row]:
    """Return the cells by algorithm: the worst over all sets of weights, or those of one."""
    changes = {each.algorithm: each for each in result.changes}
    rows = {}
    for algorithm in result.algorithms:
        splits = [
            each
            for each in result.splits
            if each.algorithm == algorithm.name and weights in (None, each.weights)
        ]
        rows[algorithm.name] = _row(algorithm, splits, changes[algorithm.name])
    return rows


def _row(algorithm: Algorithm, splits: Sequence[Split], changes: Changes) -> Row:
    bounds = [each.bound.requests if each.bound else None for each in splits]
    known = [bound for bound in bounds if bound is not None]
    cycles = [times for each in splits for times in each.aliasing.values()]
    return {
        "lag": max(each.worst_lag_requests for each in splits),
        "bound": max(known) if len(known) == len(bounds) else None,
        "win": max(each.worst_window_requests for each in splits),
        "gap": max(each.longest_gap * min(each.percents) / 100 for each in splits),
        "first": max(each.first_canary_worst for each in splits),
        "cycle": max(cycles) if cycles else None,
        "ramp": changes.ramp_worst_lag_requests,
        "anew": changes.restart_canary_percent_of_due,
        "workers": max(_workers_lag(each.workers, algorithm) for each in splits),
        "ns": max(each.pick_ns for each in splits),
        "bytes": max(each.split_bytes for each in splits),
    }


def _workers_lag(workers: Workers, algorithm: Algorithm) -> float:
    """Return the lag of workers as they come: each with a seed of its own, if that matters."""
    return workers.apart_lag_requests if algorithm.is_seeded else workers.alike_lag_requests


def table(rows: dict[str, Row], mark: Mark) -> Iterator[str]:
    """Yield the table's lines; the worst cell of a column has a star, and what `mark` does."""
    worst = {column.head: _worst(column, rows.values()) for column in COLUMNS}
    heads = "".join(f"{_head(column):>{WIDTH - 1}} " for column in COLUMNS)
    yield f"{'':<{NAME_WIDTH}}{heads}".rstrip()
    for name, row in rows.items():
        line = f"{name:<{NAME_WIDTH}}"
        for column in COLUMNS:
            value = row[column.head]
            text = f"{_number(value)}{WORST if _is_worst(value, worst[column.head]) else ' '}"
            padding = " " * (WIDTH - len(text))
            line += padding + (mark(text) if text.endswith(WORST) else text)
        yield line.rstrip()


def legend(workers: int) -> Iterator[str]:
    """Yield what each column means."""
    for column in COLUMNS:
        yield f"  {_head(column):<7}{column.means.format(workers=workers)}"
    yield f"  {WORST}      the worst of its column"


def family_table(found: Iterable[Family], mark: Mark) -> Iterator[str]:
    """Yield the worst lag over 100 turns, an algorithm a line and a family a column."""
    cells: dict[str, dict[str, Family]] = {}
    for each in found:
        cells.setdefault(each.algorithm, {})[each.family] = each
    heads = list(dict.fromkeys(each.family for row in cells.values() for each in row.values()))
    most = {head: max(row[head].worst_lag_requests for row in cells.values()) for head in heads}
    yield f"{'':<{NAME_WIDTH}}" + "".join(f"{head:>16}" for head in heads)
    for name, row in cells.items():
        line = f"{name:<{NAME_WIDTH}}"
        for head in heads:
            lag = row[head].worst_lag_requests
            text = f"{lag:.2f}{WORST if len(cells) > 1 and lag == most[head] else ' '}"
            line += " " * (16 - len(text)) + (mark(text) if text.endswith(WORST) else text)
        yield line.rstrip()


def broken(result: SplittersResult) -> Iterator[str]:
    """Yield a line for each proven bound that a run broke."""
    for split in result.splits:
        if split.bound is not None and not split.bound.kept:
            yield (
                f"{split.algorithm} broke its bound at {split.weights}: "
                f"{split.worst_lag_requests:.4g} requests, proven {split.bound.requests:.4g}"
            )
    for family in result.families:
        if family.kept is False:
            yield f"{family.algorithm} broke its bound with {family.family}: {family.worst_weights}"


def _head(column: Column) -> str:
    return "W" if column.head == "workers" else column.head


def _worst(column: Column, rows: Iterable[Row]) -> float | None:
    values = [value for row in rows if (value := row[column.head]) is not None]
    if not column.is_ranked or len(values) < 2 or max(values) == min(values):
        return None
    if column.head == "anew":  # 100 is right: neither too few nor too many
        return max(values, key=lambda value: abs(value - 100))
    return max(values)


def _is_worst(value: float | None, worst: float | None) -> bool:
    return value is not None and value == worst


def _number(value: float | None) -> str:
    """Return a number in four characters at most."""
    if value is None:
        return "-"
    for unit in ("", "k", "M"):
        if value < 9.995 and unit == "":
            return f"{value:.2f}"
        if value < 99.95 and unit == "":
            return f"{value:.1f}"
        if value < (9999.5 if unit == "" else 999.5):
            return f"{value:.0f}{unit}"
        value /= 1000
    return f"{value:.0f}G"
