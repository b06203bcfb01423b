"""Kinds, commands and hosts by name."""

from __future__ import annotations

from typing import Any

import click
import pytest

from gateway.contract import SPLITTERS
from simulator.cli import up
from simulator.cli.exits import UsageError
from simulator.cli.kinds import KINDS, Kind, find_kind, find_kinds, kind_of
from simulator.cli.lazy import LazyGroup
from simulator.cli.main import COMMANDS, knary
from simulator.cli.urls import Gateway, Reach, grpc_hint, reach_of
from simulator.client import resource_path
from simulator.errors import KnaryError
from simulator.resources import scheme


def test_the_kinds_are_those_of_the_scheme() -> None:
    assert [tuple(kind) for kind in KINDS] == [
        (
            info.kind,
            info.group,
            info.version,
            info.plural,
            info.singular,
            info.short_names,
            info.categories,
            info.namespaced,
        )
        for info in scheme.KINDS
    ]
    assert [kind.api_version for kind in KINDS] == [info.api_version for info in scheme.KINDS]


def test_the_splitters_are_those_of_the_gateway() -> None:
    assert up.SPLITTERS == SPLITTERS


@pytest.mark.parametrize(
    ("text", "plurals"),
    [
        ("ksvc", ["services"]),
        ("Service", ["services"]),
        ("services.serving.knative.dev", ["services"]),
        ("services.v1.serving.knative.dev", ["services"]),
        ("rev,rt", ["revisions", "routes"]),
        ("pods,po", ["pods"]),
        ("knative", ["services", "configurations", "revisions", "routes", "domainmappings"]),
        ("svc,services.v1.", ["services"]),
        ("deploy,deployments.apps", ["deployments"]),
        (
            "all",
            [
                *("services", "configurations", "revisions", "routes", "domainmappings"),
                *("pods", "services", "deployments"),
            ],
        ),
    ],
)
def test_kinds_have_kubectls_names(text: str, plurals: list[str]) -> None:
    assert [kind.plural for kind in find_kinds(text)] == plurals


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("servce", "no kind 'servce'; did you mean service"),
        ("xyzzy", "no kind 'xyzzy'. Known: services, configurations"),
    ],
)
def test_an_unknown_kind_is_answered_with_near_ones(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_kinds(text)
    assert str(caught.value).startswith(message)


def test_one_kind_is_one_kind() -> None:
    with pytest.raises(UsageError, match="several"):
        find_kind("all")


def test_a_manifest_names_its_kind() -> None:
    assert kind_of({"apiVersion": "serving.knative.dev/v1", "kind": "Route"}) == find_kind("rt")
    assert kind_of({"apiVersion": "v1", "kind": "Service"}) == find_kind("svc")
    assert kind_of({"apiVersion": "v2", "kind": "Service"}) is None


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "path"),
    [
        ("ksvc", "default", "a", "/apis/serving.knative.dev/v1/namespaces/default/services/a"),
        ("ksvc", None, None, "/apis/serving.knative.dev/v1/services"),
        ("ns", "default", "a", "/api/v1/namespaces/a"),
        ("po", "n", None, "/api/v1/namespaces/n/pods"),
        ("po", "../x", "a/b", "/api/v1/namespaces/..%2Fx/pods/a%2Fb"),
    ],
)
def test_paths_are_kubernetes(
    kind: str, namespace: str | None, name: str | None, path: str
) -> None:
    assert resource_path(find_kind(kind), namespace, name) == path


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        if path == () and name in ("demo", "run", "load"):
            continue  # tested beside the scenarios
        command = group.get_command(context, name)
        assert command is not None, name
        found.append((*path, name))
        if isinstance(command, LazyGroup):
            found += every_command(command, (*path, name))
    return found


@pytest.mark.parametrize("path", every_command(knary), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    command: Any = knary
    for name in path:
        command = command.get_command(click.Context(command), name)
    assert command.name == path[-1]
    assert "Example" in command.help
    assert f"knary {' '.join(path)}" in command.help


def test_the_help_of_a_group_is_in_the_table() -> None:
    assert all(entry.help.endswith(".") for entry in COMMANDS.values())


def service(url: str, *traffic: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "shop"}, "status": {"url": url, "traffic": list(traffic)}}


OUTSIDE, INSIDE = "http://127.0.0.1:8081", "http://127.0.0.1:8082"
GATEWAY = Gateway(OUTSIDE, INSIDE, "example.com")


@pytest.mark.parametrize(
    ("found", "tag", "expected"),
    [
        pytest.param(
            service("http://shop.default.example.com"),
            None,
            ("shop.default.example.com", OUTSIDE, "http://shop.default.localhost:8081"),
            id="its own host",
        ),
        pytest.param(
            service("", {"tag": "new", "url": "http://new-shop.default.example.com"}),
            "new",
            ("new-shop.default.example.com", OUTSIDE, "http://new-shop.default.localhost:8081"),
            id="a tag's host",
        ),
        pytest.param(
            service("http://shop.elsewhere.org"),
            None,
            ("shop.elsewhere.org", OUTSIDE, "http://shop.elsewhere.org:8081"),
            id="another domain",
        ),
        pytest.param(
            service("http://shop.default.svc.cluster.local"),
            None,
            (
                "shop.default.svc.cluster.local",
                INSIDE,
                "http://shop.default.svc.localhost:8082",
            ),
            id="private",
        ),
    ],
)
def test_a_service_is_reached_by_its_host(
    found: dict[str, Any], tag: str | None, expected: tuple[str, str, str]
) -> None:
    assert reach_of(found, tag, GATEWAY) == expected


@pytest.mark.parametrize(
    ("found", "tag", "message"),
    [
        (service(""), None, "has no address yet"),
        (service("", {"tag": "a", "url": ""}), "b", "has no tag 'b'; it has: a"),
    ],
)
def test_a_service_without_an_address_says_why(
    found: dict[str, Any], tag: str | None, message: str
) -> None:
    with pytest.raises(KnaryError, match=message):
        reach_of(found, tag, GATEWAY)


def test_a_kind_of_core_has_no_group_in_its_name() -> None:
    assert Kind("Pod", "", "v1", "pods", "pod").qualified == "pod"


@pytest.mark.parametrize(
    ("ports", "hint"),
    [
        pytest.param([], "", id="no port"),
        pytest.param([{"name": "http1", "containerPort": 8080}], "", id="HTTP/1.1"),
        pytest.param(
            [{"name": "h2c", "containerPort": 8080}],
            "gRPC: grpcurl -plaintext -authority hello.default.example.com 127.0.0.1:8080 list",
            id="h2c",
        ),
    ],
)
def test_a_service_on_h2c_gets_a_line_for_grpcurl(ports: list[dict[str, Any]], hint: str) -> None:
    service = {"spec": {"template": {"spec": {"containers": [{"ports": ports}]}}}}
    reach = Reach("hello.default.example.com", "http://127.0.0.1:8080", "http://browser")
    assert grpc_hint(service, reach) == hint
