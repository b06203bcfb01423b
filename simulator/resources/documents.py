"""Bytes from a client to a JSON document, safely: UTF-8, bounded depth, duplicate keys named."""

from __future__ import annotations

from typing import Any


def parse_json(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """Return the document and the paths of keys given twice (the last one counts).

    Raise BadRequest when the body is not JSON in UTF-8 or nests deeper than `DEPTH_MAX`.
    """
    raise NotImplementedError
