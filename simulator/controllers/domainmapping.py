"""DomainMapping → a claim of its domain, the host that it refers to, and the Ingress between them.

What fails stops there: the Ingress stays as it was. Events say what exactly failed; conditions are
Knative's, word by word.
Sources: knative/serving `pkg/reconciler/domainmapping`, `v1beta1/domainmapping_lifecycle.go`;
knative/pkg `resolver/addressable_resolver.go`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.config.current import STOCK as STOCK_CONFIG
from simulator.config.current import Config, config_of, is_config
from simulator.reconciling.plan import (
    NOTHING,
    Action,
    Create,
    Delete,
    Plan,
    Record,
    Update,
    UpdateStatus,
)
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import READY, find
from simulator.resources.core import ConfigMap
from simulator.resources.domainmapping import (
    DOMAIN_MAPPING_FINALIZER,
    ClusterDomainClaim,
    ClusterDomainClaimSpec,
    DomainMapping,
    DomainMappingStatus,
    Reference,
)
from simulator.resources.lifecycle import ConditionSet
from simulator.resources.meta import Key, ObjectMeta, Resource, is_controlled_by
from simulator.resources.networking import Ingress
from simulator.resources.serving import Address, Route, Service
from simulator.resources.wording import quoted
from simulator.traffic.mapping import make_mapping_ingress, mapping_ingress_name

DOMAIN_CLAIMED = "DomainClaimed"
REFERENCE_RESOLVED = "ReferenceResolved"
INGRESS_READY = "IngressReady"
CERTIFICATE_PROVISIONED = "CertificateProvisioned"
CONDITIONS = ConditionSet(
    (DOMAIN_CLAIMED, REFERENCE_RESOLVED, INGRESS_READY, CERTIFICATE_PROVISIONED)
)
INSIDE = ".svc.cluster.local"

# What a DomainMapping may refer to, by apiVersion and kind; both say where they are reached.
_ADDRESSABLE: dict[tuple[str, str], type[Service] | type[Route]] = {
    (kind.API_VERSION, kind.KIND): kind for kind in (Service, Route)
}


class Observed(Struct, frozen=True):
    """A DomainMapping, who claimed its domain, what it refers to, and its Ingress."""

    mapping: DomainMapping
    claim: ClusterDomainClaim | None = None
    target: Service | Route | None = None
    ingress: Ingress | None = None
    config: Config = STOCK_CONFIG


class Unresolved(Exception):
    """The reference leads to no host that a domain can be mapped to."""


class DomainMappingController:
    """Keeps the Ingress of a DomainMapping at what it refers to."""

    name = "domainmapping"
    kind: type[Resource] = DomainMapping
    watches: tuple[type[Resource], ...] = (ClusterDomainClaim, Service, Route, Ingress, ConfigMap)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        meta = changed.metadata
        match changed:
            case DomainMapping():
                return (changed.key,)
            case Ingress():
                return tuple(
                    Key(meta.namespace, owner.name)
                    for owner in meta.owner_references
                    if owner.kind == DomainMapping.KIND
                )
            case ClusterDomainClaim():
                known = reader.list(DomainMapping)
                return tuple(one.key for one in known if one.metadata.name == meta.name)
            case ConfigMap():
                return (
                    tuple(o.key for o in reader.list(DomainMapping)) if is_config(changed) else ()
                )
            case _:
                known = reader.list(DomainMapping, meta.namespace)
                return tuple(one.key for one in known if _refers_to(one.spec.ref, changed))

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        mapping = reader.get(DomainMapping, *key)
        if mapping is None:
            return None
        reference = mapping.spec.ref
        kind = _ADDRESSABLE.get((reference.api_version, reference.kind))
        return Observed(
            mapping,
            claim=reader.get(ClusterDomainClaim, "", key.name),
            target=reader.get(kind, reference.namespace, reference.name) if kind else None,
            ingress=reader.get(Ingress, key.namespace, mapping_ingress_name(mapping)),
            config=config_of(reader),
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:
        mapping = observed.mapping
        if mapping.is_deleting:
            return _finalize(observed)
        finalizers = mapping.metadata.finalizers
        if DOMAIN_MAPPING_FINALIZER not in finalizers:
            kept = mapping.with_metadata(finalizers=(*finalizers, DOMAIN_MAPPING_FINALIZER))
            message = f'Updated "{mapping.metadata.name}" finalizers'
            return Plan((Update(kept), Record(mapping, "Normal", "FinalizerUpdate", message)))
        network = observed.config.network
        if observed.claim is None and network.autocreate_cluster_domain_claims:
            return Plan((Create(make_claim(mapping)),))  # that it is there wakes us
        return _Work(observed, now).plan()


class _Work:
    """One plan in the making: the actions so far, and the conditions."""

    def __init__(self, observed: Observed, now: datetime) -> None:
        self._observed = observed
        self._mapping = observed.mapping
        self._actions: list[Action] = []
        status, generation = observed.mapping.status, observed.mapping.metadata.generation
        self._conditions = CONDITIONS.begin(
            status.conditions, generation, status.observed_generation, now
        )
        if generation != status.observed_generation:
            self._mark_ingress_not_configured()

    def plan(self) -> Plan:
        failure = self._map()
        mapping = self._mapping
        status = self._status()
        if status != mapping.status:
            if failure:
                self._actions.append(Record(mapping, "Warning", "InternalError", failure))
            self._actions.append(UpdateStatus(msgspec.structs.replace(mapping, status=status)))
        return Plan(tuple(self._actions))

    def _map(self) -> str:
        """Do what can be done; return what failed, or ""."""
        if failure := _claim_failure(self._observed):
            self._conditions.mark_false(
                DOMAIN_CLAIMED,
                "DomainAlreadyClaimed",
                "The domain name is already in use by another DomainMapping",
            )
            return failure
        self._conditions.mark_true(DOMAIN_CLAIMED)
        if self._mapping.spec.tls is not None:
            reason, message = (
                "CertificateExternallyProvided",
                "TLS certificate was provided externally",
            )
        else:
            reason, message = "TLSNotEnabled", "external-domain-tls is not enabled"
        self._conditions.mark_true(CERTIFICATE_PROVISIONED, reason, message)
        try:
            target = resolve(self._mapping, self._observed.target)
        except Unresolved as unresolved:
            self._conditions.mark_false(REFERENCE_RESOLVED, "ResolveFailed", str(unresolved))
            return f"resolving reference: {unresolved}"
        self._conditions.mark_true(REFERENCE_RESOLVED)
        self._reconcile_ingress(make_mapping_ingress(self._mapping, target))
        return ""

    def _reconcile_ingress(self, desired: Ingress) -> None:
        found, mapping = self._observed.ingress, self._mapping
        if found is None:
            self._actions.append(Create(desired))
            message = f'Created Ingress "{desired.metadata.name}"'
            self._actions.append(Record(mapping, "Normal", "Created", message))
            self._mark_ingress_not_configured()
            return
        if found.is_deleting or not is_controlled_by(found, mapping):
            # What an earlier one of this name left behind is about to go, and wakes us then.
            self._mark_ingress_not_configured()
            return
        updated = msgspec.structs.replace(found, spec=desired.spec).with_metadata(
            labels=desired.metadata.labels, annotations=desired.metadata.annotations
        )
        if updated != found:
            self._actions.append(Update(updated))
        ready = find(found.status.conditions, READY)
        is_observed = found.metadata.generation == found.status.observed_generation
        if found.spec != desired.spec or not is_observed or ready is None:
            self._mark_ingress_not_configured()
        else:
            self._conditions.mark_as(INGRESS_READY, ready)

    def _mark_ingress_not_configured(self) -> None:
        message = "Ingress has not yet been reconciled."
        self._conditions.mark_unknown(INGRESS_READY, "IngressNotConfigured", message)

    def _status(self) -> DomainMappingStatus:
        mapping = self._mapping
        scheme = self._observed.config.network.default_external_scheme
        if mapping.spec.tls is not None and not _claim_failure(self._observed):
            scheme = "https"
        url = f"{scheme}://{mapping.metadata.name}"
        return msgspec.structs.replace(
            mapping.status,
            url=url,
            address=Address(url=url),
            conditions=self._conditions.result(),
            observed_generation=mapping.metadata.generation,
        )


def make_claim(mapping: DomainMapping) -> ClusterDomainClaim:
    """Return the claim of the mapping's domain for its namespace."""
    return ClusterDomainClaim(
        metadata=ObjectMeta(name=mapping.metadata.name),
        spec=ClusterDomainClaimSpec(mapping.metadata.namespace),
    )


