"""Where Pods listen, and which Services select them: what Endpoints and EndpointSlices are made of.

A replica's port is the one where it is reached, whatever `targetPort` says.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.reconciling.reader import Reader
from simulator.resources.core import ANNOTATION_ADDRESS, ObjectReference, Pod
from simulator.resources.endpoints import SELECTED_LABEL, CoreService
from simulator.resources.meta import Key


class Address(NamedTuple):
    """Where a Pod listens."""

    ip: str
    port: int


def address_of(pod: Pod) -> Address | None:
    """Return where the Pod listens, None when it has no place yet."""
    # Which network it is in, before the "@", is no part of an address.
    text = pod.metadata.annotations.get(ANNOTATION_ADDRESS, "")
    host, _, port = text.rpartition("@")[2].rpartition(":")
    return Address(host, int(port)) if host and port.isdigit() else None


def reference_to(pod: Pod) -> ObjectReference:
    """Return how an address names the Pod that has it."""
    return ObjectReference(
        kind=Pod.KIND, namespace=pod.metadata.namespace, name=pod.metadata.name, uid=pod.uid
    )


def services_that_select(pod: Pod, reader: Reader) -> tuple[Key, ...]:
    """Return the Services whose selector fits the Pod."""
    return tuple(
        service.key
        for key, text in pod.metadata.labels.items()
        for service in reader.naming(
            CoreService, pod.metadata.namespace, SELECTED_LABEL, f"{key}={text}"
        )
        if selects(service, pod)
    )


def selects(service: CoreService, pod: Pod) -> bool:
    """Tell whether the Service's selector, if it has one, fits the Pod."""
    labels = pod.metadata.labels
    selector = service.spec.selector
    return bool(selector) and all(labels.get(key) == text for key, text in selector.items())
