"""What the launcher tells the keeper of networks, and what it answers. Pure.

JSON, one message per packet of a SOCK_SEQPACKET pair. A network's descriptor travels beside the
message that names it.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

MESSAGE_BYTES_MAX: Final = 64 * 1024


class Make(Struct, frozen=True, tag=True):
    """Make a network for the replica `id`, from which the ports of `reach` are there."""

    id: str
    reach: tuple[int, ...] = ()


class Keep(Struct, frozen=True, tag=True):
    """Keep this network, which an earlier keeper made; its descriptor is beside. No answer."""

    id: str
    reach: tuple[int, ...] = ()


class Drop(Struct, frozen=True, tag=True):
    """Let go of a network: it ends with its last process and socket. No answer."""

    id: str


class Ping(Struct, frozen=True, tag=True):
    """Say that you are there."""


ToKeeper = Make | Keep | Drop | Ping


class Ready(Struct, frozen=True, tag=True):
    """The keeper's first message. Its user namespace is beside if it needed one."""


class Made(Struct, frozen=True, tag=True):
    """A network is there; its descriptor is beside."""

    id: str


class Failed(Struct, frozen=True, tag=True):
    """It could not be made."""

    why: str


class Pong(Struct, frozen=True, tag=True):
    """It is there."""


FromKeeper = Ready | Made | Failed | Pong

_encoder = msgspec.json.Encoder()
_to_keeper: msgspec.json.Decoder[ToKeeper] = msgspec.json.Decoder(ToKeeper)
_from_keeper: msgspec.json.Decoder[FromKeeper] = msgspec.json.Decoder(FromKeeper)


def packed(message: ToKeeper | FromKeeper) -> bytes:
    """Return the message as one packet."""
    return _encoder.encode(message)


def to_keeper(data: bytes) -> ToKeeper:
    """Decode a packet on the keeper's side. Raise msgspec.MsgspecError."""
    return _to_keeper.decode(data)


def from_keeper(data: bytes) -> FromKeeper:
    """Decode a packet on the launcher's side. Raise msgspec.MsgspecError."""
    return _from_keeper.decode(data)
