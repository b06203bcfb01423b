"""What a connection becomes after a 101: bytes both ways, until both sides have ended.

Nothing of it is read. A side that ends while the other still sends is half-closed, as TCP has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from gateway.exchange import Exchange


class TunnelEnd:
    """One of the two connections: passes on what it receives, and how it ends."""

    peer: TunnelEnd  # given by open_tunnel()

    def __init__(self, transport: asyncio.Transport, on_data: Callable[[int], None]) -> None:
        self.transport = transport
        self._on_data = on_data
        self.on_ended: Callable[[], None] = _nothing
        self.on_lost: Callable[[], None] = _nothing
        self.ended = False  # it sends no more
        self.lost = False

    def begin(self, data: bytes, *, ended: bool) -> None:
        """Pass on what came before there was a tunnel."""
        if data:
            self.data_received(data)
        if ended:
            self.eof_received()

    def data_received(self, data: bytes) -> None:
        self._on_data(len(data))
        self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end on; the connection stays open for what the other side still sends."""
        self.ended = True
        peer = self.peer
        if peer.ended:
            peer.transport.close()
            return False
        self.on_ended()
        if not peer.transport.is_closing():
            peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if not self.peer.transport.is_closing():
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if exc is None:
            self.peer.transport.close()  # what is written still goes out
        else:
            self.peer.transport.abort()
        self.on_lost()


def open_tunnel(
    exchange: Exchange,
    client: asyncio.Transport,
    upstream: asyncio.Transport,
    on_over: Callable[[], None],
) -> tuple[TunnelEnd, TunnelEnd]:
    """Join two connections, whose former protocols get nothing more. Return both ends.

    The exchange is over when both are lost.
    """
    here = TunnelEnd(client, exchange.count_up)
    there = TunnelEnd(upstream, exchange.count_down)
    here.peer, there.peer = there, here

    def over() -> None:
        if here.lost and there.lost:
            exchange.on_tunnel_closed()
            on_over()

    here.on_lost = there.on_lost = over
    here.on_ended = there.on_ended = exchange.on_tunnel_half_closed
    client.set_protocol(cast("asyncio.Protocol", here))
    upstream.set_protocol(cast("asyncio.Protocol", there))
    return here, there


def _nothing() -> None:
    pass
