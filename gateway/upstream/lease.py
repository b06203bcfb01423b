"""What a request needs of the connection that it was given: an HTTP/1.1 one, or a stream of h2c."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.upstream.pool import Replica


class Lease:
    """One request's way to a replica. It belongs to one exchange at a time.

    It tells its exchange `on_interim`, `on_response` and `on_upstream_failed`; after `finish` or
    `abandon` it tells nothing more.
    """

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.exchange: Exchange | None = None
        self.reused = False  # the connection has answered before
        self.is_silent = True  # no byte of the answer has come
        self.is_full = False  # what is written waits for the revision to read

    def begin(self, exchange: Exchange) -> None:
        """Send the exchange's head, and of its body what is there (`early`)."""
        raise NotImplementedError

    def send_body(self, data: bytes, trailers: bytes, ended: bool) -> None:
        """Send a part of the body; `trailers` are whole lines, given with the end."""
        raise NotImplementedError

    def pause(self) -> None:
        """Read no more of the answer: the client does not keep up."""
        raise NotImplementedError

    def resume(self) -> None:
        """Read on."""
        raise NotImplementedError

    def is_closing(self) -> bool:
        """Tell whether its end was seen; what is sent now goes nowhere."""
        raise NotImplementedError

    def finish(self, reusable: bool) -> None:
        """End after the whole answer; the connection may serve the next request if reusable."""
        raise NotImplementedError

    def abandon(self) -> None:
        """End before the answer is whole; the revision is told as its protocol allows."""
        raise NotImplementedError
