"""What the control plane tells the launcher, and what it answers: JSON, one value per line.

A connection begins with `Hello` and one `Listing` of everything that the launcher remembers, so a
control plane that was restarted learns what runs, and of the exits it missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

LINE_BYTES_MAX: Final = 8 * 1024 * 1024


class ProtocolError(Exception):
    """The peer sent what is no line of this protocol."""


class ForkedApp(Struct, frozen=True, tag=True):
    """An app of `sample_apps`, run in the forked child itself."""

    app: str
    arguments: tuple[str, ...] = ()


class Executable(Struct, frozen=True, tag=True):
    """A program and its arguments. Without "/" it is sought in the given environment's PATH."""

    argv: tuple[str, ...]


class Network(Struct, frozen=True):
    """A network of the replica's own, which has its id for a name.

    `reach` are TCP ports of this machine's loopback that are there too; of the rest of the world
    there is nothing.
    """

    reach: tuple[int, ...] = ()


class Spawn(Struct, frozen=True, tag=True):
    """Start a replica. One whose process has ended is replaced; one that runs is refused.

    `environment` is all that the process gets. Without a `network` it lives in this machine's; one
    that is started again keeps the network it had. `port` is echoed in listings, nothing more.
    """

    id: str
    program: ForkedApp | Executable
    environment: dict[str, str]
    folder: str  # working directory
    log: str  # stdout and stderr are appended to this file
    port: int = 0
    network: Network | None = None


class Signal(Struct, frozen=True, tag=True):
    """Send a signal to the replica's process group."""

    id: str
    signal: int


class Stop(Struct, frozen=True, tag=True):
    """SIGTERM to the process group now, SIGKILL to what is left of it after `grace_s`."""

    id: str
    grace_s: float


class List(Struct, frozen=True, tag=True):
    """Ask for a `Listing`."""


class Forget(Struct, frozen=True, tag=True):
    """Forget a replica whose process has ended. One that runs is remembered."""

    id: str


Command = Spawn | Signal | Stop | List | Forget


class Hello(Struct, frozen=True, tag=True):
    """The launcher's first line."""

    pid: int


class Exited(Struct, frozen=True, tag=True):
    """The replica's process ended; nothing of its group is left. Exactly one of the two codes.

    `at_s` is wall-clock time, in seconds since 1970. `tail` is the end of what this run logged.
    """

    id: str
    pid: int
    exit_code: int | None
    signal: int | None
    at_s: float
    tail: str = ""


class Started(Struct, frozen=True, tag=True):
    """The replica's process exists; whether its program could be executed shows in its exit."""

    id: str
    pid: int
    at_s: float
    port: int = 0
    has_network: bool = False  # of its own


class Listed(Struct, frozen=True, tag=True):
    """One replica: since when it runs, and how it ended if it did."""

    started: Started
    exited: Exited | None = None


class Listing(Struct, frozen=True, tag=True):
    """Every replica that the launcher remembers."""

    replicas: tuple[Listed, ...] = ()


class Refused(Struct, frozen=True, tag=True):
    """A command that could not be carried out; nothing changed. `running`: the process lives."""

    id: str
    why: str
    running: bool = False


Report = Hello | Started | Exited | Listing | Refused

_encoder = msgspec.json.Encoder()
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_reports: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)

Message = TypeVar("Message")


def encode(message: Command | Report) -> bytes:
    """Return the message as one line."""
    return _encoder.encode(message) + b"\n"


def command(line: bytes) -> Command:
    """Decode a line on the launcher's side. Raise ProtocolError."""
    return _decode(_commands, line)


def report(line: bytes) -> Report:
    """Decode a line on the control plane's side. Raise ProtocolError."""
    return _decode(_reports, line)


def _decode(decoder: msgspec.json.Decoder[Message], line: bytes) -> Message:
    try:
        return decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error)) from error


class LineReader:
    """Cuts a byte stream into lines; feed it whatever arrived."""

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        self._buffer = bytearray()
        self._line_bytes_max = line_bytes_max

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each line that is now complete, without its end. Raise ProtocolError: too long."""
        buffer = self._buffer
        searched = len(buffer)
        buffer += data
        while (end := buffer.find(b"\n", searched)) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            searched = 0
            yield line
        if len(buffer) > self._line_bytes_max:
            raise ProtocolError(f"a line of over {self._line_bytes_max} bytes")
