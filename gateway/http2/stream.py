"""One stream: its state, its windows, and what its owner is told. Pure."""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead
from gateway.native import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)  # tests have streams of their own
class Stream:
    """A request and its answer. An owner inherits it, and is called as things happen.

    After `on_reset` nothing more is said; whatever is sent then goes nowhere.
    """

    # Defaults are the class's: an ordinary stream sets only a few.
    id: int = 0
    is_open: bool = False  # known to its connection
    remote_ended: bool = False  # the peer has sent all
    local_ended: bool = False  # we have sent all
    head_received: bool = False
    head_sent: bool = False
    body_left: int = -1  # bytes that a content-length still promises; -1: it promised nothing
    bodiless: bool = False  # the answer to HEAD: its content-length promises nothing
    receive_window: int = 0
    consumed: int = 0  # received, used, and not yet given back to the peer's window
    held: int = 0  # received while paused
    paused: bool = False
    send_window: int = 0
    pending: bytearray | None = None  # waits for a window
    pending_end: bool = False
    pending_trailers: bytes = b""  # a header block
    blocked_since: float = 0.0
    is_full: bool = False  # more is pending than should be

    def on_request(self, head: RequestHead, ended: bool) -> None:
        """A request begins (a server's stream). `ended`: it has no body."""
        raise NotImplementedError

    def on_refused(self, error: GatewayError) -> None:
        """A request has no head that could be served: answer the error (a server's stream)."""
        raise NotImplementedError

    def on_interim(self, head: ResponseHead) -> None:
        """A 1xx (a client's stream)."""
        raise NotImplementedError

    def on_response(self, head: ResponseHead, ended: bool) -> None:
        """The answer begins (a client's stream)."""
        raise NotImplementedError

    def on_data(self, data: bytes, ended: bool) -> None:
        """A part of the body; it may be empty at the end."""
        raise NotImplementedError

    def on_trailers(self, lines: bytes) -> None:
        """The end, with trailers as lines."""
        raise NotImplementedError

    def on_reset(self, code: int, detail: str) -> None:
        """The stream is over before its time: the peer's doing, or for its error.

        REFUSED_STREAM says that the request may be sent again, whatever it was (RFC 9113 8.7).
        """
        raise NotImplementedError

    def on_full(self) -> None:
        """Send no more for now: the peer's window is closed, and enough is pending."""
        raise NotImplementedError

    def on_writable(self) -> None:
        """Send again."""
        raise NotImplementedError
