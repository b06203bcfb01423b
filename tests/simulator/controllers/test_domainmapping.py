"""DomainMapping: its claim, its reference, its Ingress, and what is said of each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.config.current import Config
from simulator.config.network import NetworkConfig
from simulator.controllers.domainmapping import DomainMappingController, Observed
from simulator.reconciling.plan import Action, Create, Delete, Plan, Record, Update, UpdateStatus
from simulator.resources.conditions import FALSE, TRUE, UNKNOWN
from simulator.resources.core import ConfigMap
from simulator.resources.domainmapping import (
    DOMAIN_MAPPING_FINALIZER,
    ClusterDomainClaim,
    ClusterDomainClaimSpec,
    DomainMapping,
    DomainMappingSpec,
    Reference,
    SecretTls,
)
from simulator.resources.meta import Key, ObjectMeta, Resource, is_controlled_by
from simulator.resources.networking import VISIBILITY_EXTERNAL, Ingress, IngressStatus
from simulator.resources.serving import Address, Route, Service, ServiceStatus
from simulator.traffic.mapping import make_mapping_ingress
from tests.support.world import NOW, World, changed, is_false, is_true, meta, route, service, told

CONTROLLER = DomainMappingController()
SHOP = "www.shop.test"
TARGET = "hello.default.svc.cluster.local"
REFERENCE = Reference("Service", "default", "hello", "serving.knative.dev/v1")
AUTOCREATE = Config(network=NetworkConfig(autocreate_cluster_domain_claims=True))


def mapping(reference: Reference = REFERENCE, **fields: Any) -> DomainMapping:
    spec = DomainMappingSpec(reference, fields.pop("tls", None))
    known = {"finalizers": (DOMAIN_MAPPING_FINALIZER,)}
    return DomainMapping(meta(SHOP, **(known | fields)), spec)


def claim(namespace: str = "default") -> ClusterDomainClaim:
    return ClusterDomainClaim(meta(SHOP, namespace=""), ClusterDomainClaimSpec(namespace))


def addressed(url: str = f"http://{TARGET}") -> Service:
    return changed(service(), status=ServiceStatus(address=Address(url=url)))


def observe(*objects: Resource, of: DomainMapping | None = None) -> Observed:
    one = of or mapping()
    found = CONTROLLER.observe(World(one, *objects), one.key)
    assert found is not None
    return found


def planned(*objects: Resource, of: DomainMapping | None = None) -> Plan:
    return CONTROLLER.plan(observe(*objects, of=of), NOW)


def status_in(plan: Plan) -> DomainMapping:
    (found,) = [one.object for one in plan.actions if isinstance(one, UpdateStatus)]
    assert isinstance(found, DomainMapping)
    return found


def of_type(plan: Plan, kind: type[Action]) -> list[Any]:
    return [one for one in plan.actions if isinstance(one, kind)]


def served(**status: Any) -> Ingress:
    """Return the Ingress of the mapping, with this status."""
    made = make_mapping_ingress(mapping(), TARGET)
    known = {"uid": "uid-ingress", "generation": 1, "resource_version": "8"}
    return changed(made.with_metadata(**known), status=IngressStatus(**status))


READY = {"observed_generation": 1, "conditions": (is_true(),)}


def test_the_finalizer_comes_first() -> None:
    plan = planned(claim(), addressed(), of=mapping(finalizers=()))
    (update,) = of_type(plan, Update)
    assert update.object.metadata.finalizers == (DOMAIN_MAPPING_FINALIZER,)
    assert of_type(plan, UpdateStatus) == []


def test_a_claimed_domain_gets_an_ingress_to_the_host_of_its_reference() -> None:
    plan = planned(claim(), addressed())
    (create,) = of_type(plan, Create)
    ingress = create.object
    assert is_controlled_by(ingress, mapping())
    (rule,) = ingress.spec.rules
    assert (rule.hosts, rule.visibility) == ((SHOP,), VISIBILITY_EXTERNAL)
    (path,) = rule.http.paths
    assert path.rewrite_host == TARGET
    (split,) = path.splits
    assert (split.service_name, split.service_namespace, split.percent) == ("hello", "default", 100)
    assert split.append_headers == {"K-Original-Host": SHOP}
    status = status_in(plan).status
    assert (status.url, status.address) == (f"http://{SHOP}", Address(url=f"http://{SHOP}"))
    assert told(status.conditions) == {
        "CertificateProvisioned": (TRUE, "TLSNotEnabled", "external-domain-tls is not enabled"),
        "DomainClaimed": (TRUE, "", ""),
        "IngressReady": (UNKNOWN, "IngressNotConfigured", "Ingress has not yet been reconciled."),
        "Ready": (UNKNOWN, "IngressNotConfigured", "Ingress has not yet been reconciled."),
        "ReferenceResolved": (TRUE, "", ""),
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(READY, (TRUE, "", ""), id="ready"),
        pytest.param(
            {"observed_generation": 1, "conditions": (is_false("DomainConflict", "taken"),)},
            (FALSE, "DomainConflict", "taken"),
            id="refused",
        ),
        pytest.param(
            {**READY, "observed_generation": 0},
            (UNKNOWN, "IngressNotConfigured", "Ingress has not yet been reconciled."),
            id="of an earlier generation",
        ),
    ],
)
def test_the_ingresses_readiness_is_the_mappings(
    status: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    plan = planned(claim(), addressed(), served(**status))
    assert of_type(plan, Create) == of_type(plan, Update) == []
    conditions = told(status_in(plan).status.conditions)
    assert conditions["IngressReady"] == conditions["Ready"] == expected


def test_once_all_is_said_nothing_is_done() -> None:
    known = served(**READY)
    done = status_in(planned(claim(), addressed(), known))
    assert planned(claim(), addressed(), known, of=done).actions == ()


def test_another_target_is_another_ingress_spec() -> None:
    other = mapping(msgspec.structs.replace(REFERENCE, name="other"), generation=2)
    target = changed(
        service("other"),
        status=ServiceStatus(address=Address(url="http://other.default.svc.cluster.local")),
    )
    plan = planned(claim(), target, served(**READY), of=other)
    (update,) = of_type(plan, Update)
    (path,) = update.object.spec.rules[0].http.paths
    assert path.rewrite_host == "other.default.svc.cluster.local"
    assert told(status_in(plan).status.conditions)["IngressReady"][1] == "IngressNotConfigured"


# Claims ----------------------------------------------------------------------------------------

NOT_CLAIMED = (
    FALSE,
    "DomainAlreadyClaimed",
    "The domain name is already in use by another DomainMapping",
)


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        pytest.param(
            (),
            f'no ClusterDomainClaim found for domain "{SHOP}" (and autocreate-cluster-domain-claims'
            " property is not true)",
            id="nobody's",
        ),
        pytest.param(
            (claim("other"),),
            f'namespace "default" does not own ClusterDomainClaim for "{SHOP}"',
            id="another namespace's",
        ),
    ],
)
def test_a_domain_that_is_not_claimed_is_not_mapped(
    claims: tuple[Resource, ...], cause: str
) -> None:
    plan = planned(addressed(), *claims)
    assert of_type(plan, Create) == []
    conditions = told(status_in(plan).status.conditions)
    assert conditions["DomainClaimed"] == conditions["Ready"] == NOT_CLAIMED
    (event,) = of_type(plan, Record)
    assert (event.type, event.reason, event.message) == ("Warning", "InternalError", cause)


def test_with_autocreate_a_domain_that_nobody_claimed_is_claimed() -> None:
    known = msgspec.structs.replace(observe(addressed()), config=AUTOCREATE)
    (action,) = CONTROLLER.plan(known, NOW).actions
    assert isinstance(action, Create)
    made = action.object
    assert isinstance(made, ClusterDomainClaim)
    assert (made.key, made.spec.namespace) == (Key("", SHOP), "default")


def test_with_autocreate_a_claim_of_another_namespace_is_respected() -> None:
    known = msgspec.structs.replace(observe(addressed(), claim("other")), config=AUTOCREATE)
    assert of_type(CONTROLLER.plan(known, NOW), Create) == []


@pytest.mark.parametrize(
    ("config", "owner", "is_given_up"),
    [
        pytest.param(AUTOCREATE, "default", True, id="ours"),
        pytest.param(AUTOCREATE, "other", False, id="another namespace's"),
        pytest.param(Config(), "default", False, id="made by hand"),
    ],
)
def test_a_mapping_that_goes_gives_up_the_claim_that_was_made_for_it(
    config: Config, owner: str, is_given_up: bool
) -> None:
    gone = mapping(deletion_timestamp="2026-01-02T00:00:00Z")
    known = msgspec.structs.replace(observe(claim(owner), of=gone), config=config)
    plan = CONTROLLER.plan(known, NOW)
    assert bool(of_type(plan, Delete)) is is_given_up
    (update,) = of_type(plan, Update)
    assert update.object.metadata.finalizers == ()


# References ------------------------------------------------------------------------------------

UNRESOLVED: list[Any] = [
    pytest.param(
        REFERENCE,
        None,
        'failed to get object default/hello: services.serving.knative.dev "hello" not found',
        id="nothing there",
    ),
    pytest.param(
        Reference("Service", "default", "hello", "v1"),
        None,
        'failed to get object default/hello: services "hello" not found',
        id="a kind that knary has not",
    ),
    pytest.param(
        REFERENCE,
        service(),
        "address not set for Kind = Service, Namespace = default, Name = hello,"
        " APIVersion = serving.knative.dev/v1, Group = , Address = ",
        id="not ready yet",
    ),
    pytest.param(
        REFERENCE,
        addressed(f"http://{TARGET}/path"),
        f'resolved URI "http://{TARGET}/path" contains a path',
        id="a path",
    ),
    pytest.param(
        REFERENCE,
        addressed("http://example.com"),
        'resolved URI "http://example.com" must be of the form'
        " {name}.{namespace}.svc.cluster.local",
        id="a host outside",
    ),
    pytest.param(
        REFERENCE,
        addressed("http://hello.other.svc.cluster.local"),
        'resolved URI "http://hello.other.svc.cluster.local" must be in same namespace as'
        " DomainMapping",
        id="another namespace",
    ),
]


@pytest.mark.parametrize(("reference", "target", "message"), UNRESOLVED)
def test_a_reference_that_leads_nowhere_says_why(
    reference: Reference, target: Service | None, message: str
) -> None:
    objects = (claim(), target) if target else (claim(),)
    plan = planned(*objects, of=mapping(reference))
    conditions = told(status_in(plan).status.conditions)
    assert conditions["ReferenceResolved"] == (FALSE, "ResolveFailed", message)
    assert conditions["Ready"] == conditions["ReferenceResolved"]
    assert conditions["DomainClaimed"] == (TRUE, "", "")
    (event,) = of_type(plan, Record)
    assert event.message == f"resolving reference: {message}"


def test_a_route_may_be_mapped_too() -> None:
    target = route()
    target = changed(target, status=msgspec.structs.replace(
        target.status, address=Address(url=f"http://{TARGET}")))  # fmt: skip
    reference = Reference("Route", "default", "hello", "serving.knative.dev/v1")
    assert of_type(planned(claim(), target, of=mapping(reference)), Create)


def test_a_certificate_of_the_users_own_is_taken_to_be_there() -> None:
    plan = planned(claim(), addressed(), of=mapping(tls=SecretTls("mine")))
    status = status_in(plan).status
    assert status.url == f"https://{SHOP}"
    assert told(status.conditions)["CertificateProvisioned"] == (
        TRUE,
        "CertificateExternallyProvided",
        "TLS certificate was provided externally",
    )


# Who is woken ----------------------------------------------------------------------------------

WAKING: list[Any] = [
    pytest.param(mapping(), True, id="itself"),
    pytest.param(served(), True, id="its Ingress"),
    pytest.param(claim("other"), True, id="a claim of its domain"),
    pytest.param(service(), True, id="what it refers to"),
    pytest.param(service("other"), False, id="another service"),
    pytest.param(route(), False, id="a route of the name"),
    pytest.param(
        ConfigMap(ObjectMeta(name="config-network", namespace="knative-serving")),
        True,
        id="Knative's settings",
    ),
    pytest.param(ConfigMap(meta("mine")), False, id="another ConfigMap"),
]


@pytest.mark.parametrize(("object_", "is_woken"), WAKING)
def test_what_wakes_a_mapping(object_: Resource, is_woken: bool) -> None:
    woken = CONTROLLER.wakes(object_, World(mapping()))
    assert woken == ((Key("default", SHOP),) if is_woken else ())


def test_a_routes_ingress_wakes_no_mapping() -> None:
    assert isinstance(route(), Route)
    assert CONTROLLER.wakes(Ingress(meta("hello")), World(mapping())) == ()
