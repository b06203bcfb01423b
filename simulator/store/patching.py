"""How a patch changes a document: RFC 7386 (merge patch) and RFC 6902 (JSON patch)."""

from __future__ import annotations

from typing import Any


def merge_patch(document: Any, patch: Any) -> Any:
    """Return the document with the merge patch applied; neither argument is changed."""
    raise NotImplementedError


def json_patch(document: Any, operations: Any) -> Any:
    """Return the document with the operations applied in order, or raise; all or nothing."""
    raise NotImplementedError
