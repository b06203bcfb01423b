"""Objects as the bytes that are stored, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from simulator.errors import KnaryError
from simulator.resources.meta import Resource
from simulator.resources.scheme import KINDS, info_of


class DocumentUnreadable(KnaryError):
    """A stored document is not what this knary stores."""


_encoder = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    info.qualified: msgspec.json.Decoder(info.type) for info in KINDS
}


def kind_name(kind: type[Resource]) -> str:
    """Return the name under which the kind is stored: its plural and group."""
    return info_of(kind).qualified


def encode(obj: Resource) -> bytes:
    """Return the object as JSON. Raise TypeError when a free-form field holds what JSON cannot."""
    return _encoder.encode(obj)


def encode_labels(labels: dict[str, str]) -> bytes:
    return _encoder.encode(labels)


def decode_labels(document: bytes) -> dict[str, str]:
    return msgspec.json.decode(document, type=dict[str, str])


def decode(kind: str, document: bytes) -> Resource:
    """Return the object that `encode` wrote under this kind name. Raise DocumentUnreadable."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise DocumentUnreadable(f'the database holds an object of the unknown kind "{kind}"')
    try:
        obj: Resource = decoder.decode(document)
    except msgspec.MsgspecError as error:
        raise DocumentUnreadable(f"the database holds a damaged {kind}: {error}") from error
    return obj
