"""Calls of helloworld.Greeter and ping.PingService with grpcio: texts in, texts out.

Messages are written by hand: one field, a text, as protobuf encodes it. What the app's own
descriptors say is thereby checked by somebody who does not use them.
"""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

HELLO, STREAM_HELLO = "/helloworld.Greeter/SayHello", "/helloworld.Greeter/SayHelloStreamReply"
BIDI_HELLO = "/helloworld.Greeter/SayHelloBidiStream"
PING, PING_STREAM = "/ping.PingService/Ping", "/ping.PingService/PingStream"


def encode(text: str) -> bytes:
    """Return a message whose field 1 is this text, at most 127 bytes long."""
    raw = text.encode()
    assert len(raw) < 128
    return b"\x0a" + bytes([len(raw)]) + raw if raw else b""


def decode(message: bytes) -> str:
    """Return field 1 of a message that has no other."""
    if not message:
        return ""
    assert message[0] == 0x0A
    assert message[1] == len(message) - 2
    return message[2:].decode()


def channel(address: str, authority: str = "", **options: Any) -> grpc.aio.Channel:
    """Return a connection of its own: channels share theirs unless told otherwise."""
    given = [("grpc.use_local_subchannel_pool", 1), *options.items()]
    if authority:
        given.append(("grpc.default_authority", authority))
    return grpc.aio.insecure_channel(address, options=given)


def unary(to: grpc.aio.Channel, method: str, text: str = "", **how: Any) -> Any:
    """Begin a call; await it for its text."""
    return to.unary_unary(method, encode, decode)(text, **how)


def replies(to: grpc.aio.Channel, method: str, text: str = "", **how: Any) -> Any:
    return to.unary_stream(method, encode, decode)(text, **how)


def conversation(to: grpc.aio.Channel, method: str, **how: Any) -> Any:
    """Begin a stream both ways: write and read texts."""
    return to.stream_stream(method, encode, decode)(**how)
