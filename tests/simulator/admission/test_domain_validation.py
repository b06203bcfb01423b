"""DomainMappings, claims and ConfigMaps: defaults and refusals, in Knative's words."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.admission.admit import admit
from simulator.errors import BadRequest, Invalid
from simulator.resources.core import ConfigMap
from simulator.resources.domainmapping import (
    ClusterDomainClaim,
    ClusterDomainClaimSpec,
    DomainMapping,
    DomainMappingSpec,
    Reference,
)
from simulator.resources.meta import ObjectMeta
from simulator.resources.serving import ANNOTATION_CREATOR, ANNOTATION_LAST_MODIFIER

DENIED = 'admission webhook "{}webhook.serving.knative.dev" denied the request: validation failed: '
REFERENCE = Reference("Service", "default", "hello", "serving.knative.dev/v1")


def mapping(name: str = "www.shop.test", reference: Reference = REFERENCE) -> DomainMapping:
    return DomainMapping(ObjectMeta(name=name, namespace="default"), DomainMappingSpec(reference))


def refusal(obj: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        admit(obj, None, "me")
    return str(refused.value)


def test_the_references_namespace_is_the_mappings_own() -> None:
    found = admit(mapping(reference=Reference("Service", "", "hello", "v1")), None, "me").object
    assert isinstance(found, DomainMapping)
    assert found.spec.ref.namespace == "default"
    assert found.metadata.annotations == {ANNOTATION_CREATOR: "me", ANNOTATION_LAST_MODIFIER: "me"}


def test_an_update_is_signed_when_the_spec_changed() -> None:
    first = admit(mapping(), None, "me").object
    again = admit(first, first, "you").object
    assert again.metadata.annotations[ANNOTATION_LAST_MODIFIER] == "me"


NAMES: list[Any] = [
    pytest.param(
        "shop",
        'invalid name "shop": name: Invalid value: "shop": should be a domain with at least two'
        " segments separated by dots: metadata.name",
        id="one label",
    ),
    pytest.param(
        "a.svc.cluster.local",
        'invalid name "a.svc.cluster.local": must not be a subdomain of cluster local domain'
        ' "cluster.local": metadata.name',
        id="a name inside",
    ),
    pytest.param(
        f"{'x' * 64}.test",
        f'invalid name "{"x" * 64}.test": name: Invalid value: "{"x" * 64}": must be no more than'
        " 63 characters: metadata.name",
        id="a long label",
    ),
]


@pytest.mark.parametrize(("name", "message"), NAMES)
def test_a_name_that_is_no_domain_is_refused(name: str, message: str) -> None:
    assert refusal(mapping(name)) == DENIED.format("validation.") + message


def test_a_name_that_kubernetes_does_not_allow_is_refused_by_kubernetes() -> None:
    with pytest.raises(Invalid, match=r"metadata\.name"):
        admit(mapping("Shop.test"), None, "me")


REFERENCES: list[Any] = [
    pytest.param(
        Reference(),
        "missing field(s): spec.ref.apiVersion, spec.ref.kind, spec.ref.name",
        id="nothing",
    ),
    pytest.param(
        Reference("Service", "other", "hello", "v1"),
        "mismatched namespaces: spec.ref.namespace\n"
        'parent namespace: "default" does not match ref: "other"',
        id="another namespace",
    ),
    pytest.param(
        Reference("Service", "default", "hello", "v1", "serving.knative.dev"),
        "must not set the field(s): spec.ref.group",
        id="a group",
    ),
]


@pytest.mark.parametrize(("reference", "message"), REFERENCES)
def test_a_reference_that_cannot_be_followed_is_refused(reference: Reference, message: str) -> None:
    assert refusal(mapping(reference=reference)) == DENIED.format("validation.") + message


def test_a_claim_is_for_a_namespace() -> None:
    claim = ClusterDomainClaim(ObjectMeta(name="www.shop.test"))
    message = "missing field(s): spec.namespace"
    assert refusal(claim) == DENIED.format("validation.") + message
    whole = ClusterDomainClaim(claim.metadata, ClusterDomainClaimSpec("default"))
    assert admit(whole, None, "me").object == whole


def config_map(name: str, namespace: str, **data: str) -> ConfigMap:
    return ConfigMap(ObjectMeta(name=name, namespace=namespace), data=data)


def test_a_config_map_of_knatives_is_refused_when_it_cannot_be_read() -> None:
    bad = {"rollout-duration": "soon"}
    message = 'failed to parse "rollout-duration": strconv.ParseInt: parsing "soon": invalid syntax'
    found = refusal(config_map("config-network", "knative-serving", **bad))
    assert found == DENIED.format("config.") + message
    admit(config_map("config-network", "default", **bad), None, "me")
    admit(config_map("mine", "knative-serving", **bad), None, "me")
