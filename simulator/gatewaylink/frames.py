"""A RouteTable on the wire: whole for a worker that has none, else what changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TypeVar

from gateway.contract import Begin, Commit, Delta, RouteTable, difference, encode

T = TypeVar("T")


def frames(old: RouteTable | None, new: RouteTable, rows_max: int) -> Iterator[bytes]:
    """Yield the frames that lead a worker from `old` to `new`, which the last one commits.

    None is a worker of which it is not known what it serves. No frame has more than `rows_max`
    rows of each sort.
    """
    if old is None:
        yield encode(Begin(new.version))
    for delta in chunks(difference(old or RouteTable(), new), rows_max):
        yield encode(delta)
    yield encode(Commit(new.version))


def chunks(delta: Delta, rows_max: int) -> Iterator[Delta]:
    """Cut a delta into ones of at most `rows_max` rows of each sort; none when it is empty."""
    for routes, backends, routes_gone, backends_gone in zip_longest(
        _cut(delta.routes, rows_max),
        _cut(delta.backends, rows_max),
        _cut(delta.routes_gone, rows_max),
        _cut(delta.backends_gone, rows_max),
        fillvalue=(),
    ):
        yield Delta(routes, backends, routes_gone, backends_gone)


def _cut(rows: tuple[T, ...], rows_max: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(rows), rows_max):
        yield rows[start : start + rows_max]
