"""The listening sockets of an instance. The parent opens them once; they outlive its children, so
a connection that waits while a child is replaced is served by the replacement.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from simulator.errors import KnaryError
from simulator.instance.lock import Lock, Taken, port_lock_path, take_within
from simulator.instance.options import (
    API_PORT,
    CONSOLE_PORT,
    GATEWAY_PORT,
    LOCAL_PORT,
    LOOPBACK,
    ParentSettings,
    UpOptions,
)

_PORT_MAX = 65535
_LEFT_LOCK_WAIT_S_MAX = 0.2  # a lock of a dead process: someone removes its file just now


class PortTaken(KnaryError):
    """The port that was asked for is someone else's."""


@dataclass(frozen=True)
class PortChoice:
    """Which port to listen on: `wanted`, any free one when 0, and when None `default` or the next
    free one after it. `option` is the flag that sets it; `purpose` says what it is for.
    """

    purpose: str
    option: str
    default: int
    wanted: int | None

    def candidates(self, attempts_max: int) -> tuple[int, ...]:
        """Return the ports to try, in order."""
        if self.wanted == 0:
            return (0,) * attempts_max
        if self.wanted is not None:
            return (self.wanted,)
        last = min(self.default + attempts_max - 1, _PORT_MAX)
        return tuple(range(self.default, last + 1))

    def moved(self, port: int) -> str | None:
        """Return the line that says that a default port was taken, or None."""
        if self.wanted is not None or port == self.default:
            return None
        return f"port {self.default} is taken; the {self.purpose} listens on {port}"


@dataclass(frozen=True)
class Listening:
    """One port: its sockets (one per worker) and, for the gateway's, the lock that guards it."""

    address: str
    port: int
    sockets: tuple[socket.socket, ...]
    lock: Lock | None = None

    def close(self) -> None:
        for one in self.sockets:
            one.close()
        if self.lock is not None:
            self.lock.release()

    def url(self, scheme: str) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Bounds:
    """How many connections may wait to be accepted, and how many ports are tried."""

    backlog: int
    attempts_max: int


def listen_shared(address: str, choice: PortChoice, count: int, bounds: Bounds) -> Listening:
    """Open `count` sockets on one port, among which the kernel spreads the connections.

    Raise PortTaken, or KnaryError when the address is none of this machine's.
    """

    def open_all(port: int) -> Listening:
        return _open_shared(address, port, count, bounds.backlog)

    return _first_free(address, choice, bounds.attempts_max, open_all)


def listen_single(address: str, choice: PortChoice, bounds: Bounds) -> Listening:
    """Open one socket. Raise PortTaken, or KnaryError when the address is not this machine's."""

    def open_one(port: int) -> Listening:
        one = _bound(address, port)
        try:
            _listen(one, bounds.backlog)
        except BaseException:
            one.close()
            raise
        return Listening(address, one.getsockname()[1], (one,))

    return _first_free(address, choice, bounds.attempts_max, open_one)


def _first_free(
    address: str, choice: PortChoice, attempts_max: int, open_at: Callable[[int], Listening]
) -> Listening:
    try:
        for port in choice.candidates(attempts_max):
            try:
                return open_at(port)
            except (Taken, PortTaken):
                continue
    except socket.gaierror as error:
        raise KnaryError(
            f"cannot listen on {address!r}: {error.strerror}; give an IP address of this machine"
        ) from error
    except OSError as error:
        raise KnaryError(_cannot_listen(address, choice, error)) from error
    if choice.wanted:
        raise PortTaken(
            f"port {choice.wanted} on {address}, wanted for the {choice.purpose}, is taken;"
            f" choose another with {choice.option}, or 0 for a free one"
        )
    raise PortTaken(
        f"no free port for the {choice.purpose} on {address} after {attempts_max} attempts;"
        f" choose one with {choice.option}"
    )


