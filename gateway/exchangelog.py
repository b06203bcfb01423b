"""An exchange as a line of the access log."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from gateway.accesslog import Entry, shown, timestamp
from gateway.metrics.layout import GRPC_STATUS_NAMES

if TYPE_CHECKING:
    from gateway.exchange import Exchange


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
    )