def resolve(mapping: DomainMapping, target: Service | Route | None) -> str:
    """Return the host inside the cluster that the mapping leads to. Raise Unresolved."""
    reference = mapping.spec.ref
    if target is None:
        missing = f'{_resource(reference)} "{reference.name}" not found'
        where = f"{reference.namespace}/{reference.name}"
        raise Unresolved(f"failed to get object {where}: {missing}")
    url = target.status.address.url if target.status.address else ""
    if not url:
        raise Unresolved(f"address not set for {_described(reference)}")
    host, _, path = url.partition("://")[2].partition("/")
    if path:
        raise Unresolved(f"resolved URI {quoted(url)} contains a path")
    parts = host.removesuffix(INSIDE).split(".")
    if not host.endswith(INSIDE) or len(parts) != 2:
        raise Unresolved(
            f"resolved URI {quoted(url)} must be of the form {{name}}.{{namespace}}{INSIDE}"
        )
    if parts[1] != mapping.metadata.namespace:
        raise Unresolved(f"resolved URI {quoted(url)} must be in same namespace as DomainMapping")
    return host


def _claim_failure(observed: Observed) -> str:
    """Return why the domain is not this namespace's, or ""."""
    claim, meta = observed.claim, observed.mapping.metadata
    if claim is None:
        return (
            f"no ClusterDomainClaim found for domain {quoted(meta.name)}"
            " (and autocreate-cluster-domain-claims property is not true)"
        )
    if claim.spec.namespace != meta.namespace:
        return (
            f"namespace {quoted(meta.namespace)} does not own ClusterDomainClaim for"
            f" {quoted(meta.name)}"
        )
    return ""


