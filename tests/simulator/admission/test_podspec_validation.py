"""The rules of a revision's spec, in Knative's words (table 2.4 of its behaviour)."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.admission.settings import STOCK_FEATURES, Defaults
from tests.support.manifests import Document, admitted, container, refusal, revision, service

POD = "spec.template.spec"
FIRST = f"{POD}.containers[0]"
PORT = [{"containerPort": 8080}]
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
    " for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def one(**fields: Any) -> Document:
    """Return a Service whose only container has these fields."""
    return service(containers=[container(**fields)])


def with_features(*features: str) -> Defaults:
    return Defaults(features=STOCK_FEATURES | set(features))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(
            service(containers=[]), f"missing field(s): {POD}.containers", id="no containers"
        ),
        pytest.param(one(image=""), f"missing field(s): {FIRST}.image", id="no image"),
        pytest.param(
            one(image="foo:bar:baz"),
            f"Failed to parse image reference: {FIRST}.image\n"
            'image: "foo:bar:baz", error: could not parse reference: foo:bar:baz',
            id="a bad image",
        ),
        pytest.param(
            one(name="queue-proxy"),
            f'"queue-proxy" is a reserved container name: {FIRST}.name',
            id="a reserved container name",
        ),
        pytest.param(
            one(ports=[{"containerPort": 1, "name": "foo"}]),
            f"Port name foo is not allowed: {FIRST}.ports\n"
            "Name must be empty, or one of: 'h2c', 'http1'",
            id="a port name",
        ),
        pytest.param(
            one(ports=[{"containerPort": 1, "protocol": "UDP"}]),
            f"invalid value: UDP: {FIRST}.ports.protocol",
            id="a port protocol",
        ),
        *(
            pytest.param(
                one(ports=[{"containerPort": port}]),
                f"invalid value: {port} is a reserved port: {FIRST}.ports.containerPort\n"
                f"{port} is a reserved port, please use a different value",
                id=f"reserved port {port}",
            )
            for port in (8008, 8012, 8013, 8022, 9090, 9091)
        ),
        pytest.param(
            one(ports=[{"containerPort": 65536}]),
            f"expected 0 <= 65536 <= 65535: {FIRST}.ports.containerPort",
            id="a port out of range",
        ),
        pytest.param(
            one(ports=[{"containerPort": 80}, {"containerPort": 81}]),
            f"more than one container port is set: {POD}.containers[*].ports\n"
            "Only a single port is allowed across all containers",
            id="two ports",
        ),
        *(
            pytest.param(
                one(env=[{"name": name, "value": "x"}]),
                f'"{name}" is a reserved environment variable: {FIRST}.env[0].name',
                id=f"reserved environment {name}",
            )
            for name in ("PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
        ),
        pytest.param(
            one(env=[{"name": "", "value": "x"}]),
            f"missing field(s): {FIRST}.env[0].name",
            id="env without a name",
        ),
        pytest.param(
            one(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
            f"must not set the field(s): {FIRST}.env[0].valueFrom.fieldRef",
            id="env from a field",
        ),
        pytest.param(
            one(envFrom=[{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]),
            f"expected exactly one, got both: {FIRST}.envFrom.configMapRef,"
            f" {FIRST}.envFrom.secretRef",
            id="envFrom with both",
        ),
        pytest.param(
            one(envFrom=[{"prefix": "X_"}]),
            f"expected exactly one, got neither: {FIRST}.envFrom.configMapRef,"
            f" {FIRST}.envFrom.secretRef",
            id="envFrom with neither",
        ),
        pytest.param(
            one(envFrom=[{"prefix": "X_"}, {"secretRef": {"name": "b"}}]),
            "expected exactly one, got neither:"
            f" {FIRST}.envFrom.secretRef[1].configMapRef, {FIRST}.envFrom.secretRef[1].secretRef",
            id="envFrom with neither, as a later item moves it",
        ),
        pytest.param(
            one(terminationMessagePolicy="X"),
            f"invalid value: X: {FIRST}.terminationMessagePolicy",
            id="terminationMessagePolicy",
        ),
        pytest.param(
            service(serviceAccountName="foo@bar.baz"),
            f"invalid value: foo@bar.baz: {POD}.serviceAccountName\n{SUBDOMAIN}",
            id="a service account's name",
        ),
        pytest.param(
            one(securityContext={"runAsUser": -1, "runAsGroup": 2**31}),
            f"expected 0 <= -1 <= 2147483647: {FIRST}.securityContext.runAsUser\n"
            f"expected 0 <= 2147483648 <= 2147483647: {FIRST}.securityContext.runAsGroup",
            id="user and group ids",
        ),
        pytest.param(
            one(securityContext={"capabilities": {"add": ["NET_ADMIN"]}, "privileged": True}),
            f"must not set the field(s): {FIRST}.securityContext.capabilities.add,"
            f" {FIRST}.securityContext.privileged",
            id="added capabilities and privileges",
        ),
        pytest.param(
            service(timeoutSeconds=601), f"expected 0 <= 601 <= 600: {POD}.timeoutSeconds",
            id="a timeout beyond the maximum",
        ),
        pytest.param(
            service(timeoutSeconds=-1), f"expected 0 <= -1 <= 600: {POD}.timeoutSeconds",
            id="a negative timeout",
        ),
        pytest.param(
            service(containerConcurrency=1001),
            f"expected 0 <= 1001 <= 1000: {POD}.containerConcurrency",
            id="too much concurrency",
        ),
    ],
)  # fmt: skip
def test_such_a_spec_is_refused(document: Document, message: str) -> None:
    assert refusal(document) == message


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        pytest.param(
            [container(), container()],
            f"missing field(s): {POD}.containers[*].ports",
            id="no container has a port",
        ),
        pytest.param(
            [container(ports=PORT), container(ports=PORT)],
            f"more than one container port is set: {POD}.containers[*].ports\n"
            "Only a single port is allowed across all containers",
            id="two containers have one",
        ),
        pytest.param(
            [container(name="x", ports=PORT), container(name="x")],
            f'duplicate container name "x": {POD}.containers[1].name',
            id="one name twice",
        ),
        pytest.param(
            [container(ports=PORT), container(env=[{"name": "K_SERVICE"}, {"name": "PORT"}])],
            f'"K_SERVICE" is a reserved environment variable: {POD}.containers[1].env[0].name',
            id="a sidecar may set PORT but nothing of Knative's",
        ),
        pytest.param(
            [container(ports=PORT), container(livenessProbe={"httpGet": {"port": 1}})],
            f"must not set the field(s): {POD}.containers[1].livenessProbe",
            id="a sidecar's probe",
        ),
        pytest.param(
            [
                container(ports=PORT),
                container(
                    startupProbe={"tcpSocket": {"port": 1}, "periodSeconds": 1},
                ),
            ],
            f"must not set the field(s): {POD}.containers[1].startupProbe,"
            f" {POD}.containers[1].startupProbe.periodSeconds",
            id="a sidecar's probe with numbers",
        ),
    ],
)
def test_containers_must_fit_together(containers: list[Document], message: str) -> None:
    assert refusal(service(containers=containers)) == message


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        pytest.param(
            {"livenessProbe": {}},
            f"expected exactly one, got neither: {FIRST}.livenessProbe.exec,"
            f" {FIRST}.livenessProbe.grpc, {FIRST}.livenessProbe.httpGet,"
            f" {FIRST}.livenessProbe.tcpSocket",
            id="no handler",
        ),
        pytest.param(
            {"startupProbe": {"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}},
            f"expected exactly one, got both: {FIRST}.startupProbe.exec,"
            f" {FIRST}.startupProbe.tcpSocket",
            id="two handlers",
        ),
        pytest.param(
            {"readinessProbe": {"httpGet": {"port": "foo"}}},
            f"invalid value: foo: {FIRST}.readinessProbe.httpGet.port\n"
            "Probe port must match container port",
            id="the name of no port",
        ),
        pytest.param(
            {"readinessProbe": {"tcpSocket": {"port": 1}, "failureThreshold": 2}},
            "failureThreshold is disallowed when periodSeconds is zero:"
            f" {FIRST}.readinessProbe.failureThreshold",
            id="a failure threshold without a period",
        ),
        pytest.param(
            {"readinessProbe": {"tcpSocket": {"port": 1}, "timeoutSeconds": 2}},
            "timeoutSeconds is disallowed when periodSeconds is zero:"
            f" {FIRST}.readinessProbe.timeoutSeconds",
            id="a timeout without a period",
        ),
        pytest.param(
            {"readinessProbe": {"tcpSocket": {}, "successThreshold": -1}},
            f"expected 1 <= -1 <= 2147483647: {FIRST}.readinessProbe.successThreshold",
            id="a success threshold",
        ),
        pytest.param(
            {
                "readinessProbe": {
                    "tcpSocket": {},
                    "periodSeconds": -1,
                    "initialDelaySeconds": -1,
                    "timeoutSeconds": -2,
                    "failureThreshold": -3,
                }
            },
            f"expected 0 <= -1 <= 2147483647: {FIRST}.readinessProbe.initialDelaySeconds,"
            f" {FIRST}.readinessProbe.periodSeconds\n"
            f"expected 1 <= -2 <= 2147483647: {FIRST}.readinessProbe.timeoutSeconds\n"
            f"expected 1 <= -3 <= 2147483647: {FIRST}.readinessProbe.failureThreshold",
            id="negative numbers",
        ),
    ],
)
def test_probes_must_be_sound(probe: Document, message: str) -> None:
    assert refusal(one(**probe)) == message


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"readinessProbe": {"httpGet": {"path": "/", "port": 1}}}, id="any integer"),
        pytest.param(
            {
                "ports": [{"containerPort": 1, "name": "h2c"}],
                "livenessProbe": {"httpGet": {"port": "h2c"}},
            },
            id="the port's name",
        ),
        pytest.param({"livenessProbe": {"tcpSocket": {"port": "http"}}}, id="the default name"),
        pytest.param({"readinessProbe": {"grpc": {"port": 1}}}, id="gRPC"),
        pytest.param({"readinessProbe": {"exec": {"command": ["x"]}}}, id="a command"),
    ],
)
def test_such_probes_are_taken(fields: Document) -> None:
    admitted(one(**fields))


def test_a_sidecar_that_may_be_probed_must_say_where() -> None:
    sidecar = container(livenessProbe={"httpGet": {"path": "/"}})
    document = service(containers=[container(ports=PORT), sidecar])
    assert refusal(document, defaults=with_features("multi-container-probing")) == (
        f"invalid value: 0: {POD}.containers[1].livenessProbe.httpGet.port\n"
        "Probe port must be specified"
    )


def test_init_containers_have_no_probes_and_other_names() -> None:
    init = container(name="x", readinessProbe={"exec": {"command": ["x"]}})
    document = service(initContainers=[init], containers=[container(name="x")])
    enabled = with_features("kubernetes.podspec-init-containers")
    assert refusal(document, defaults=enabled) == (
        f'duplicate container name "x": {POD}.containers[0].name\n'
        f"field not allowed in an init container: {POD}.containers[0].readinessProbe"
    )


def test_a_standalone_revision_is_checked_below_spec() -> None:
    document = revision({"containers": [container(image="")], "timeoutSeconds": 601})
    assert refusal(document) == (
        "expected 0 <= 601 <= 600: spec.timeoutSeconds\nmissing field(s): spec.containers[0].image"
    )


def test_zero_concurrency_can_be_forbidden() -> None:
    strict = Defaults(allow_container_concurrency_zero=False, container_concurrency=1)
    assert refusal(service(containerConcurrency=0), defaults=strict) == (
        f"expected 1 <= 0 <= 1000: {POD}.containerConcurrency"
    )
