"""A request with a fault: it is held on its way up, and its answer is shaped on the way back.

There is one timer a request at most, and it ends with the request. What the revision sends faster
than it may go is kept up to a limit; then the revision is read no more.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections import deque
from typing import TYPE_CHECKING

from gateway.errors import FaultAbort, UpstreamNonsense
from gateway.faults import NO_LIMIT, SLICES_PER_S, Injection
from gateway.http1.response import ResponseHead

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.worker import Worker


class Piece:
    """A part of an answer, as its lease brought it."""

    __slots__ = ("data", "ended", "head", "trailers")

    def __init__(
        self, head: ResponseHead | None, data: bytes, trailers: bytes, ended: bool
    ) -> None:
        self.head = head
        self.data = data
        self.trailers = trailers
        self.ended = ended


class Injected:
    """One exchange's injection under way."""

    def __init__(self, worker: Worker, exchange: Exchange, injection: Injection) -> None:
        self.names = injection.names
        self.has_end = False  # the revision has said all it had to say
        self._loop = worker.loop
        self._bytes_high = worker.settings.buffer_bytes_high
        self._exchange: Exchange | None = exchange
        self._drawn = injection
        self._shapes = injection.shapes
        self._timer: TimerHandle | None = None
        self._pieces: deque[Piece] = deque()
        self._kept_bytes = 0
        self._passed_bytes = 0  # of the body
        self._slices = 0
        self._has_begun = False
        self._waited = False  # for what is next
        self._is_full = False

    # The way up.

    def hold(self) -> bool:
        """Keep the request from its revision for a while, or for ever; tell whether it does."""
        drawn, exchange = self._drawn, self._exchange
        if exchange is None or not (drawn.hold_s or drawn.status or drawn.is_cut):
            return False
        if not exchange.request_ended:
            exchange.client.pause()
        if not drawn.holds_on:
            self._timer = self._loop.call_later(drawn.hold_s, self._released)
        return True

    def _released(self) -> None:
        self._timer = None
        drawn, exchange = self._drawn, self._exchange
        if exchange is None:
            return
        if drawn.status and not drawn.is_cut:
            self.stop()
            exchange.refuse(FaultAbort(drawn.status))
        elif drawn.is_cut:
            self.stop()
            exchange.cut_off(resets=drawn.is_reset)
        else:
            exchange.go_up()

    # The way back.

    def takes(self, head: ResponseHead | None, data: bytes, trailers: bytes, ended: bool) -> bool:
        """Take a part of the answer, to pass it on in its time; tell whether it does."""
        exchange = self._exchange
        if not self._shapes or exchange is None or self.has_end:
            return self.has_end  # what comes after the end is nobody's
        self.has_end = ended
        self._pieces.append(Piece(head, data, trailers, ended))
        self._kept_bytes += len(data)
        if self._timer is None:
            self._step()
        if self._kept_bytes > self._bytes_high and not self._is_full:
            self._is_full = True
            exchange.pause()
        return True

    def flow(self) -> bool:
        """Go on, as the client can take more; tell whether the revision may be read on."""
        if self._timer is None:
            self._step()
        return not self._is_full

    def _waited_enough(self) -> None:
        self._timer = None
        self._waited = True
        self._step()

    def _step(self) -> None:
        """Pass on what is due, and wait for what is not."""
        while (exchange := self._exchange) is not None and self._pieces:
            piece = self._pieces[0]
            if exchange.client.cannot_write:
                return
            if self._drawn.corrupt_bytes >= 0 and self._left(self._drawn.corrupt_bytes) == 0:
                self.stop()
                exchange.break_answer(UpstreamNonsense("its framing is broken by a fault"))
                return
            size = self._size(piece)
            wait_s = 0.0 if self._waited else self._wait_s(piece, size)
            if wait_s > 0:
                self._timer = self._loop.call_later(wait_s, self._waited_enough)
                return
            self._waited = False
            self._pass_on(exchange, piece, size)

    def _left(self, limit: int) -> int:
        return max(0, limit - self._passed_bytes)

    def _size(self, piece: Piece) -> int:
        """Return how much of the piece's data goes now."""
        drawn, size = self._drawn, len(piece.data)
        if drawn.bytes_per_s:
            size = min(size, max(1, drawn.bytes_per_s // SLICES_PER_S))
        if drawn.slice_bytes:
            # Above and below the average in turn: what is drawn must not hang on how bytes came.
            swing = drawn.slice_variation * (1 if self._slices % 2 else -1)
            size = min(size, max(1, drawn.slice_bytes + swing))
        if drawn.corrupt_bytes >= 0:
            size = min(size, self._left(drawn.corrupt_bytes))
        if drawn.limit_bytes >= 0:
            size = min(size, self._left(drawn.limit_bytes))
        return size

    def _wait_s(self, piece: Piece, size: int) -> float:
        """Return how long the next of its data waits."""
        drawn = self._drawn
        wait_s = 0.0 if self._has_begun else drawn.answer_delay_s
        if drawn.bytes_per_s:
            wait_s += size / drawn.bytes_per_s
        if drawn.slice_bytes and self._slices and size:
            wait_s += drawn.slice_delay_s
        if piece.ended and not piece.data:
            wait_s += drawn.end_delay_s
        return wait_s

    def _pass_on(self, exchange: Exchange, piece: Piece, size: int) -> None:
        drawn = self._drawn
        self._has_begun = True
        self._passed_bytes += size
        self._kept_bytes -= size
        self._slices += 1 if size else 0
        data, piece.data = piece.data[:size], piece.data[size:]
        head, piece.head = piece.head, None
        at_limit = drawn.limit_bytes != NO_LIMIT and not self._left(drawn.limit_bytes)
        ended = piece.ended and not piece.data and not (data and drawn.end_delay_s)
        if at_limit and (piece.data or not ended):
            exchange.pass_on(head, data, b"", False, False)
            # In its own turn of the loop, so that what was written is sent.
            self._shapes = False
            self._pieces.clear()
            self.has_end = True
            self._timer = self._loop.call_later(0, self._cut)
            return
        if not piece.data and (ended or not piece.ended):
            self._pieces.popleft()
        if ended:
            self._exchange = None
        trailers = piece.trailers if ended else b""
        exchange.pass_on(head, data, trailers, ended, False)
        if self._is_full and self._kept_bytes <= self._bytes_high // 2:
            self._is_full = False
            if not exchange.client.cannot_write:
                exchange.resume_upstream()

    def _cut(self) -> None:
        self._timer = None
        exchange = self._exchange
        if exchange is not None:
            self.stop()
            exchange.cut_off(resets=False)

    def stop(self) -> None:
        """Do nothing more: the exchange is over."""
        self._exchange = None
        self._pieces.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
