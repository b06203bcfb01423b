"""The kinds of documents, and the JSON Schema of each, made from the structs. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.harness.documents import gateway
from benchmarks.harness.documents.envelope import Document
from benchmarks.harness.documents.gateway import GatewayResult

# A kind's line here gives it a published schema, and a place in `knary bench compare`.
DOCUMENTS: dict[str, Any] = {gateway.SCHEMA: Document[GatewayResult]}


def json_schema(schema: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind's documents. Raise KeyError for a kind that is not known."""
    made: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(msgspec.json.schema(DOCUMENTS[schema]))  # tuples become lists
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema,
        **made,
    }


def file_name(schema: str) -> str:
    """Return the name of a kind's file in docs/schemas."""
    return f"{schema.replace('/', '.')}.json"
