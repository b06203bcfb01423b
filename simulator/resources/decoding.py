"""From a client's JSON document to an API object: the structs are the only schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from simulator.errors import BadRequest
from simulator.resources.documents import parse_json
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo

__all__ = ["Decoded", "decode", "decoding_warnings", "parse_json", "strict_decoding_error"]


class Decoded(Struct, frozen=True):
    """The object, and the path of each field that no schema knows (they are dropped)."""

    object: Resource
    unknown_fields: tuple[str, ...] = ()


def decode(document: Any, info: KindInfo) -> Decoded:
    """Return the object that a request's document describes; raise BadRequest or Invalid."""
    raise NotImplementedError


def strict_decoding_error(
    kind: str, version: str, unknown: Sequence[str], duplicates: Sequence[str]
) -> BadRequest:
    """Return the refusal of `fieldValidation=Strict`."""
    raise NotImplementedError


def decoding_warnings(unknown: Sequence[str], duplicates: Sequence[str]) -> tuple[str, ...]:
    """Return the texts of `fieldValidation=Warn`, one per field."""
    raise NotImplementedError
