"""Rows of Kubernetes' own kinds, as `kubectl get` and `kubectl get -o wide` print them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.api.tables import column_definitions, table
from simulator.resources.apps import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    LabelSelector,
    PodTemplate,
)
from simulator.resources.caching import Image, ImageSpec
from simulator.resources.core import (
    ConfigMap,
    Event,
    EventSeries,
    EventSource,
    ObjectReference,
    Pod,
    PodStatus,
    PodTemplateSpec,
    Secret,
    ServiceAccount,
)
from simulator.resources.endpoints import (
    CoreService,
    CoreServiceSpec,
    CoreServiceStatus,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    LoadBalancerAddress,
    LoadBalancerStatus,
    ServicePort,
)
from simulator.resources.endpointslices import Endpoint, EndpointSlice, SlicePort
from simulator.resources.meta import ObjectMeta, Resource, timestamp
from simulator.resources.podspec import Container
from simulator.resources.scheme import info_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
META = ObjectMeta(name="n", creation_timestamp=timestamp(NOW - timedelta(minutes=5)))


def row(obj: Resource) -> list[Any]:
    (found,) = table(info_of(obj), [obj], "7", "None", NOW)["rows"]
    return list(found["cells"])


def header(obj: Resource) -> dict[int, list[str]]:
    """Return the columns' names by priority: 0 is always printed, 1 with `-o wide`."""
    names: dict[int, list[str]] = {0: [], 1: []}
    for column in column_definitions(info_of(obj)):
        names[column["priority"]].append(column["name"].upper())
    return names


@pytest.mark.parametrize(
    ("kind", "always", "wide"),
    [
        (Pod(), "NAME READY STATUS RESTARTS AGE", "IP NODE NOMINATED READINESS"),
        (ConfigMap(), "NAME DATA AGE", ""),
        (Secret(), "NAME TYPE DATA AGE", ""),
        (ServiceAccount(), "NAME SECRETS AGE", ""),
        (CoreService(), "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE", "SELECTOR"),
        (Endpoints(), "NAME ENDPOINTS AGE", ""),
        (EndpointSlice(), "NAME ADDRESSTYPE PORTS ENDPOINTS AGE", ""),
        (Deployment(), "NAME READY UP-TO-DATE AVAILABLE AGE", "CONTAINERS IMAGES SELECTOR"),
        (Image(), "NAME IMAGE", ""),
        (Event(), "LAST TYPE REASON OBJECT MESSAGE", "SUBOBJECT SOURCE FIRST COUNT NAME"),
    ],
    ids=lambda one: one.KIND if isinstance(one, Resource) else None,
)
def test_columns_are_kubectls(kind: Resource, always: str, wide: str) -> None:
    found = header(kind)
    assert [name.split()[0] for name in found[0]] == always.split()
    assert [name.split()[0] for name in found[1]] == wide.split()


def test_a_secrets_and_a_config_maps_rows_count_their_keys() -> None:
    secret = Secret(metadata=META, type="Opaque", data={"a": "MQ==", "b": "Mg=="})
    assert row(secret) == ["n", "Opaque", 2, "5m"]
    config_map = ConfigMap(metadata=META, data={"a": "1"}, binary_data={"b": "Mg=="})
    assert row(config_map) == ["n", 2, "5m"]


def test_a_service_accounts_row_counts_its_secrets() -> None:
    account = ServiceAccount(metadata=META, secrets=(ObjectReference(name="token"),))
    assert row(account) == ["n", 1, "5m"]


HTTP = ServicePort(name="http", port=80, protocol="TCP", target_port=8012)


@pytest.mark.parametrize(
    ("spec", "balanced", "expected"),
    [
        pytest.param(
            CoreServiceSpec(type="ClusterIP", ports=(HTTP,), selector={"b": "2", "a": "1"}),
            (),
            ["ClusterIP", "<none>", "<none>", "80/TCP", "5m", "a=1,b=2"],
            id="without an address",
        ),
        pytest.param(
            CoreServiceSpec(type="ClusterIP", cluster_ips=("None",), external_ips=("1.2.3.4",)),
            (),
            ["ClusterIP", "None", "1.2.3.4", "<none>", "5m", "<none>"],
            id="headless",
        ),
        pytest.param(
            CoreServiceSpec(type="ExternalName", external_name="a.example.com", ports=(HTTP,)),
            (),
            ["ExternalName", "<none>", "a.example.com", "80/TCP", "5m", "<none>"],
            id="a name outside",
        ),
        pytest.param(
            CoreServiceSpec(
                type="LoadBalancer",
                ports=(HTTP, ServicePort(port=443, node_port=30443, protocol="TCP")),
            ),
            (),
            ["LoadBalancer", "<none>", "<pending>", "80/TCP,443:30443/TCP", "5m", "<none>"],
            id="a balancer to come",
        ),
        pytest.param(
            CoreServiceSpec(type="LoadBalancer"),
            (LoadBalancerAddress(ip="1.2.3.4"), LoadBalancerAddress(hostname="lb")),
            ["LoadBalancer", "<none>", "1.2.3.4,lb", "<none>", "5m", "<none>"],
            id="a balancer",
        ),
    ],
)
def test_a_services_row(
    spec: CoreServiceSpec, balanced: tuple[LoadBalancerAddress, ...], expected: list[str]
) -> None:
    status = CoreServiceStatus(LoadBalancerStatus(balanced))
    assert row(CoreService(metadata=META, spec=spec, status=status)) == ["n", *expected]


