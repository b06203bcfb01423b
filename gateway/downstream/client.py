"""What a request needs of its client: an HTTP/1.1 connection, or a stream of h2c."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

from gateway.errors import GatewayError
from gateway.http1.response import ResponseHead

if TYPE_CHECKING:
    import asyncio

    from gateway.exchange import Exchange
    from gateway.hosts import HostTable
    from gateway.upstream.lease import Lease

_NO_LINGER: Final = struct.pack("ii", 1, 0)  # on, 0 seconds


def break_off(transport: asyncio.Transport, *, unframed: bool) -> None:
    """Close at once, in a way that no client takes for the end of its answer.

    Where nothing but the connection's end says that a body is whole (`unframed`), and where the
    client takes nothing, the kernel resets it, and keeps no megabytes for it either.
    """
    if (unframed or transport.get_write_buffer_size()) and not transport.is_closing():
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


class Client:
    """What an exchange needs of the client's connection, or of the stream, that it answers."""

    protocol: str = "HTTP/1.1"

    def __init__(self, hosts: HostTable) -> None:
        self.hosts = hosts  # the listener's
        self.ip = ""
        self.forwarding = b""  # `forwarding_lines` of the ip
        self.cannot_write = False  # it does not keep up with the answer

    def respond(
        self,
        exchange: Exchange,
        head: ResponseHead | None,
        data: bytes,
        trailers: bytes,
        ended: bool,
    ) -> None:
        """Send a part of the answer; the first has its head, the last its trailers."""
        raise NotImplementedError

    def respond_interim(self, head: ResponseHead) -> None:
        """Send a 1xx."""
        raise NotImplementedError

    def refuse(self, exchange: Exchange, error: GatewayError) -> None:
        """Send an answer of the gateway's own."""
        raise NotImplementedError

    def cut_short(self, exchange: Exchange, text: bytes) -> None:
        """End an answer that has begun with this text, if its framing has room for more."""
        raise NotImplementedError

    def abort(self) -> None:
        """Break the answer off, so that the client sees that it is not whole."""
        raise NotImplementedError

    def reset(self) -> None:
        """Break off as a peer does that resets: by RST, or RST_STREAM."""
        self.abort()

    def on_answered(self, exchange: Exchange) -> None:
        """Go on with the next request: this one has its answer."""
        raise NotImplementedError

    def switch(self, exchange: Exchange, head: ResponseHead, lease: Lease, data: bytes) -> None:
        """Pass the 101 on; from here on both connections are one tunnel."""
        raise NotImplementedError

    def pause(self) -> None:
        """Read no more of the request: the revision does not keep up."""
        raise NotImplementedError

    def resume(self) -> None:
        """Read on."""
        raise NotImplementedError