def _finalize(observed: Observed) -> Plan:
    """Give up the claim, if claims are ours to make, and let the DomainMapping go."""
    mapping, claim = observed.mapping, observed.claim
    kept = tuple(one for one in mapping.metadata.finalizers if one != DOMAIN_MAPPING_FINALIZER)
    if kept == mapping.metadata.finalizers:
        return NOTHING
    actions: list[Action] = []
    is_ours = observed.config.network.autocreate_cluster_domain_claims
    if is_ours and claim is not None and claim.spec.namespace == mapping.metadata.namespace:
        actions.append(Delete(claim))
    actions.append(Update(mapping.with_metadata(finalizers=kept)))
    return Plan(tuple(actions))


def _refers_to(reference: Reference, obj: Resource) -> bool:
    meta = obj.metadata
    named = (reference.api_version, reference.kind, reference.namespace, reference.name)
    return named == (obj.API_VERSION, obj.KIND, meta.namespace, meta.name)


def _resource(reference: Reference) -> str:
    """Return `plural.group` of what is referred to, as Kubernetes guesses it from the kind."""
    group = reference.api_version.rpartition("/")[0]
    plural = f"{reference.kind.lower()}s"
    return f"{plural}.{group}" if group else plural


def _described(reference: Reference) -> str:
    return (
        f"Kind = {reference.kind}, Namespace = {reference.namespace}, Name = {reference.name},"
        f" APIVersion = {reference.api_version}, Group = {reference.group},"
        f" Address = {reference.address or ''}"
    )