def _cannot_listen(address: str, choice: PortChoice, error: OSError) -> str:
    port = choice.default if choice.wanted is None else choice.wanted
    ways_out = {
        errno.EADDRNOTAVAIL: "give an address of this machine",
        errno.EACCES: f"choose a port above 1023 with {choice.option}",
    }
    way_out = ways_out.get(error.errno or 0, f"choose another port with {choice.option}")
    return f"the {choice.purpose} cannot listen on {address}:{port}: {error.strerror}; {way_out}"


def _open_shared(address: str, port: int, count: int, backlog: int) -> Listening:
    """Bind alone first: the kernel refuses that when anyone listens, and only then share."""
    opened: list[socket.socket] = []
    lock: Lock | None = None
    try:
        if port == 0:
            opened.append(_bound(address, 0, socket.SO_REUSEPORT))
            port = opened[0].getsockname()[1]
            lock = _take_port(address, port)
        else:
            lock = _take_port(address, port)
            _bound(address, port).close()
        while len(opened) < count:
            opened.append(_bound(address, port, socket.SO_REUSEPORT))
        for one in opened:
            _listen(one, backlog)
    except BaseException:
        Listening(address, port, tuple(opened), lock).close()
        raise
    return Listening(address, port, tuple(opened), lock)


def _take_port(address: str, port: int) -> Lock:
    """Take the port's lock. Raise Taken; at once when a living process has it."""
    return take_within(port_lock_path(address, port), _LEFT_LOCK_WAIT_S_MAX, time.sleep)


def _bound(address: str, port: int, *options: int) -> socket.socket:
    """Return a bound, non-blocking socket with these options on; raise PortTaken."""
    family, kind, protocol, _, where = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    one = socket.socket(family, kind, protocol)
    try:
        one.settimeout(0)
        for option in (socket.SO_REUSEADDR, *options):
            one.setsockopt(socket.SOL_SOCKET, option, 1)
        one.bind(where)
    except OSError as error:
        one.close()
        raise _translated(error, address, port) from error
    return one


def _listen(one: socket.socket, backlog: int) -> None:
    """Listen; raise PortTaken when a bound socket that did not listen before us does now."""
    try:
        one.listen(backlog)
    except OSError as error:
        raise _translated(error, *one.getsockname()[:2]) from error


def _translated(error: OSError, address: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"port {port} on {address} is taken")
    return error


@dataclass(frozen=True)
class Ports:
    """The four ports of an instance; both of the gateway's have a socket per worker.

    `notes` are lines for the user.
    """

    gateway: Listening
    local: Listening
    api: Listening
    console: Listening
    notes: tuple[str, ...]

    def close(self) -> None:
        for one in (self.gateway, self.local, self.api, self.console):
            one.close()


def open_ports(options: UpOptions, limits: ParentSettings) -> Ports:
    """Open the gateway's port where the user wants it, all others on loopback.

    So what is cluster-local is not for other machines, whatever the gateway listens on.
    Raise PortTaken or KnaryError; then none is left open.
    """
    gateway = PortChoice("gateway", "--port", GATEWAY_PORT, options.port)
    inside = PortChoice("cluster-local gateway", "--local-port", LOCAL_PORT, options.local_port)
    api = PortChoice("API", "--api-port", API_PORT, options.api_port)
    console = PortChoice("console", "--console-port", CONSOLE_PORT, options.console_port)
    bounds = Bounds(limits.listen_backlog, limits.port_attempts_max)
    with contextlib.ExitStack() as opened:

        def keep(one: Listening) -> Listening:
            opened.callback(one.close)
            return one

        first = keep(listen_shared(options.listen, gateway, options.workers, bounds))
        second = keep(listen_shared(LOOPBACK, inside, options.workers, bounds))
        third = keep(listen_single(LOOPBACK, api, bounds))
        fourth = keep(listen_single(LOOPBACK, console, bounds))
        opened.pop_all()
    notes = (
        gateway.moved(first.port),
        inside.moved(second.port),
        api.moved(third.port),
        console.moved(fourth.port),
    )
    return Ports(first, second, third, fourth, tuple(note for note in notes if note))
