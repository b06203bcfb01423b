"""kubectl's client-side apply: the three-way JSON merge patch. Pure.

Source: apimachinery `pkg/util/jsonmergepatch`, kubectl `pkg/cmd/apply`.
"""

from __future__ import annotations

import json
from typing import Any

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Document = dict[str, Any]


def with_last_applied(manifest: Document) -> Document:
    """Return the manifest with itself, as one line of JSON, in the annotation of apply."""
    metadata = dict(manifest.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    # kubectl writes the annotations field even when it is empty, and ends with a newline.
    plain = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    annotations = {**annotations, LAST_APPLIED: text}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def last_applied(current: Document) -> Document:
    """Return what was applied before, {} when nothing was or it cannot be read."""
    annotations = (current.get("metadata") or {}).get("annotations") or {}
    try:
        before = json.loads(annotations.get(LAST_APPLIED, "{}"))
    except ValueError:
        return {}
    return before if isinstance(before, dict) else {}


def three_way_patch(before: Document, wanted: Document, current: Document) -> Document:
    """Return the merge patch that sets what is wanted and removes what is wanted no more.

    `before` is what was applied last, `current` what the API has. Fields that others set stay.
    """
    return _merged(_removals(before, wanted), _additions(current, wanted))


def _additions(current: Document, wanted: Document) -> Document:
    """Return what `wanted` has and `current` has not, or has otherwise."""
    patch: Document = {}
    for key, value in wanted.items():
        if value is None:
            continue
        there = current.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            if below := _additions(there, value):
                patch[key] = below
        elif key not in current or there != value or type(there) is not type(value):
            patch[key] = value
    return patch


def _removals(before: Document, wanted: Document) -> Document:
    """Return a null for each field that was applied before and is not wanted now."""
    patch: Document = {}
    for key, value in before.items():
        if key not in wanted:
            patch[key] = None
        elif isinstance(value, dict) and isinstance(wanted[key], dict):
            below = _removals(value, wanted[key])
            patch.update({key: below} if below else {})
    return patch


def _merged(under: Document, over: Document) -> Document:
    result = dict(under)
    for key, value in over.items():
        there = result.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            result[key] = _merged(there, value)
        else:
            result[key] = value
    return result
