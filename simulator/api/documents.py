"""Objects, lists and Status as the bytes that clients read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from simulator.errors import ApiError
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo, info_of

_encoder = msgspec.json.Encoder()


def to_json(document: Any) -> bytes:
    return _encoder.encode(document)


def object_json(obj: Resource) -> bytes:
    """Return the object with its apiVersion and kind, which every item of a list has too."""
    head = f'{{"apiVersion":"{obj.API_VERSION}","kind":"{obj.KIND}"'.encode()
    body = _encoder.encode(obj)
    # Spliced: the encoder writes a struct directly, four times as fast as by way of a dict.
    return head + (b"," + body[1:] if len(body) > 2 else b"}")


def list_json(info: KindInfo, objects: Sequence[Resource], metadata: dict[str, Any]) -> bytes:
    """Return the kind's list."""
    head = {"kind": f"{info.kind}List", "apiVersion": info.api_version, "metadata": metadata}
    items = b",".join(object_json(obj) for obj in objects)
    return to_json(head)[:-1] + b',"items":[' + items + b"]}"


def partial(obj: Resource, api_version: str) -> dict[str, Any]:
    """Return the object's metadata alone, as meta.k8s.io's PartialObjectMetadata."""
    metadata = msgspec.to_builtins(obj.metadata)
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": metadata}


def partial_list(
    objects: Sequence[Resource], api_version: str, metadata: dict[str, Any]
) -> dict[str, Any]:
    """Return the metadata of many objects, as PartialObjectMetadataList."""
    items = [partial(obj, api_version) for obj in objects]
    kind = "PartialObjectMetadataList"
    return {"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}


def status_json(error: ApiError) -> bytes:
    """Return the metav1.Status of a refusal."""
    return to_json(error.status())


def deleted_status(obj: Resource) -> dict[str, Any]:
    """Return the metav1.Status that says that the object is gone."""
    info = info_of(obj)
    details = {"name": obj.metadata.name, "kind": info.plural, "uid": obj.uid}
    if info.group:
        details["group"] = info.group
    return success_status(details)


def success_status(details: dict[str, Any] | None = None) -> dict[str, Any]:
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
    }
    return status | {"details": details} if details else status
