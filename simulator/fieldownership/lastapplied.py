"""The way from client-side to server-side apply: the annotation in which kubectl kept what it sent.

Source: apimachinery `util/managedfields/internal/{lastappliedmanager,lastappliedupdater}.go`.
"""

from __future__ import annotations

import json
from typing import Any

from simulator.fieldownership.checking import flaws
from simulator.fieldownership.comparing import compare
from simulator.fieldownership.fieldset import EMPTY, FieldSet
from simulator.fieldownership.schema import Type
from simulator.fieldownership.values import fields_of
from simulator.resources.documents import TooDeep, check_depth
from simulator.resources.meta import LAST_APPLIED

KUBECTL = "kubectl"  # the manager whose applies take over what it once applied by itself
ANNOTATIONS_BYTES_MAX = 256 * 1024


def allowed_conflicts(live: dict[str, Any], type_: Type) -> FieldSet:
    """Return the fields that a client-side apply wrote, and that are still as it wrote them."""
    text = _annotations(live).get(LAST_APPLIED)
    if not isinstance(text, str) or not text:
        return EMPTY
    try:
        check_depth(text)
        applied = json.loads(text)
    except (TooDeep, ValueError, RecursionError):
        return EMPTY
    if not isinstance(applied, dict) or applied.get("apiVersion") != live.get("apiVersion"):
        return EMPTY
    if any(flaws(applied, type_)):
        return EMPTY
    difference = compare(applied, live, type_)
    return fields_of(applied, type_) - difference.modified - difference.added - difference.removed


def with_last_applied(merged: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return the document with its annotation, if it has one, saying what was applied now."""
    if not _annotations(merged).get(LAST_APPLIED):
        return merged
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("annotations"), dict):
        rest = {k: v for k, v in metadata["annotations"].items() if k != LAST_APPLIED}
        without = {k: v for k, v in metadata.items() if k != "annotations"}
        config = config | {"metadata": without | ({"annotations": rest} if rest else {})}
    text = json.dumps(config, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"
    annotations = {k: v for k, v in _annotations(merged).items() if k != LAST_APPLIED}
    if len(text.encode()) + sum(map(_bytes, annotations.items())) <= ANNOTATIONS_BYTES_MAX:
        annotations[LAST_APPLIED] = text
    return merged | {"metadata": merged["metadata"] | {"annotations": annotations}}


def _annotations(document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}


def _bytes(pair: tuple[str, Any]) -> int:
    return len(pair[0].encode()) + len(str(pair[1]).encode())
