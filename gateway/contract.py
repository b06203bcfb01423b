"""What the control plane tells the gateway, and what the gateway answers.

A RouteTable is a whole, immutable, versioned value in meaning. On the wire it travels whole only
when a worker connects (in chunks), and as a delta afterwards. Frames are length-prefixed msgpack:
four bytes, big endian, then one `ToWorker` or `FromWorker` value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from itertools import compress, filterfalse
from operator import is_not
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

PROTOCOL_VERSION = 2
FRAME_BYTES_MAX = 16 * 1024 * 1024
WEIGHT_SCALE: Final = 100  # a share is an integer of hundredths of a percent: 10_000 is everything

SPLITTERS = (
    "stratified",
    "random",
    "exact",
    "smooth-wrr",
    "edf",
    "static-stride",
    "hash-ranges",
)

FAULTS = (  # toxiproxy's toxics, Envoy's abort, and an answer whose framing is broken
    *("latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"),
    *("abort", "corrupt"),
)

STICKY = ("cookie", "header", "address")  # by what a session is known


class Address(Struct, frozen=True):
    """Where a replica listens. Its text is "HOST:PORT", or "NETWORK@HOST:PORT".

    `network` names a network namespace of the replica's own. A connection into it needs a socket
    that was made there, which whoever keeps the namespaces hands out (`SocketsWanted`).
    """

    host: str
    port: int
    network: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.network}{'@' if self.network else ''}{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return the address that the text stands for. Raise ValueError."""
    network, at, place = text.rpartition("@")
    host, _, port = place.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    if not host or not is_port or bool(network) != bool(at) or "@" in network:
        raise ValueError(f"an address is HOST:PORT or NETWORK@HOST:PORT, not {text!r}")
    return Address(host.strip("[]"), int(port), network)


class Fault(Struct, frozen=True, array_like=True, gc=False):
    """What is done to a part of a share's requests: `type` is one of FAULTS.

    `toxicity`, from 0 to 1, is how likely a request gets it, by dice that `seed` sets (None: by
    chance). `attributes` are toxiproxy's, in its units; `stream` is "upstream" or "downstream".
    """

    name: str
    type: str
    toxicity: float = 1.0
    stream: str = "downstream"
    attributes: tuple[tuple[str, int], ...] = ()
    seed: int | None = None


class Share(Struct, frozen=True, array_like=True, gc=False):
    """One revision's part of a split. `weight` counts hundredths of a percent.

    `headers` are set on its requests: a client's own of the same name are dropped.
    """

    backend: str
    weight: int
    headers: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()


class Split(Struct, frozen=True, array_like=True, gc=False):
    """Where the requests of one route go: each share to another backend.

    `key` names the split, whose turns outlive a change. `hash-ranges` hashes the value of the
    header `hash_header` (lower case), or without one the client's address. `sticky` is one of
    STICKY, or "": no sessions; `sticky_name` is the cookie's name, or the header's (lower case).
    With another `epoch` its turns begin anew, and owe nothing.
    """

    key: str
    shares: tuple[Share, ...]
    splitter: str = "stratified"
    seed: int | None = None
    hash_header: str = ""
    sticky: str = ""
    sticky_name: str = ""
    epoch: int = 0


class HeaderRule(Struct, frozen=True, array_like=True, gc=False):
    """Requests whose header `name` (lower case) is exactly `value` go to this split instead."""

    name: str
    value: str
    split: Split


class Route(Struct, frozen=True, array_like=True, gc=False):
    """The hosts (lower case, no port) that one split answers for. `key` names the route.

    `hosts` are answered on every listener, `local_hosts` on the cluster-local one alone. `rules`
    come before `split`, in their order. `host`, when given, goes up instead of the client's Host.
    `service` ("NAMESPACE/NAME") and `tag` are what metrics call the route.
    """

    key: str
    hosts: tuple[str, ...]
    split: Split
    local_hosts: tuple[str, ...] = ()
    rules: tuple[HeaderRule, ...] = ()
    host: str = ""
    service: str = ""
    tag: str = ""


class Backend(Struct, frozen=True, array_like=True, gc=False):
    """A revision as the gateway sees it: replicas that answer now, each an `Address` as text.

    `key` is "NAMESPACE/REVISION". Without a replica its requests wait, up to `timeout_s` or the
    gateway's `replica_wait_s_max`, and follow their route when it leaves this backend. The waits
    are the Revision's timeoutSeconds, responseStartTimeoutSeconds and idleTimeoutSeconds (0: none);
    `concurrency` is its containerConcurrency, a hard limit per replica (0: none).
    """

    key: str
    addresses: tuple[str, ...] = ()
    protocol: str = "http1"  # or "h2c"
    timeout_s: float = 300.0
    response_start_s: float = 0.0
    idle_s: float = 0.0
    concurrency: int = 0


class RouteTable(Struct, frozen=True):
    """Everything that a worker serves."""

    version: int = 0
    routes: dict[str, Route] = {}
    backends: dict[str, Backend] = {}


class Begin(Struct, frozen=True, tag=True):
    """A whole table follows, in `Delta` chunks; it counts from `Commit` on."""

    version: int


