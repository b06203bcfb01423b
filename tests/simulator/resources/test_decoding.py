"""Documents become objects: unknown fields are pruned and named, wrong types are all refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import ApiError, BadRequest, Invalid
from simulator.resources.core import ConfigMap, Namespace, Pod
from simulator.resources.decoding import decode, decoding_warnings, strict_decoding_error
from simulator.resources.scheme import BY_TYPE, KINDS, KindInfo, from_document, to_document
from simulator.resources.serving import Configuration, Revision, Route, Service
from simulator.store.patching import copied
from tests.simulator.resources.test_documents import JSON
from tests.support.manifests import container, edited, revision, route, service

SERVICE = BY_TYPE[Service]

KN_BODY = {
    "kind": "Service",
    "apiVersion": "serving.knative.dev/v1",
    "metadata": {"name": "helloworld-go", "namespace": "default", "creationTimestamp": None},
    "spec": {
        "template": {
            "metadata": {"creationTimestamp": None, "annotations": {"client.knative.dev/x": "y"}},
            "spec": {
                "containers": [
                    {
                        "name": "",
                        "image": "IMG",
                        "ports": [{"containerPort": 8080}],
                        "env": [{"name": "TARGET", "value": "World"}],
                        "resources": {},
                    }
                ]
            },
        }
    },
    "status": {},
}


def test_the_body_that_kn_sends_is_taken_and_normalised() -> None:
    decoded = decode(KN_BODY, SERVICE)
    assert decoded.unknown_fields == ()
    assert copied(to_document(decoded.object)) == {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "helloworld-go", "namespace": "default"},
        "spec": {
            "template": {
                "metadata": {"annotations": {"client.knative.dev/x": "y"}},
                "spec": {
                    "containers": [
                        {
                            "image": "IMG",
                            "ports": [{"containerPort": 8080}],
                            "env": [{"name": "TARGET", "value": "World"}],
                            "resources": {},
                        }
                    ]
                },
            }
        },
        "status": {},
    }


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        pytest.param("foo", ("foo",), id="at the top"),
        pytest.param("metadata.foo", ("metadata.foo",), id="in metadata"),
        pytest.param("spec.template.spec.foo", ("spec.template.spec.foo",), id="in the pod"),
        pytest.param("spec.traffic.0.x", ("spec.traffic[0].x",), id="in a list"),
        pytest.param(
            "spec.template.spec.containers.0.lifecycle",
            ("spec.template.spec.containers[0].lifecycle",),
            id="a field of Kubernetes that Knative's schema leaves out",
        ),
        pytest.param("spec.template.metadata.foo", (), id="the template's metadata is open"),
        pytest.param("metadata.selfLink", (), id="a field that old clients still send"),
        pytest.param("spec.template.spec.affinity", (), id="a free-form part"),
    ],
)
def test_unknown_fields_are_dropped_and_their_paths_told(
    path: str, unknown: tuple[str, ...]
) -> None:
    document = service(traffic=[{"percent": 100}])
    decoded = decode(edited(document, path, {"any": "thing"}), SERVICE)
    assert decoded.unknown_fields == unknown
    if path != "spec.template.spec.affinity":
        assert decoded.object == decode(document, SERVICE).object


def test_free_form_parts_are_kept_whole() -> None:
    affinity = {"nodeAffinity": {"deep": [1, None, {"x": True}]}}
    decoded = decode(service(affinity=affinity), SERVICE).object
    assert isinstance(decoded, Service)
    assert decoded.spec.template.spec.affinity == affinity


def test_an_integral_number_is_an_integer() -> None:
    decoded = decode(service(timeoutSeconds=30.0), SERVICE).object
    assert isinstance(decoded, Service)
    assert decoded.spec.template.spec.timeout_seconds == 30


@pytest.mark.parametrize(
    ("document", "info", "message"),
    [
        pytest.param(
            {"apiVersion": "v1"}, SERVICE, "Object 'Kind' is missing in '{\"apiVersion\":\"v1\"}'",
            id="no kind",
        ),
        pytest.param(
            {"kind": "Service"}, SERVICE, "Object 'apiVersion' is missing in", id="no apiVersion"
        ),
        pytest.param(
            {"kind": "Service", "apiVersion": "v1"},
            SERVICE,
            "the API version in the data (v1) does not match the expected API version"
            " (serving.knative.dev/v1)",
            id="the core Service",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}},
            BY_TYPE[ConfigMap],
            'Secret in version "v1" cannot be handled as a ConfigMap:'
            " converting (v1.Secret) to (core.ConfigMap): unknown conversion",
            id="another of Kubernetes' own kinds",
        ),
        pytest.param(
            {"apiVersion": "v2", "kind": "ConfigMap"},
            BY_TYPE[ConfigMap],
            'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is'
            ' registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
            id="a version that is not there",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": 1}},
            BY_TYPE[ConfigMap],
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal'
            " number into Go struct field ConfigMap.data of type string",
            id="a wrong type",
        ),
        pytest.param(
            route([]) | {"metadata": {"labels": {"a": 1}}},
            BY_TYPE[Route],
            'Route in version "v1" cannot be handled as a Route: json: cannot unmarshal number'
            " into Go struct field ObjectMeta.labels of type string",
            id="a wrong type in a custom resource's metadata",
        ),
        pytest.param(
            route([]) | {"metadata": 7},
            BY_TYPE[Route],
            'Route in version "v1" cannot be handled as a Route: json: cannot unmarshal number'
            " into Go value of type v1.ObjectMeta",
            id="no metadata",
        ),
        pytest.param(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"creationTimestamp": "today"}},
            BY_TYPE[Namespace],
            'Namespace in version "v1" cannot be handled as a Namespace: parsing time "today" as'
            ' "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"',
            id="no moment",
        ),
        pytest.param([], SERVICE, "the body is a JSON array, not an object", id="an array"),
        pytest.param(None, SERVICE, "the body is a JSON null, not an object", id="null"),
    ],
)  # fmt: skip
def test_what_is_no_such_object_is_a_bad_request(
    document: Any, info: KindInfo, message: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(document, info)
    assert message in refused.value.message


def test_kubernetes_own_kinds_may_leave_their_kind_to_the_url() -> None:
    """Typed clients do, such as Python's; a custom resource must say its kind."""
    decoded = decode({"metadata": {"name": "team"}}, BY_TYPE[Namespace]).object
    assert isinstance(decoded, Namespace)
    assert decoded.metadata.name == "team"
    with pytest.raises(BadRequest, match="unknown conversion"):
        decode({"kind": "Pod", "metadata": {"name": "team"}}, BY_TYPE[Namespace])


