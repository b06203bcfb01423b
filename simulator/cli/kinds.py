"""The kinds that commands may name. A copy of simulator/resources/scheme.py's names, kept equal
by a test: importing that module takes 20 ms that `knary get` does not have.
"""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

from simulator.cli.exits import UsageError


class Kind(NamedTuple):
    """One kind of the API; a `ResourceInfo` for the client."""

    kind: str
    group: str
    version: str
    plural: str
    singular: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return the name that kubectl puts before an object's: `service.serving.knative.dev`."""
        return f"{self.singular}.{self.group}" if self.group else self.singular


_SERVING = "serving.knative.dev"
_KNATIVE = ("all", "knative", "serving")

SERVICE = Kind("Service", _SERVING, "v1", "services", "service", ("kservice", "ksvc"), _KNATIVE)
CONFIGURATION = Kind(
    "Configuration", _SERVING, "v1", "configurations", "configuration", ("config", "cfg"), _KNATIVE
)
REVISION = Kind("Revision", _SERVING, "v1", "revisions", "revision", ("rev",), _KNATIVE)
ROUTE = Kind("Route", _SERVING, "v1", "routes", "route", ("rt",), _KNATIVE)
DOMAIN_MAPPING = Kind(
    "DomainMapping", _SERVING, "v1beta1", "domainmappings", "domainmapping", ("dm",), _KNATIVE
)
INGRESS = Kind(
    "Ingress",
    "networking.internal.knative.dev",
    "v1alpha1",
    "ingresses",
    "ingress",
    ("kingress", "king"),
    ("knative-internal", "networking"),
)
CLUSTER_DOMAIN_CLAIM = Kind(
    "ClusterDomainClaim",
    "networking.internal.knative.dev",
    "v1alpha1",
    "clusterdomainclaims",
    "clusterdomainclaim",
    ("cdc",),
    ("knative-internal", "networking"),
    namespaced=False,
)
FAULT = Kind("Fault", "knary.dev", "v1", "faults", "fault", (), ("knary",))
NAMESPACE = Kind("Namespace", "", "v1", "namespaces", "namespace", ("ns",), namespaced=False)
CONFIG_MAP = Kind("ConfigMap", "", "v1", "configmaps", "configmap", ("cm",))
POD = Kind("Pod", "", "v1", "pods", "pod", ("po",), ("all",))
EVENT = Kind("Event", "", "v1", "events", "event", ("ev",))
SECRET = Kind("Secret", "", "v1", "secrets", "secret")
SERVICE_ACCOUNT = Kind("ServiceAccount", "", "v1", "serviceaccounts", "serviceaccount", ("sa",))
# Below Knative's in the table: to knary a plain "service" is one of Knative's, "svc" is not.
CORE_SERVICE = Kind("Service", "", "v1", "services", "service", ("svc",), ("all",))
ENDPOINTS = Kind("Endpoints", "", "v1", "endpoints", "endpoints", ("ep",))
ENDPOINT_SLICE = Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices", "endpointslice")
DEPLOYMENT = Kind("Deployment", "apps", "v1", "deployments", "deployment", ("deploy",), ("all",))
IMAGE = Kind(
    "Image",
    "caching.internal.knative.dev",
    "v1alpha1",
    "images",
    "image",
    ("img",),
    ("knative-internal", "caching"),
)

KINDS = (
    SERVICE,
    CONFIGURATION,
    REVISION,
    ROUTE,
    DOMAIN_MAPPING,
    INGRESS,
    CLUSTER_DOMAIN_CLAIM,
    FAULT,
    NAMESPACE,
    CONFIG_MAP,
    POD,
    SECRET,
    SERVICE_ACCOUNT,
    CORE_SERVICE,
    ENDPOINTS,
    ENDPOINT_SLICE,
    DEPLOYMENT,
    IMAGE,
    EVENT,
)
WITH_READY = (SERVICE, CONFIGURATION, REVISION, ROUTE, DOMAIN_MAPPING)


def find_kinds(text: str) -> tuple[Kind, ...]:
    """Return the kinds of "ksvc", "revisions,routes" or a category like "knative".

    Raise UsageError with the nearest names when one is not known.
    """
    found: dict[Kind, None] = {}
    for word in text.split(","):
        found.update(dict.fromkeys(_find(word)))
    return tuple(found)


def find_kind(text: str) -> Kind:
    """Return the one kind of that name. Raise UsageError."""
    kinds = find_kinds(text)
    if len(kinds) != 1:
        raise UsageError(f"'{text}' names several kinds; give one")
    return kinds[0]


def kind_of(document: Any) -> Kind | None:
    """Return the kind that a manifest's apiVersion and kind name, or None."""
    for kind in KINDS:
        if (kind.api_version, kind.kind) == (document.get("apiVersion"), document.get("kind")):
            return kind
    return None


def _find(word: str) -> tuple[Kind, ...]:
    lower = word.lower()
    for kind in KINDS:
        if lower in _names(kind):
            return (kind,)
    if group := tuple(kind for kind in KINDS if lower in kind.categories):
        return group
    known = [name for kind in KINDS for name in _names(kind)]
    near = difflib.get_close_matches(lower, known, n=2, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    kinds = ", ".join(dict.fromkeys(kind.plural for kind in KINDS))
    raise UsageError(f"no kind '{word}'{hint} Known: {kinds}")


def _names(kind: Kind) -> tuple[str, ...]:
    plain = (kind.singular, kind.plural, *kind.short_names)
    full = f"{kind.plural}.{kind.group}", f"{kind.plural}.{kind.version}.{kind.group}"
    return (*plain, kind.qualified, *full)