class Delta(Struct, frozen=True, tag=True):
    """Rows that are new or changed, and keys of rows that are gone."""

    routes: tuple[Route, ...] = ()
    backends: tuple[Backend, ...] = ()
    routes_gone: tuple[str, ...] = ()
    backends_gone: tuple[str, ...] = ()


class Commit(Struct, frozen=True, tag=True):
    """Serve what was sent since the last commit, as this version, and acknowledge it."""

    version: int


ToWorker = Begin | Delta | Commit


class Hello(Struct, frozen=True, tag=True):
    """A worker's first frame."""

    worker: int
    pid: int
    protocol: int = PROTOCOL_VERSION
    build: str = "interpreted"  # as gateway.build says it
    turns: str = "own"  # or how all workers share those of a split: as gateway.ledger says it


class Ack(Struct, frozen=True, tag=True):
    """The worker serves this version. `busy`: addresses out of the table, still in use."""

    version: int
    busy: tuple[str, ...] = ()


class Refused(Struct, frozen=True, tag=True):
    """The table does not compile: the worker goes on with the one before."""

    version: int
    why: str


class Idle(Struct, frozen=True, tag=True):
    """No request uses this address any more; it was `busy` in an `Ack`."""

    address: str


FromWorker = Hello | Ack | Refused | Idle


# The keeper of the replicas' networks listens on a Unix socket of its own (SOCK_SEQPACKET): one
# message per packet, an answer to each in order. Nothing of it is sent on the way of a request
# that finds a connection, or a socket, at hand.
SOCKETS_MAX = 64  # in one answer; the kernel passes at most 253 descriptors (SCM_MAX_FD)
SOCKETS_ANSWER_BYTES_MAX = 4096


class SocketsWanted(Struct, frozen=True, array_like=True, gc=False):
    """Make so many TCP sockets in this network; more than SOCKETS_MAX are not given at once."""

    network: str
    count: int


class SocketsGiven(Struct, frozen=True, array_like=True, gc=False):
    """The packet carries the descriptors of fresh TCP sockets (IPv4, non-blocking).

    They may be fewer than were wanted; when there is none, `why` says why.
    """

    network: str
    why: str = ""


_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
_sockets_wanted: msgspec.msgpack.Decoder[SocketsWanted] = msgspec.msgpack.Decoder(SocketsWanted)
_sockets_given: msgspec.msgpack.Decoder[SocketsGiven] = msgspec.msgpack.Decoder(SocketsGiven)
_length = struct.Struct(">I")


Row = TypeVar("Row", Route, Backend)


class FrameError(Exception):
    """The peer sent what is no frame, or no message, of this contract."""


def encode(message: ToWorker | FromWorker) -> bytes:
    """Return the message as one frame."""
    body = _encoder.encode(message)
    return _length.pack(len(body)) + body


class FrameReader:
    """Cuts a byte stream into frames; feed it whatever arrived."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the body of each frame that is now complete. Raise FrameError when one is huge."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _length.size:
            (length,) = _length.unpack_from(buffer)
            if length > FRAME_BYTES_MAX:
                raise FrameError(f"a frame of {length} bytes; the limit is {FRAME_BYTES_MAX}")
            end = _length.size + length
            if len(buffer) < end:
                return
            body = bytes(buffer[_length.size : end])
            del buffer[:end]
            yield body


def to_worker(body: bytes) -> ToWorker:
    """Decode a frame's body on the worker's side. Raise FrameError."""
    try:
        return _to_worker.decode(body)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


def from_worker(body: bytes) -> FromWorker:
    """Decode a frame's body on the control plane's side. Raise FrameError."""
    try:
        return _from_worker.decode(body)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


def packet(message: SocketsWanted | SocketsGiven) -> bytes:
    """Return the message as one packet."""
    return _encoder.encode(message)


def sockets_wanted(data: bytes) -> SocketsWanted:
    """Decode a packet on the keeper's side. Raise FrameError."""
    try:
        return _sockets_wanted.decode(data)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


def sockets_given(data: bytes) -> SocketsGiven:
    """Decode a packet on the side of who wants sockets. Raise FrameError."""
    try:
        return _sockets_given.decode(data)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


def difference(old: RouteTable, new: RouteTable) -> Delta:
    """Return the rows that lead from `old` to `new`; rows and maps that are the same cost little.

    Its loops run in C: in a table of 10,000 routes and 100,000 backends most of the time from one
    route's change to its acknowledgement went into looking for it.
    """
    return Delta(
        routes=_changed(old.routes, new.routes),
        backends=_changed(old.backends, new.backends),
        routes_gone=_gone(old.routes, new.routes),
        backends_gone=_gone(old.backends, new.backends),
    )


def _changed(old: Mapping[str, Row], new: Mapping[str, Row]) -> tuple[Row, ...]:
    if old is new:
        return ()
    others = compress(new, map(is_not, map(old.get, new), new.values()))
    return tuple(row for key in others if (row := new[key]) != old.get(key))


def _gone(old: Mapping[str, Row], new: Mapping[str, Row]) -> tuple[str, ...]:
    return () if old is new else tuple(filterfalse(new.__contains__, old))
