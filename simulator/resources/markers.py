"""What Kubernetes' schemas say of lists and maps beyond their types: one table for every use.

`x-kubernetes-list-type`, `-list-map-keys` and `-map-type` decide who owns what and how an apply
merges; `patchMergeKey` and `patchStrategy` how a strategic merge patch does. Sources: core/v1,
apps/v1 and meta/v1 `types.go`; knative/serving `config/core/300-resources`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from simulator.resources import apps, core, endpoints, meta, podspec, serving


class Items(Struct, frozen=True):
    """How a list's items are told apart: by `keys`, or by their value when there are none.

    `merge_key` is what a strategic merge patch tells them apart by; "" for scalars, None where
    it replaces the list. `retains_keys`: of an item, a patch may say which fields stay.
    """

    keys: tuple[str, ...] = ()
    merge_key: str | None = None
    defaults: dict[str, Any] = {}
    retains_keys: bool = False


_BY_NAME = Items(("name",), "name")

_ITEMS: dict[tuple[type, str], Items] = {
    (meta.ObjectMeta, "finalizers"): Items((), ""),
    (meta.ObjectMeta, "ownerReferences"): Items(("uid",), "uid"),
    (core.PodTemplateSpec, "containers"): _BY_NAME,
    (core.PodTemplateSpec, "initContainers"): _BY_NAME,
    (core.PodTemplateSpec, "volumes"): Items(("name",), "name", retains_keys=True),
    (core.PodTemplateSpec, "imagePullSecrets"): _BY_NAME,
    (core.PodTemplateSpec, "hostAliases"): Items(("ip",), "ip"),
    (core.PodTemplateSpec, "topologySpreadConstraints"): Items(
        ("topologyKey", "whenUnsatisfiable"), "topologyKey"
    ),
    (core.PodStatus, "conditions"): Items(("type",), "type"),
    (core.PodStatus, "podIPs"): Items(("ip",), "ip"),
    (core.ServiceAccount, "secrets"): _BY_NAME,
    (apps.DeploymentStatus, "conditions"): Items(("type",), "type"),
    (endpoints.CoreServiceSpec, "ports"): Items(("port", "protocol"), "port", {"protocol": "TCP"}),
    (podspec.Container, "ports"): Items(
        ("containerPort", "protocol"), "containerPort", {"protocol": "TCP"}
    ),
    (podspec.Container, "env"): _BY_NAME,
    (podspec.Container, "volumeMounts"): Items(("mountPath",), "mountPath"),
    (podspec.ResourceRequirements, "claims"): Items(("name",)),
    (serving.RevisionSpec, "volumes"): Items(("name",)),
    (serving.RevisionSpec, "imagePullSecrets"): Items(("name",)),
}

# Maps that are one value as a whole: fields (of a struct), or structs ("").
_ATOMIC: frozenset[tuple[type, str]] = frozenset(
    {
        (podspec.PodSpec, "nodeSelector"),
        (meta.OwnerReference, ""),
        (core.ObjectReference, ""),
        (core.LocalObjectReference, ""),
        (apps.LabelSelector, ""),
        (endpoints.CoreServiceSpec, "selector"),
    }
)


def items_of(holder: type, field: str) -> Items | None:
    """Return how the items of this list are told apart, None when it is one value as a whole."""
    for struct in holder.__mro__:
        if found := _ITEMS.get((struct, field)):
            return found
    return None


def is_atomic(holder: type, field: str) -> bool:
    """Tell whether the struct's map of this name, or with "" the struct, is one value."""
    return any((struct, field) in _ATOMIC for struct in holder.__mro__)