def subset(*ports: int, ips: tuple[str, ...] = ("127.0.0.1",)) -> EndpointSubset:
    return EndpointSubset(
        addresses=tuple(EndpointAddress(ip=ip) for ip in ips),
        ports=tuple(EndpointPort(port=port, protocol="TCP") for port in ports),
    )


@pytest.mark.parametrize(
    ("subsets", "shown"),
    [
        pytest.param((), "<none>", id="no subsets"),
        pytest.param((EndpointSubset(),), "<none>", id="no addresses"),
        pytest.param((subset(),), "127.0.0.1", id="no ports"),
        pytest.param((subset(80, ips=("::1",)),), "[::1]:80", id="IPv6"),
        pytest.param(
            (subset(1), subset(2), subset(3)), "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3", id="three"
        ),
        pytest.param(
            (subset(1, 2), subset(3, ips=("a", "b", "c"))),
            "127.0.0.1:1,127.0.0.1:2,a:3 + 2 more...",
            id="more than three",
        ),
    ],
)
def test_an_endpoints_row(subsets: tuple[EndpointSubset, ...], shown: str) -> None:
    assert row(Endpoints(metadata=META, subsets=subsets)) == ["n", shown, "5m"]


@pytest.mark.parametrize(
    ("ports", "ips", "shown"),
    [
        pytest.param((), (), ("<unset>", "<unset>"), id="nothing"),
        pytest.param((SlicePort("", port=1), SlicePort("b")), ("a", "b"), ("1,b", "a,b"), id="two"),
        pytest.param(
            tuple(SlicePort(port=port) for port in range(4)),
            ("a", "b", "c", "d", "e"),
            ("0,1,2 + 1 more...", "a,b,c + 2 more..."),
            id="more than three",
        ),
    ],
)
def test_an_endpoint_slices_row(
    ports: tuple[SlicePort, ...], ips: tuple[str, ...], shown: tuple[str, str]
) -> None:
    endpoints = tuple(Endpoint((ip,)) for ip in ips)
    one = EndpointSlice(metadata=META, address_type="IPv4", endpoints=endpoints, ports=ports)
    assert row(one) == ["n", "IPv4", *shown, "5m"]


def test_a_deployments_row() -> None:
    containers = (Container(name="user-container", image="a:1"), Container(name="b", image="b:2"))
    spec = DeploymentSpec(
        replicas=2,
        selector=LabelSelector({"app": "hello"}),
        template=PodTemplate(spec=PodTemplateSpec(containers=containers)),
    )
    status = DeploymentStatus(updated_replicas=2, ready_replicas=1, available_replicas=1)
    deployment = Deployment(metadata=META, spec=spec, status=status)
    expected = ["n", "1/2", 2, 1, "5m", "user-container,b", "a:1,b:2", "app=hello"]
    assert row(deployment) == expected
    assert row(Deployment(metadata=META))[1] == "0/1"


def test_a_pods_wide_row() -> None:
    spec = PodTemplateSpec(node_name="here")
    pod = Pod(metadata=META, spec=spec, status=PodStatus(pod_ip="127.0.0.1"))
    assert row(pod)[5:] == ["127.0.0.1", "here", "<none>", "<none>"]


def test_an_images_row() -> None:
    assert row(Image(metadata=META, spec=ImageSpec(image="a@sha256:1"))) == ["n", "a@sha256:1"]


def test_an_events_wide_row() -> None:
    about = ObjectReference(kind="Pod", name="p", field_path="spec.containers{user-container}")
    event = Event(
        metadata=META,
        involved_object=about,
        source=EventSource("kubelet", "here"),
        type="Normal",
        reason="Pulled",
        message=" pulled\n",
        count=3,
        first_timestamp=timestamp(NOW - timedelta(minutes=4)),
        last_timestamp=timestamp(NOW - timedelta(minutes=1)),
    )
    assert row(event) == [
        *("60s", "Normal", "Pulled", "pod/p", "spec.containers{user-container}"),
        *("kubelet, here", "pulled", "4m", 3, "n"),
    ]


def test_an_event_of_a_series_and_one_of_a_kind_alone() -> None:
    series = EventSeries(count=7, last_observed_time=timestamp(NOW - timedelta(seconds=9)))
    event = Event(
        metadata=META,
        involved_object=ObjectReference(kind="Node"),
        series=series,
        reporting_component="c",
        reporting_instance="i",
        event_time=timestamp(NOW - timedelta(hours=9)),
    )
    assert row(event) == ["9s", None, None, "node", "", "c, i", "", "9h", 7, "n"]
