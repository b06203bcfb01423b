"""Documents as users write them, and what admission makes of them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from simulator.admission.admit import Admitted, admit
from simulator.admission.settings import STOCK, Defaults
from simulator.errors import BadRequest
from simulator.resources.decoding import decode
from simulator.resources.meta import Resource
from simulator.resources.scheme import BY_KIND

SERVING = "serving.knative.dev/v1"
IMAGE = "registry.example.com/hello:1"
DENIED = (
    'admission webhook "validation.webhook.serving.knative.dev" denied the request:'
    " validation failed: "
)

Document = dict[str, Any]


def container(**fields: Any) -> Document:
    """Return a container that is fine as it is."""
    return {"image": IMAGE, **fields}


def service(
    traffic: list[Document] | None = None,
    annotations: dict[str, str] | None = None,
    template: Document | None = None,
    **spec: Any,
) -> Document:
    """Return a Service "hello"; `spec` overrides fields of the revision's spec."""
    metadata: Document = {"name": "hello", "namespace": "default"}
    if annotations:
        metadata["annotations"] = annotations
    body: Document = {
        "template": {
            "metadata": template or {},
            "spec": {"containers": [container()], **spec},
        }
    }
    if traffic is not None:
        body["traffic"] = traffic
    return {"apiVersion": SERVING, "kind": "Service", "metadata": metadata, "spec": body}


def route(traffic: list[Document], **metadata: Any) -> Document:
    return {
        "apiVersion": SERVING,
        "kind": "Route",
        "metadata": {"name": "hello", "namespace": "default", **metadata},
        "spec": {"traffic": traffic},
    }


def configuration(**metadata: Any) -> Document:
    return {
        "apiVersion": SERVING,
        "kind": "Configuration",
        "metadata": {"name": "hello", "namespace": "default", **metadata},
        "spec": {"template": {"spec": {"containers": [container()]}}},
    }


def revision(spec: Document | None = None, **metadata: Any) -> Document:
    return {
        "apiVersion": SERVING,
        "kind": "Revision",
        "metadata": {"name": "hello-00001", "namespace": "default", **metadata},
        "spec": spec or {"containers": [container()]},
    }


def decoded(document: Document) -> Resource:
    """Return the object that a document describes, before admission."""
    return decode(document, BY_KIND[document["apiVersion"], document["kind"]]).object


def admitted(
    document: Document, old: Resource | None = None, user: str = "ann", defaults: Defaults = STOCK
) -> Admitted:
    """Return what admission makes of a document."""
    return admit(decoded(document), old, user, defaults)


def refusal(document: Document, old: Resource | None = None, defaults: Defaults = STOCK) -> str:
    """Return Knative's words about a document that it refuses."""
    with pytest.raises(BadRequest) as refused:
        admitted(document, old, defaults=defaults)
    message = refused.value.message
    assert message.startswith(DENIED)
    return message.removeprefix(DENIED)


def edited(document: Document, path: str, value: Any) -> Document:
    """Return a copy with the value at a dotted path of keys and indexes."""
    copied = copy.deepcopy(document)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    holder: Any = copied
    for part in parents:
        holder = holder[part]
    holder[last] = value
    return copied
