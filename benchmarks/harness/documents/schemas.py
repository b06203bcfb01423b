"""The kinds of documents, and the JSON Schema of each, made from the structs. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.harness.documents import comparison, gateway, splitters
from benchmarks.harness.documents.comparison import ComparisonDocument
from benchmarks.harness.documents.envelope import Document
from benchmarks.harness.documents.gateway import GatewayResult
from benchmarks.harness.documents.splitters import SplittersResult

# What a run leaves behind. A kind's line here gives it a published schema, and a place in
# `knary bench compare`.
DOCUMENTS: dict[str, Any] = {
    gateway.SCHEMA: Document[GatewayResult],
    splitters.SCHEMA: Document[SplittersResult],
}


PUBLISHED: dict[str, Any] = {**DOCUMENTS, comparison.SCHEMA: ComparisonDocument}


def json_schema(schema: str) -> dict[str, Any]:
    """Return the JSON Schema of documents. Raise KeyError for a kind that is not known."""
    made: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(msgspec.json.schema(PUBLISHED[schema]))  # tuples become lists
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema,
        **made,
    }


def file_name(schema: str) -> str:
    """Return the name of a kind's file in docs/schemas."""
    return f"{schema.replace('/', '.')}.json"
