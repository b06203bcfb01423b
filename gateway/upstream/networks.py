"""Sockets made in the replicas' own networks, asked for before they are wanted.

A worker cannot enter such a network, and need not: a TCP socket belongs to the network in which
it was made. Whoever keeps the networks (`gateway.contract`) passes such sockets over a Unix socket.
The first dial to a replica waits for one; then a few are at hand, and a dial costs no round trip.
A keeper that does not answer in time is hung up on: who waits is refused, and may try again.
"""

from __future__ import annotations

import logging
import socket
from asyncio import AbstractEventLoop, BaseProtocol, Future, TimerHandle
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.contract import (
    SOCKETS_ANSWER_BYTES_MAX,
    SOCKETS_MAX,
    FrameError,
    SocketsWanted,
    packet,
    sockets_given,
)
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.upstream.pool import Replica
    from gateway.worker import Worker

log = logging.getLogger(__name__)


class _Stock:
    """One network's sockets at hand, who waits for one, and how many were asked for."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.waiters: deque[Future[socket.socket]] = deque()
        self.ordered = 0
        self.is_wanted = True  # some replica in the table has this network


class _Order:
    """A question that was asked, and when."""

    def __init__(self, network: str, count: int, asked: float) -> None:
        self.network = network
        self.count = count
        self.asked = asked


class Networks:
    """One connection to the keeper of the networks, made again by the first who wants it."""

    def __init__(self, loop: AbstractEventLoop, path: str, settings: Settings) -> None:
        self._loop = loop
        self._path = path
        self._ahead = settings.sockets_ahead_max
        self._total_max = settings.sockets_ahead_total_max
        self._wait_s_max = settings.sockets_wait_s_max
        self._link: socket.socket | None = None
        self._orders: deque[_Order] = deque()  # unanswered, in their order
        self._watch: TimerHandle | None = None  # while there are any
        self._stocks: dict[str, _Stock] = {}
        self._unasked: dict[str, None] = {}  # networks, when the link took no more questions
        self._total = 0  # sockets at hand

    async def connect(self, network: str, host: str, port: int) -> socket.socket:
        """Return a socket connected to a place in that network. Raise OSError."""
        fresh = await self._take(network)
        try:
            await self._loop.sock_connect(fresh, (host, port))
        except BaseException:
            fresh.close()
            raise
        return fresh

    async def _take(self, network: str) -> socket.socket:
        stock = self._stocks.get(network)
        if stock is None:
            stock = self._stocks[network] = _Stock()
        stock.is_wanted = True
        if stock.sockets:
            self._total -= 1
            fresh = stock.sockets.pop()
            self._order(network, stock)
            return fresh
        waiter: Future[socket.socket] = self._loop.create_future()
        stock.waiters.append(waiter)
        self._order(network, stock)
        try:
            return await waiter
        except BaseException:
            if waiter in stock.waiters:
                stock.waiters.remove(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                waiter.result().close()  # it came in the moment of giving up
            raise

    def forget(self, network: str) -> None:
        """Close what is at hand of a network that is out of use; those who wait are served."""
        stock = self._stocks.get(network)
        if stock is not None:
            stock.is_wanted = False
            self._empty(stock)
            self._drop_unused(network, stock)

    def close(self) -> None:
        """Let go of everything; who waits is told."""
        self._lose("closed")

    # Asking.

    def _order(self, network: str, stock: _Stock) -> None:
        """Ask for what is waited for, and for a few ahead."""
        ahead = self._ahead if stock.is_wanted and self._total < self._total_max else 0
        missing = len(stock.waiters) + ahead - len(stock.sockets) - stock.ordered
        try:
            while missing > 0:
                count = min(missing, SOCKETS_MAX)
                self._connected().send(packet(SocketsWanted(network, count)))
                self._orders.append(_Order(network, count, self._loop.time()))
                stock.ordered += count
                missing -= count
            self._watch_orders()
        except BlockingIOError:
            self._unasked[network] = None  # answers to come make room for the question
            if not self._orders:
                self._lose("it takes no question")
        except OSError as error:
            self._lose(error.strerror or "cannot be reached")

    def _connected(self) -> socket.socket:
        if self._link is not None:
            return self._link
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            link.setblocking(False)
            link.connect(self._path)
        except OSError:
            link.close()
            raise
        self._loop.add_reader(link, self._on_readable)
        self._link = link
        return link

    def _watch_orders(self) -> None:
        """Look at the oldest question when its time is over."""
        if self._watch is None and self._orders:
            due = self._orders[0].asked + self._wait_s_max
            self._watch = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        """Hang up when a question is overdue; not if only this worker was too late to read."""
        self._watch = None
        latest = self._loop.time() - self._wait_s_max
        while self._orders and self._orders[0].asked <= latest:
            oldest = self._orders[0]
            self._on_readable()
            if self._orders and self._orders[0] is oldest:
                self._lose(f"it does not answer within {self._wait_s_max:g} s")
        self._watch_orders()

    # What comes.

    def _on_readable(self) -> None:
        link = self._link
        if link is None:
            return
        try:
            data, descriptors, _, _ = socket.recv_fds(link, SOCKETS_ANSWER_BYTES_MAX, SOCKETS_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error.strerror or "lost")
            return
        fresh = [_socket(descriptor) for descriptor in descriptors]
        try:
            if not data or not self._orders:
                raise FrameError("it closed the connection")
            given = sockets_given(data)
            order = self._orders.popleft()
            if given.network != order.network:
                raise FrameError(f"an answer for {given.network!r}, not {order.network!r}")
        except FrameError as malformed:
            for one in fresh:
                one.close()
            self._lose(str(malformed))
            return
        stock = self._stocks[order.network]
        stock.ordered -= order.count
        self._deal(stock, fresh, given.why)
        if stock.waiters:  # the answer was for some of those who wait
            self._unasked[order.network] = None
        self._drop_unused(order.network, stock)
        self._ask_again()

    def _ask_again(self) -> None:
        """Ask what could not be asked before, until the link takes no more."""
        unasked, self._unasked = self._unasked, {}
        for network in unasked:
            stock = self._stocks.get(network)
            if self._unasked:
                self._unasked[network] = None
            elif stock is not None:
                self._order(network, stock)

    def _deal(self, stock: _Stock, fresh: list[socket.socket], why: str) -> None:
        """Hand out what came, keep the rest; without any, who waits is told why."""
        failed = not fresh
        while stock.waiters and (fresh or failed):
            waiter = stock.waiters.popleft()
            if waiter.done():
                continue
            if failed:
                waiter.set_exception(ConnectionRefusedError(why))
            else:
                waiter.set_result(fresh.pop())
        while fresh and stock.is_wanted and len(stock.sockets) < self._ahead:
            stock.sockets.append(fresh.pop())
            self._total += 1
        for one in fresh:
            one.close()

    def _drop_unused(self, network: str, stock: _Stock) -> None:
        if not stock.is_wanted and not stock.waiters and not stock.ordered:
            del self._stocks[network]
            self._unasked.pop(network, None)

    def _lose(self, why: str) -> None:
        """Let go of a connection that ended: what was made before may be of networks long gone."""
        link, self._link = self._link, None
        if link is not None:
            log.info("the keeper of the replicas' networks: %s", why)
            self._loop.remove_reader(link)
            link.close()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._orders.clear()
        self._unasked.clear()
        stocks, self._stocks = self._stocks, {}
        for stock in stocks.values():
            self._empty(stock)
            for waiter in stock.waiters:
                if not waiter.done():
                    waiter.set_exception(ConnectionRefusedError(why))

    def _empty(self, stock: _Stock) -> None:
        self._total -= len(stock.sockets)
        while stock.sockets:
            stock.sockets.pop().close()


async def open_transport(
    worker: Worker, replica: Replica, protocol: Callable[[], BaseProtocol]
) -> None:
    """Connect to the replica, in its own network if it has one. Raise OSError."""
    if not replica.network:
        await worker.loop.create_connection(protocol, replica.host, replica.port)
        return
    if worker.networks is None:
        raise ConnectionRefusedError("nobody keeps the replicas' networks")
    connected = await worker.networks.connect(replica.network, replica.host, replica.port)
    await worker.loop.create_connection(protocol, sock=connected)  # closes it when cancelled


def _socket(descriptor: int) -> socket.socket:
    """Return the socket of a descriptor, whose kind is known: asking the kernel takes two calls."""
    fresh = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    fresh.setblocking(False)
    return fresh
