"""What an exchange amounts to when it is over: in figures, and as a line of the access log."""

from __future__ import annotations

from time import perf_counter_ns, time
from typing import TYPE_CHECKING

from gateway.accesslog import Entry, shown, timestamp, trace_id_of
from gateway.metrics.layout import GRPC_STATUS_NAMES, REASON_NAMES

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.worker import Worker


def count(exchange: Exchange, worker: Worker, status: int, reason: str = "") -> None:
    """Count an exchange that was answered, once, if it got its target."""
    latency_us = (perf_counter_ns() - exchange.begun_ns) // 1000
    if exchange.cell is not None:
        exchange.cell.done(status, latency_us, exchange.bytes_up, exchange.bytes_down)
    if worker.access_log is not None:
        _log(exchange, worker, status, reason, latency_us)


def count_aborted(exchange: Exchange, worker: Worker, reason: int) -> None:
    """Count an exchange that was broken off."""
    if exchange.cell is not None:
        exchange.cell.aborted(reason, exchange.bytes_up, exchange.bytes_down)
    if worker.access_log is not None:
        latency_us = (perf_counter_ns() - exchange.begun_ns) // 1000
        _log(exchange, worker, exchange.status, REASON_NAMES[reason], latency_us)


def _log(exchange: Exchange, worker: Worker, status: int, reason: str, latency_us: int) -> None:
    access_log = worker.access_log
    trace_id = trace_id_of(exchange.request.lines)
    if access_log is not None and access_log.is_wanted(trace_id):
        entry = entry_of(exchange, worker.number, trace_id, status, reason, latency_us)
        access_log.record(entry)


def entry_of(
    exchange: Exchange, worker: int, trace_id: str, status: int, reason: str, latency_us: int
) -> Entry:
    """Return what is logged of an exchange that is over now."""
    request, cell, client = exchange.request, exchange.cell, exchange.client
    return Entry(
        time=timestamp(time() - latency_us / 1e6),
        worker=worker,
        client=client.ip,
        protocol=client.protocol if request.is_http11 else "HTTP/1.0",
        method=shown(request.method),
        host=shown(request.host),
        path=shown(request.target),
        status=status,
        grpc_status=GRPC_STATUS_NAMES[exchange.grpc_status] if exchange.grpc_status >= 0 else "",
        service=cell.service if cell else "",
        revision=cell.revision if cell else "",
        tag=cell.tag if cell else "",
        bytes_up=exchange.bytes_up,
        bytes_down=exchange.bytes_down,
        duration_us=latency_us,
        queue_us=exchange.queued_us,
        retries=exchange.retries,
        trace_id=trace_id,
        reason=reason,
        fault=exchange.injected.names if exchange.injected is not None else "",
    )
