"""Objects as the bytes that are stored, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from simulator.errors import KnaryError
from simulator.resources.core import Event, Pod, PodStatus, PodTemplateSpec
from simulator.resources.meta import ObjectMeta, Resource
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


def selectable(obj: Resource) -> Resource:
    """Return the object with no more than selectors can see and a write can change.

    Stored beside an event when the write changed it: a watch with a selector must see objects
    leave its selection, also when it replays what happened before a restart.
    """
    meta = obj.metadata
    slim = ObjectMeta(name=meta.name, namespace=meta.namespace, labels=meta.labels)
    if isinstance(obj, Pod):
        spec = PodTemplateSpec(
            node_name=obj.spec.node_name,
            restart_policy=obj.spec.restart_policy,
            service_account_name=obj.spec.service_account_name,
        )
        status = PodStatus(phase=obj.status.phase, pod_ip=obj.status.pod_ip)
        return Pod(metadata=slim, spec=spec, status=status)
    if isinstance(obj, Event):
        return msgspec.structs.replace(obj, metadata=slim)
    return type(obj)(metadata=slim)


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
