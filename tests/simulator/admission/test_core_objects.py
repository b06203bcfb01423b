"""What an API server fills in, and refuses, of Kubernetes' own objects."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from simulator.admission.admit import admit
from simulator.errors import BadRequest, Invalid
from simulator.resources.core import ConfigMap, Secret, ServiceAccount
from simulator.resources.endpoints import (
    CoreService,
    CoreServiceSpec,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    ServicePort,
)
from simulator.resources.endpointslices import Endpoint, EndpointSlice, SlicePort
from simulator.resources.meta import ObjectMeta, Resource

META = ObjectMeta(name="n", namespace="default")
MIB = 1024 * 1024


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def admitted(new: Resource, old: Resource | None = None) -> Any:
    return admit(new, old, "me").object


def refusals(new: Resource, old: Resource | None = None) -> list[str]:
    """Return `FIELD: MESSAGE` of every cause; none when it is admitted."""
    try:
        admit(new, old, "me")
    except Invalid as error:
        causes = (error.details or {})["causes"]
        return [f"{one['field']}: {one['message']}" for one in causes]
    return []


def secret(type_: str = "", **data: str) -> Secret:
    return Secret(metadata=META, type=type_, data={k: b64(v) for k, v in data.items()})


def test_a_secret_is_opaque_and_its_string_data_is_moved() -> None:
    stored = admitted(Secret(metadata=META, data={"a": b64("1")}, string_data={"a": "2", "b": "ü"}))
    assert stored == secret("Opaque", a="2", b="ü")


def test_data_that_is_no_base64_cannot_be_read() -> None:
    with pytest.raises(BadRequest) as caught:
        admitted(Secret(metadata=META, data={"a": "MQ=!"}))
    assert caught.value.message == (
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3'
    )
    with pytest.raises(BadRequest, match="ConfigMap"):
        admitted(ConfigMap(metadata=META, binary_data={"a": "MQ"}))


KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    " (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name',"
    " regex used for validation is '[-._a-zA-Z0-9]+')"
)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("a b", KEY_RULE),
        ("", KEY_RULE),
        (".", "must not be '.'"),
        ("..", "must not be '..'"),
        ("..a", "must not start with '..'"),
        ("a" * 254, "must be no more than 253 characters"),
    ],
)
def test_keys_are_names_of_files(key: str, why: str) -> None:
    expected = [f'data[{key}]: Invalid value: "{key}": {why}']
    assert refusals(ConfigMap(metadata=META, data={key: ""})) == expected
    assert refusals(Secret(metadata=META, data={key: ""})) == expected


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(
            ConfigMap(metadata=META, data={"a": "1"}, binary_data={"a": b64("1")}),
            ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
            id="a key in both",
        ),
        pytest.param(
            ConfigMap(metadata=META, data={"a": "x" * (MIB + 1)}),
            [": Too long: may not be more than 1048576 bytes"],
            id="a large ConfigMap",
        ),
        pytest.param(
            secret("", a="x" * (MIB + 3)),
            ["data: Too long: may not be more than 1048576 bytes"],
            id="a large Secret",
        ),
        pytest.param(
            secret("kubernetes.io/tls"),
            ["data[tls.crt]: Required value", "data[tls.key]: Required value"],
            id="TLS",
        ),
        pytest.param(
            secret("kubernetes.io/basic-auth"),
            ["data[username]: Required value", "data[password]: Required value"],
            id="basic-auth with neither",
        ),
        pytest.param(secret("kubernetes.io/basic-auth", password="p"), [], id="basic-auth"),
        pytest.param(
            secret("kubernetes.io/ssh-auth"),
            ["data[ssh-privatekey]: Required value"],
            id="ssh-auth",
        ),
        pytest.param(
            secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": "{"}),
            [
                (
                    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>":'
                    " the content is not JSON"
                )
            ],
            id="a registry's login that is no JSON",
        ),
        pytest.param(
            secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": "{}"}),
            [],
            id="a registry's login",
        ),
        pytest.param(
            secret("kubernetes.io/service-account-token"),
            ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
            id="nobody's token",
        ),
        pytest.param(secret("example.com/mine"), [], id="a type of one's own"),
        pytest.param(ServiceAccount(metadata=META), [], id="a ServiceAccount"),
    ],
)
def test_what_a_new_object_must_have(obj: Resource, expected: list[str]) -> None:
    assert refusals(obj) == expected


def test_what_is_immutable_stays_as_it_is() -> None:
    old = admitted(Secret(metadata=META, data={"a": b64("1")}, immutable=True))
    frozen = "Forbidden: field is immutable when `immutable` is set"
    assert refusals(old, old) == []
    assert refusals(secret(a="2"), old) == [f"immutable: {frozen}", f"data: {frozen}"]
    assert refusals(old.with_metadata(labels={"a": "b"}), old) == []
    assert refusals(secret("example.com/mine", a="1"), secret("Opaque", a="1")) == [
        'type: Invalid value: "example.com/mine": field is immutable'
    ]
    stored = ConfigMap(metadata=META, data={"a": "1"}, immutable=True)
    changed = ConfigMap(metadata=META, data={"a": "2"}, immutable=True)
    assert refusals(changed, stored) == [f"data: {frozen}"]


def service(**spec: Any) -> CoreService:
    return CoreService(metadata=META, spec=CoreServiceSpec(**spec))


def test_a_service_gets_defaults_and_no_address() -> None:
    spec = admitted(service(ports=(ServicePort(port=80),))).spec
    assert spec == CoreServiceSpec(
        type="ClusterIP",
        session_affinity="None",
        internal_traffic_policy="Cluster",
        ip_family_policy="SingleStack",
        ip_families=("IPv4",),
        ports=(ServicePort(port=80, protocol="TCP", target_port=80),),
    )
    assert admitted(service(cluster_ip="None")).spec.cluster_ips == ("None",)
    assert admitted(
        service(type="NodePort", ports=(ServicePort(port=1, target_port="web"),))
    ).spec.ports == (ServicePort(port=1, protocol="TCP", target_port="web"),)
    outside = admitted(service(type="ExternalName", external_name="example.com.")).spec
    assert (outside.ip_families, outside.internal_traffic_policy) == ((), None)


RANGE = "must be between 1 and 65535, inclusive"
A = ServicePort(name="a", port=80)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({}, ["spec.ports: Required value"], id="no ports"),
        pytest.param(
            {"ports": (ServicePort(),)},
            [
                f"spec.ports[0].port: Invalid value: 0: {RANGE}",
                f"spec.ports[0].targetPort: Invalid value: 0: {RANGE}",
            ],
            id="no port",
        ),
        pytest.param(
            {"ports": (ServicePort(port=1, protocol="HTTP", target_port=70000),)},
            [
                (
                    'spec.ports[0].protocol: Unsupported value: "HTTP":'
                    ' supported values: "SCTP", "TCP", "UDP"'
                ),
                f"spec.ports[0].targetPort: Invalid value: 70000: {RANGE}",
            ],
            id="a bad port",
        ),
        pytest.param(
            {"ports": (A, ServicePort(name="a", port=81), ServicePort(port=80))},
            [
                'spec.ports[1].name: Duplicate value: "a"',
                "spec.ports[2].name: Required value",
                'spec.ports[2]: Duplicate value: {"port":80,"protocol":"TCP"}',
            ],
            id="ports that clash",
        ),
        pytest.param(
            {"ports": (ServicePort(port=1, target_port="8-"),)},
            [
                (
                    'spec.ports[0].targetPort: Invalid value: "8-":'
                    " must not begin or end with a hyphen"
                ),
                (
                    'spec.ports[0].targetPort: Invalid value: "8-":'
                    " must contain at least one letter (a-z)"
                ),
            ],
            id="a port's bad name",
        ),
        pytest.param(
            {"type": "Web", "ports": (A,), "session_affinity": "Cookie"},
            [
                (
                    'spec.sessionAffinity: Unsupported value: "Cookie":'
                    ' supported values: "ClientIP", "None"'
                ),
                (
                    'spec.type: Unsupported value: "Web": supported values:'
                    ' "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
                ),
            ],
            id="no such type",
        ),
        pytest.param(
            {"type": "ExternalName", "cluster_ip": "10.0.0.1"},
            [
                "spec.externalName: Required value",
                "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
            ],
            id="no name outside",
        ),
    ],
)
def test_what_a_service_must_have(spec: dict[str, Any], expected: list[str]) -> None:
    assert refusals(service(**spec)) == expected


def test_a_services_name_is_the_label_of_a_host() -> None:
    named = service(cluster_ip="None").with_metadata(name="a.b")
    (told,) = refusals(named)
    assert told.startswith('metadata.name: Invalid value: "a.b": a DNS-1035 label must consist')


def slice_of(address_type: str = "IPv4", **fields: Any) -> EndpointSlice:
    return EndpointSlice(metadata=META, address_type=address_type, **fields)


HERE = Endpoint(addresses=("10.0.0.1",))
KNOWN_TYPES = 'supported values: "FQDN", "IPv4", "IPv6"'


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(slice_of(), [], id="no endpoints"),
        pytest.param(slice_of(endpoints=(HERE,), ports=(SlicePort(port=1),)), [], id="one"),
        pytest.param(slice_of(""), ["addressType: Required value"], id="no type"),
        pytest.param(
            slice_of("IP"), [f'addressType: Unsupported value: "IP": {KNOWN_TYPES}'], id="no such"
        ),
        pytest.param(
            slice_of(endpoints=(Endpoint(),)),
            ["endpoints[0].addresses: Required value: must contain at least 1 address"],
            id="no address",
        ),
        pytest.param(
            slice_of(endpoints=(HERE,) * 1001),
            ["endpoints: Too many: 1001: must have at most 1000 items"],
            id="too many",
        ),
        pytest.param(
            slice_of(ports=(SlicePort("a"), SlicePort("a", protocol="X"))),
            [
                'ports[1].name: Duplicate value: "a"',
                'ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
            ],
            id="ports",
        ),
    ],
)
def test_what_an_endpoint_slice_must_have(obj: Resource, expected: list[str]) -> None:
    assert refusals(obj) == expected


def test_the_type_of_a_slices_addresses_is_for_good() -> None:
    told = 'addressType: Invalid value: "IPv6": field is immutable'
    assert refusals(slice_of("IPv6"), slice_of()) == [told]


def test_a_slices_ports_have_a_name_and_a_protocol() -> None:
    (port,) = admitted(slice_of(ports=(SlicePort(port=1),))).ports
    assert port == SlicePort("", "TCP", 1)


def test_endpoints_speak_tcp() -> None:
    subset = EndpointSubset(ports=(EndpointPort(port=1),))
    stored = admitted(Endpoints(metadata=META, subsets=(subset,)))
    assert stored.subsets[0].ports[0].protocol == "TCP"
