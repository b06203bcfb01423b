"""When a request has had its time: the revision's three timeouts (queue-proxy's TimeoutHandler)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.exchange import Exchange


def is_late(exchange: Exchange, now: float, due: float) -> bool:
    """Tell whether one of them is over; `due` is a tick ago.

    Deadlines were set by a clock of up to one tick ago: none is early, two ticks the latest.
    """
    if exchange.deadline < due:
        return True
    backend = exchange.target.backend
    if not backend.has_inner_timeouts:
        return False
    begun = exchange.deadline - backend.timeout_s
    start_s = backend.response_start_s
    if start_s and not exchange.response_started and begun + start_s < due:
        return True
    if not backend.idle_s:
        return False
    # Before the first write it counts from the request's start.
    progress = exchange.bytes_down + exchange.response_started
    if exchange.tunnelled is not None:
        progress += exchange.bytes_up
    if progress != exchange.progress_seen:
        exchange.active_at = now if progress else begun
        exchange.progress_seen = progress
        return False
    return exchange.active_at + backend.idle_s < due
