"""The target of a request whose route is not plain, or that wants to know why."""

from __future__ import annotations

from gateway.http1.request import RequestHead
from gateway.metrics.registry import Metrics
from gateway.routes import CompiledRoute, Target
from gateway.sticky.stickiness import MOVED, NEW


class Choice:
    """A request's target, why it is that one (if asked), and the cookie's line of its answer."""

    __slots__ = ("cookie", "explanation", "target")

    def __init__(self, target: Target, explanation: str, cookie: bytes) -> None:
        self.target = target
        self.explanation = explanation
        self.cookie = cookie


def choose(
    route: CompiledRoute, request: RequestHead, ip: str, metrics: Metrics, now_s: int
) -> Choice:
    """Return the choice for a request of the client at `ip`; `now_s` is the time of day."""
    lines = request.lines
    split = route.split_for(lines)
    sticky = split.sticky
    told = ""
    if sticky is None:
        if request.explain:
            target, told = split.pick_explained(lines, ip)
        else:
            target = split.pick_for(lines, ip)
        return Choice(target, route.explained(split, told) if told else "", b"")
    if request.explain:
        seat, told = split.seat_explained(sticky, lines, ip, now_s)
    else:
        seat = split.seat(sticky, lines, ip, now_s)
    target = split.targets[seat.index]
    cell = target.cell or target.open_cell(metrics)
    if seat.outcome == NEW:
        cell.sessions_new += 1
    elif seat.outcome == MOVED:
        cell.sessions_moved += 1
    return Choice(target, route.explained(split, told) if told else "", seat.cookie)