def test_a_custom_resource_of_another_kind_is_invalid() -> None:
    with pytest.raises(Invalid) as refused:
        decode(route([]), SERVICE)
    assert refused.value.message == (
        f'Service.serving.knative.dev "{route([])["metadata"]["name"]}" is invalid: kind: Invalid'
        ' value: "Route": must be Service'
    )


def test_unknown_fields_of_a_custom_resource_come_by_name() -> None:
    document = service() | {"zoo": 1, "ape": 2}
    assert decode(document, SERVICE).unknown_fields == ("ape", "zoo")
    config_map = {"zoo": 1, "ape": 2}
    assert decode(config_map, BY_TYPE[ConfigMap]).unknown_fields == ("zoo", "ape")


def test_strict_and_warn_say_the_same_of_the_same_fields() -> None:
    error = strict_decoding_error("Service", "v1", ["spec.foo", "spec.bar"], ["spec.x"])
    assert error.code == 400
    assert error.message == (
        'Service in version "v1" cannot be handled as a Service: strict decoding error:'
        ' duplicate field "spec.x", unknown field "spec.foo", unknown field "spec.bar"'
    )
    assert decoding_warnings(["spec.foo"], ["spec.x"]) == (
        'duplicate field "spec.x"',
        'unknown field "spec.foo"',
    )


def test_a_free_form_part_may_not_nest_without_end() -> None:
    deep: Any = {}
    for _ in range(500):
        deep = {"x": deep}
    with pytest.raises(BadRequest, match="nests too deep"):
        decode(service(affinity=deep), SERVICE)


@pytest.mark.parametrize("info", KINDS, ids=lambda info: info.qualified)
def test_every_kind_without_containers_decodes_an_object_that_has_only_a_name(
    info: KindInfo,
) -> None:
    document = {"apiVersion": info.api_version, "kind": info.kind, "metadata": {"name": "x"}}
    if info.type in (Service, Configuration, Revision):
        with pytest.raises(Invalid, match=r'spec.containers in body must be of type array: "null"'):
            decode(document, info)
    else:
        assert decode(document, info).object.metadata.name == "x"


FIELDS = ("metadata", "spec", "template", "containers", "env", "name", "traffic", "percent")
NEAR_MISSES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=25,
)


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(["metadata", "spec", "status"]), NEAR_MISSES | JSON)
def test_any_json_is_decoded_or_refused_as_an_api_error(
    info: KindInfo, part: str, value: Any
) -> None:
    document = {"apiVersion": info.api_version, "kind": info.kind, part: value}
    try:
        decoded = decode(document, info).object
    except (BadRequest, Invalid):
        return
    # What was taken can be written, and reads back as the same object.
    assert from_document(to_document(decoded)) == decoded


@settings(deadline=None)
@given(JSON)
def test_any_json_at_all_is_decoded_or_refused(value: Any) -> None:
    with pytest.raises(ApiError):
        decode(value, SERVICE)


def test_core_kinds_decode_too() -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    assert decode(namespace, BY_TYPE[Namespace]).object.metadata.name == "team"
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container()], "x": 1}}
    assert decode(pod, BY_TYPE[Pod]).unknown_fields == ("spec.x",)
    assert decode(revision(), BY_TYPE[Revision]).unknown_fields == ()
