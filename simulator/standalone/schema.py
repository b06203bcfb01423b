"""The JSON Schema of a file of routes, for editors and other programs. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from simulator.standalone.document import GatewayDocument


def json_schema() -> dict[str, Any]:
    """Return the schema; sums and references within a file are beyond it."""
    schema: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(msgspec.json.schema(GatewayDocument))  # tuples become lists
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Routes of knary gateway",
        **schema,
    }
