"""The rules of DomainMappings, and of the claims that they need.

Sources: knative/serving `pkg/apis/serving/v1beta1/domainmapping_validation.go`; knative/pkg
`apis/duck/v1/knative_reference.go`; networking `v1alpha1/domainclaim_validation.go`; apimachinery
`IsFullyQualifiedDomainName`.
"""

from __future__ import annotations

from simulator.admission.fielderrors import (
    NONE,
    Errors,
    disallowed_fields,
    generic,
    missing_field,
    via_field,
)
from simulator.admission.metadata_validation import validate_creator_and_modifier
from simulator.resources.domainmapping import ClusterDomainClaim, DomainMapping, Reference
from simulator.resources.meta import ObjectMeta
from simulator.resources.names import dns_1123_label_problems, dns_1123_subdomain_problems
from simulator.resources.wording import quoted

CLUSTER_DOMAIN = "cluster.local"


def validate_domain_mapping(new: DomainMapping, old: DomainMapping | None) -> Errors:
    """Return what is wrong with a DomainMapping; `old` is what it would replace."""
    errors = _validate_name(new.metadata)
    if old is not None:
        errors += via_field(
            validate_creator_and_modifier(
                old.metadata.annotations, new.metadata.annotations, lambda: old.spec != new.spec
            ),
            "annotations",
        )
    reference = _validate_reference(new.spec.ref, new.metadata.namespace)
    return via_field(errors, "metadata") + via_field(reference, "spec", "ref")


def validate_domain_claim(new: ClusterDomainClaim) -> Errors:
    """Return what is wrong with a claim."""
    return NONE if new.spec.namespace else missing_field("spec.namespace")


def _validate_name(meta: ObjectMeta) -> Errors:
    errors = disallowed_fields("generateName") if meta.generate_name else NONE
    name = meta.name
    if problems := _problems(name):
        why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        errors += generic(f"invalid name {quoted(name)}: {why}", "name")
    if name.endswith(f".{CLUSTER_DOMAIN}"):
        errors += generic(
            f"invalid name {quoted(name)}: must not be a subdomain of cluster local domain"
            f" {quoted(CLUSTER_DOMAIN)}",
            "name",
        )
    return errors


def _problems(name: str) -> list[str]:
    """Return what keeps the name from being a whole domain name, as Kubernetes lists it."""
    if not name:
        return ["name: Required value"]
    plain = name.removesuffix(".")
    if problems := dns_1123_subdomain_problems(plain):
        return [f"name: Invalid value: {quoted(plain)}: {','.join(problems)}"]
    labels = plain.split(".")
    if len(labels) < 2:
        why = "should be a domain with at least two segments separated by dots"
        return [f"name: Invalid value: {quoted(plain)}: {why}"]
    return [
        f"name: Invalid value: {quoted(label)}: {','.join(problems)}"
        for label in labels
        if (problems := dns_1123_label_problems(label))
    ]


def _validate_reference(reference: Reference, namespace: str) -> Errors:
    named = {
        "name": reference.name,
        "apiVersion": reference.api_version,
        "kind": reference.kind,
    }
    errors = NONE
    for field, value in named.items():
        if not value:
            errors += missing_field(field)
    if reference.group:
        errors += disallowed_fields("group")
    if reference.namespace and namespace and reference.namespace != namespace:
        details = (
            f"parent namespace: {quoted(namespace)} does not match ref:"
            f" {quoted(reference.namespace)}"
        )
        errors += generic("mismatched namespaces", "namespace", details=details)
    return errors
